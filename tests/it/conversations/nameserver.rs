//! The nameserver's answers: the recorded requests are put to the one here, at the recorded times.

use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::namesrv::{Namesrv, NamesrvConfig};
use mqlab::mq::node::{Addr, Choice, ClosedWhy, ConnId, Costs, Effect, Event, Node, Out, Step, Stream};
use mqlab::mq::time::{Millis, Time};
use mqlab::mq::wire::code::request;
use mqlab::mq::wire::codec::from_raw;
use mqlab::mq::wire::codec::raw::RawCommand;
use mqlab::mq::wire::command::Command;

use super::{Frame, Said, Spoken, conversations, raw, written};
use crate::disk::sim;

/// What the nameserver here answers; the rest is configuration.
const ANSWERED: &[i32] = &[
    request::REGISTER_BROKER,
    request::UNREGISTER_BROKER,
    request::GET_ROUTEINTO_BY_TOPIC,
    request::PUT_KV_CONFIG,
    request::GET_KV_CONFIG,
    request::DELETE_KV_CONFIG,
    request::GET_KVLIST_BY_NAMESPACE,
    request::WIPE_WRITE_PERM_OF_BROKER,
    request::DELETE_TOPIC_IN_NAMESRV,
    request::GET_BROKER_CLUSTER_INFO,
];

struct NoDice;

impl Choice for NoDice {
    fn below(&mut self, stream: Stream, _: u64) -> u64 {
        panic!("a nameserver draws nothing, and drew for {stream:?}")
    }
}

/// A nameserver under the test's own driver.
struct Machine {
    node: Namesrv,
    disk: SimDisk,
    out: Out,
}

/// A step's surroundings at a moment of the conversation.
fn at<R>(ms: u64, disk: &mut SimDisk, out: &mut Out, act: impl FnOnce(&mut Step<'_>) -> R) -> R {
    let (wall, mono) = (Millis(1_540_000_000_000 + ms as i64), Time(ms * 1_000_000));
    act(&mut Step { wall, mono, disk, dice: &mut NoDice, costs: &Costs::default(), out })
}

impl Machine {
    fn boot() -> Machine {
        let (mut disk, mut out) = (sim(), Out::default());
        let config = NamesrvConfig::new(Addr::new(127, 0, 0, 9, 9_876));
        let node = at(0, &mut disk, &mut out, |step| Namesrv::boot(config, step));
        Machine { node, disk, out }
    }

    /// Handles one event; gives the frames that leave.
    fn on(&mut self, ms: u64, event: Event) -> Vec<Command> {
        let Machine { node, disk, out } = self;
        at(ms, disk, out, |step| node.on(event, step));
        let sent = self.out.drain().filter_map(|effect| match effect {
            Effect::Send { frame: mqlab::mq::node::Frame::Command(command), .. } => Some(*command),
            _ => None,
        });
        sent.collect()
    }
}

/// The real answer to a request, found on its connection by its number.
fn answer_to(said: &[Said], conn: u32, opaque: Option<i32>) -> Option<&Frame> {
    said.iter().find_map(|said| match &said.event {
        Spoken::Frame(frame) if said.conn == conn && !frame.from_client => {
            let raw = raw(frame);
            (raw.is_response() && raw.opaque == opaque).then_some(frame)
        }
        _ => None,
    })
}

#[test]
fn the_nameserver_gives_the_real_ones_answers() {
    let (mut equal, mut raced) = (0, 0);
    let mut codes = std::collections::BTreeMap::new();
    for (name, said) in conversations() {
        let mut machine = Machine::boot();
        let mut registered = 0;
        let mut ours = std::collections::BTreeSet::new();
        for line in &said {
            let conn = ConnId(2 * line.conn);
            match &line.event {
                Spoken::Opened { port, client, .. } if port == "namesrv" => {
                    ours.insert(line.conn);
                    let peer = Addr::parse(client).unwrap();
                    machine.on(line.ms, Event::Accepted { conn, port: 9_876, peer });
                }
                Spoken::Closed { .. } if ours.remove(&line.conn) => {
                    machine.on(line.ms, Event::Closed { conn, why: ClosedWhy::Fin });
                }
                Spoken::Frame(frame) if frame.from_client && ours.contains(&line.conn) => {
                    let asked = raw(frame);
                    if !ANSWERED.contains(&asked.code) {
                        continue;
                    }
                    if asked.code == request::REGISTER_BROKER {
                        registered = line.ms;
                    }
                    let opaque = asked.opaque;
                    // A request that lacks what its class requires never comes as far as the node.
                    let Ok(command) = from_raw(asked) else { continue };
                    let code = command.code;
                    let event = Event::Received { conn, frame: mqlab::mq::node::Frame::Command(Box::new(command)) };
                    let answers = machine.on(line.ms, event);
                    let Some(real) = answer_to(&said, line.conn, opaque) else { continue };
                    let [answer] = &answers[..] else { panic!("{name}: {code}: {answers:?}") };
                    let real: RawCommand = raw(real);
                    let shown = |raw: &RawCommand| {
                        let body = raw.body.as_deref().map(String::from_utf8_lossy);
                        format!("{raw}\n{}", body.unwrap_or_default())
                    };
                    let answer = RawCommand::decode(&written(answer, &real).slice(4..)).unwrap();
                    // Frames of two connections have no order: a question may have overtaken a registration.
                    if answer.code != real.code && line.ms - registered < 50 {
                        raced += 1;
                        continue;
                    }
                    *codes.entry(code).or_insert(0) += 1;
                    assert_eq!(shown(&answer), shown(&real), "{name} at {} ms, request {code}", line.ms);
                    equal += 1;
                }
                _ => {}
            }
        }
    }
    eprintln!("{codes:?}");
    assert!(50 < equal && raced < 10, "{equal} answers, {raced} races");
}
