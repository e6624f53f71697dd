//! A frame that is kept: typed as it travelled, bytes where somebody reads them.

use bytes::Bytes;

use crate::mq::wire::codec;
use crate::mq::wire::codec::raw::SerializeType;
use crate::mq::wire::command::Command;

/// What was on the wire, length word included.
///
/// A command stays typed until it is asked for its bytes: most frames that are kept are read by nobody, and what they cost
/// is a clone.
#[derive(Clone, Debug)]
pub enum Wire {
    /// As bytes.
    Bytes(Bytes),
    /// As the command that gives them.
    Typed(Box<Command>),
}

impl Wire {
    /// The bytes; a typed frame is encoded anew each time.
    pub fn bytes(&self) -> Bytes {
        match self {
            Wire::Bytes(bytes) => bytes.clone(),
            Wire::Typed(command) => codec::encode(command),
        }
    }

    /// Bytes that say the same, for who reads header fields alone: what is typed has the binary header, which costs a third of
    /// the text that it travelled with.
    pub fn brief(&self) -> Bytes {
        match self {
            Wire::Bytes(bytes) => bytes.clone(),
            Wire::Typed(command) => codec::encode_as(command, SerializeType::RocketMq),
        }
    }
}

impl PartialEq for Wire {
    fn eq(&self, other: &Wire) -> bool {
        self.bytes() == other.bytes()
    }
}

impl From<Bytes> for Wire {
    fn from(bytes: Bytes) -> Wire {
        Wire::Bytes(bytes)
    }
}
