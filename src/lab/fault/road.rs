//! What roads may do wrong: rows N1 to N12 of the catalogue, as data.
//!
//! A connection is a byte stream: nothing in it is lost, doubled or out of order, loss shows as waiting and then as a reset.
//! Only [`RoadWrong::Datagram`] breaks that rule, and says so in its sentence.

use std::fmt;

use crate::mq::message::Name;
use crate::mq::time::Span;

/// How often something strikes: `times` in `out_of`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// How often.
    pub times: u64,
    /// Out of how many; at least 1.
    pub out_of: u64,
}

/// How spans are spread around their mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// No span is shorter.
    pub min: Span,
    /// Their mean.
    pub mean: Span,
    /// How they are spread between and beyond.
    pub shape: Shape,
}

/// See [`Spread`]. Drawn in whole numbers, so that every machine draws the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shape {
    /// `exponential`: as if it ended at any moment with the same odds.
    #[default]
    Exponential,
    /// `lognormal`: most below the mean, some far beyond it; sigma is 1.
    LogNormal,
    /// `bimodal`: nine in ten take the least, one in ten what keeps the mean.
    Bimodal,
    /// `pareto`: a heavy tail; the lower alpha, the heavier.
    Pareto {
        /// Alpha in hundredths, 110 to 300.
        hundredths: u64,
    },
}

/// What of the bytes under way arrives when a connection is reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Prefix {
    /// `uniform`: a drawn number of them, of a byte stream any number of bytes.
    #[default]
    Uniform,
    /// `none`: nothing.
    None,
    /// `all`: everything, and then the reset.
    All,
}

impl Prefix {
    /// All of them, as a scenario writes them; the default first.
    pub const ALL: [(&'static str, Prefix); 3] =
        [("uniform", Prefix::Uniform), ("none", Prefix::None), ("all", Prefix::All)];
}

/// What goes wrong on every road between two nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoadWrong {
    /// Each parcel takes a drawn time instead of the road's own (N1).
    Latency(Spread),
    /// Only so much passes, one parcel after the other (N2).
    Bandwidth {
        /// Bytes in a second.
        per_second: u64,
        /// Bytes under way beyond which the writer waits to hear that half of them have gone.
        buffer: u64,
    },
    /// Segments are lost: TCP tries again, at doubling distances, and gives up after 15 minutes (N3).
    Stall {
        /// How often a try is lost.
        odds: Share,
        /// The first distance.
        first: Span,
    },
    /// Whole frames are lost, doubled or overtaken: not reachable over TCP (N4).
    Datagram {
        /// How often one is lost.
        drop: Share,
        /// How often one comes twice.
        twice: Share,
        /// How many frames one may overtake.
        window: u64,
    },
    /// Whoever hears of an end over this road does not: neither FIN nor RST arrives (N6).
    HalfOpen,
    /// A send is stuck for a while with all that comes behind it (N10).
    Clog {
        /// How often.
        odds: Share,
        /// For how long, on average.
        mean: Span,
    },
    /// Connects are refused (N11).
    RefuseConnect {
        /// How often.
        odds: Share,
    },
    /// The machine at the other end holds so many connections and takes no more: its table is full (N11).
    FullTable {
        /// How many it holds, whoever opened them.
        room: u64,
    },
    /// No port is left to open another connection from: refused at once, on the machine that asks (N11).
    ///
    /// A connection that this machine closed itself keeps its port for a minute, as TCP's TIME_WAIT does.
    PortExhaustion {
        /// How many ports there are to each machine at the other end.
        ports: u64,
    },
    /// Connects are accepted late (N11).
    SlowAccept {
        /// At least.
        min: Span,
        /// At most.
        max: Span,
    },
}

impl RoadWrong {
    /// The verb that a scenario writes.
    pub fn verb(&self) -> &'static str {
        match self {
            RoadWrong::Latency(_) => "latency",
            RoadWrong::Bandwidth { .. } => "bandwidth",
            RoadWrong::Stall { .. } => "stall",
            RoadWrong::Datagram { .. } => "datagram",
            RoadWrong::HalfOpen => "half-open",
            RoadWrong::Clog { .. } => "clog",
            RoadWrong::RefuseConnect { .. } => "refuse-connect",
            RoadWrong::FullTable { .. } => "full-table",
            RoadWrong::PortExhaustion { .. } => "port-exhaustion",
            RoadWrong::SlowAccept { .. } => "slow-accept",
        }
    }
}

/// How a partition divides the nodes (N7); with `one_way` the second side still speaks to the first (N8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Split {
    /// One node on one side, all others on the other.
    Isolate(Name),
    /// These on one side, all others on the other; with nobody named a side is drawn for each.
    Halves(Vec<Name>),
    /// Two halves, in the order of the plan, that only this node reaches both of.
    Bridge(Name),
    /// Each reaches its nearest neighbours in the plan's order, a majority, and no two the same one.
    Ring,
    /// All nodes of one role on one side, all of another on the other.
    Roles(PlayedBy, PlayedBy),
}

/// A role by which nodes are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlayedBy {
    /// `clients`.
    Clients,
    /// `brokers`.
    Brokers,
    /// `nameservers`.
    Nameservers,
}

impl PlayedBy {
    /// All of them, as a scenario writes them.
    pub const ALL: [(&'static str, PlayedBy); 3] =
        [("clients", PlayedBy::Clients), ("brokers", PlayedBy::Brokers), ("nameservers", PlayedBy::Nameservers)];
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Split::Isolate(node) => write!(f, "isolate {node}"),
            Split::Halves(nodes) if nodes.is_empty() => write!(f, "halves"),
            Split::Halves(nodes) => {
                let names: Vec<&str> = nodes.iter().map(Name::as_str).collect();
                write!(f, "{} | others", names.join(" "))
            }
            Split::Bridge(node) => write!(f, "bridge {node}"),
            Split::Ring => write!(f, "ring"),
            Split::Roles(one, other) => {
                let name = |role: &PlayedBy| PlayedBy::ALL[*role as usize].0;
                write!(f, "{} | {}", name(one), name(other))
            }
        }
    }
}
