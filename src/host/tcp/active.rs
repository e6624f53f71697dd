//! The faults in force, and whether a frame is struck.

use crate::host::fault::{Fault, Side, Wrong};
use crate::host::tcp::dice::strikes;
use crate::lab::trace::record::Seq;
use crate::mq::message::Name;
use crate::mq::time::Span;

/// A fault in force.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) number: u32,
    pub(super) fault: Fault,
    /// The record of its beginning.
    pub(super) seq: Option<Seq>,
    /// Chances so far.
    chances: u64,
}

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It vanishes.
    Lost,
    /// It is so late.
    Late(Span),
    /// Its connection is closed in order.
    Closed,
    /// Its connection is reset.
    Reset,
}

/// All of them, in the order in which they began.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) all: Vec<Active>,
    seed: u64,
    next: u32,
    /// Whether one of them looks at frames at all.
    pub(super) on_frames: bool,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults { all: Vec::new(), seed, next: 1, on_frames: false }
    }

    /// One begins; gives its number.
    pub(super) fn begin(&mut self, fault: Fault) -> u32 {
        let number = self.next;
        self.next += 1;
        self.all.push(Active { number, fault, seq: None, chances: 0 });
        self.look();
        number
    }

    /// One ends, or all.
    pub(super) fn heal(&mut self, number: Option<u32>) -> Vec<Active> {
        let (healed, left) = std::mem::take(&mut self.all)
            .into_iter()
            .partition(|active| number.is_none_or(|number| number == active.number));
        self.all = left;
        self.look();
        healed
    }

    /// What becomes of a frame of a node, and by which fault; the first that strikes counts.
    pub(super) fn fate(&mut self, node: &Name, side: Side, code: i32) -> Option<(Fate, Option<Seq>)> {
        let seed = self.seed;
        for active in &mut self.all {
            if active.fault.node.as_ref().is_some_and(|wanted| wanted != node) {
                continue;
            }
            let (which, codes, fate) = match &active.fault.what {
                Wrong::Drop(side, codes) => (*side, codes, Fate::Lost),
                Wrong::Delay(side, codes, span) => (*side, codes, Fate::Late(*span)),
                Wrong::Close(codes) => (Side::Request, codes, Fate::Closed),
                Wrong::Reset(codes) => (Side::Request, codes, Fate::Reset),
                Wrong::SlowDisk(_) | Wrong::FullDisk | Wrong::FailingDisk => continue,
            };
            if which != side || !codes.holds(code) {
                continue;
            }
            active.chances += 1;
            if strikes(seed, active.number, active.chances, active.fault.one_in) {
                return Some((fate, active.seq));
            }
        }
        None
    }

    /// How much longer forcing takes on a node.
    pub(super) fn slow_disk(&self, node: &Name) -> Option<(Span, Option<Seq>)> {
        self.of(node).find_map(|active| match active.fault.what {
            Wrong::SlowDisk(span) => Some((span, active.seq)),
            _ => None,
        })
    }

    /// Whether forcing fails on a node.
    pub(super) fn failing_disk(&self, node: &Name) -> bool {
        self.of(node).any(|active| active.fault.what == Wrong::FailingDisk)
    }

    /// Whether a node's disk has no room.
    pub(super) fn full_disk(&self, node: &Name) -> bool {
        self.of(node).any(|active| active.fault.what == Wrong::FullDisk)
    }

    fn of(&self, node: &Name) -> impl Iterator<Item = &Active> {
        self.all.iter().filter(move |active| active.fault.node.as_ref().is_none_or(|wanted| wanted == node))
    }

    fn look(&mut self) {
        self.on_frames = self.all.iter().any(|active| {
            matches!(active.fault.what, Wrong::Drop(..) | Wrong::Delay(..) | Wrong::Close(_) | Wrong::Reset(_))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fault::{Order, parse};

    #[test]
    fn a_fault_strikes_as_often_as_it_says_where_it_says_and_the_same_frames_for_one_seed() {
        let nodes: Vec<Name> = vec!["broker-a".into(), "broker-b".into()];
        let struck = |seed: u64| {
            let mut faults = Faults::new(seed);
            let Ok(Order::Begin(fault)) = parse("drop reply send-message 1 in 5 on broker-a", &nodes) else { panic!() };
            faults.begin(fault);
            assert_eq!(faults.fate(&nodes[1], Side::Reply, 310), None);
            assert_eq!(faults.fate(&nodes[0], Side::Request, 310), None);
            assert_eq!(faults.fate(&nodes[0], Side::Reply, 11), None);
            let hits: Vec<u32> = (0..1_000).filter(|_| faults.fate(&nodes[0], Side::Reply, 310).is_some()).collect();
            faults.heal(None);
            assert!(!faults.on_frames && faults.fate(&nodes[0], Side::Reply, 310).is_none());
            hits
        };
        let hits = struck(7);
        assert!((150..250).contains(&hits.len()), "{}", hits.len());
        assert!(hits == struck(7) && hits != struck(8));
    }
}
