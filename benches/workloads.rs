//! The figures of the simulator, each beside its bare limit: `cargo bench` prints them all, `cargo bench -- NAME` one.
fn main() {
    // Cargo adds `--bench`; what does not begin with a dash is a workload's name.
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    print!("{}", mqlab::lab::bench::run(name.as_deref()).text());
}
