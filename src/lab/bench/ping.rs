//! *ping*: 200,000 round trips over one link with a seeded latency of 1 to 10 ms.

use crate::lab::bench::toys::{Echo, Pinger};
use crate::lab::bench::{Case, Load, Round};
use crate::lab::sim::link::Roads;
use crate::lab::sim::world::Setup;
use crate::mq::node::Addr;
use crate::mq::time::Span;

const ROUND_TRIPS: u64 = 200_000;

pub(crate) const CASE: Case =
    Case { name: "ping", unit: "packets", round, units: |round| round.events, round_trip_asked_ns: Some(11_000_000) };

/// One to ten milliseconds, one way.
pub(crate) fn roads() -> Roads {
    Roads { latency_min: Span::from_millis(1), latency_max: Span::from_millis(10), ..Roads::default() }
}

fn round() -> Round {
    let mut setup = Setup::new(1);
    setup.roads = roads();
    let server = Addr::new(10, 0, 0, 1, 7);
    setup.add_node("server", server, Box::new(Echo::default()));
    let client = setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(Pinger::new(server, ROUND_TRIPS)));
    let mut world = setup.world();
    world.run(u64::MAX);
    let pinger = world.process(client).and_then(|node| node.as_any().downcast_ref::<Pinger>());
    let pinger = pinger.expect("the client lives to the end of the run");
    assert!(pinger.heard == ROUND_TRIPS, "every request is answered");
    let (filed, _) = world.agenda_load();
    Round {
        events: 2 * ROUND_TRIPS,
        messages: 2 * ROUND_TRIPS,
        runs: 1,
        virtual_ns: world.now().0,
        digest: world.digest(),
        load: Load { filed, pending: 1, heaps: 1 },
        round_trip_ns: Some(pinger.waited.0 / ROUND_TRIPS),
        judged_ns: None,
        world: Some(Box::new(world)),
    }
}
