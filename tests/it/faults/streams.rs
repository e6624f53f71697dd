//! What faults do to single connections, on two nodes that speak to each other by hand.

use std::any::Any;
use std::collections::BTreeSet;

use bytes::Bytes;
use mqlab::lab::fault::episode::{Episode, FaultKind, Trigger};
use mqlab::lab::fault::process::{Breaks, ClockWrong, Service};
use mqlab::lab::fault::road::{Prefix, RoadWrong, Share};
use mqlab::lab::sim::world::{Setup, World};
use mqlab::lab::trace::record::{Level, NodeId};
use mqlab::mq::node::{Addr, ConnId, Event, Frame, Node, Step, Timer, TimerKey};
use mqlab::mq::time::{Span, Time};

const SERVER: Addr = Addr::new(10, 0, 0, 1, 7);

/// Sends pieces of a byte stream when it is told to, and remembers what it hears and what its clocks show then.
#[derive(Clone, Default)]
struct Speaker {
    peer: Option<Addr>,
    sends: Vec<u64>,
    heard: Vec<(u64, String)>,
    clocks: Vec<(u64, i64)>,
}

impl Node for Speaker {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        let millis = step.mono.as_millis();
        self.clocks.push((millis, step.wall.0));
        match event {
            Event::Fired { timer } if timer.number == 0 => {
                if let Some(peer) = self.peer {
                    step.out.connect(ConnId(1), peer);
                }
                for (number, &at) in (1..).zip(&self.sends) {
                    step.out.arm(TimerKey { name: Timer::Toy, number }, Time(at * 1_000_000));
                }
            }
            Event::Fired { timer } => {
                step.out.send_bytes(ConnId(1), Bytes::from(vec![timer.number as u8; 10]));
                self.heard.push((millis, "sends".into()));
            }
            Event::Received { frame: Frame::Bytes(bytes), .. } => {
                self.heard.push((millis, format!("{} of {}", bytes.len(), bytes[0])));
            }
            Event::Accepted { .. } => self.heard.push((millis, "accepted".into())),
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

const fn millis(millis: u64) -> Span {
    Span::from_millis(millis)
}

fn episode(at: u64, lasts: Option<u64>, kind: FaultKind) -> Episode {
    Episode { name: "sick".into(), trigger: Trigger::At(Time(at * 1_000_000)), lasts: lasts.map(millis), kind }
}

fn road(wrong: RoadWrong) -> FaultKind {
    FaultKind::Road { from: "client".into(), to: "server".into(), both: false, wrong }
}

/// A client and a server, 10 ms apart; the client sends ten bytes at each of these ms.
fn pair(seed: u64, sends: &[u64], episodes: &[Episode]) -> World {
    let mut setup = Setup::new(seed);
    setup.level = Level::Full;
    setup.until = Time(2_000_000_000_000);
    (setup.roads.latency_min, setup.roads.latency_max) = (millis(10), millis(10));
    setup.episodes = episodes.into();
    setup.add_node("server", SERVER, Box::new(Speaker::default()));
    let client = Speaker { peer: Some(SERVER), sends: sends.to_vec(), ..Speaker::default() };
    setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(client));
    let mut world = setup.world();
    world.run(u64::MAX);
    world
}

fn heard(world: &World, node: u16) -> Vec<(u64, String)> {
    let speaker = world.process(NodeId(node)).and_then(|node| node.as_any().downcast_ref::<Speaker>());
    speaker.map_or_else(Vec::new, |speaker| speaker.heard.clone())
}

fn text(heard: &[(u64, String)]) -> Vec<String> {
    heard.iter().map(|(at, what)| format!("{at} {what}")).collect()
}

#[test]
fn a_reset_tears_a_byte_stream_anywhere() {
    let mut lengths = BTreeSet::new();
    let kind = |prefix| FaultKind::Reset { from: "client".into(), to: "server".into(), prefix };
    let arrived = |seed, prefix| -> usize {
        let world = pair(seed, &[100, 101, 102], &[episode(105, None, kind(prefix))]);
        let heard = heard(&world, 0);
        assert_eq!(heard.last().map(|(_, what)| what.as_str()), Some("Reset"));
        let length = |what: &String| what.split_once(" of ").map_or(0, |(length, _)| length.parse().unwrap());
        heard.iter().map(|(_, what)| length(what)).sum()
    };
    for seed in 0..200 {
        lengths.insert(arrived(seed, Prefix::Uniform));
    }
    // Not only whole pieces.
    assert!(lengths.len() > 25 && lengths.contains(&0) && lengths.contains(&30), "{lengths:?}");
    assert_eq!((arrived(1, Prefix::None), arrived(1, Prefix::All)), (0, 30));
}

#[test]
fn tcp_gives_up_after_a_quarter_of_an_hour_in_vain() {
    let lost = road(RoadWrong::Stall { odds: Share { times: 1, out_of: 1 }, first: millis(200) });
    let world = pair(1, &[100], &[episode(50, None, lost)]);
    assert_eq!(text(&heard(&world, 1)), ["20 connected", "100 sends", "900100 Reset"]);
    assert_eq!(text(&heard(&world, 0)), ["10 accepted", "900100 Reset"]);
    // One try in two is lost: the distances double.
    let mut times = BTreeSet::new();
    for seed in 0..100 {
        let lost = road(RoadWrong::Stall { odds: Share { times: 1, out_of: 2 }, first: millis(200) });
        let world = pair(seed, &[100], &[episode(50, None, lost)]);
        times.insert(heard(&world, 0)[1].0);
    }
    assert!([110, 310, 710, 1_510].iter().all(|at| times.contains(at)) && times.len() < 12, "{times:?}");
}

#[test]
fn a_narrow_road_takes_one_piece_after_the_other() {
    let narrow = road(RoadWrong::Bandwidth { per_second: 100, buffer: 25 });
    let world = pair(1, &[100, 101, 102, 103], &[episode(50, None, narrow)]);
    let heard = text(&heard(&world, 0));
    assert_eq!(heard, ["10 accepted", "210 10 of 1", "310 10 of 2", "410 10 of 3", "510 10 of 4"]);
    let drained = pair(1, &[100, 101, 102, 103], &[]).take_records().filter(|it| it.what.kind() == "drained").count();
    let narrow = road(RoadWrong::Bandwidth { per_second: 100, buffer: 25 });
    let mut world = pair(1, &[100, 101, 102, 103], &[episode(50, None, narrow)]);
    let told = world.take_records().filter(|it| it.what.kind() == "drained").count();
    assert_eq!((drained, told), (0, 1));
}

#[test]
fn datagrams_are_lost_doubled_and_overtaken() {
    let all = |drop, twice, window| {
        let wrong = RoadWrong::Datagram {
            drop: Share { times: drop, out_of: 100 },
            twice: Share { times: twice, out_of: 100 },
            window,
        };
        let sends: Vec<u64> = (0..40).map(|number| 100 + number).collect();
        let world = pair(3, &sends, &[episode(50, None, road(wrong))]);
        let heard = heard(&world, 0);
        heard[1..].iter().map(|(_, what)| what.split_once("of ").unwrap().1.parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(all(0, 0, 0), (1..=40).collect::<Vec<_>>());
    assert_eq!(all(100, 0, 0), [0; 0]);
    assert_eq!(all(0, 100, 0), (1..=40).flat_map(|number| [number, number]).collect::<Vec<_>>());
    let overtaken = all(0, 0, 4);
    assert!(!overtaken.is_sorted());
    assert_eq!(overtaken.iter().copied().collect::<BTreeSet<_>>(), (1..=40).collect());
}

#[test]
fn a_side_that_hears_no_end_keeps_its_connection_until_it_heals() {
    let half = FaultKind::Road { from: "server".into(), to: "client".into(), both: false, wrong: RoadWrong::HalfOpen };
    let kill = Episode { name: "kill".into(), ..episode(200, None, FaultKind::Kill { node: "server".into() }) };
    let world = pair(1, &[300], &[episode(50, Some(1_000), half), kill.clone()]);
    assert_eq!(text(&heard(&world, 1)), ["20 connected", "300 sends", "1060 Fin"]);
    assert_eq!(text(&heard(&pair(1, &[300], &[kill]), 1)), ["20 connected", "210 Fin", "300 sends"]);
}

#[test]
fn a_service_that_reads_no_stream_reads_it_when_it_goes_on() {
    let ha = FaultKind::PauseService { node: "server".into(), service: Service::Ha };
    let world = pair(1, &[100, 200], &[episode(50, Some(1_000), ha)]);
    assert_eq!(text(&heard(&world, 0)), ["10 accepted", "1060 10 of 1", "1060 10 of 2"]);
}

#[test]
fn a_slow_process_takes_one_thing_after_the_other() {
    let slow = FaultKind::SlowCpu { node: "server".into(), times: 5_000, task: None };
    let world = pair(1, &[100, 101, 102], &[episode(50, Some(10_000), slow)]);
    // 5,000 times 20 us are 100 ms.
    assert_eq!(text(&heard(&world, 0)), ["10 accepted", "110 10 of 1", "210 10 of 2", "310 10 of 3"]);
}

#[test]
fn a_handler_that_runs_out_of_memory_does_half_of_its_work() {
    // The client's boot writes a connect and three timers; the crash comes at the first timer's send.
    let crash = FaultKind::Crash { node: "client".into(), breaks: Breaks::After(1) };
    let world = pair(1, &[100, 200, 300], &[episode(50, None, crash)]);
    assert_eq!(text(&heard(&world, 0)), ["10 accepted", "110 10 of 1", "210 Fin"]);
}

fn clock(at: u64, lasts: Option<u64>, wrong: ClockWrong) -> Episode {
    episode(at, lasts, FaultKind::Clock { node: "client".into(), wrong })
}

/// When the server hears what the client sends at 1,000, 2,000, 3,000 and 4,000 ms of its own clock.
fn arrivals(fault: Episode) -> Vec<u64> {
    let world = pair(1, &[1_000, 2_000, 3_000, 4_000], &[fault]);
    heard(&world, 0)[1..].iter().map(|(at, _)| at - 10).collect()
}

#[test]
fn timers_follow_their_machines_clock() {
    let drift = arrivals(clock(0, None, ClockWrong::Drift { millionths: 250_000 }));
    assert_eq!(drift, [800, 1_600, 2_400, 3_200]);
    let drift = arrivals(clock(1_500, Some(1_000), ClockWrong::Drift { millionths: -500_000 }));
    assert_eq!(drift, [1_000, 2_500, 3_500, 4_500]);
    // Half a second late when it goes on, and twice as fast until it has caught up.
    let freeze = arrivals(clock(1_500, None, ClockWrong::Freeze { span: millis(1_000), faster: 1_000_000 }));
    assert_eq!(freeze, [1_000, 2_750, 3_250, 4_000]);
    // Healed early: the clocks are set right at once.
    let freeze = arrivals(clock(1_500, Some(1_000), ClockWrong::Freeze { span: millis(5_000), faster: 1_000_000 }));
    assert_eq!(freeze, [1_000, 2_500, 3_000, 4_000]);
    let diverge = arrivals(clock(1_500, None, ClockWrong::Diverge { by: millis(1_700) }));
    assert_eq!(diverge, [1_000, 1_500, 1_500, 2_300]);
    let offset = arrivals(clock(0, None, ClockWrong::Offset { millis: -500 }));
    assert_eq!(offset, [1_000, 2_000, 3_000, 4_000]);
}

#[test]
fn a_wall_clock_that_is_off_or_coarse_shows_it() {
    let walls = |fault: Episode| -> Vec<i64> {
        let world = pair(1, &[1_001, 2_002, 3_003], &[fault]);
        let speaker = world.process(NodeId(1)).and_then(|node| node.as_any().downcast_ref::<Speaker>()).unwrap();
        let start = world.setup().start.0;
        speaker.clocks.iter().map(|(_, wall)| wall - start).collect()
    };
    assert_eq!(walls(clock(0, None, ClockWrong::Offset { millis: -500 })), [-500, -480, 501, 1_502, 2_503]);
    let coarse = walls(clock(500, Some(2_000), ClockWrong::Coarse { millis: 1_000 }));
    assert_eq!(coarse, [0, 20, 1_000, 2_000, 3_003]);
}

/// Opens a connection at each of these ms, and closes one at others.
#[derive(Clone, Default)]
struct Dialer {
    opens: Vec<u64>,
    closes: Vec<(u64, u64)>,
    heard: Vec<String>,
}

impl Node for Dialer {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        let millis = step.mono.as_millis();
        match event {
            Event::Fired { timer } if timer.number == 0 => {
                for (number, &at) in (1..).zip(&self.opens) {
                    step.out.arm(TimerKey { name: Timer::Toy, number: 2 * number - 1 }, Time(at * 1_000_000));
                }
                for &(number, at) in &self.closes {
                    step.out.arm(TimerKey { name: Timer::Toy, number: 2 * number }, Time(at * 1_000_000));
                }
            }
            Event::Fired { timer } if timer.number % 2 == 0 => step.out.close(ConnId(timer.number as u32 - 1)),
            Event::Fired { timer } => step.out.connect(ConnId(timer.number as u32), SERVER),
            Event::Connected { conn } => self.heard.push(format!("{millis} {} connected", conn.0.div_ceil(2))),
            Event::Refused { conn, why } => self.heard.push(format!("{millis} {} {why:?}", conn.0.div_ceil(2))),
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

fn dialed(wrong: RoadWrong, opens: &[u64], closes: &[(u64, u64)]) -> Vec<String> {
    let mut setup = Setup::new(1);
    setup.until = Time(2_000_000_000_000);
    (setup.roads.latency_min, setup.roads.latency_max) = (millis(10), millis(10));
    setup.episodes = [episode(50, None, road(wrong))].into();
    setup.add_node("server", SERVER, Box::new(Speaker::default()));
    let dialer = Dialer { opens: opens.to_vec(), closes: closes.to_vec(), heard: Vec::new() };
    setup.add_node("client", Addr::new(10, 0, 0, 2, 0), Box::new(dialer));
    let mut world = setup.world();
    world.run(u64::MAX);
    let node = world.process(NodeId(1)).and_then(|node| node.as_any().downcast_ref::<Dialer>());
    node.map(|dialer| dialer.heard.clone()).unwrap_or_default()
}

#[test]
fn a_full_table_takes_a_connection_when_another_one_has_gone() {
    let full = RoadWrong::FullTable { room: 2 };
    let heard = dialed(full, &[10, 100, 200, 400, 500], &[(1, 300)]);
    assert_eq!(heard, ["30 1 connected", "120 2 connected", "220 3 Refused", "420 4 connected", "520 5 Refused"]);
}

#[test]
fn a_port_is_free_a_minute_after_who_opened_the_connection_closed_it() {
    let ports = RoadWrong::PortExhaustion { ports: 2 };
    let heard = dialed(ports, &[10, 100, 200, 400, 60_299, 60_300, 60_301], &[(1, 300)]);
    // Refused on the spot: nothing is sent.
    let early = ["30 1 connected", "120 2 connected", "200 3 Refused", "400 4 Refused"];
    assert_eq!(heard[..4], early);
    assert_eq!(heard[4..], ["60299 5 Refused", "60301 7 Refused", "60320 6 connected"]);
}
