//! The remoting command: one frame of a conversation.

use bytes::Bytes;

use crate::mq::message::Name;
use crate::mq::wire::header::Header;

/// The number that ties a response to its request; one counter a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Opaque(pub i32);

/// One frame: a request or a response.
///
/// Travels typed: the header becomes ext fields, and the whole becomes bytes, only where somebody looks.
/// Source: `org.apache.rocketmq.remoting.protocol.RemotingCommand`.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Request code or response code.
    pub code: i32,
    /// Bit 0: response; bit 1: one-way.
    pub flag: i32,
    /// Ties response and request.
    pub opaque: Opaque,
    /// Free text, an error's description in responses.
    pub remark: Option<Name>,
    /// The typed header.
    pub header: Header,
    /// The body; `None` and empty are told apart until they meet the wire.
    pub body: Option<Bytes>,
}

/// `MQVersion` ordinal of 4.3.2, the `version` of every frame.
pub const VERSION: i32 = 277;

const RESPONSE: i32 = 1;
const ONEWAY: i32 = 2;

impl Command {
    /// A request.
    pub fn request(code: i32, opaque: Opaque, header: Header) -> Box<Command> {
        Box::new(Command { code, flag: 0, opaque, remark: None, header, body: None })
    }

    /// A request that wants no answer.
    pub fn oneway(code: i32, opaque: Opaque, header: Header) -> Box<Command> {
        Box::new(Command { code, flag: ONEWAY, opaque, remark: None, header, body: None })
    }

    /// The response to `opaque`.
    pub fn response(code: i32, opaque: Opaque, header: Header) -> Box<Command> {
        Box::new(Command { code, flag: RESPONSE, opaque, remark: None, header, body: None })
    }

    /// The request turned into its response: the box goes back the way it came.
    pub fn answered(mut self: Box<Command>, code: i32, header: Header) -> Box<Command> {
        *self = Command { code, flag: RESPONSE, opaque: self.opaque, remark: None, header, body: None };
        self
    }

    /// The same with a body.
    pub fn with_body(mut self: Box<Command>, body: Bytes) -> Box<Command> {
        self.body = Some(body);
        self
    }

    /// The same with a remark.
    pub fn with_remark(mut self: Box<Command>, remark: impl Into<Name>) -> Box<Command> {
        self.remark = Some(remark.into());
        self
    }

    /// Whether this answers a request.
    pub fn is_response(&self) -> bool {
        self.flag & RESPONSE != 0
    }

    /// Whether nobody waits for an answer.
    pub fn is_oneway(&self) -> bool {
        self.flag & ONEWAY != 0
    }
}
