//! The front door: parse, run, print, exit code.
fn main() {
    println!("mqlab {}", env!("CARGO_PKG_VERSION"));
}
