//! What the lab and applications do at a time of their own.

use crate::mq::app::Call;
use crate::mq::message::Name;
use crate::mq::node::RefusedWhy;

/// Something the lab or an application does at a time.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) kind: ErrandKind,
    pub(crate) cause: u64,
}

/// See [`Errand`]. Those of an application are void after its process's incarnation.
#[derive(Clone, Debug)]
pub(crate) enum ErrandKind {
    Boot(u16),
    Begin(u32),
    End(u32),
    /// A fault that acts more than once acts again.
    Turn(u32),
    /// A fault gets at one of its nodes.
    Strike {
        number: u32,
        node: u16,
    },
    /// A slow process has done its step.
    Breathe {
        node: u16,
        incarnation: u32,
    },
    /// A slow machine takes a connect.
    Accept {
        link: u32,
    },
    /// TCP has tried for a quarter of an hour.
    GiveUp {
        link: u32,
        side: usize,
        node: u16,
        incarnation: u32,
    },
    Call {
        node: u16,
        incarnation: u32,
        call: Box<Call>,
    },
    Wake {
        node: u16,
        incarnation: u32,
        token: u64,
    },
    Crash {
        node: u16,
        incarnation: u32,
    },
    /// An application writes into its machine's ledger.
    Note {
        node: u16,
        incarnation: u32,
        key: Name,
        value: Name,
    },
    Stop {
        node: u16,
        incarnation: u32,
    },
    WallStepped {
        node: u16,
        incarnation: u32,
    },
    SpaceChanged {
        node: u16,
        incarnation: u32,
    },
    Drained {
        link: u32,
        side: usize,
    },
    /// A connect comes to nothing: its time is over, or there is no port to leave from.
    ConnectFails {
        link: u32,
        why: RefusedWhy,
    },
    /// TCP tries a frame again that was lost when this side's machine had no power.
    Retransmit {
        link: u32,
        side: usize,
    },
}

impl ErrandKind {
    /// The process without which the errand is void.
    pub(crate) fn process(&self) -> Option<(u16, u32)> {
        match *self {
            ErrandKind::Call { node, incarnation, .. }
            | ErrandKind::Wake { node, incarnation, .. }
            | ErrandKind::Note { node, incarnation, .. }
            | ErrandKind::GiveUp { node, incarnation, .. }
            | ErrandKind::Crash { node, incarnation }
            | ErrandKind::Stop { node, incarnation }
            | ErrandKind::SpaceChanged { node, incarnation }
            | ErrandKind::WallStepped { node, incarnation } => Some((node, incarnation)),
            _ => None,
        }
    }
}
