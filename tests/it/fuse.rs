//! A broker that dies at any disk operation or any effect of its first fifty sends, and boots again.

use std::collections::BTreeSet;

use mqlab::lab::fault::episode::FaultKind;
use mqlab::lab::sim::boot;
use mqlab::lab::sim::world::World;
use mqlab::lab::trace::record::{App, Level, Machine, NodeId, What};
use mqlab::mq::app::{Call, OpId, Return, SendStatus};
use mqlab::mq::message::property::names;
use mqlab::mq::time::{Span, Time};

use crate::plans;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    DiskOperation,
    Effect,
}

#[test]
fn a_broker_killed_at_any_disk_operation_or_effect_boots_again_and_loses_nothing_acked() {
    for place in [Place::DiskOperation, Place::Effect] {
        let mut left = 0;
        loop {
            let outcome = run(place, left);
            assert!(outcome.boots >= if outcome.died { 2 } else { 1 }, "{place:?} {left}: it boots again");
            let lost: Vec<&String> = outcome.acked.difference(&outcome.delivered).collect();
            assert!(lost.is_empty(), "{place:?} {left}: acked and gone: {lost:?}");
            if !outcome.died {
                assert_eq!(outcome.acked.len(), 50, "{place:?}: without a death all is acked");
                break;
            }
            left += 1;
        }
        println!("{place:?}: {left} places");
        assert!(left > 100, "fifty sends have more than {left} places of {place:?}");
    }
}

#[test]
fn a_recovery_killed_at_any_disk_operation_or_effect_is_recovered_from_again() {
    // Deaths of the sends from which the recovery begins: early, in the middle, late.
    for first in [3, 41, 77, 101] {
        for place in [Place::DiskOperation, Place::Effect] {
            let mut left = 0;
            loop {
                let outcome = run_recovery(first, place, left);
                let lost: Vec<&String> = outcome.acked.difference(&outcome.delivered).collect();
                assert!(lost.is_empty(), "{first}, then {place:?} {left}: acked and gone: {lost:?}");
                if !outcome.died {
                    break;
                }
                left += 1;
            }
            assert!(left > 5, "a recovery has more than {left} places of {place:?}");
        }
    }
}

/// The broker dies at the `first` disk operation of its sends; its recovery, from 8 s on, has a fuse of its own; the operator
/// starts it once more at 12 s.
fn run_recovery(first: u64, place: Place, left: u64) -> Outcome {
    let mut plan = plans::shop(3, 50, Span::from_millis(10));
    plan.until = Time(100_000_000_000);
    plan.episodes.push(plans::episode("return", 8_000, FaultKind::Restart { node: "broker-a".into() }));
    plan.episodes.push(plans::episode("again", 12_000, FaultKind::Restart { node: "broker-a".into() }));
    let mut setup = boot::setup(&plan);
    setup.level = Level::History;
    let mut world = setup.world();
    let broker = NodeId(1);
    let upto = |world: &mut World, millis: u64| while world.now() < Time(millis * 1_000_000) && world.step() {};
    upto(&mut world, 900);
    world.set_disk_fuse(broker, Some(first));
    upto(&mut world, 2_000);
    assert!(world.process(broker).is_none(), "it has died");
    match place {
        Place::DiskOperation => world.set_disk_fuse(broker, Some(left)),
        Place::Effect => world.set_effect_fuse(broker, Some(left)),
    }
    upto(&mut world, 8_001);
    let died = world.process(broker).is_none();
    world.set_disk_fuse(broker, None);
    world.set_effect_fuse(broker, None);
    world.run(u64::MAX);
    Outcome { died, ..outcome(&mut world, broker) }
}

struct Outcome {
    died: bool,
    boots: usize,
    acked: BTreeSet<String>,
    delivered: BTreeSet<String>,
}

fn run(place: Place, left: u64) -> Outcome {
    let mut plan = plans::shop(3, 50, Span::from_millis(10));
    plan.until = Time(100_000_000_000);
    plan.episodes.push(plans::episode("return", 8_000, FaultKind::Restart { node: "broker-a".into() }));
    let mut setup = boot::setup(&plan);
    setup.level = Level::History;
    let mut world = setup.world();
    let broker = NodeId(1);
    while world.now() < Time(900_000_000) {
        assert!(world.step());
    }
    match place {
        Place::DiskOperation => world.set_disk_fuse(broker, Some(left)),
        Place::Effect => world.set_effect_fuse(broker, Some(left)),
    }
    // A fuse that has not burnt after the sends is taken out: what comes later is not asked for.
    while world.now() < Time(2_000_000_000) && world.step() {}
    world.set_disk_fuse(broker, None);
    world.set_effect_fuse(broker, None);
    world.run(u64::MAX);
    outcome(&mut world, broker)
}

fn outcome(world: &mut World, broker: NodeId) -> Outcome {
    assert!(world.panics().is_empty(), "{:?}", world.panics());
    let (mut sent, mut acked, mut delivered) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let (mut died, mut boots) = (false, 0);
    for record in world.take_records() {
        match &record.what {
            What::Machine(Machine::Booted) if record.node == Some(broker) => boots += 1,
            What::Machine(Machine::Killed) if record.at < Time(2_000_000_000) => died = true,
            What::App(App::Called(call)) => {
                if let Call::Send { op, message, .. } = &**call {
                    sent.push((*op, message.properties.get(names::KEYS).unwrap().to_string()));
                }
            }
            What::App(App::Returned(answer)) => match &**answer {
                Return::Sent { op, result } if result.status == SendStatus::SendOk => {
                    acked.insert(key_of(&sent, *op));
                }
                Return::Listen { messages, .. } => {
                    delivered.extend(
                        messages.iter().map(|message| message.message.properties.get(names::KEYS).unwrap().to_string()),
                    );
                }
                _ => {}
            },
            _ => {}
        }
    }
    Outcome { died, boots, acked, delivered }
}

fn key_of(sent: &[(OpId, String)], op: OpId) -> String {
    sent.iter().find(|(found, _)| *found == op).map(|(_, key)| key.clone()).expect("what returns was called")
}
