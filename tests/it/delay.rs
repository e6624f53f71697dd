//! A delayed message's whole trip through a world: parked, due, delivered; and a broker that dies in between.

use mqlab::lab::fault::episode::FaultKind;
use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::sim::boot;
use mqlab::lab::trace::record::{App, Level, Machine, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;
use mqlab::mq::message::property::names;
use mqlab::mq::profile::Profile;
use mqlab::mq::time::{Span, Time};

use crate::plans;

/// What a run shows: moments in ms.
#[derive(Debug, Default)]
struct Seen {
    /// Parked in the schedule topic.
    parked: Vec<u64>,
    /// Put again under the true address.
    delivered: Vec<u64>,
    /// Given to the listener, with the key.
    listened: Vec<(u64, String)>,
    /// Why the broker did not boot.
    refusals: Vec<String>,
}

/// `count` orders, one every 100 ms from 1 s on, with delay level 3.
fn plan(count: u64) -> Plan {
    let mut plan = plans::shop(7, count, Span::from_millis(100));
    plan.until = Time(90_000_000_000);
    for send in &mut plan.senders[0].sends {
        send.message.properties.put(names::DELAY, "3");
    }
    plan
}

fn run(plan: &Plan) -> Seen {
    let mut setup = boot::setup(plan);
    setup.level = Level::Full;
    let mut world = setup.world();
    world.run(u64::MAX);
    assert!(world.panics().is_empty(), "{:?}", world.panics());
    let mut seen = Seen::default();
    for record in world.take_records() {
        let at = record.at.as_millis();
        match &record.what {
            What::Fact(Fact::Queued { topic, .. }) if *topic == "SCHEDULE_TOPIC_XXXX" => seen.parked.push(at),
            What::Fact(Fact::DelayedDelivered { level: 3, .. }) => seen.delivered.push(at),
            What::App(App::Returned(answer)) => {
                let Return::Listen { messages, .. } = &**answer else { continue };
                let key = |message: &mqlab::mq::message::StoredMessage| {
                    message.message.properties.get(names::KEYS).unwrap().to_string()
                };
                seen.listened.extend(messages.iter().map(|message| (at, key(message))));
            }
            What::Machine(Machine::BootFailed { why }) => seen.refusals.push(why.to_string()),
            _ => {}
        }
    }
    seen
}

#[test]
fn level_three_is_delivered_ten_seconds_after_it_was_stored() {
    let seen = run(&plan(5));
    assert_eq!((seen.parked.len(), seen.delivered.len(), seen.listened.len()), (5, 5, 5));
    for (parked, delivered) in seen.parked.iter().zip(&seen.delivered) {
        // The unit comes a tick of the follower after the record, whose store time counts.
        assert!((9_998..=10_000).contains(&(delivered - parked)), "{parked} to {delivered}");
    }
    for (delivered, (listened, _)) in seen.delivered.iter().zip(&seen.listened) {
        assert!(delivered <= listened && *listened < delivered + 100, "{delivered} to {listened}");
    }
}

#[test]
fn each_of_the_eighteen_levels_waits_as_long_as_it_says() {
    let mut plan = plan(18);
    plan.until = Time(8_000_000_000_000);
    for (level, send) in (1..).zip(&mut plan.senders[0].sends) {
        send.message.properties.put(names::DELAY, level.to_string());
    }
    let mut setup = boot::setup(&plan);
    setup.level = Level::Full;
    let mut world = setup.world();
    world.run(u64::MAX);
    let records: Vec<_> = world.take_records().collect();
    let parked: Vec<u64> = records
        .iter()
        .filter(
            |record| matches!(&record.what, What::Fact(Fact::Queued { topic, .. }) if topic.as_str() == "SCHEDULE_TOPIC_XXXX"),
        )
        .map(|record| record.at.as_millis())
        .collect();
    let delivered: Vec<(i32, u64)> = records
        .iter()
        .filter_map(|record| match &record.what {
            What::Fact(Fact::DelayedDelivered { level, .. }) => Some((*level, record.at.as_millis())),
            _ => None,
        })
        .collect();
    let (second, minute, hour) = (1_000, 60_000, 3_600_000);
    let minutes = (1..=10).chain([20, 30]).map(|many| many * minute);
    let waits: Vec<u64> =
        [1, 5, 10, 30].map(|many| many * second).into_iter().chain(minutes).chain([hour, 2 * hour]).collect();
    assert_eq!(delivered.iter().map(|(level, _)| *level).collect::<Vec<i32>>(), (1..=18).collect::<Vec<i32>>());
    for ((parked, (level, at)), wait) in parked.iter().zip(&delivered).zip(waits) {
        // A level that was empty is looked at every 100 ms, or as seldom as once a second.
        assert!((wait - 2..=wait + 1_000).contains(&(at - parked)), "level {level}: {parked} to {at}");
    }
}

#[test]
fn a_broker_that_dies_delivers_again_from_the_cursor_that_it_wrote() {
    let mut plan = plan(20);
    // The cursors are written 10 s after the start, when none is due yet; the kill comes when some were delivered.
    plan.episodes.push(plans::episode("outage", 12_050, FaultKind::Kill { node: "broker-a".into() }));
    plan.episodes.push(plans::episode("return", 15_000, FaultKind::Restart { node: "broker-a".into() }));
    let seen = run(&plan);
    let before = seen.delivered.iter().filter(|at| **at < 12_050).count();
    assert!(0 < before && before < 20, "some were delivered before: {before}");
    assert_eq!(seen.delivered.len(), before + 20, "all are delivered again: the cursor was 0");
    let mut keys: Vec<&str> = seen.listened.iter().map(|(_, key)| key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 20, "nothing is missing");
}

#[test]
fn a_clean_stop_writes_the_cursors_or_not_k24() {
    for (profile, again) in [(Profile::FAITHFUL, true), (Profile::with_fix("K24").unwrap(), false)] {
        let mut plan = plan(5);
        plan.profile = profile;
        plan.episodes.push(plans::episode("outage", 18_000, FaultKind::Stop { node: "broker-a".into() }));
        plan.episodes.push(plans::episode("return", 22_000, FaultKind::Restart { node: "broker-a".into() }));
        let seen = run(&plan);
        assert_eq!(seen.delivered.len(), if again { 10 } else { 5 });
        assert!(seen.refusals.is_empty());
    }
}
