//! One message's whole trip, printed: `cargo run --example one_message`.

use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;
use mqlab::lab::view::lines::Handles;
use mqlab::lab::view::story;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = library::text("01-first-message").ok_or("the scenario is part of the library")?;
    // One seed is one history: another seed gives other latencies, another first queue, other bytes.
    let changes = Overrides { seed: Some(1), ..Overrides::default() };
    let scenario = load("01-first-message.toml", text.as_bytes(), &changes)?;
    let result = Session::run(&scenario.plan, Level::Full);
    let handles = Handles::of(&result.trace);
    println!("{} in {} events, digest {}", handles.name(0), result.events, result.digest);
    for line in story::of(&result.trace, &handles, 0, Lang::En) {
        println!("{:>9}  {:<10} {}", line.at.to_string(), line.actor, line.text);
    }
    Ok(())
}
