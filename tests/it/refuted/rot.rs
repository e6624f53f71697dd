//! G66: bits of a log that changed by themselves, and boots over them.

use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::log::Trace;
use mqlab::mq::profile::Profile;

use super::tables::{Table, fault, of, shop_text, synced};

/// Forced messages, a bit of the log that changes after 16 s, and what comes then.
fn rotten(field: &str, then: &str) -> (Trace, Plan) {
    synced("60s", "count = 60", "", &format!("{}{then}", flip(field, 3)))
}

fn flip(field: &str, nth: u32) -> String {
    let what = format!("bit-flip = {{ node = \"broker-a\", field = \"{field}\", nth = {nth} }}");
    format!("[[fault]]\nname = \"rot\"\nat = \"16s\"\n{what}\n")
}

pub fn told(table: &mut Table) {
    let kill = fault("x", 18, 3, "kill = { node = \"broker-a\" }");
    let dark = fault("x", 18, 3, "power-loss = { node = \"broker-a\" }");
    let stop = fault("x", 18, 3, "stop = { node = \"broker-a\" }");
    let (trace, plan) = rotten("body", &kill);
    table.rejects("a body, and a kill", "K09 cut", (&trace, &plan));
    let (trace, plan) = rotten("size", &dark);
    table.leaves_open("what the power left behind it may be a torn tail", (&trace, &plan));
    let (trace, plan) = rotten("magic", &stop);
    table.rejects("a magic number, and a clean stop", "K09 cut", (&trace, &plan));
    // Somebody whose repair does nothing.
    let repaired = Plan { profile: Profile::HARDENED, ..plan.clone() };
    table.rejects("the same where it should have been told", "cut", (&trace, &repaired));

    let (trace, plan) = rotten("body", "");
    table.leaves_open("nobody has read it", (&trace, &plan));
    let (trace, plan) = rotten("properties", &kill);
    table.accepts("a text that no CRC covers is taken as it is", (&trace, &plan));
    // Without a force nothing was durable when it changed.
    let young = fault("x", 17, 3, "kill = { node = \"broker-a\" }");
    let (trace, plan) = of(&shop_text("60s", "count = 60", "", &format!("{}{young}", flip("body", 1)))
        .replace("at = \"16s\"", "at = \"5600ms\"")
        .replace("at = \"17s\"", "at = \"5700ms\""));
    table.leaves_open("what was never forced", (&trace, &plan));
}
