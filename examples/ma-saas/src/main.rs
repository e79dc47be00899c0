//! The binary of the founding case.

fn main() {}
