//! G65 while a run goes on: a slave that has been told that there is no more has no more than its master, and nothing else.
//!
//! Judged for each connection of a slave to its master, from three signs of life of the master in a row on: each says that
//! whatever the slave was to be given it has got. From then on the slave's log must not reach further than its master's, as
//! the slave's reports and the master's stores tell, and where both have a byte the slave's must be the later one. Bytes
//! themselves are compared at the end.
//!
//! A pair is not judged any more once a setting of one of them makes it another kind of broker, or its disk has spoilt the log.

use std::collections::BTreeMap;

use crate::lab::check::history::Image;
use crate::lab::check::logs::{Logs, log_file};
use crate::lab::check::storage::{self, Seen};
use crate::lab::fault::episode::FaultKind;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{DiskEvent, Fault, FrameNote, LinkId, Machine, NodeId, Record, Road, Seq, What};
use crate::lab::trace::wire::Wire;

/// A master with one of its slaves, and the size of the master's log files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) master: NodeId,
    pub(super) slave: NodeId,
    pub(super) file_size: u64,
}

/// What was seen of a pair.
#[derive(Debug)]
pub(super) struct PairSeen {
    pub(super) pair: Pair,
    /// What was wrong first: the clause, the record that showed it, the place.
    pub(super) wrong: Option<(&'static str, Seq, u64)>,
    /// Times at which the slave had been told that there is no more.
    pub(super) settled: u64,
    /// The master died, or lost its disk, and the slave has not been told since that there is no more.
    is_unsettled: bool,
    /// A disk's fault spoilt a log, or a setting made one of them another broker.
    pub(super) is_spoilt: bool,
    connection: Option<Connection>,
    /// How far the slave's log reaches, by its last word.
    end: u64,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    link: LinkId,
    /// Signs of life of the master in a row.
    signs: u32,
    /// Anything of the master's has come.
    is_told: bool,
}

/// Follows every pair through a run.
pub(super) fn follow(trace: &Trace, plan: &Plan, pairs: impl Iterator<Item = Pair>) -> Vec<PairSeen> {
    let mut all: Vec<PairSeen> = pairs.map(PairSeen::of).collect();
    let mut logs = Logs::default();
    let mut ends: BTreeMap<NodeId, u64> = BTreeMap::new();
    for record in trace.records() {
        logs.see(record);
        if let (Some(node), What::Disk(DiskEvent::Image { cached, .. })) = (record.node, &record.what)
            && all.iter().any(|seen| seen.pair.master == node)
        {
            ends.insert(node, storage::log_end(Seen::of(&Image(cached))));
        }
        for seen in &mut all {
            seen.see(record, &logs, &ends, plan);
        }
    }
    all
}

impl PairSeen {
    fn of(pair: Pair) -> PairSeen {
        PairSeen { pair, wrong: None, settled: 0, is_unsettled: false, is_spoilt: false, connection: None, end: 0 }
    }

    fn see(&mut self, record: &Record, logs: &Logs, ends: &BTreeMap<NodeId, u64>, plan: &Plan) {
        let Pair { master, slave, .. } = self.pair;
        if let What::Fault(Fault::Begun { name, .. }) = &record.what {
            self.is_spoilt |= makes_another(name, self.pair, plan);
        }
        let Some(node) = record.node.filter(|node| [master, slave].contains(node)) else { return };
        match &record.what {
            What::Machine(machine) => self.befell(node, machine),
            What::Disk(DiskEvent::Wrong { file, what, .. }) => {
                self.is_spoilt |= log_file(file).is_some() && *what != "a sync is slow";
            }
            What::Disk(DiskEvent::Stored { file, at, .. }) => {
                let Some(at) = log_file(file).map(|file| file + at) else { return };
                if node == master && self.is_settled() && at < self.end {
                    self.is_wrong("bytes", record.seq, at);
                }
            }
            What::Road(Road::Closed { link, .. }) if self.connection.is_some_and(|own| own.link == *link) => {
                self.connection = None;
            }
            What::Road(Road::Arrived { link, from, frame }) if *from == slave && node == master => {
                self.reported(*link, frame);
            }
            What::Road(Road::Arrived { link, from, frame })
                if *from == master && node == slave && self.told(*link, frame) =>
            {
                self.judge(record.seq, logs, ends);
            }
            _ => {}
        }
    }

    fn befell(&mut self, node: NodeId, machine: &Machine) {
        let ends = matches!(
            machine,
            Machine::Booted
                | Machine::BootFailed { .. }
                | Machine::Exited
                | Machine::Killed
                | Machine::Panicked { .. }
                | Machine::PowerLost { .. }
                | Machine::DiskReplaced { .. }
        );
        if ends {
            self.connection = None;
            self.is_unsettled |= node == self.pair.master && !matches!(machine, Machine::Booted);
        }
    }

    /// A slave's report: eight bytes, of several the last.
    fn reported(&mut self, link: LinkId, frame: &FrameNote) {
        let Some(wire) = frame.wire.as_ref().map(Wire::bytes) else { return };
        let Some(end) = wire.last_chunk::<8>().filter(|_| wire.len() == 8) else { return };
        if self.connection.is_none_or(|own| own.link != link) {
            self.connection = Some(Connection { link, signs: 0, is_told: false });
        }
        self.end = i64::from_be_bytes(*end).max(0) as u64;
    }

    /// A piece of the master's log, or a sign of life: twelve bytes. Whether the slave is settled with it.
    fn told(&mut self, link: LinkId, frame: &FrameNote) -> bool {
        let Some(own) = self.connection.as_mut().filter(|own| own.link == link) else { return false };
        own.is_told = true;
        own.signs = if frame.body == SIGN_OF_LIFE { own.signs + 1 } else { 0 };
        self.is_settled()
    }

    /// Whether nobody could have mended yet what came of the master's death; the slave's log reaches to `end`.
    ///
    /// A slave that vouches for all that it has, once its master has told it something, has had its chance.
    pub(super) fn is_excused(&self, end: u64) -> bool {
        self.is_unsettled && !self.connection.is_some_and(|own| own.is_told && end <= self.end)
    }

    fn is_settled(&self) -> bool {
        self.connection.is_some_and(|own| 3 <= own.signs)
    }

    fn judge(&mut self, seq: Seq, logs: &Logs, ends: &BTreeMap<NodeId, u64>) {
        let Pair { master, slave, file_size } = self.pair;
        self.settled += 1;
        self.is_unsettled = false;
        let (theirs, ours) = (logs.of(master), logs.of(slave));
        let stored = theirs.and_then(|log| log.end());
        let Some(end) = stored.or(ends.get(&master).copied()) else { return };
        // Behind its last record a file may end with a blank.
        let most = end.next_multiple_of(file_size);
        if end < self.end && self.end != most {
            return self.is_wrong("ahead", seq, end);
        }
        let Some((theirs, ours)) = theirs.zip(ours) else { return };
        let most = self.end.min(end);
        // Two records are the same up to some byte, and two blanks may be the same: what a slave has found to be so it keeps.
        let whole = theirs.from(0).take_while(|piece| piece.end <= most).filter(|piece| BLANK < piece.end - piece.at);
        if let Some(piece) = whole.into_iter().find(|piece| ours.has_older_end(*piece)) {
            self.is_wrong("bytes", seq, piece.at);
        }
    }

    fn is_wrong(&mut self, clause: &'static str, seq: Seq, at: u64) {
        if !self.is_spoilt {
            self.wrong.get_or_insert((clause, seq, at));
        }
    }
}

/// Whether a fault boots one of a pair as another kind of broker.
fn makes_another(fault: &str, pair: Pair, plan: &Plan) -> bool {
    let Some(episode) = plan.episodes.iter().find(|episode| episode.name == *fault) else { return false };
    let FaultKind::Reconfigure { node, changes } = &episode.kind else { return false };
    let number = plan.nodes.iter().position(|other| other.name == *node).map(|number| NodeId(number as u16));
    let is_ours = number.is_some_and(|number| [pair.master, pair.slave].contains(&number));
    is_ours && changes.iter().any(|(key, _)| KINDS.contains(&&**key))
}

/// Settings that make a broker another one, or its log files.
const KINDS: &[&str] = &[
    "brokerRole",
    "brokerId",
    "brokerName",
    "brokerClusterName",
    "haMasterAddress",
    "mapedFileSizeCommitLog",
    "storePathRootDir",
    "storePathCommitLog",
];

/// What is written of a blank.
const BLANK: u64 = 8;
/// Place and size, without bytes.
const SIGN_OF_LIFE: u32 = 12;
