//! The recorded conversations played again: the clients say what they said when they said it, and what the nodes here say is
//! held against what the real ones said, field by field.

use std::collections::BTreeMap;

use mqlab::mq::message::record;
use mqlab::mq::node::{Addr, ConnId};
use mqlab::mq::time::Time;
use mqlab::mq::wire::code::request;
use mqlab::mq::wire::codec::raw::{RawCommand, SerializeType};
use mqlab::mq::wire::codec::{CodecError, from_raw, refusal, to_raw};

use super::differ::{Field, Half, fields};
use super::races::{Places, uncrossed};
use super::recording::{Asked, Recording};
use super::stage::{End, Heard, Stage};
use super::story::{self, Deed, Story};
use super::table::{Score, table};
use super::{Said, Spoken, conversations, raw};

/// Who asks whom, and a code or a number.
type Way = (usize, usize, i32);

/// A question and its answer.
type Exchange = (RawCommand, Option<RawCommand>);

/// A conversation being played.
struct Play<'a> {
    story: &'a Story,
    recording: &'a Recording,
    stage: Stage,
    /// The node's end of each connection of a client.
    ends: BTreeMap<u32, (usize, ConnId)>,
    answers: BTreeMap<(u32, i32), RawCommand>,
    places: Places,
    to_clients: BTreeMap<(u32, i32), Vec<RawCommand>>,
    among_nodes: BTreeMap<Way, Vec<Exchange>>,
    /// Where among those a question that waits for its answer stands.
    open: BTreeMap<Way, (Way, usize)>,
}

impl<'a> Play<'a> {
    fn role(&self, name: &str) -> Option<usize> {
        self.story.processes.iter().position(|process| process.role == name)
    }

    fn play(&mut self, said: &[Said]) {
        let mut steps = self.story.steps.iter().peekable();
        let (mut last, mut same) = (0, 0);
        for line in said {
            while let Some(step) = steps.next_if(|step| step.ms <= line.ms) {
                self.befall(step);
            }
            same = if line.ms == last { same + 1 } else { 0 };
            last = line.ms;
            self.stage.run_until(Time((line.ms + ROAD_MS) * 1_000_000 + same * 1_000));
            self.hear();
            self.say(line);
            self.hear();
        }
        for step in steps {
            self.befall(step);
        }
        self.hear();
    }

    fn befall(&mut self, step: &story::Step) {
        self.stage.run_until(Time(step.ms * 1_000_000));
        self.hear();
        let machine = self.role(&step.role).unwrap();
        match &step.deed {
            Deed::Boot(boot) => self.stage.boot(machine, boot),
            Deed::Stop => self.stage.stop(machine),
            Deed::Kill => self.stage.kill(machine),
        }
        self.hear();
    }

    /// What a client of the recording does.
    fn say(&mut self, line: &Said) {
        let of = &self.recording.lines[&line.conn];
        if self.role(&of.from).is_some() {
            return;
        }
        match &line.event {
            Spoken::Opened { client, .. } => {
                let Some(peer) = Addr::parse(client) else { return };
                let machine = self.role(&of.to).unwrap();
                let ports = &self.story.processes[machine].ports;
                let port = ports[["main", "vip", "ha"].iter().position(|port| *port == of.port).unwrap_or(0)];
                if let Some(end) = self.stage.accept(machine, port, peer, line.conn) {
                    self.ends.insert(line.conn, (machine, end));
                }
            }
            Spoken::Frame(frame) if frame.from_client => {
                let Some(&(machine, end)) = self.ends.get(&line.conn) else { return };
                let mut raw = raw(frame);
                if raw.is_response() {
                    let Some(opaque) = self.opaque_here(line.conn, raw.opaque) else { return };
                    raw.opaque = Some(opaque);
                }
                match from_raw(raw.clone()) {
                    Ok(mut command) => {
                        self.stage.chosen = self.chosen(line.conn, &raw);
                        self.places.put_right(machine, &mut command);
                        self.stage.receive(machine, end, Box::new(command));
                    }
                    Err(error) => self.refuse(line.conn, &raw, &error),
                }
            }
            Spoken::Closed { by_client: true } => {
                if let Some((machine, end)) = self.ends.remove(&line.conn) {
                    self.stage.hang_up(machine, end);
                }
            }
            _ => {}
        }
    }

    /// The queue of which the real broker's answer tells.
    fn chosen(&self, conn: u32, raw: &RawCommand) -> u64 {
        let answer = raw.opaque.and_then(|opaque| self.recording.of_clients.get(&(conn, opaque)));
        let queue = answer.and_then(|asked| asked.answer.as_ref()?.ext_fields.as_ref()?.get("queueId")?.clone());
        queue.and_then(|queue| queue.parse().ok()).unwrap_or(0)
    }

    /// The number that our node gave to what the client answers.
    fn opaque_here(&self, conn: u32, recorded: Option<i32>) -> Option<i32> {
        for ((other, code), asked) in &self.recording.to_clients {
            let at = asked.iter().position(|asked| *other == conn && asked.raw.opaque == recorded);
            if let Some(at) = at {
                return self.to_clients.get(&(conn, *code))?.get(at)?.opaque;
            }
        }
        None
    }

    /// A request whose header its class does not take: no node hears of it.
    fn refuse(&mut self, conn: u32, raw: &RawCommand, error: &CodecError) {
        if let Some(answer) = refusal(raw, error) {
            self.answers.insert((conn, answer.opaque.0), to_raw(&answer, SerializeType::Json));
        }
    }

    /// Sorts what the nodes have said since the last look.
    fn hear(&mut self) {
        for Heard { from, to, command } in std::mem::take(&mut self.stage.heard) {
            let written = to_raw(&command, self.story.processes[from].speaks).encode().unwrap();
            let raw = RawCommand::decode(&written.slice(4..)).unwrap();
            let opaque = raw.opaque.unwrap();
            match (to, raw.is_response()) {
                (End::Outside(conn), true) => {
                    let real = self.recording.of_clients.get(&(conn, opaque)).and_then(|asked| asked.answer.as_ref());
                    self.places.learn(from, real, &raw);
                    self.answers.insert((conn, opaque), raw);
                }
                (End::Outside(conn), false) => self.to_clients.entry((conn, raw.code)).or_default().push(raw),
                (End::Inside(other, _), true) => {
                    if let Some((way, at)) = self.open.remove(&(other, from, opaque)) {
                        self.among_nodes.get_mut(&way).unwrap()[at].1 = Some(raw);
                    }
                }
                (End::Inside(other, _), false) => {
                    let own = self.among_nodes.entry((from, other, raw.code)).or_default();
                    self.open.insert((from, other, opaque), ((from, other, raw.code), own.len()));
                    own.push((raw, None));
                }
            }
        }
    }
}

/// Whether somebody said something at all.
fn there(real: bool, ours: bool) -> Field {
    let word = |is_there: bool| if is_there { "given" } else { "none" }.to_owned();
    Field { name: "answer".to_owned(), real: word(real), ours: word(ours) }
}

fn answers(score: &mut Score, name: &str, asked: &Asked, ours: Option<&RawCommand>) {
    let (code, half) = (asked.raw.code, Half::Answer);
    let mut found = vec![there(asked.answer.is_some(), ours.is_some())];
    if let (Some(real), Some(ours)) = (&asked.answer, ours) {
        score.answers += 1;
        found.extend(fields(code, half, real, ours));
    }
    score.add(name, (code, half), asked.ms, found);
}

/// The message that a check is about, and how often it has been.
fn checked(raw: &RawCommand) -> (Option<String>, Option<String>) {
    let id = raw.ext_fields.as_ref().and_then(|fields| Some(fields.get("msgId")?.as_ref()?.to_string()));
    let half = raw.body.as_ref().and_then(|body| record::decode_all(body).into_iter().next());
    let times = half.and_then(|half| Some(half.message.properties.get("TRANSACTION_CHECK_TIMES")?.to_string()));
    (id, times)
}

fn many(real: usize, ours: usize) -> Field {
    Field { name: "many".to_owned(), real: real.to_string(), ours: ours.to_string() }
}

fn score(name: &str, recording: &Recording, play: &Play<'_>) -> Score {
    let mut score = Score::of(recording.of_clients.len());
    for (key, asked) in &recording.of_clients {
        answers(&mut score, name, asked, play.answers.get(key));
    }
    let mut asked_by_us: Vec<(u32, i32)> = recording.to_clients.keys().chain(play.to_clients.keys()).copied().collect();
    asked_by_us.sort_unstable();
    asked_by_us.dedup();
    for key in asked_by_us {
        let real = recording.to_clients.get(&key).map_or(&[][..], Vec::as_slice);
        let ours = play.to_clients.get(&key).map_or(&[][..], Vec::as_slice);
        let half = (key.1, Half::Request);
        score.add(name, half, real.first().map_or(0, |asked| asked.ms), vec![many(real.len(), ours.len())]);
        let (mut real, mut ours): (Vec<&Asked>, Vec<&RawCommand>) = (real.iter().collect(), ours.iter().collect());
        // A round's checks leave on threads of a pool.
        if key.1 == request::CHECK_TRANSACTION_STATE {
            real.sort_by_key(|asked| checked(&asked.raw));
            ours.sort_by_key(|raw| checked(raw));
        }
        for (real, ours) in real.into_iter().zip(ours) {
            score.own += 1;
            score.add(name, half, real.ms, fields(key.1, Half::Request, &real.raw, ours));
        }
    }
    let mut among: Vec<(usize, usize, i32)> =
        recording.among_nodes.keys().chain(play.among_nodes.keys()).copied().collect();
    among.sort_unstable();
    among.dedup();
    for key in among {
        let real = recording.among_nodes.get(&key).map_or(&[][..], Vec::as_slice);
        let ours = play.among_nodes.get(&key).map_or(&[][..], Vec::as_slice);
        let half = (key.2, Half::Request);
        score.add(name, half, real.first().map_or(0, |asked| asked.ms), vec![many(real.len(), ours.len())]);
        for (real, (request, answer)) in real.iter().zip(ours) {
            score.own += 1;
            score.add(name, half, real.ms, fields(key.2, Half::Request, &real.raw, request));
            answers(&mut score, name, real, answer.as_ref());
        }
    }
    score
}

fn played(name: &str, said: &[Said]) -> Score {
    let story = story::story(name, said);
    let recording = Recording::of(&story, said);
    let mut play = Play {
        story: &story,
        recording: &recording,
        stage: Stage::new(story.epoch, &story.processes),
        ends: BTreeMap::new(),
        answers: BTreeMap::new(),
        places: Places::default(),
        to_clients: BTreeMap::new(),
        among_nodes: BTreeMap::new(),
        open: BTreeMap::new(),
    };
    play.play(&uncrossed(said, &recording));
    score(name, &recording, &play)
}

#[test]
fn our_nodes_answer_as_the_real_ones_did() {
    let scores: BTreeMap<String, Score> =
        conversations().iter().map(|(name, said)| (name.clone(), played(name, said))).collect();
    let (table, wrong) = table(&scores);
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}");
    insta::assert_snapshot!("replay", table);
}

/// From the relay to the node.
const ROAD_MS: u64 = 1;
