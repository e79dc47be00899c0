//! Applies the chain in the file that it is given, and says how much memory that took: what the benchmark times.

#![expect(clippy::print_stdout, reason = "the benchmark reads it")]

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which chain?")?;
    let chain = benchmark::chain_file::read(&std::fs::read_to_string(path)?)?;
    chain.up(std::env::var("DATABASE_URL")?.as_str()).await?;
    // what the kernel reports to the parent begins with the parent's own
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default());
    Ok(())
}
