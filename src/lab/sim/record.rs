//! What is kept of a run: the digest of every record always, the records themselves as far as the level asks.
//!
//! A record's words are folded before anything is built for it; the record as a value is made only if somebody keeps it or
//! waits for one of its kind.

use crate::lab::fault::episode::EventMatch;
use crate::lab::sim::marks::Marks;
use crate::lab::trace::digest::{Chain, Digest};
use crate::lab::trace::record::{Fault, FrameNote, Level, NodeId, Record, Seq, What};
use crate::lab::trace::wire::Wire;
use crate::mq::node::Frame;
use crate::mq::time::{Millis, Span, Time};
use crate::mq::wire::command::Command;

/// Who, when and why: what all records of one step have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) at: Time,
    /// [`LAB`] is the lab itself.
    pub(crate) node: u16,
    pub(crate) incarnation: u32,
    pub(crate) wall: Millis,
    pub(crate) mono: Time,
    /// The causing record's number; [`NONE`] if there is none.
    pub(crate) cause: u64,
}

/// The lab's place among the nodes.
pub(crate) const LAB: u16 = u16::MAX;
/// A replication's reports and signs of life are so long at most.
const SIGN_OF_LIFE: usize = 12;
/// No record.
pub(crate) const NONE: u64 = u64::MAX;

/// A record's variant, as the digest numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Tag {
    Machine = 1,
    Opening,
    Opened,
    Refused,
    Closed,
    Sent,
    Arrived,
    Held,
    Dropped,
    Drained,
    Armed,
    Disarmed,
    Fired,
    Stored,
    Named,
    FlushAsked,
    FlushDone,
    FlushFailed,
    Image,
    Called,
    Returned,
    Info,
    Fact,
    Fault,
    Rolled,
    DiskWrong,
    Noted,
}

impl Tag {
    /// The lowest level that keeps it. Of frames and stores `History` keeps those that somebody reads.
    fn level(self) -> Level {
        match self {
            Tag::Machine | Tag::Called | Tag::Returned | Tag::Info | Tag::Noted | Tag::Fault | Tag::Image => {
                Level::History
            }
            Tag::DiskWrong
            | Tag::FlushAsked
            | Tag::FlushDone
            | Tag::FlushFailed
            | Tag::Opened
            | Tag::Refused
            | Tag::Closed => Level::History,
            _ => Level::Full,
        }
    }
}

/// Which frames are kept as bytes, and how they become bytes. At level `full` all are kept.
#[derive(Clone, Copy)]
pub struct WireTap {
    /// Whether somebody reads this command at level `history` where it leaves.
    pub leaving: fn(&Command) -> bool,
    /// Whether somebody reads this command at level `history` where it arrives.
    pub arriving: fn(&Command) -> bool,
    /// The command's name: `SEND_MESSAGE_V2`, `SUCCESS` …
    pub label: fn(&Command) -> &'static str,
}

/// Who waits for a record.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) event: EventMatch,
    /// The number of the node named in `event`.
    pub(crate) node: Option<u16>,
    pub(crate) nth: u64,
    pub(crate) before: bool,
    pub(crate) delay: Span,
    pub(crate) goal: Goal,
    pub(crate) seen: u64,
}

/// What happens when a watch is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goal {
    /// An episode begins.
    Episode(u32),
    /// A node boots.
    Boot(u16),
}

/// A watch that has been reached and not been acted on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) goal: Goal,
    pub(crate) before: bool,
    pub(crate) delay: Span,
    pub(crate) cause: u64,
}

/// The recorder of one world.
#[derive(Clone)]
pub(crate) struct Recorder {
    chain: Chain,
    pub(crate) level: Level,
    /// Steps begun.
    pub(crate) steps: u64,
    fresh: Vec<Record>,
    pub(crate) tap: Option<WireTap>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) reached: Vec<Reached>,
    /// What kinds of things it came across, if somebody wants to know.
    pub(crate) marks: Option<Marks>,
}

impl Recorder {
    pub(crate) fn new(level: Level) -> Recorder {
        let (fresh, watches, reached) = (Vec::new(), Vec::new(), Vec::new());
        Recorder { chain: Chain::default(), level, steps: 0, fresh, tap: None, watches, reached, marks: None }
    }

    /// Folds more words into the record that the next [`note`](Recorder::note) ends.
    #[inline]
    pub(crate) fn words(&mut self, x: u64, y: u64) {
        self.chain.pair(x, y);
    }

    /// Takes one record in and gives its number. `what` is called only if somebody wants the value.
    #[inline]
    pub(crate) fn note(&mut self, stamp: &Stamp, tag: Tag, words: (u64, u64), what: impl FnOnce() -> What) -> u64 {
        let keep = tag.level() <= self.level;
        self.note_if(keep, stamp, tag, words, what)
    }

    /// The same where the caller knows whether this level keeps it.
    #[inline]
    pub(crate) fn note_if(
        &mut self,
        keep: bool,
        stamp: &Stamp,
        tag: Tag,
        words: (u64, u64),
        what: impl FnOnce() -> What,
    ) -> u64 {
        let head = tag as u64 | u64::from(stamp.node) << 8 | u64::from(stamp.incarnation) << 32;
        let clocks = stamp.at.0 ^ stamp.mono.0.rotate_left(21) ^ (stamp.wall.0 as u64).rotate_left(42);
        self.chain.pair(head ^ stamp.cause.rotate_left(24), clocks);
        self.chain.pair(words.0, words.1);
        let seq = self.chain.end_record();
        if keep || !self.watches.is_empty() {
            self.keep(keep, seq, stamp, what());
        }
        seq
    }

    #[cold]
    fn keep(&mut self, keep: bool, seq: u64, stamp: &Stamp, what: What) {
        self.watch(seq, stamp.node, &what);
        if !keep {
            return;
        }
        assert!(self.steps > 0, "a record belongs to a step");
        self.fresh.push(Record {
            step: self.steps - 1,
            seq: Seq(seq),
            at: stamp.at,
            node: (stamp.node != LAB).then_some(NodeId(stamp.node)),
            incarnation: stamp.incarnation,
            wall: stamp.wall,
            mono: stamp.mono,
            cause: (stamp.cause != NONE).then_some(Seq(stamp.cause)),
            what,
        });
    }

    fn watch(&mut self, seq: u64, node: u16, what: &What) {
        let mut at = 0;
        while at < self.watches.len() {
            let watch = &mut self.watches[at];
            let hit = match &watch.event {
                EventMatch::Kind { kind, .. } => {
                    watch.node.is_none_or(|wanted| wanted == node) && what.kind() == &**kind
                }
                EventMatch::Fault(wanted) => matches!(what, What::Fault(Fault::Begun { name, .. }) if name == wanted),
            };
            watch.seen += u64::from(hit);
            if hit && watch.seen >= watch.nth {
                let watch = self.watches.remove(at);
                let Watch { goal, before, delay, .. } = watch;
                self.reached.push(Reached { goal, before, delay, cause: seq });
            } else {
                at += 1;
            }
        }
    }

    /// Whether a frame that leaves is kept at this level.
    #[inline]
    pub(crate) fn keeps_sent(&self, frame: &Frame) -> bool {
        match self.level {
            Level::Digest => false,
            Level::Full => true,
            Level::History => match (frame, self.tap) {
                (Frame::Command(command), Some(tap)) => (tap.leaving)(command),
                _ => false,
            },
        }
    }

    /// Whether a frame that arrives is kept at this level.
    #[inline]
    pub(crate) fn keeps_arrived(&self, frame: &Frame) -> bool {
        match self.level {
            Level::Digest => false,
            Level::Full => true,
            Level::History => match (frame, self.tap) {
                (Frame::Command(command), Some(tap)) => (tap.arriving)(command),
                // A replication's bytes are judged as they come.
                (Frame::Bytes(_), _) => true,
                _ => false,
            },
        }
    }

    /// A frame in short, with its bytes if it is kept and there is somebody to encode it.
    pub(crate) fn frame_note(&self, frame: &Frame, keep: bool) -> FrameNote {
        match frame {
            Frame::Command(command) => FrameNote {
                code: command.code,
                flag: command.flag,
                opaque: command.opaque.0,
                label: self.tap.map_or("COMMAND", |tap| (tap.label)(command)),
                body: command.body.as_ref().map_or(0, |body| body.len() as u32),
                remark: command.remark.clone(),
                wire: keep.then(|| Wire::Typed(command.clone())),
            },
            Frame::Bytes(bytes) => FrameNote {
                code: 0,
                flag: 0,
                opaque: 0,
                label: "BYTES",
                body: bytes.len() as u32,
                remark: None,
                wire: (self.level == Level::Full || bytes.len() <= SIGN_OF_LIFE)
                    .then(|| Wire::Bytes((**bytes).clone())),
            },
        }
    }

    /// Records kept since the last call.
    pub(crate) fn take_fresh(&mut self) -> std::vec::Drain<'_, Record> {
        self.fresh.drain(..)
    }

    pub(crate) fn digest(&self) -> Digest {
        self.chain.digest()
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }
}
