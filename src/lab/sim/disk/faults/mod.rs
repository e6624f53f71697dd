//! Disk faults under way: operations that fail, and overlays that lie over pristine pages.
//!
//! A disk without faults has none of this: the paths that every store and load takes ask one question, whether there are any.
//! The pages of the disk stay what the engine stored; what a process reads instead is an *overlay*, a mask that is folded
//! over the page ([`overlay`]). So a fault that heals takes its overlay along, and what is really there is there again.
//!
//! ```text
//! open, put, get, lock ─▶ calls      may the call happen?         (D1, D2, D13)
//! bytes, write         ─▶ access     may the page be touched?     (D1, D3, D6, D8, D9, D11)
//! complete_flush       ─▶ sync       which pages reach the device (D1, D4, D5, D9, D10)
//! the fault's begin    ─▶ edit       what lies there is changed   (D7, D11, D12)
//! ```
//!
//! Each fault draws from a stream of its own, so that one fault more or less shifts no other draw.

use std::collections::BTreeSet;

use crate::lab::fault::device::{Chance, Files, FullShows, Occurs, Which, Wrong};
use crate::lab::sim::dice::Stream;
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::faults::overlay::Overlays;
use crate::lab::sim::disk::names::Entry;
use crate::lab::sim::storage::{DiskDeed, Onset};
use crate::mq::disk::FileId;
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

mod access;

pub(super) mod calls;

mod edit;

mod overlay;

mod sync;

#[cfg(test)]
mod tests;

/// What is wrong with a disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    armed: Vec<Armed>,
    pub(super) overlays: Overlays,
    /// How long this step's accesses have waited.
    pub(super) stalled: u64,
}

/// A fault that has begun and not ended.
#[derive(Clone, Debug)]
struct Armed {
    number: u32,
    name: Name,
    files: Files,
    wrong: Wrong,
    until: Option<Time>,
    stream: Stream,
    /// Operations that it could have spoilt so far.
    seen: u64,
    /// Whether it has spoilt one.
    struck: bool,
    /// How a full device shows: drawn, if not said.
    shows: FullShows,
    /// Bytes until the next bit that is flipped in passing.
    gap: u64,
    /// Files whose next sync answers for this one's.
    owed: BTreeSet<FileId>,
    /// Files on which somebody waits already for a hung device: whoever comes later waits behind that one.
    awaited: BTreeSet<Name>,
}

impl Armed {
    fn draw(&mut self, below: u64, told: &mut Vec<DiskDeed>) -> u64 {
        let roll = self.stream.below(below.max(1));
        told.push(DiskDeed::Rolled { fault: self.name.clone(), roll });
        roll.got
    }

    /// An operation comes that it could spoil: whether it does.
    fn strikes(&mut self, occurs: Occurs, told: &mut Vec<DiskDeed>) -> bool {
        self.seen += 1;
        let strikes = match occurs.chance {
            _ if occurs.sticky && self.struck => true,
            Chance::Nth(nth) => self.seen == nth,
            Chance::Always => true,
            Chance::Odds { times, out_of } => self.draw(out_of, told) < times,
        };
        self.struck |= strikes;
        strikes
    }

    /// How many bytes pass before the next one is struck, with odds of one in `out_of`.
    fn next_gap(&mut self, out_of: u64, told: &mut Vec<DiskDeed>) -> u64 {
        // Uniform with the right mean: what matters is that flips are rare and that each has an address.
        self.draw(out_of.saturating_mul(2).saturating_sub(1), told)
    }
}

impl SimDisk {
    /// A fault begins.
    pub fn begin_fault(&mut self, onset: Onset) {
        let Onset { number, name, files, wrong, until, stream } = onset;
        let mut armed = Armed {
            number,
            name,
            files,
            wrong,
            until,
            stream,
            seen: 0,
            struck: false,
            shows: FullShows::Create,
            gap: 0,
            owed: BTreeSet::new(),
            awaited: BTreeSet::new(),
        };
        match armed.wrong {
            Wrong::Full { shows: Some(shows), .. } => armed.shows = shows,
            Wrong::Full { shows: None, .. } => {
                armed.shows = FullShows::ALL[armed.draw(FullShows::ALL.len() as u64, &mut self.events) as usize].1;
            }
            Wrong::ReadFlip { nth: None, out_of } => armed.gap = armed.next_gap(out_of, &mut self.events),
            Wrong::Hung { at_most } => armed.until = armed.until.or(Some(self.now + at_most)),
            _ => {}
        }
        self.edit(&mut armed);
        self.faults.get_or_insert_with(Box::default).armed.push(armed);
    }

    /// A fault ends: what it hid is there again, what it let the device lose stays lost.
    pub fn end_fault(&mut self, number: u32) {
        let Some(faults) = &mut self.faults else { return };
        faults.armed.retain(|armed| armed.number != number);
        faults.overlays.lift(number);
        if faults.armed.is_empty() && faults.overlays.is_empty() {
            self.faults = None;
        }
    }

    /// Asks the faults, in the order of their begin, about an operation on `file`: the first that strikes decides.
    ///
    /// `ask` gives when one could spoil this operation. All of them count it and draw for it, whoever strikes first: so
    /// none shifts what another one draws.
    fn struck<T>(
        &mut self,
        file: &str,
        mut ask: impl FnMut(&SimDisk, &Armed) -> Option<(Occurs, T)>,
    ) -> Option<(usize, T)> {
        let mut faults = self.faults.take()?;
        let mut found = None;
        for (place, armed) in faults.armed.iter_mut().enumerate() {
            let Some((occurs, answer)) = ask(self, armed) else { continue };
            if self.is_meant(&armed.files, file) && armed.strikes(occurs, &mut self.events) {
                found.get_or_insert((place, answer));
            }
        }
        self.faults = Some(faults);
        found
    }

    /// Whether a fault's files are these.
    fn is_meant(&self, files: &Files, file: &str) -> bool {
        files.may_be(file)
            && match files.which {
                Which::All | Which::Path(_) => true,
                Which::First => self.holding(files).next().is_none_or(|first| file <= first.as_str()),
                Which::Last => self.holding(files).last().is_none_or(|last| last.as_str() <= file),
            }
    }

    /// The files of a role that hold something, by name.
    fn holding<'a>(&'a self, files: &'a Files) -> impl Iterator<Item = &'a Name> {
        let entries = self.names.seen.entries.iter().filter(|(name, _)| files.may_be(name));
        let holds = |entry: &Entry| match entry {
            Entry::Small(small) => !small.bytes.is_empty(),
            Entry::Mapped(id) => self.file(*id).is_some_and(|file| !file.slots().is_empty()),
        };
        entries.filter(move |(_, entry)| holds(entry)).map(|(name, _)| name)
    }

    /// Says where a fault struck.
    fn tell(&mut self, what: &'static str, file: &str, at: u64) {
        self.events.push(DiskDeed::Wrong { what, file: file.into(), at });
    }

    /// Bytes that may be in use, if a fault says so.
    pub(super) fn capacity_left_by_faults(&self) -> Option<u64> {
        let armed = self.faults.as_ref()?.armed.iter();
        armed
            .filter_map(|armed| if let Wrong::Full { capacity, .. } = armed.wrong { Some(capacity) } else { None })
            .min()
    }

    /// The accesses of this step wait for the device: `pages` of them one after the other.
    fn wait(&mut self, file: &str, pages: u64) {
        let Some(mut faults) = self.faults.take() else { return };
        for armed in &mut faults.armed {
            if !self.is_meant(&armed.files, file) {
                continue;
            }
            match armed.wrong {
                Wrong::Slow { times } => {
                    let wait = self.access.0.saturating_mul(times).saturating_mul(pages);
                    faults.stalled = faults.stalled.saturating_add(wait);
                }
                Wrong::Hung { .. } if armed.awaited.insert(file.into()) => {
                    let until = armed.until.expect("a disk hangs for a time");
                    faults.stalled = faults.stalled.max(until.since(self.now).0);
                }
                _ => {}
            }
        }
        self.faults = Some(faults);
    }

    /// Until when a sync does not come back.
    pub fn hung_until(&self, ticket: u64) -> Option<Time> {
        let faults = self.faults.as_ref()?;
        let name = self.name_of(self.pending.iter().find(|flush| flush.ticket == ticket)?.file);
        let hung = faults.armed.iter().filter(|armed| matches!(armed.wrong, Wrong::Hung { .. }));
        hung.filter(|armed| self.is_meant(&armed.files, &name)).filter_map(|armed| armed.until).max()
    }

    /// A step begins: nobody has waited in it.
    #[cold]
    pub(super) fn begin_step_of_faults(&mut self) {
        if let Some(faults) = &mut self.faults {
            faults.stalled = 0;
        }
    }

    /// How much longer a sync takes that would take `drawn`.
    pub fn sync_span(&mut self, ticket: u64, drawn: Span) -> Span {
        if self.faults.is_none() {
            return drawn;
        }
        let Some(flush) = self.pending.iter().find(|flush| flush.ticket == ticket) else { return drawn };
        let name = self.name_of(flush.file);
        let mut span = drawn;
        // A slow device is slow at its own work: what a sync waits for besides is not multiplied, and ends.
        for armed in &self.faults.as_ref().expect("looked at above").armed {
            if let Wrong::Slow { times } = armed.wrong
                && self.is_meant(&armed.files, &name)
            {
                span = Span(span.0.saturating_mul(times));
            }
        }
        let slow = self.struck(&name, |_, armed| match armed.wrong {
            Wrong::SlowSync { occurs, min, max } => Some((occurs, (min, max))),
            _ => None,
        });
        if let Some((place, (min, max))) = slow {
            let armed = &mut self.faults.as_mut().expect("one struck").armed[place];
            let got = armed.draw(max.0.saturating_sub(min.0).saturating_add(1), &mut self.events);
            span = Span(span.0.saturating_add(min.0).saturating_add(got));
            self.tell("a sync is slow", &name, 0);
        }
        span
    }
}
