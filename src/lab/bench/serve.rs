//! *serve*: sends over loopback to a broker that serves, beside a server that gives back the same frames and does nothing.
//!
//! 16 connections with 32 requests under way each, bodies of 1 KiB, asynchronous flush, real files in a temporary folder; the
//! load runs on a thread beside the server's. Each round has a server of its own, and that all is stored is asked at its end.

use crate::host::load::{Echo, Load};
use crate::host::serve::{Config, Server};
use crate::lab::bench::Workload;
use crate::lab::bench::stopwatch::Stopwatch;

const LOAD: Load = Load { connections: 16, window: 32, messages: 160_000, body: 1_024 };
/// Rounds of which the median is taken, after one that is dropped.
const ROUNDS: usize = 5;

/// The name one asks for.
pub(crate) const NAME: &str = "serve";

/// Measures it.
pub(crate) fn measure() -> Workload {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (served, echoed) = (serve(), echo());
        if 0 < round {
            ours.push(served);
            bare.push(echoed);
        }
    }
    let units = LOAD.messages as u64;
    Workload::on_files(NAME, "messages", units, units, [ours, bare])
}

fn serve() -> u64 {
    let server = Server::start(Config::free_ports()).expect("a server starts on free ports and a temporary folder");
    let broker = server.brokers()[0].addr;
    let watch = Stopwatch::start();
    LOAD.drive(broker).expect("the broker answers every send");
    let nanos = watch.nanos();
    let stored = LOAD.stored(broker).expect("the broker says how many it has");
    assert!(stored <= LOAD.messages as i64, "no message is there twice");
    assert!(LOAD.messages as i64 - NOT_QUEUED < stored, "every message is stored: {stored}");
    server.stop().expect("the server stops cleanly");
    nanos
}

/// Messages that may be in the log and not yet in their queue when it is asked.
const NOT_QUEUED: i64 = 20_000;

fn echo() -> u64 {
    let echo = Echo::start(LOAD.connections).expect("a port on loopback");
    let watch = Stopwatch::start();
    LOAD.drive(echo.addr).expect("it gives everything back");
    watch.nanos()
}
