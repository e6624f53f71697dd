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

/// A version's name, `V4_3_2` for [`VERSION`]; numbers past the last one get the last one's, negative ones none.
///
/// Three eras: the first release's many trial versions; `major.minor.1` to `.9`; and from 4.0.0 on `.0` to `.9`, each with its
/// snapshot before it. Source: `MQVersion.getVersionDesc`.
pub fn version_desc(version: i32) -> Option<Name> {
    let at = usize::try_from(version).ok()?;
    if let Some(trial) = TRIALS.get(at) {
        return Some(Name::from(*trial));
    }
    let snapshot = if (at - TRIALS.len()).is_multiple_of(2) { "_SNAPSHOT" } else { "" };
    let mut release = (at - TRIALS.len()) / 2;
    for (major, minor, first, last) in MINORS {
        let releases = last - first + 1;
        if release < releases {
            return Some(Name::from(format!("V{major}_{minor}_{}{snapshot}", first + release)));
        }
        release -= releases;
    }
    let (major, minor) = (4 + release / 100, release / 10 % 10);
    match major {
        4 | 5 => Some(Name::from(format!("V{major}_{minor}_{}{snapshot}", release % 10))),
        _ => Some(Name::from("HIGHER_VERSION")),
    }
}

/// What came before 3.0.1.
const TRIALS: [&str; 16] = [
    "V3_0_0_SNAPSHOT",
    "V3_0_0_ALPHA1",
    "V3_0_0_BETA1",
    "V3_0_0_BETA2",
    "V3_0_0_BETA3",
    "V3_0_0_BETA4",
    "V3_0_0_BETA5",
    "V3_0_0_BETA6_SNAPSHOT",
    "V3_0_0_BETA6",
    "V3_0_0_BETA7_SNAPSHOT",
    "V3_0_0_BETA7",
    "V3_0_0_BETA8_SNAPSHOT",
    "V3_0_0_BETA8",
    "V3_0_0_BETA9_SNAPSHOT",
    "V3_0_0_BETA9",
    "V3_0_0_FINAL",
];
/// Major, minor, first and last patch of the releases before 4.0.0.
const MINORS: [(usize, usize, usize, usize); 10] = [
    (3, 0, 1, 15),
    (3, 1, 0, 9),
    (3, 2, 0, 9),
    (3, 3, 1, 9),
    (3, 4, 1, 9),
    (3, 5, 1, 9),
    (3, 6, 1, 9),
    (3, 7, 1, 9),
    (3, 8, 1, 9),
    (3, 9, 1, 9),
];

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
