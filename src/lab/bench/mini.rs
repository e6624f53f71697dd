//! *mini*: the simulator alone under a toy broker in memory.
//!
//! Four producers with one send in flight each, four queues, four consumers that pull up to 32 and wait 50 ms after a batch
//! that was not full; 100,000 messages of 128 bytes; latency 1 to 10 ms, one frame in a hundred stalled for 200 ms; a client
//! sends again after 100 ms, a sequence number is stored once. All are delivered, once and in order: checked.

use crate::lab::bench::ping::roads;
use crate::lab::bench::toys::{Broker, Consumer, Producer, QUEUES};
use crate::lab::bench::{Case, Load, Round};
use crate::lab::sim::dice::Odds;
use crate::lab::sim::world::Setup;
use crate::mq::node::Addr;
use crate::mq::time::Span;

const MESSAGES: u32 = 100_000;
const PRODUCERS: u32 = 4;

pub(crate) const CASE: Case =
    Case { name: "mini", unit: "messages", round, units: |round| round.messages, round_trip_asked_ns: None };

fn round() -> Round {
    let mut setup = Setup::new(1);
    setup.roads = roads();
    setup.roads.stall = Odds::of(1, 100);
    setup.roads.stall_for = Span::from_millis(200);
    let broker = Addr::new(10, 0, 0, 1, 7);
    let server = setup.add_node("broker", broker, Box::new(Broker::new(PRODUCERS)));
    for number in 0..PRODUCERS {
        let producer = Producer::new(number, broker, MESSAGES / PRODUCERS);
        setup.add_node(format!("producer-{number}"), Addr::new(10, 0, 1, number as u8, 0), Box::new(producer));
    }
    let mut consumers = Vec::new();
    for queue in 0..QUEUES {
        let consumer = Consumer::new(queue, broker, PRODUCERS, MESSAGES / QUEUES);
        let addr = Addr::new(10, 0, 2, queue as u8, 0);
        consumers.push(setup.add_node(format!("consumer-{queue}"), addr, Box::new(consumer)));
    }
    let mut world = setup.world();
    world.run(1_000);
    let (_, pending) = world.agenda_load();
    world.run(u64::MAX);
    let broker = world.process(server).and_then(|node| node.as_any().downcast_ref::<Broker>());
    let stored = broker.expect("the broker lives to the end of the run").stored();
    assert!(stored == MESSAGES as usize, "each message is stored once");
    let consumed = |&node: &_| {
        let consumer = world.process(node).and_then(|node| node.as_any().downcast_ref::<Consumer>());
        consumer.expect("a consumer lives to the end of the run").consumed()
    };
    let delivered: u32 = consumers.iter().map(consumed).sum();
    assert!(delivered == MESSAGES, "each message is delivered once and in order");
    let (filed, _) = world.agenda_load();
    Round {
        events: world.at(),
        messages: u64::from(MESSAGES),
        runs: 1,
        virtual_ns: world.now().0,
        digest: world.digest(),
        load: Load { filed, pending, heaps: 1 },
        round_trip_ns: None,
        judged_ns: None,
        world: Some(Box::new(world)),
    }
}
