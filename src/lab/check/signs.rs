//! What the road, the disks and the operators showed beside the applications' own words: where groups said that they stand,
//! where they read, what struck the disks, which connections stand.

use std::collections::BTreeMap;

use crate::lab::check::logs::log_file;
use crate::lab::oracle::frame::Frame;
use crate::lab::oracle::store::LogRecord;
use crate::lab::trace::record::{App, DiskEvent, FrameNote, LinkId, Machine, NodeId, Record, Road, Seq, What};
use crate::lab::trace::wire::{OfQueue, Wire};
use crate::mq::app::{Call, Return, SendBy};
use crate::mq::message::{Group, Name, Topic};
use crate::mq::time::Time;

/// All of that, each kind in order.
#[derive(Debug, Default)]
pub struct Signs {
    /// Where groups said that they stand, as it came to brokers.
    pub commits: Vec<Commit>,
    /// Where groups asked brokers to read.
    pub pulls: Vec<Asked>,
    /// Clients that were told to read elsewhere, and when.
    pub moved: Vec<(NodeId, Time)>,
    /// Disks that a fault struck, or that did not make something durable, and when.
    pub sick: Vec<(NodeId, Seq, Time)>,
    /// Where a bit of a log was flipped on the medium.
    pub flips: Vec<(NodeId, u64)>,
    /// Machines whose disk was another one from then on.
    pub swapped: Vec<(NodeId, Time)>,
    /// Calls that send, in order, each with its record: whose, and how.
    pub sends: Vec<(Seq, CalledBy)>,
    /// When somebody was told of an error: an exception, a process that would not start or ended by itself.
    pub told: Vec<(Seq, Time)>,
    /// When operators or producers changed topics, groups or routes.
    pub administered: Vec<Time>,
    /// Connections by the sides that hold them open, and since when.
    pub links: BTreeMap<LinkId, Vec<(NodeId, Time)>>,
}

/// Whose call a send was: the node, which of its processes, and how it chose the queue if it said so.
pub type CalledBy = (NodeId, u32, Option<SendBy>);

/// A queue as a frame names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The group.
    pub group: Group,
    /// The topic.
    pub topic: Topic,
    /// The queue's number.
    pub queue: i32,
}

/// A place that a client told a broker.
#[derive(Clone, PartialEq, Debug)]
pub struct Commit {
    /// The frame's arrival.
    pub seq: Seq,
    /// The frame's departure.
    pub sent: Seq,
    /// When it arrived.
    pub at: Time,
    /// The broker's wall clock then, ms.
    pub wall: i64,
    /// The broker.
    pub broker: NodeId,
    /// The client.
    pub from: NodeId,
    /// Of which queue.
    pub place: Place,
    /// Everything before this offset is settled, the client says.
    pub value: i64,
    /// Whether a pull said so by the way.
    pub by_pull: bool,
    /// The request's number, by which its answer is known.
    pub opaque: i32,
}

/// A pull as it came to a broker.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// The frame's arrival.
    pub seq: Seq,
    /// The frame's departure.
    pub sent: Seq,
    /// When it arrived.
    pub at: Time,
    /// The broker.
    pub broker: NodeId,
    /// The client.
    pub from: NodeId,
    /// Of which queue.
    pub place: Place,
    /// From which offset.
    pub offset: i64,
}

impl Signs {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        match &record.what {
            What::Road(Road::Arrived { from, frame, .. }) => self.frame(record, node, *from, frame),
            What::Road(Road::Opened { link }) => self.links.entry(*link).or_default().push((node, record.at)),
            What::Road(Road::Closed { link, .. }) => {
                if let Some(sides) = self.links.get_mut(link) {
                    sides.retain(|(side, _)| *side != node);
                }
            }
            What::Disk(DiskEvent::Wrong { what, .. }) if *what == IS_SLOW => {}
            What::Disk(disk @ (DiskEvent::Wrong { .. } | DiskEvent::FlushFailed { .. })) => {
                if let DiskEvent::Wrong { what: IS_FLIPPED, file, at } = disk
                    && let Some(first) = log_file(file)
                {
                    self.flips.push((node, first + at));
                }
                self.sick.push((node, record.seq, record.at));
            }
            What::Machine(machine) => self.machine(record, node, machine),
            What::App(App::Called(call)) => {
                let by = match &**call {
                    Call::Send { .. } | Call::SendBatch { .. } | Call::SendInTransaction { .. } => None,
                    Call::SendBy { by, .. } => Some(by.clone()),
                    Call::Admin { .. } | Call::CreateTopic { .. } => return self.administered.push(record.at),
                    _ => return,
                };
                self.sends.push((record.seq, (node, record.incarnation, by)));
            }
            What::App(App::Returned(answer)) => match &**answer {
                Return::Failed { .. } => self.told.push((record.seq, record.at)),
                Return::Administered { .. } => self.administered.push(record.at),
                _ => {}
            },
            _ => {}
        }
    }

    fn machine(&mut self, record: &Record, node: NodeId, machine: &Machine) {
        match machine {
            Machine::DiskReplaced { .. } => self.swapped.push((node, record.at)),
            Machine::BootFailed { .. } | Machine::Exited | Machine::Panicked { .. } => {
                self.told.push((record.seq, record.at));
            }
            _ => {}
        }
        if matches!(
            machine,
            Machine::Killed
                | Machine::Exited
                | Machine::Panicked { .. }
                | Machine::BootFailed { .. }
                | Machine::PowerLost { .. }
        ) {
            self.links.values_mut().for_each(|sides| sides.retain(|(side, _)| *side != node));
        }
        self.links.retain(|_, sides| !sides.is_empty());
    }

    fn frame(&mut self, record: &Record, node: NodeId, from: NodeId, frame: &FrameNote) {
        let is_response = frame.flag & 1 == 1;
        match (is_response, frame.code) {
            (true, PULL_OFFSET_MOVED) => self.moved.push((node, record.at)),
            // What refuses a pull stands in front of the place that the pull says by the way. Source: `PullMessageProcessor`.
            (true, SUBSCRIPTION_NOT_EXIST | SUBSCRIPTION_NOT_LATEST) => {
                let is_it = |commit: &Commit| {
                    commit.opaque == frame.opaque && (commit.broker, commit.from) == (from, node) && commit.by_pull
                };
                if let Some(refused) = self.commits.iter().rposition(is_it) {
                    self.commits.remove(refused);
                }
            }
            (false, UPDATE_CONSUMER_OFFSET | PULL_MESSAGE) => {}
            _ => return,
        }
        let of_queue = |wire: &Wire| wire.of_queue().or_else(|| read(frame.code, &wire.bytes()));
        let (Some(said), false) = (frame.wire.as_ref().and_then(of_queue), is_response) else { return };
        let OfQueue { group, topic, queue, settled, reads } = said;
        let place = Place { group, topic, queue };
        let (seq, sent, at, broker) = (record.seq, record.cause.unwrap_or(record.seq), record.at, node);
        if let Some(value) = settled {
            self.commits.push(Commit {
                seq,
                sent,
                at,
                wall: record.wall.0,
                broker,
                from,
                place: place.clone(),
                value,
                by_pull: frame.code == PULL_MESSAGE,
                opaque: frame.opaque,
            });
        }
        if let Some(offset) = reads {
            self.pulls.push(Asked { seq, sent, at, broker, from, place, offset });
        }
    }

    /// Makes room for so many of each of what frames tell.
    pub(super) fn reserve(&mut self, frames: usize) {
        self.commits.reserve(frames);
        self.pulls.reserve(frames);
        self.sends.reserve(frames / 2);
    }

    /// Whose call the send at a record was.
    pub fn send(&self, seq: Seq) -> Option<&CalledBy> {
        let place = self.sends.binary_search_by_key(&seq, |(own, _)| *own).ok()?;
        self.sends.get(place).map(|(_, by)| by)
    }

    /// Whether a node's disk was ever struck.
    pub fn is_sick(&self, node: NodeId) -> bool {
        self.sick.iter().any(|(struck, ..)| *struck == node)
    }

    /// Whether nothing worse ever happened to a node's disk than bits of its log that changed by themselves.
    pub fn is_flipped_alone(&self, node: NodeId) -> bool {
        let struck = self.sick.iter().filter(|(struck, ..)| *struck == node).count();
        let flipped = self.flips.iter().filter(|(struck, _)| *struck == node).count();
        0 < struck && struck == flipped
    }

    /// Whether the medium changed a record of a node's log by itself (F5).
    pub fn is_flipped(&self, node: NodeId, record: &LogRecord) -> bool {
        let own = record.at..record.at + u64::from(record.size);
        self.flips.iter().any(|(struck, at)| *struck == node && own.contains(at))
    }

    /// Whether a node's disk was ever changed for another.
    pub fn is_swapped(&self, node: NodeId) -> bool {
        self.swapped.iter().any(|(swapped, _)| *swapped == node)
    }
}

/// What the bytes of a pull or of a commit say.
fn read(code: i32, bytes: &[u8]) -> Option<OfQueue> {
    let read = Frame::read(bytes)?;
    let text = |name: &str| read.text(name).map(Name::from);
    let (is_pull, is_update) = (code == PULL_MESSAGE, code == UPDATE_CONSUMER_OFFSET);
    let is_settled = is_update || read.number("sysFlag").is_some_and(|flag| flag & COMMITS_OFFSET == COMMITS_OFFSET);
    Some(OfQueue {
        group: text("consumerGroup")?,
        topic: text("topic")?,
        queue: read.number("queueId").and_then(|number| i32::try_from(number).ok())?,
        settled: read.number("commitOffset").filter(|_| is_settled),
        reads: read.number("queueOffset").filter(|_| is_pull),
    })
}

/// What a disk says of a bit that changed by itself.
pub(super) const IS_FLIPPED: &str = "a bit is flipped at rest";
/// What a disk says of a sync that is done later.
const IS_SLOW: &str = "a sync is slow";
/// Source: `RequestCode`.
const PULL_MESSAGE: i32 = 11;
/// Source: `RequestCode`.
const UPDATE_CONSUMER_OFFSET: i32 = 15;
/// Source: `ResponseCode`.
const PULL_OFFSET_MOVED: i32 = 21;
/// Source: `ResponseCode`: the broker does not know the group, or what it subscribes to.
const SUBSCRIPTION_NOT_EXIST: i32 = 24;
/// Source: `ResponseCode`.
const SUBSCRIPTION_NOT_LATEST: i32 = 25;
/// Source: `PullSysFlag.FLAG_COMMIT_OFFSET`.
const COMMITS_OFFSET: i64 = 1;
