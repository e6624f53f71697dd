//! What a driver writes down: the records of `lab::trace`, each with the record that led to it.

use crate::lab::trace::record::{FrameNote, LinkId, NodeId, Record, Seq, What};
use crate::mq::node::Frame;
use crate::mq::time::{Millis, Time};
use crate::mq::wire::code::{name_of_request, name_of_response};

/// Hears every record.
pub type Witness = Box<dyn FnMut(&Record) + Send>;

/// Whose record it is, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    /// `None` is the driver's own: a fault.
    pub(super) node: Option<(usize, u32)>,
    pub(super) wall: Millis,
    pub(super) mono: Time,
}

/// The log under way, if somebody hears it.
pub(super) struct Log {
    witness: Option<Witness>,
    steps: u64,
    records: u64,
}

impl Log {
    pub(super) fn new(witness: Option<Witness>) -> Log {
        Log { witness, steps: 0, records: 0 }
    }

    /// Whether anybody listens.
    pub(super) fn is_on(&self) -> bool {
        self.witness.is_some()
    }

    /// A step begins.
    pub(super) fn begin(&mut self) {
        self.steps += 1;
    }

    /// Takes one record in and gives its number; `what` is made only if somebody listens.
    pub(super) fn note(&mut self, stamp: Stamp, cause: Option<Seq>, what: impl FnOnce() -> What) -> Option<Seq> {
        let witness = self.witness.as_mut()?;
        let seq = Seq(self.records);
        self.records += 1;
        let (node, incarnation) = stamp.node.unzip();
        witness(&Record {
            step: self.steps.saturating_sub(1),
            seq,
            at: stamp.mono,
            node: node.map(|node| NodeId(node as u16)),
            incarnation: incarnation.unwrap_or(0),
            wall: stamp.wall,
            mono: stamp.mono,
            cause,
            what: what(),
        });
        Some(seq)
    }
}

/// A frame in short.
pub(super) fn frame_note(frame: &Frame) -> FrameNote {
    match frame {
        Frame::Command(command) => FrameNote {
            code: command.code,
            flag: command.flag,
            opaque: command.opaque.0,
            label: match command.is_response() {
                false => name_of_request(command.code),
                true => name_of_response(command.code),
            },
            body: command.body.as_ref().map_or(0, |body| body.len() as u32),
            remark: command.remark.clone(),
            wire: None,
        },
        Frame::Bytes(bytes) => FrameNote {
            code: 0,
            flag: 0,
            opaque: 0,
            label: "BYTES",
            body: bytes.len() as u32,
            remark: None,
            wire: None,
        },
    }
}

/// A connection as a trace names it.
pub(super) fn link(number: u32) -> LinkId {
    LinkId(number)
}
