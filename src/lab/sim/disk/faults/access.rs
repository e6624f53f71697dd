//! Loads and stores: what a mapping does when the page under it cannot be had, and what it shows when it can.
//!
//! A fault under a mapping is a signal, not a value: the process dies there, which is the fuse.

use std::ops::Range;

use crate::lab::fault::device::{Access, FullShows, Occurs, Wrong};
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::faults::calls::{BAD_SECTOR, Call};
use crate::lab::sim::disk::file::Slot;
use crate::lab::sim::disk::names::Entry;
use crate::lab::trace::image::PAGE;
use crate::mq::disk::{DiskError, FileId, burn};
use crate::mq::message::Name;

impl SimDisk {
    /// What a process sees in `range`.
    #[cold]
    pub(in crate::lab::sim::disk) fn bytes_hurt(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        let found = self.file(file).expect("an open file");
        assert!(!found.gone, "`{}` was removed", found.name());
        assert!(range.start <= range.end, "a range forwards");
        assert!(range.end <= found.len, "read behind the end of `{}`: {range:?}, length {}", found.name(), found.len);
        let name = found.name().clone();
        self.reach(file, &name, &range, Access::Read);
        let (source, shift) = self.source(file, &name);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let mut at = range.start;
        while at < range.end {
            let (page, from) = (at / PAGE as u64, (at % PAGE as u64) as usize);
            let to = PAGE.min(from + (range.end - at) as usize);
            let begin = scratch.len();
            match page.checked_add_signed(shift) {
                Some(page) => {
                    let found = self.file(source).expect("it has a name");
                    scratch.extend_from_slice(&found.page(page)[from..to]);
                    let faults = self.faults.as_ref().expect("only then one comes here");
                    faults.overlays.show(source, page, from, &mut scratch[begin..]);
                }
                None => scratch.resize(begin + to - from, 0),
            }
            at += (to - from) as u64;
        }
        self.flip_in_passing(&name, range.start, &mut scratch);
        self.scratch = scratch;
        &self.scratch
    }

    /// Before a store into the mapping.
    #[cold]
    pub(in crate::lab::sim::disk) fn before_store(&mut self, file: FileId, at: u64, len: u64) {
        let name = self.file(file).expect("an open file").name().clone();
        self.reach(file, &name, &(at..at + len), Access::Write);
        let (used, holes) = (self.used(), self.holes(file, at, len));
        let full = self.struck(&name, |_, armed| match armed.wrong {
            Wrong::Full { capacity, .. } if armed.shows == FullShows::Touch && holes > 0 => {
                (capacity < used + holes * PAGE as u64).then_some((Occurs::ALWAYS, ()))
            }
            _ => None,
        });
        if full.is_some() {
            self.tell("no space: SIGBUS at the first touch of a hole", &name, at);
            burn();
        }
        let pages = self.newly_dirty(file, at, len);
        self.wait(&name, pages);
        self.stored_hurt(file, &name, at, len);
    }

    /// Before a write through the channel. Errors: the device's.
    #[cold]
    pub(in crate::lab::sim::disk) fn before_channel_write(
        &mut self,
        file: FileId,
        at: u64,
        len: u64,
    ) -> Result<(), DiskError> {
        let name = self.file(file).expect("an open file").name().clone();
        self.may_call(&name, Call::Channel { file, at, len })?;
        self.stored_hurt(file, &name, at, len);
        Ok(())
    }

    /// What is written is what is read there.
    fn stored_hurt(&mut self, file: FileId, name: &str, at: u64, len: u64) {
        if let Some(faults) = &mut self.faults {
            faults.overlays.stored(file, name, at, len);
        }
    }

    /// A mapped access: whether the pages can be had.
    fn reach(&mut self, file: FileId, name: &Name, range: &Range<u64>, access: Access) {
        let faults = self.faults.as_ref().expect("only then one comes here");
        if faults.overlays.end_of(name, &Entry::Mapped(file)).is_some_and(|end| end < range.end) {
            self.tell("SIGBUS behind the file's end", name, range.start);
            burn();
        }
        // What is written whole need not be read first.
        let spared = access == Access::Write && faults.overlays.covers(name, range);
        if let Some(at) = faults.overlays.unreadable(name, range).filter(|_| !spared) {
            self.tell(BAD_SECTOR, name, at);
            burn();
        }
        let struck = self.struck(name, |_, armed| match armed.wrong {
            Wrong::MapFails { on, occurs } if on == access => Some((occurs, ())),
            _ => None,
        });
        if struck.is_some() {
            let what = if access == Access::Read { "EIO under a load: SIGBUS" } else { "EIO under a store: SIGBUS" };
            self.tell(what, name, range.start);
            burn();
        }
    }

    /// Where a load's pages come from: the file itself, unless a fault sends it elsewhere.
    fn source(&mut self, file: FileId, name: &Name) -> (FileId, i64) {
        let struck = self.struck(name, |_, armed| match armed.wrong {
            Wrong::Misdirected { on: Access::Read, occurs, by, sibling } => Some((occurs, (by, sibling))),
            _ => None,
        });
        let Some((_, (by, sibling))) = struck else { return (file, 0) };
        self.tell("a page is read from the wrong place", name, 0);
        if sibling { (self.sibling(name).unwrap_or(file), 0) } else { (file, by) }
    }

    /// The file behind this one in its folder, or the one before it if it is the last.
    pub(super) fn sibling(&self, name: &str) -> Option<FileId> {
        let folder = name.rfind('/').map_or("", |at| &name[..=at]);
        let of_folder = |entry: &(&Name, &Entry)| entry.0.starts_with(folder) && !entry.0[folder.len()..].contains('/');
        let mapped = |(found, entry): (&Name, &Entry)| match entry {
            Entry::Mapped(id) => Some((found.clone(), *id)),
            Entry::Small(_) => None,
        };
        let files: Vec<_> = self.names.seen.entries.iter().filter(of_folder).filter_map(mapped).collect();
        let behind = files.iter().find(|(found, _)| found.as_str() > name);
        behind.or(files.iter().rfind(|(found, _)| found.as_str() < name)).map(|(_, id)| *id)
    }

    /// Bits that are flipped in what this read gives, and in no other.
    fn flip_in_passing(&mut self, name: &Name, at: u64, out: &mut [u8]) {
        let Some(mut faults) = self.faults.take() else { return };
        let mut flips = Vec::new();
        for armed in faults.armed.iter_mut().filter(|_| !out.is_empty()) {
            let Wrong::ReadFlip { nth, out_of } = armed.wrong else { continue };
            if !self.is_meant(&armed.files, name) {
                continue;
            }
            armed.seen += 1;
            match nth {
                Some(nth) if armed.seen == nth => flips.push(armed.draw(out.len() as u64 * 8, &mut self.events)),
                Some(_) => {}
                None => {
                    let mut next = armed.gap;
                    while next < out.len() as u64 {
                        flips.push(next * 8 + armed.draw(8, &mut self.events));
                        next += 1 + armed.next_gap(out_of, &mut self.events);
                    }
                    armed.gap = next - out.len() as u64;
                }
            }
        }
        self.faults = Some(faults);
        for flip in flips {
            out[(flip / 8) as usize] ^= 1 << (flip % 8);
            self.tell("a bit is flipped in one read", name, at + flip / 8);
        }
    }

    /// Pages of a range that have no block yet.
    pub(super) fn holes(&self, file: FileId, at: u64, len: u64) -> u64 {
        self.pages_of(file, at, len, |slot| slot.is_none())
    }

    /// Pages of a range that a store would make dirty.
    pub(super) fn newly_dirty(&self, file: FileId, at: u64, len: u64) -> u64 {
        self.pages_of(file, at, len, |slot| slot.is_none_or(|slot| !slot.dirty))
    }

    fn pages_of(&self, file: FileId, at: u64, len: u64, which: impl Fn(Option<&Slot>) -> bool) -> u64 {
        let found = self.file(file).expect("an open file");
        let pages = at / PAGE as u64..(at + len).div_ceil(PAGE as u64);
        pages.filter(|page| which(found.find(*page))).count() as u64
    }
}
