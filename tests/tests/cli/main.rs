//! The command line as a person or a program meets it: a process with arguments, two streams and an exit code.

#![expect(clippy::unwrap_used, reason = "what can't be unwrapped is a failed test")]

mod commands;
mod errors;
mod interruption;
mod locks;
mod passwords;
mod phases;
mod process;
mod quickstart;
mod sqlite;
mod streams;
