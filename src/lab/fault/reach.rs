//! Whom a fault keeps from talking, or from talking in time: what checkers excuse a node by.

use crate::lab::fault::episode::FaultKind;
use crate::mq::message::Name;

impl FaultKind {
    /// The nodes between which frames are held, late or lost while it lasts; `*` is everybody. A process that is paused
    /// has records of that, one that is dead too: they are not among these.
    pub fn hinders(&self) -> Vec<Name> {
        let everybody = || vec![Name::from("*")];
        match self {
            FaultKind::Cut { from, to, .. }
            | FaultKind::Delay { from, to, .. }
            | FaultKind::Reset { from, to, .. }
            | FaultKind::Resets { from, to, .. }
            | FaultKind::Road { from, to, .. }
            | FaultKind::Flap { from, to, .. } => match (from.as_str(), to.as_str()) {
                ("*", "*") => everybody(),
                ("*", _) => vec![to.clone()],
                (_, "*") => vec![from.clone()],
                _ => vec![from.clone(), to.clone()],
            },
            FaultKind::Partition { .. } => everybody(),
            FaultKind::Swizzle { nodes, .. } => nodes.clone(),
            FaultKind::SplitView { broker, nameserver } => vec![broker.clone(), nameserver.clone()],
            FaultKind::PauseService { node, .. } | FaultKind::SlowCpu { node, .. } => vec![node.clone()],
            FaultKind::Twin { node, twin } => vec![node.clone(), twin.clone()],
            FaultKind::Kill { .. }
            | FaultKind::PowerLoss { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Stop { .. }
            | FaultKind::Pause { .. }
            | FaultKind::Resume { .. }
            | FaultKind::Heal { .. }
            | FaultKind::End { .. }
            | FaultKind::Crash { .. }
            | FaultKind::RackLoss { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Restore { .. }
            | FaultKind::SwapDisks { .. }
            | FaultKind::Rolling { .. }
            | FaultKind::Reconfigure { .. }
            | FaultKind::Clock { .. }
            | FaultKind::ClockStep { .. }
            | FaultKind::Disk { .. } => Vec::new(),
        }
    }
}
