//! *startup*: fresh simulations a second, each of three toy nodes and 100 requests under a seed of its own.

use crate::lab::bench::ping::roads;
use crate::lab::bench::stopwatch::rss_bytes;
use crate::lab::bench::toys::{Echo, Pinger};
use crate::lab::bench::{Case, Load, Round};
use crate::lab::sim::world::{Setup, World};
use crate::lab::trace::digest::Fold;
use crate::mq::node::Addr;

const RUNS: u64 = 10_000;
const REQUESTS: u64 = 100;

pub(crate) const CASE: Case =
    Case { name: "startup", unit: "runs", round, units: |round| round.runs, round_trip_asked_ns: None };

fn one(seed: u64) -> World {
    let mut setup = Setup::new(seed);
    setup.roads = roads();
    let server = Addr::new(10, 0, 0, 1, 7);
    let node = setup.add_node("server", server, Box::new(Echo::default()));
    setup.add_node("client-0", Addr::new(10, 0, 1, 0, 0), Box::new(Pinger::new(server, REQUESTS / 2)));
    setup.add_node("client-1", Addr::new(10, 0, 1, 1, 0), Box::new(Pinger::new(server, REQUESTS / 2)));
    let mut world = setup.world();
    world.run(u64::MAX);
    let echo = world.process(node).and_then(|node| node.as_any().downcast_ref::<Echo>());
    assert!(echo.is_some_and(|echo| echo.answered == REQUESTS), "every request is answered");
    world
}

fn round() -> Round {
    let mut fold = Fold::default();
    let mut round = Round { runs: RUNS, messages: RUNS * REQUESTS, ..Round::default() };
    for seed in 0..RUNS {
        let world = one(seed);
        let digest = world.digest().0;
        fold.pair((digest >> 64) as u64, digest as u64);
        round.events += world.at();
        round.virtual_ns += world.now().0;
        round.load.filed += world.agenda_load().0;
    }
    round.load = Load { filed: round.load.filed, pending: 2, heaps: RUNS };
    round.digest = fold.digest();
    round
}

/// Memory in use after 1,000 and after 10,000 simulations.
pub(crate) fn memory() -> [u64; 2] {
    let mut after = [0; 2];
    for seed in 0..10_000_u64 {
        drop(one(seed));
        match seed + 1 {
            1_000 => after[0] = rss_bytes(),
            10_000 => after[1] = rss_bytes(),
            _ => {}
        }
    }
    after
}
