//! The front door: parse, run, print, exit code.
fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("bench") {
        let report = mqlab::lab::bench::run(args.next().as_deref());
        print!("{}", report.text());
        return;
    }
    println!("mqlab {}", env!("CARGO_PKG_VERSION"));
}
