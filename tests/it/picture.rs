//! The picture folded from what nodes say is what the nodes are, at the end and on the way.

use std::collections::{BTreeMap, BTreeSet};

use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::world::World;
use mqlab::lab::trace::fold::{NodePicture, Picture, Pictures, State};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{Level, NodeId};
use mqlab::mq::broker::Broker;
use mqlab::mq::client::Client;
use mqlab::mq::namesrv::Namesrv;

/// What a living node really is, as far as a picture shows it.
fn real(world: &World, node: NodeId, folded: &NodePicture) -> Option<NodePicture> {
    let process = world.process(node)?.as_any();
    // What a picture keeps for itself (the file's offsets) is taken over.
    let mut picture = folded.clone();
    picture.state = if folded.state == State::Paused { State::Paused } else { State::Up };
    picture.queues = BTreeMap::new();
    picture.offsets = BTreeMap::new();
    picture.held = BTreeMap::new();
    picture.leases = BTreeMap::new();
    (picture.members, picture.brokers, picture.owned) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    (picture.log_end, picture.flushed) = (0, 0);
    if let Some(broker) = process.downcast_ref::<Broker>() {
        picture.log_end = broker.log_end().0;
        picture.flushed = broker.store().flushed().0;
        let queues = broker.store().each_queue();
        picture.queues = queues.map(|(topic, queue, min, max)| ((topic.clone(), queue), (min, max))).collect();
        let offsets = broker.offsets().each();
        picture.offsets =
            offsets.map(|(group, topic, queue, at)| ((group.clone(), topic.clone(), queue), at)).collect();
        let held = broker.holds().each();
        picture.held = held.map(|(topic, queue, count)| ((topic.clone(), queue), count as u64)).collect();
        let leases = broker.locks().each();
        let of = |queue: &mqlab::mq::message::MessageQueue| (queue.topic.clone(), queue.queue_id);
        picture.leases = leases
            .map(|(group, queue, lease)| {
                let (topic, queue_id) = of(queue);
                ((group.clone(), topic, queue_id), lease.client_id.clone())
            })
            .collect();
        let role = |consumes| if consumes { "consumer" } else { "producer" };
        let members = broker.members().each();
        picture.members = members.map(|(group, id, consumes)| (group.clone(), id.clone(), role(consumes))).collect();
    }
    if let Some(namesrv) = process.downcast_ref::<Namesrv>() {
        picture.brokers = namesrv.routes().live().cloned().collect();
    }
    if let Some(client) = process.downcast_ref::<Client>() {
        let owned = client.owned().into_iter();
        picture.owned = owned.map(|owned| (owned.queue.topic, owned.queue.broker, owned.queue.queue_id)).collect();
    }
    Some(picture)
}

#[track_caller]
fn compare(world: &World, trace: &Trace, picture: &Picture, when: &str) {
    for (number, folded) in picture.nodes.iter().enumerate() {
        let node = NodeId(number as u16);
        match real(world, node, folded) {
            Some(mut real) => {
                // A queue without entries comes into being when somebody looks for it, and nobody says so.
                let mut folded = folded.clone();
                for picture in [&mut real, &mut folded] {
                    picture.queues.retain(|_, (_, max)| *max > 0);
                }
                assert_eq!(folded, real, "{} {when}", trace.name(node));
            }
            None => assert_ne!(folded.state, State::Up, "{} {when}", trace.name(node)),
        }
    }
}

#[test]
fn a_trace_folds_to_what_the_nodes_are_at_every_step() {
    let kill = "fault.outage={ kill = { node = \"broker-a\" } }".to_owned();
    let stop = "fault.outage={ stop = { node = \"broker-a\" } }".to_owned();
    let runs = [
        ("01-first-message", vec![]),
        ("02-wrong-address", vec![]),
        ("17-power-loss", vec![]),
        ("17-power-loss", vec![kill]),
        ("17-power-loss", vec![stop]),
        ("17-power-loss", vec!["broker.broker-a.flush=sync".to_owned()]),
        ("27-order-moves", vec![]),
        ("28-lease-outlived", vec![]),
    ];
    for (name, sets) in runs {
        for seed in 1..=3 {
            let changes = Overrides { seed: Some(seed), sets: sets.clone(), ..Overrides::default() };
            let text = library::text(name).unwrap();
            let plan = load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
            let mut world = World::new(&plan, Level::Full);
            let mut trace = Trace::new(world.header());
            let mut picture = Picture::new(trace.header.nodes.len());
            while world.step() {
                for record in world.take_records() {
                    picture.fold(&record);
                    trace.push(record);
                }
                compare(&world, &trace, &picture, &format!("in {name} {sets:?} seed {seed} after #{}", world.at()));
            }
            world.finish();
            world.take_records().for_each(|record| trace.push(record));
            let pictures = Pictures::of(&trace);
            assert_eq!(pictures.at(&trace, trace.steps()), picture, "{name}: looking back at the end");
            assert_eq!(pictures.at(&trace, 0), Picture::new(trace.header.nodes.len()));
        }
    }
}
