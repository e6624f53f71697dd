//! One seed is one history: at every level, twice, forked, branched, cut; and a node that breaks it is caught.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

use mqlab::lab::bench::toys::{Broker, Consumer, Echo, Pinger, Producer};
use mqlab::lab::fault::episode::{Episode, EventMatch, FaultKind, Trigger};
use mqlab::lab::sim::dice::Odds;
use mqlab::lab::sim::machine::{Action, Applications, DiskSetup, MachineSetup, Mood};
use mqlab::lab::sim::session::{Session, first_difference};
use mqlab::lab::sim::storage::NoDisk;
use mqlab::lab::sim::world::{Schedule, Setup, World};
use mqlab::lab::trace::digest::Digest;
use mqlab::lab::trace::log::Role;
use mqlab::lab::trace::record::{App, Clock, Level, Machine, NodeId, Record, Road, What};
use mqlab::mq::app::{Call, OpId, Return};
use mqlab::mq::disk::FileId;
use mqlab::mq::node::{Addr, ClosedWhy, ConnId, Event, Frame, Node, RefusedWhy, Step, Stream, Timer, TimerKey};
use mqlab::mq::time::{Span, Time};
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::Header;

const SERVER: Addr = Addr::new(10, 0, 0, 1, 7);
const PRODUCERS: u32 = 4;

/// A small cluster of toys under latency, stalls and whatever else the test adds.
fn cluster(seed: u64, messages: u32) -> Setup {
    let mut setup = Setup::new(seed);
    setup.roads.latency_min = Span::from_millis(1);
    setup.roads.latency_max = Span::from_millis(10);
    setup.roads.stall = Odds::of(1, 20);
    setup.roads.stall_for = Span::from_millis(200);
    setup.until = Time(30_000_000_000);
    setup.add_node("broker", SERVER, Box::new(Broker::new(PRODUCERS)));
    for number in 0..PRODUCERS {
        let addr = Addr::new(10, 0, 1, number as u8, 0);
        setup.add_node(format!("producer-{number}"), addr, Box::new(Producer::new(number, SERVER, messages)));
        let addr = Addr::new(10, 0, 2, number as u8, 0);
        let consumer = Consumer::new(number, SERVER, PRODUCERS, messages);
        setup.add_node(format!("consumer-{number}"), addr, Box::new(consumer));
    }
    setup
}

fn episode(name: &str, at: Time, lasts: Option<Span>, kind: FaultKind) -> Episode {
    Episode { name: name.into(), trigger: Trigger::At(at), lasts, kind }
}

fn at(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

/// Faults of every kind over a cluster.
fn stormy(seed: u64) -> Setup {
    let mut setup = cluster(seed, 400);
    let node = |name: &str| name.into();
    let second = Some(Span::from_secs(1));
    let cut = FaultKind::Cut { from: node("producer-1"), to: node("broker"), both: false };
    let delay = FaultKind::Delay { from: node("*"), to: node("consumer-0"), by: Span::from_millis(30) };
    setup.episodes = [
        episode("cut", at(500), second, cut),
        episode("pause", at(800), second, FaultKind::Pause { node: node("broker") }),
        episode(
            "reset",
            at(2_000),
            None,
            FaultKind::Reset { from: node("producer-2"), to: node("broker"), prefix: Default::default() },
        ),
        episode("delay", at(2_500), second, delay),
        episode("skew", at(2_600), None, FaultKind::ClockStep { node: node("consumer-1"), millis: -5_000 }),
        episode("kill", at(3_000), second, FaultKind::Kill { node: node("consumer-3") }),
        episode(
            "outage",
            at(5_000),
            second,
            FaultKind::PowerLoss { node: node("producer-3"), keep: Default::default() },
        ),
    ]
    .into();
    setup
}

fn run(mut setup: Setup, level: Level) -> (Digest, u64, Vec<Record>) {
    setup.level = level;
    let mut world = setup.world();
    world.run(u64::MAX);
    let records = world.take_records().collect();
    (world.digest(), world.at(), records)
}

#[test]
fn the_same_seed_gives_the_same_digest_at_every_level_and_another_seed_another() {
    let (digest, steps, none) = run(stormy(1), Level::Digest);
    assert!(steps > 5_000 && none.is_empty());
    for level in [Level::Digest, Level::History, Level::Full] {
        assert_eq!(run(stormy(1), level).0, digest, "{level:?}");
    }
    assert_eq!(run(stormy(1), Level::Full).2, run(stormy(1), Level::Full).2);
    assert_ne!(run(stormy(2), Level::Digest).0, digest);
    let drawn = |seed| {
        let mut setup = stormy(seed);
        setup.schedule = Schedule::Drawn;
        run(setup, Level::Digest).0
    };
    assert_eq!(drawn(1), drawn(1));
}

/// The draws of every stream, by its path.
fn draws(records: &[Record]) -> std::collections::BTreeMap<String, Vec<u64>> {
    let mut streams = std::collections::BTreeMap::<String, Vec<u64>>::new();
    for record in records {
        if let What::Rolled { stream, ordinal, got, .. } = &record.what {
            let draws = streams.entry(stream.to_string()).or_default();
            assert_eq!(*ordinal, draws.len() as u64, "the ordinals of `{stream}` are counted");
            draws.push(*got);
        }
    }
    streams
}

#[test]
fn taking_a_stream_or_a_node_away_shifts_no_other_draw() {
    let whole = draws(&run(cluster(1, 100), Level::Full).2);
    let mut calm = cluster(1, 100);
    calm.roads.stall = Odds::NEVER;
    let mut fewer = Setup::new(1);
    fewer.roads = calm.roads;
    fewer.add_node("broker", SERVER, Box::new(Broker::new(PRODUCERS)));
    fewer.add_node("producer-2", Addr::new(10, 0, 1, 2, 0), Box::new(Producer::new(2, SERVER, 100)));
    for part in [draws(&run(calm, Level::Full).2), draws(&run(fewer, Level::Full).2)] {
        assert!(!part.is_empty() && part.len() < whole.len());
        for (stream, draws) in part {
            let shared = draws.len().min(whole[&stream].len());
            assert!(shared > 10);
            assert_eq!(draws[..shared], whole[&stream][..shared], "{stream}");
        }
    }
}

#[test]
fn a_fork_goes_on_as_the_original_does() {
    let (digest, steps, _) = run(stormy(3), Level::Digest);
    for cut in [0, 1, 50, steps / 4, steps / 2, steps - 1] {
        let mut world = stormy(3).world();
        world.run(cut);
        let mut fork = world.fork();
        drop(world);
        fork.run(u64::MAX);
        assert_eq!((fork.digest(), fork.at()), (digest, steps), "forked at step {cut}");
    }
}

#[test]
fn a_session_branches_from_any_moment_and_finds_the_same_records() {
    let mut setup = stormy(4);
    setup.level = Level::Full;
    let mut session = Session::of_setup(setup);
    assert!(session.run_to(3_000));
    let midway = session.digest();
    assert!(!session.run_to(u64::MAX));
    let end = session.at();
    for step in [0, 1, 2_999, 3_000, end] {
        let mut branch = session.branch(step).unwrap();
        assert_eq!(branch.at(), step);
        if step == 3_000 {
            assert_eq!(branch.digest(), midway);
        }
        branch.run_to(u64::MAX);
        assert_eq!(branch.digest(), session.digest());
        assert_eq!(branch.trace(), session.trace());
    }
}

fn machine_notes(records: &[Record]) -> Vec<&Machine> {
    records.iter().filter_map(|record| if let What::Machine(note) = &record.what { Some(note) } else { None }).collect()
}

#[test]
fn a_fuse_at_every_effect_kills_the_process_and_never_the_lab() {
    for left in 0..60 {
        for node in 0..3 {
            let mut setup = cluster(5, 20);
            setup.level = Level::Full;
            let mut world = setup.world();
            world.set_effect_fuse(NodeId(node), Some(left));
            world.run(u64::MAX);
            let records: Vec<Record> = world.take_records().collect();
            let notes = machine_notes(&records);
            assert_eq!(notes.iter().filter(|note| ***note == Machine::Killed).count(), 1, "node {node}, fuse {left}");
            assert!(world.panics().is_empty());
            assert_eq!(world.mood(NodeId(node)), Mood::Down);
            let effects = |record: &&Record| {
                record.node == Some(NodeId(node))
                    && matches!(
                        record.what,
                        What::Road(Road::Sent { .. } | Road::Opening { .. })
                            | What::Clock(Clock::Armed { .. } | Clock::Disarmed { .. })
                    )
            };
            assert_eq!(records.iter().filter(effects).count() as u64, left, "what came before the fuse has happened");
        }
    }
}

#[test]
fn a_kill_at_a_record_leaves_nothing_after_it() {
    for nth in 1..20 {
        let mut setup = cluster(6, 20);
        setup.level = Level::Full;
        let event = EventMatch::Kind { kind: "sent".into(), node: Some("producer-0".into()) };
        let trigger = Trigger::After { event, nth, before: true, delay: Span::ZERO };
        let kind = FaultKind::Kill { node: "producer-0".into() };
        setup.episodes = [Episode { name: "mark".into(), trigger, lasts: None, kind }].into();
        let mut world = setup.world();
        world.run(u64::MAX);
        let records: Vec<Record> = world.take_records().collect();
        let of =
            |kind: &str| records.iter().filter(|r| r.node == Some(NodeId(1)) && r.what.kind() == kind).count() as u64;
        // A producer arms its timer right after each send: not after this one.
        assert_eq!((of("sent"), of("armed"), of("killed")), (nth, nth - 1, 1));
    }
}

static PLANTED: AtomicU64 = AtomicU64::new(0);

/// Keeps its conscience outside of its world.
#[derive(Clone)]
struct Fickle(u64);

impl Node for Fickle {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        let Event::Fired { timer } = event else { return };
        self.0 += 1;
        let extra = if self.0 == 10 { PLANTED.fetch_add(1, Ordering::Relaxed) } else { 0 };
        if self.0 < 20 {
            step.out.arm(timer, step.mono + Span(1_000 + extra));
        }
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[test]
fn a_node_that_is_not_deterministic_is_caught_and_its_first_record_named() {
    let world = |fickle: bool| -> World {
        let mut setup = cluster(7, 10);
        setup.level = Level::Full;
        if fickle {
            setup.add_node("fickle", Addr::new(10, 0, 3, 1, 0), Box::new(Fickle(0)));
        }
        setup.world()
    };
    assert_eq!(first_difference(world(false), world(false)), None);
    let divergence = first_difference(world(true), world(true)).unwrap();
    let record = divergence.first.clone().unwrap();
    assert_eq!((record.node, record.what.kind()), (Some(NodeId(9)), "armed"));
    assert!(divergence.to_string().contains("Armed"), "{divergence}");
}

/// Follows a script: connects, sends when woken, and remembers what it hears.
#[derive(Clone, Default)]
struct Scripted {
    peer: Option<Addr>,
    /// When to send a frame, on its clock.
    sends: Vec<Time>,
    closes: Option<Time>,
    heard: Vec<(u64, String)>,
    panics: bool,
}

impl Node for Scripted {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        let millis = step.mono.as_millis();
        match event {
            Event::Fired { timer } if timer.number == 0 => {
                step.dice.below(Stream::Toy, 6);
                if let Some(peer) = self.peer {
                    step.out.connect(ConnId(1), peer);
                }
                for (number, &at) in (1..).zip(&self.sends) {
                    step.out.arm(TimerKey { name: Timer::Toy, number }, at);
                }
                if let Some(at) = self.closes {
                    step.out.arm(TimerKey { name: Timer::Toy, number: 1_000 }, at);
                }
            }
            Event::Fired { timer } if timer.number == 1_000 => step.out.close(ConnId(1)),
            Event::Fired { timer } => {
                step.out.send(ConnId(1), Command::request(3, Opaque(timer.number as i32), Header::None));
            }
            Event::Received { frame: Frame::Command(command), .. } => {
                assert!(!self.panics, "a planted bug");
                self.heard.push((millis, format!("frame {}", command.opaque.0)));
            }
            Event::Accepted { port, .. } => self.heard.push((millis, format!("accepted {port}"))),
            Event::Connected { .. } => self.heard.push((millis, "connected".into())),
            Event::Refused { why, .. } => self.heard.push((millis, format!("{why:?}"))),
            Event::Closed { why, .. } => self.heard.push((millis, format!("{why:?}"))),
            _ => {}
        }
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Two scripted nodes a constant 10 ms apart; the client sends at the given ms.
fn pair(peer: Addr, sends: &[u64], episodes: &[Episode]) -> (World, NodeId, NodeId) {
    let mut setup = Setup::new(1);
    setup.level = Level::Full;
    setup.until = at(60_000);
    setup.roads.latency_min = Span::from_millis(10);
    setup.roads.latency_max = Span::from_millis(10);
    setup.episodes = episodes.into();
    let server = setup.add_node("server", SERVER, Box::new(Scripted::default()));
    let sends = sends.iter().map(|&millis| at(millis)).collect();
    let client = Scripted { peer: Some(peer), sends, ..Scripted::default() };
    let client = setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(client));
    (setup.world(), server, client)
}

fn heard(world: &World, node: NodeId) -> Vec<(u64, String)> {
    let scripted = world.process(node).and_then(|node| node.as_any().downcast_ref::<Scripted>());
    scripted.map_or_else(Vec::new, |scripted| scripted.heard.clone())
}

#[track_caller]
fn check(world: &mut World, node: NodeId, expected: &[(u64, &str)]) {
    world.run(u64::MAX);
    let expected: Vec<(u64, String)> = expected.iter().map(|&(millis, text)| (millis, text.to_owned())).collect();
    assert_eq!(heard(world, node), expected);
}

#[test]
fn a_connection_opens_in_one_latency_each_way_and_keeps_its_order() {
    let (mut world, server, client) = pair(SERVER, &[100, 101, 102], &[]);
    check(&mut world, server, &[(10, "accepted 7"), (110, "frame 1"), (111, "frame 2"), (112, "frame 3")]);
    check(&mut world, client, &[(20, "connected")]);
}

#[test]
fn a_connect_is_refused_within_a_round_trip_or_given_up_after_3_s() {
    let (mut world, _, client) = pair(SERVER.with_port(8), &[], &[]);
    check(&mut world, client, &[(20, &format!("{:?}", RefusedWhy::Refused))]);
    let (mut world, _, client) = pair(Addr::new(9, 9, 9, 9, 7), &[], &[]);
    check(&mut world, client, &[(3_000, &format!("{:?}", RefusedWhy::TimedOut))]);
    let cut = FaultKind::Cut { from: "client".into(), to: "server".into(), both: false };
    let (mut world, server, client) = pair(SERVER, &[], &[episode("cut", at(0), None, cut.clone())]);
    check(&mut world, client, &[(3_000, "TimedOut")]);
    check(&mut world, server, &[]);
    let healed = [episode("cut", at(0), Some(Span::from_secs(1)), cut)];
    let (mut world, _, client) = pair(SERVER, &[], &healed);
    check(&mut world, client, &[(1_020, "connected")]);
}

#[test]
fn a_cut_holds_one_direction_and_lets_go_in_order() {
    let cut = FaultKind::Cut { from: "client".into(), to: "server".into(), both: false };
    let episodes = [episode("cut", at(105), Some(Span::from_millis(895)), cut)];
    let (mut world, server, _) = pair(SERVER, &[100, 200, 995, 1_001], &episodes);
    let frames = [(10, "accepted 7"), (1_010, "frame 1"), (1_010, "frame 2"), (1_010, "frame 3"), (1_011, "frame 4")];
    check(&mut world, server, &frames);
}

#[test]
fn a_killed_process_closes_its_connections_and_its_port_refuses() {
    let kill = episode("kill", at(500), None, FaultKind::Kill { node: "server".into() });
    let (mut world, _, client) = pair(SERVER, &[100], &[kill]);
    check(&mut world, client, &[(20, "connected"), (510, &format!("{:?}", ClosedWhy::Fin))]);
}

#[test]
fn a_machine_without_power_is_silent_and_resets_old_connections_when_it_is_back() {
    let outage = |lasts| {
        [episode("outage", at(500), lasts, FaultKind::PowerLoss { node: "server".into(), keep: Default::default() })]
    };
    let (mut world, _, client) = pair(SERVER, &[600], &outage(None));
    check(&mut world, client, &[(20, "connected")]);
    // Back at 1,500: the frame that vanished at 610 is tried again at 810, 1,210 and 2,010.
    let (mut world, server, client) = pair(SERVER, &[600], &outage(Some(Span::from_secs(1))));
    check(&mut world, client, &[(20, "connected"), (2_020, "Reset")]);
    check(&mut world, server, &[]);
    // Or at once, by a frame sent after that.
    let (mut world, _, client) = pair(SERVER, &[1_600], &outage(Some(Span::from_secs(1))));
    check(&mut world, client, &[(20, "connected"), (1_620, "Reset")]);
}

#[test]
fn a_paused_process_hears_everything_later_in_order() {
    let pause = episode("pause", at(5), Some(Span::from_secs(1)), FaultKind::Pause { node: "server".into() });
    let (mut world, server, client) = pair(SERVER, &[100, 200], &[pause]);
    check(&mut world, client, &[(20, "connected")]);
    check(&mut world, server, &[(1_005, "accepted 7"), (1_005, "frame 1"), (1_005, "frame 2")]);
}

#[test]
fn a_reset_lets_a_prefix_of_whole_frames_through_and_tells_both_sides() {
    let mut prefixes = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let sends: Vec<u64> = (0..8).map(|number| 100 + number).collect();
        let reset = episode(
            "reset",
            Time(108_500_000),
            None,
            FaultKind::Reset { from: "client".into(), to: "server".into(), prefix: Default::default() },
        );
        let (world, server, client) = pair(SERVER, &sends, &[reset]);
        let mut setup = world_setup(&world);
        setup.seed = seed;
        let mut world = setup.world();
        world.run(u64::MAX);
        let told = heard(&world, server);
        let frames = told.iter().filter(|(_, text)| text.starts_with("frame")).count();
        let names: Vec<String> = told[1..=frames].iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(names, (1..=frames).map(|number| format!("frame {number}")).collect::<Vec<_>>());
        assert_eq!(told.last().map(|(_, text)| text.as_str()), Some("Reset"));
        assert_eq!(heard(&world, client).last().map(|(_, text)| text.as_str()), Some("Reset"));
        prefixes.insert(frames);
    }
    assert!(prefixes.contains(&0) && prefixes.contains(&8), "{prefixes:?}");
}

fn world_setup(world: &World) -> Setup {
    world.setup().clone()
}

#[test]
fn a_full_buffer_is_told_when_half_of_it_has_gone() {
    let mut setup = Setup::new(1);
    setup.level = Level::Full;
    setup.roads.buffer = 1_000;
    setup.add_node("server", SERVER, Box::new(Scripted::default()));
    let client = Scripted { peer: Some(SERVER), sends: vec![at(100); 20], ..Scripted::default() };
    setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(client));
    let records = run(setup, Level::Full).2;
    let drained = records.iter().filter(|record| matches!(record.what, What::Road(Road::Drained { .. }))).count();
    assert_eq!(drained, 1);
}

#[test]
fn a_panic_is_the_end_of_its_process_and_a_finding_of_the_run() {
    let mut setup = Setup::new(1);
    setup.level = Level::Full;
    setup.add_node("server", SERVER, Box::new(Scripted { panics: true, ..Scripted::default() }));
    let client = Scripted { peer: Some(SERVER), sends: vec![at(100)], ..Scripted::default() };
    let client = setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(client));
    let mut world = setup.world();
    world.run(u64::MAX);
    let [panic] = world.panics() else { panic!("one process panicked") };
    assert_eq!((panic.node, panic.text.as_str()), (NodeId(0), "a planted bug"));
    assert_eq!(heard(&world, client).last().map(|(_, text)| text.as_str()), Some("Fin"));
}

#[test]
fn the_toys_of_the_benchmarks_do_what_they_say() {
    let mut setup = Setup::new(1);
    setup.add_node("server", SERVER, Box::new(Echo::default()));
    let client = setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(Pinger::new(SERVER, 100)));
    let mut world = setup.world();
    world.run(u64::MAX);
    let pinger = world.process(client).and_then(|node| node.as_any().downcast_ref::<Pinger>());
    assert_eq!(pinger.map(|pinger| pinger.heard), Some(100));
    let mut world = cluster(1, 100).world();
    world.run(u64::MAX);
    let broker = world.process(NodeId(0)).and_then(|node| node.as_any().downcast_ref::<Broker>());
    assert_eq!(broker.map(Broker::stored), Some(400));
}

/// A process that asks for a flush when called and returns when it is answered.
#[derive(Clone)]
struct Flusher;

impl Node for Flusher {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::App(call) => {
                let Call::CreateTopic { op, .. } = *call else { return };
                step.out.flush(op.0, FileId(0), 0, 1);
            }
            Event::Flushed { ticket, .. } => step.out.app(Return::Done { op: OpId(ticket) }),
            _ => {}
        }
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Calls again 10 ms after each return, and takes its process down at the fifth.
#[derive(Clone, Default)]
struct Caller {
    calls: u64,
}

impl Caller {
    fn call(&mut self) -> Action {
        self.calls += 1;
        let (group, key, topic) = ("g".into(), "k".into(), "t".into());
        Action::Call(Box::new(Call::CreateTopic { op: OpId(self.calls), group, key, topic, queues: 1 }))
    }
}

impl Applications for Caller {
    fn boot(&mut self, _now: Time, out: &mut Vec<Action>) {
        out.push(self.call());
    }

    fn on_return(&mut self, now: Time, _: &Return, draw: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        out.push(Action::Wake { at: now + Span::from_millis(10), token: draw(1) });
    }

    fn on_wake(&mut self, _now: Time, _token: u64, out: &mut Vec<Action>) {
        out.push(self.call());
        if self.calls == 5 {
            out.push(Action::Crash);
        }
    }

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(self.clone())
    }
}

#[test]
fn applications_call_are_answered_and_die_with_their_process() {
    let mut setup = Setup::new(1);
    setup.level = Level::Full;
    setup.until = at(1_000);
    let machine = MachineSetup {
        name: "client".into(),
        role: Role::Client,
        ip: 1,
        ports: Vec::new(),
        boot: std::sync::Arc::new(|_| Ok(Box::new(Flusher))),
        apps: Some(std::sync::Arc::new(|| Box::new(Caller::default()))),
        disk: Some(DiskSetup {
            fsync_min: Span::from_millis(5),
            fsync_max: Span::from_millis(5),
            make: std::sync::Arc::new(|| Box::new(NoDisk)),
        }),
    };
    setup.add_machine(machine, Trigger::At(at(100)));
    // The second call's flush ends while the process is paused: it hears of it later.
    let event = EventMatch::Kind { kind: "call-create-topic".into(), node: Some("client".into()) };
    let trigger = Trigger::After { event, nth: 2, before: false, delay: Span::from_millis(1) };
    let kind = FaultKind::Pause { node: "client".into() };
    setup.episodes = [Episode { name: "nap".into(), trigger, lasts: Some(Span::from_millis(50)), kind }].into();
    let (_, _, records) = run(setup, Level::Full);
    let times = |wanted: fn(&What) -> bool| -> Vec<u64> {
        records.iter().filter(|record| wanted(&record.what)).map(|record| record.at.as_millis()).collect()
    };
    let called = times(|what| matches!(what, What::App(App::Called(_))));
    let returned = times(|what| matches!(what, What::App(App::Returned(_))));
    // The fifth operation was open when the process went down: nobody knows its outcome.
    assert_eq!(called, [100, 115, 176, 191, 206]);
    assert_eq!(returned, [105, 166, 181, 196]);
    assert_eq!(times(|what| matches!(what, What::App(App::Info { op: 5 }))), [206]);
    assert_eq!(times(|what| what.kind() == "flush-error"), [105, 120, 181, 196]);
    for record in records.iter().skip(1) {
        let cause = record.cause.and_then(|cause| records.get(cause.0 as usize));
        assert!(cause.is_none_or(|cause| cause.seq < record.seq), "a cause comes before what it causes");
    }
}
