//! The brokers' commit logs while a run goes on: which bytes were stored when, and which of them a flush has answered for.
//!
//! Contents are not compared: a byte of a slave that was stored after its master's at the same place has come from there, and
//! one that was stored before has not. Stores that one covers are forgotten, so memory is bounded by the log.
//!
//! What a device does behind a flush that it has answered is not looked at: a broker may believe its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::lab::check::ids::By;
use crate::lab::trace::image::PAGE;
use crate::lab::trace::record::{DiskEvent, Machine, NodeId, Record, Seq, What};

/// The logs of all nodes.
#[derive(Debug, Default)]
pub(super) struct Logs {
    of: BTreeMap<NodeId, Log>,
}

/// One node's log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// In the order of their places; they do not overlap.
    pieces: Vec<Piece>,
    /// By the first byte of their file, and their number in it.
    pages: By<(u64, u64), Page>,
    /// Pages that a flush would write.
    dirty: BTreeSet<(u64, u64)>,
    /// Flushes under way.
    asked: BTreeMap<u64, Asked>,
    /// The last flush that failed.
    failed: Option<Seq>,
    /// One past the byte stored last, by the process that runs.
    end: Option<u64>,
}

/// Bytes stored at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Its first byte's place in the log.
    pub(super) at: u64,
    /// One past its last byte.
    pub(super) end: u64,
    /// The record of the store.
    pub(super) seq: Seq,
    /// The place of its file's first byte.
    file: u64,
}

/// What a page of the cache has to do with the disk.
#[derive(Clone, Copy, Debug, Default)]
struct Page {
    /// No store since the last flush that took it is older than this.
    dirty_since: Seq,
    /// Its last store.
    stored: Seq,
    /// Stores before this one are on the disk.
    stable_to: Seq,
    /// Whether it is among those that a flush would write.
    is_dirty: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    seq: Seq,
    file: u64,
    from: u64,
    to: u64,
}

impl Logs {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record) {
        let Some(node) = record.node else { return };
        match &record.what {
            What::Disk(disk) => self.of.entry(node).or_default().see(record.seq, disk),
            What::Machine(Machine::PowerLost { .. }) => self.of.entry(node).or_default().forget_dirty(),
            What::Machine(Machine::DiskReplaced { .. }) => drop(self.of.remove(&node)),
            What::Machine(Machine::Booted) => self.of.entry(node).or_default().begin_again(),
            _ => {}
        }
    }

    /// The log of a node, if it has stored anything.
    pub(super) fn of(&self, node: NodeId) -> Option<&Log> {
        self.of.get(&node)
    }
}

/// The place of a log file's first byte, if it is one.
pub(super) fn log_file(file: &str) -> Option<u64> {
    file.strip_prefix("commitlog/")?.parse().ok()
}

impl Log {
    fn see(&mut self, seq: Seq, disk: &DiskEvent) {
        match disk {
            DiskEvent::Stored { file, at, len, .. } => {
                if let Some(file) = log_file(file) {
                    self.stored(seq, file, *at..at + len);
                }
            }
            DiskEvent::FlushAsked { ticket, file, from, to } => {
                if let Some(file) = log_file(file) {
                    self.asked.insert(*ticket, Asked { seq, file, from: *from, to: *to });
                }
            }
            DiskEvent::FlushDone { ticket } => self.answered(*ticket, true),
            DiskEvent::FlushFailed { ticket, .. } => {
                if self.asked.contains_key(ticket) {
                    self.failed = Some(seq);
                }
                self.answered(*ticket, false);
            }
            _ => {}
        }
    }

    fn begin_again(&mut self) {
        self.asked.clear();
        self.end = None;
    }

    fn stored(&mut self, seq: Seq, file: u64, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let (at, end) = (file + range.start, file + range.end);
        self.end = Some(end);
        self.cover(Piece { at, end, seq, file });
        for page in pages(&range) {
            let known = self.pages.entry((file, page)).or_default();
            known.stored = seq;
            if !known.is_dirty {
                (known.is_dirty, known.dirty_since) = (true, seq);
                self.dirty.insert((file, page));
            }
        }
    }

    /// Puts a store in the place of what it covers.
    fn cover(&mut self, new: Piece) {
        if self.pieces.last().is_none_or(|last| last.end <= new.at) {
            return self.pieces.push(new);
        }
        let from = self.pieces.partition_point(|piece| piece.end <= new.at);
        let to = self.pieces.partition_point(|piece| piece.at < new.end);
        let under = &self.pieces[from..to];
        let before = under.first().filter(|piece| piece.at < new.at).map(|piece| Piece { end: new.at, ..*piece });
        let behind = under.last().filter(|piece| new.end < piece.end).map(|piece| Piece { at: new.end, ..*piece });
        self.pieces.splice(from..to, [before, Some(new), behind].into_iter().flatten());
    }

    /// Without power nothing waits to be written any more.
    fn forget_dirty(&mut self) {
        for place in std::mem::take(&mut self.dirty) {
            self.pages[&place].is_dirty = false;
        }
    }

    /// A flush is answered: pages that were dirty when it was asked for are clean, and on the disk if it succeeded.
    fn answered(&mut self, ticket: u64, done: bool) {
        let Some(Asked { seq, file, from, to }) = self.asked.remove(&ticket) else { return };
        if to <= from {
            return;
        }
        let touched: Vec<(u64, u64)> =
            self.dirty.range((file, from / PAGE as u64)..=(file, (to - 1) / PAGE as u64)).copied().collect();
        for place in touched {
            let page = self.pages.get_mut(&place).expect("a dirty page is known");
            if seq < page.dirty_since {
                continue;
            }
            if done {
                page.stable_to = page.stable_to.max(seq);
            }
            page.dirty_since = seq;
            if page.stored < seq {
                page.is_dirty = false;
                self.dirty.remove(&place);
            }
        }
    }

    /// The last failure of a flush of this log.
    pub(super) fn failed(&self) -> Option<Seq> {
        self.failed
    }

    /// What was stored together with the byte at that place.
    pub(super) fn piece(&self, at: u64) -> Option<Piece> {
        let piece = self.pieces[..self.pieces.partition_point(|piece| piece.at <= at)].last()?;
        (at < piece.end).then_some(*piece)
    }

    /// Whether a flush has answered for all of a piece.
    pub(super) fn is_stable(&self, piece: Piece) -> bool {
        let range = piece.at - piece.file..piece.end - piece.file;
        pages(&range).all(|page| self.pages.get(&(piece.file, page)).is_some_and(|page| piece.seq < page.stable_to))
    }

    /// Every piece that begins at or behind a place.
    pub(super) fn from(&self, at: u64) -> impl Iterator<Item = Piece> {
        self.pieces[self.pieces.partition_point(|piece| piece.at < at)..].iter().copied()
    }

    /// One past the last byte in front of which a flush has answered for every store.
    pub(super) fn stable_to(&self) -> u64 {
        let stable = self.pieces.iter().take_while(|piece| self.is_stable(**piece));
        stable.last().map_or(0, |piece| piece.end)
    }

    /// One past the last byte stored last.
    pub(super) fn end(&self) -> Option<u64> {
        self.end
    }

    /// Whether the last byte of a piece of another log was stored here before it was there.
    pub(super) fn has_older_end(&self, other: Piece) -> bool {
        self.piece(other.end - 1).is_some_and(|own| own.seq < other.seq)
    }

    /// Whether every byte of a piece of another log was stored here after it was there.
    pub(super) fn has(&self, other: Piece) -> bool {
        self.has_from(other.at, other)
    }

    /// The same of all bytes behind those that were here before: some, but not all.
    pub(super) fn has_rest(&self, other: Piece) -> bool {
        let mut reached = other.at;
        while let Some(own) = self.piece(reached).filter(|own| own.seq < other.seq) {
            reached = own.end;
        }
        reached < other.end && self.has_from(reached, other)
    }

    fn has_from(&self, mut reached: u64, other: Piece) -> bool {
        while reached < other.end {
            match self.piece(reached) {
                Some(own) if other.seq < own.seq => reached = own.end,
                _ => return false,
            }
        }
        true
    }
}

fn pages(range: &Range<u64>) -> impl Iterator<Item = u64> + use<> {
    range.start / PAGE as u64..=(range.end - 1) / PAGE as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> crate::mq::message::Name {
        "commitlog/00000000000000008192".into()
    }

    fn store(log: &mut Log, seq: u64, at: u64, len: u64) {
        log.see(Seq(seq), &DiskEvent::Stored { file: file(), at, bytes: bytes::Bytes::new(), len });
    }

    fn ask(log: &mut Log, seq: u64, ticket: u64, from: u64, to: u64) {
        log.see(Seq(seq), &DiskEvent::FlushAsked { ticket, file: file(), from, to });
    }

    #[test]
    fn a_store_covers_what_was_there() {
        let mut log = Log::default();
        store(&mut log, 1, 0, 300);
        store(&mut log, 2, 100, 50);
        let found = |at: u64| log.piece(8_192 + at).map(|piece| (piece.at - 8_192, piece.end - 8_192, piece.seq.0));
        assert_eq!(found(0), Some((0, 100, 1)));
        assert_eq!(found(100), Some((100, 150, 2)));
        assert_eq!(found(299), Some((150, 300, 1)));
        assert_eq!((found(300), log.piece(0)), (None, None));
    }

    #[test]
    fn a_flush_answers_for_what_was_stored_when_it_was_asked_for() {
        let mut log = Log::default();
        store(&mut log, 1, 0, 100);
        ask(&mut log, 2, 7, 0, 100);
        store(&mut log, 3, 100, 100);
        let (early, late) = (log.piece(8_192).unwrap(), log.piece(8_292).unwrap());
        assert!(!log.is_stable(early));
        log.see(Seq(4), &DiskEvent::FlushDone { ticket: 7 });
        assert!(log.is_stable(early) && !log.is_stable(late));
        assert_eq!(log.stable_to(), 8_192 + 100);
        ask(&mut log, 5, 8, 100, 200);
        log.see(Seq(6), &DiskEvent::FlushDone { ticket: 8 });
        assert!(log.is_stable(late));
    }

    #[test]
    fn a_page_whose_flush_failed_is_clean_and_is_written_only_if_it_is_stored_into_again() {
        let mut log = Log::default();
        store(&mut log, 1, 0, 100);
        ask(&mut log, 2, 7, 0, 100);
        log.see(Seq(3), &DiskEvent::FlushFailed { ticket: 7, error: crate::mq::disk::DiskError::Io });
        ask(&mut log, 4, 8, 0, 100);
        log.see(Seq(5), &DiskEvent::FlushDone { ticket: 8 });
        assert!(!log.is_stable(log.piece(8_192).unwrap()) && log.failed().is_some());
        store(&mut log, 6, 100, 10);
        ask(&mut log, 7, 9, 100, 110);
        log.see(Seq(8), &DiskEvent::FlushDone { ticket: 9 });
        assert!(log.is_stable(log.piece(8_192).unwrap()), "the page was written whole");
    }

    #[test]
    fn a_slave_has_what_it_stored_later_than_its_master() {
        let (mut master, mut slave) = (Log::default(), Log::default());
        store(&mut slave, 1, 0, 120);
        store(&mut master, 2, 0, 100);
        let piece = master.piece(8_192).unwrap();
        assert!(!slave.has(piece), "its own bytes are older");
        store(&mut slave, 3, 0, 60);
        assert!(!slave.has(piece));
        store(&mut slave, 4, 60, 60);
        assert!(slave.has(piece));
    }
}
