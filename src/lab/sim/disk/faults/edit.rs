//! What lies on the disk is changed at once: flipped bits (D7), unreadable parts (D11), cut files and old pages (D12).
//!
//! The pristine bytes stay: each change is an overlay of its fault. Where there is a choice, of a file, a record, a bit, the
//! fault's own stream makes it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::lab::fault::device::{Field, Files, Which, Wrong};
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::faults::{Armed, Faults};
use crate::lab::sim::disk::names::Entry;
use crate::lab::trace::image::PAGE;
use crate::mq::disk::FileId;
use crate::mq::message::Name;
use crate::mq::message::record::{FIXED, MAGIC};

impl SimDisk {
    /// Does what a fault does at its begin.
    pub(super) fn edit(&mut self, armed: &mut Armed) {
        match armed.wrong {
            Wrong::BitFlip { out_of: Some(out_of), .. } => self.flip_many(armed, out_of),
            Wrong::BitFlip { field, nth, out_of: None } => {
                let Some((name, entry)) = self.one_file(armed) else { return };
                let places = self.places(field, &entry);
                if places.is_empty() {
                    return;
                }
                let place = match nth {
                    Some(nth) => places.get((nth - 1) as usize).cloned(),
                    None => Some(places[armed.draw(places.len() as u64, &mut self.events) as usize].clone()),
                };
                let Some(place) = place else { return };
                let bit = armed.draw((place.end - place.start) * 8, &mut self.events);
                self.flip(armed.number, (&name, &entry), place.start + bit / 8, 1 << (bit % 8));
            }
            Wrong::BadSector { at, len } => {
                let Some((name, entry)) = self.one_file(armed) else { return };
                let at = match at {
                    Some(at) => at,
                    None => self.drawn_page(armed, &entry) * PAGE as u64,
                };
                self.tell("a sector is bad from here on", &name, at);
                self.overlays().spoil(armed.number, name, at..at + len);
            }
            Wrong::Cut { to } => {
                let Some((name, entry)) = self.one_file(armed) else { return };
                self.tell("the file ends early", &name, to);
                self.overlays().cut(armed.number, name, entry, to);
            }
            Wrong::StalePage { stores } => self.make_stale(armed, stores),
            _ => {}
        }
    }

    fn overlays(&mut self) -> &mut super::Overlays {
        let faults: &mut Faults = self.faults.get_or_insert_with(Box::default);
        &mut faults.overlays
    }

    /// One of the files that a fault is about; drawn if there are several.
    fn one_file(&mut self, armed: &mut Armed) -> Option<(Name, Entry)> {
        let mut names: Vec<Name> = self.holding(&armed.files).cloned().collect();
        match armed.files.which {
            Which::First => names.truncate(1),
            Which::Last => drop(names.drain(..names.len().saturating_sub(1))),
            Which::All | Which::Path(_) => {}
        }
        let at = match names.len() {
            0 => return None,
            1 => 0,
            many => armed.draw(many as u64, &mut self.events) as usize,
        };
        let name = names.swap_remove(at);
        let entry = self.names.find(&name).expect("it was just listed").clone();
        Some((name, entry))
    }

    /// Flips bits of one byte.
    fn flip(&mut self, owner: u32, (name, entry): (&Name, &Entry), at: u64, bits: u8) {
        self.tell("a bit is flipped at rest", name, at);
        match entry {
            Entry::Small(small) => {
                let put = small.put;
                self.overlays().flip(owner, name.clone(), put, at as usize, bits);
            }
            Entry::Mapped(id) => {
                let mut mask = Box::new([0; PAGE]);
                mask[(at % PAGE as u64) as usize] = bits;
                self.overlays().lay(Some(owner), (*id, at / PAGE as u64), true, mask);
            }
        }
    }

    /// Flips a bit in one byte of so many, in all files that a fault is about.
    fn flip_many(&mut self, armed: &mut Armed, out_of: u64) {
        let files: Files = armed.files.clone();
        let names: Vec<Name> = self.holding(&files).filter(|name| self.is_meant(&files, name)).cloned().collect();
        let mut gap = armed.next_gap(out_of, &mut self.events);
        for name in names {
            let entry = self.names.find(&name).expect("it was just listed").clone();
            for piece in self.written_pieces(&entry) {
                let mut at = piece.start;
                while gap < piece.end - at {
                    at += gap;
                    let bit = armed.draw(8, &mut self.events);
                    self.flip(armed.number, (&name, &entry), at, 1 << bit);
                    gap = armed.next_gap(out_of, &mut self.events);
                    at += 1;
                }
                gap -= piece.end - at;
            }
        }
    }

    /// What was written of a file: whole, or page by page.
    fn written_pieces(&self, entry: &Entry) -> Vec<Range<u64>> {
        match entry {
            Entry::Small(small) => up_to(small.bytes.len() as u64),
            Entry::Mapped(id) => {
                let file = self.file(*id).expect("a name leads to a file");
                let mut pages: Vec<u64> = file.slots().iter().map(|slot| slot.page).collect();
                pages.sort_unstable();
                pages.iter().map(|page| page * PAGE as u64..((page + 1) * PAGE as u64).min(file.len)).collect()
            }
        }
    }

    fn drawn_page(&mut self, armed: &mut Armed, entry: &Entry) -> u64 {
        let pieces = self.written_pieces(entry);
        match pieces.len() {
            0 => 0,
            many => pieces[armed.draw(many as u64, &mut self.events) as usize].start / PAGE as u64,
        }
    }

    /// Where a field stands in a file, once for each record, unit or slot that has it.
    fn places(&self, field: Field, entry: &Entry) -> Vec<Range<u64>> {
        let id = match (field, entry) {
            (Field::Json | Field::Any, Entry::Small(small)) => return up_to(small.bytes.len() as u64),
            (_, Entry::Small(_)) => return Vec::new(),
            (_, Entry::Mapped(id)) => *id,
        };
        let len = self.file(id).expect("a name leads to a file").len;
        match field {
            Field::Checkpoint => up_to(24.min(len)),
            Field::QueueEntry => {
                let units = (0..len / UNIT).map(|unit| unit * UNIT..(unit + 1) * UNIT);
                units.take_while(|unit| self.word(id, unit.start + 8) > 0).collect()
            }
            Field::IndexSlot => {
                // As many slots as upstream's default ratio gives, of which only those are meant that lead somewhere.
                let slots = len.saturating_sub(INDEX_HEADER) / INDEX_BYTES_A_SLOT;
                let slots = (0..slots).map(|slot| INDEX_HEADER + slot * 4..INDEX_HEADER + (slot + 1) * 4);
                let touched: Vec<u64> = self.written_pieces(entry).iter().map(|piece| piece.start).collect();
                let is_touched = |at: u64| touched.binary_search(&(at / PAGE as u64 * PAGE as u64)).is_ok();
                slots.filter(|slot| is_touched(slot.start) && self.word(id, slot.start) != 0).collect()
            }
            Field::Any | Field::Json => {
                let bytes = self.written_pieces(entry).into_iter().flatten();
                bytes.filter(|at| self.byte(id, *at) != 0).map(|at| at..at + 1).collect()
            }
            _ => self.records(id, len).filter_map(|at| self.field_of(field, id, at)).collect(),
        }
    }

    /// Where the records of a segment begin.
    fn records(&self, id: FileId, len: u64) -> impl Iterator<Item = u64> {
        let whole = move |at: u64| {
            let size = u64::try_from(self.word(id, at)).unwrap_or(0);
            let fits = FIXED as u64 <= size && at + size <= len;
            (fits && self.word(id, at + 4) == MAGIC).then_some(at + size)
        };
        let readable = move |at: &u64| at + FIXED as u64 <= len && whole(*at).is_some();
        std::iter::successors(Some(0), move |at| whole(*at)).take_while(readable)
    }

    /// Where a field of the record at `at` stands; `None` if it is empty there.
    fn field_of(&self, field: Field, id: FileId, at: u64) -> Option<Range<u64>> {
        let body = at + 88;
        let topic = body + u64::try_from(self.word(id, at + 84)).ok()? + 1;
        let properties = topic + u64::from(self.byte(id, topic - 1)) + 2;
        let end =
            properties + u64::from(self.byte(id, properties - 2)) * 256 + u64::from(self.byte(id, properties - 1));
        let range = match field {
            Field::Size => at..at + 4,
            Field::Magic => at + 4..at + 8,
            Field::Crc => at + 8..at + 12,
            Field::QueueId => at + 12..at + 16,
            Field::QueueOffset => at + 20..at + 28,
            Field::PhysOffset => at + 28..at + 36,
            Field::Topic => topic..properties - 2,
            Field::Properties => properties..end,
            _ => body..topic - 1,
        };
        (range.start < range.end).then_some(range)
    }

    fn byte(&self, id: FileId, at: u64) -> u8 {
        let file = self.file(id).expect("a name leads to a file");
        if file.len <= at { 0 } else { file.page(at / PAGE as u64)[(at % PAGE as u64) as usize] }
    }

    fn word(&self, id: FileId, at: u64) -> i32 {
        i32::from_be_bytes([0, 1, 2, 3].map(|byte| self.byte(id, at + byte)))
    }

    /// A page of a file is as it was before some of its stores.
    fn make_stale(&mut self, armed: &mut Armed, stores: Option<u64>) {
        let Some((name, Entry::Mapped(id))) = self.one_file(armed) else { return };
        let mut by_page: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (number, store) in self.journal.each().filter(|(_, store)| store.file == id) {
            by_page.entry(u64::from(store.page)).or_default().push(number);
        }
        let at = match by_page.len() {
            0 => return,
            many => armed.draw(many as u64, &mut self.events) as usize,
        };
        let (page, numbers) = by_page.into_iter().nth(at).expect("below their number");
        let count = match stores {
            Some(count) => count.min(numbers.len() as u64),
            None => armed.draw(numbers.len() as u64, &mut self.events) + 1,
        };
        let now = *self.file(id).expect("a name leads to a file").page(page);
        let mut mask = Box::new(now);
        for number in numbers.iter().rev().take(count as usize) {
            self.journal.take_back(*number, &mut mask[..]);
        }
        for (bits, byte) in mask.iter_mut().zip(now) {
            *bits ^= byte;
        }
        self.tell("a page is as it was before", &name, page * PAGE as u64);
        self.overlays().lay(Some(armed.number), (id, page), true, mask);
    }
}

/// One piece, from a file's first byte on.
fn up_to(end: u64) -> Vec<Range<u64>> {
    std::iter::once(0..end).collect()
}

/// Bytes of a consume queue's unit.
const UNIT: u64 = 20;
/// Bytes of an index file's header.
const INDEX_HEADER: u64 = 40;
/// Bytes of an index file for each slot: the slot and four entries. Source: `maxHashSlotNum`, `maxIndexNum`.
const INDEX_BYTES_A_SLOT: u64 = 4 + 4 * 20;
