//! Applies the chain in the file that it is given: what the benchmark times.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which chain?")?;
    let chain = benchmark::chain_file::read(&std::fs::read_to_string(path)?)?;
    Ok(chain.up(std::env::var("DATABASE_URL")?.as_str()).await.map(drop)?)
}
