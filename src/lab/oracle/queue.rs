//! A consume queue: twenty bytes a message.
//!
//! ```text
//!   unit     log offset 8 · size 4 · tag 8          tag: hash of the tag, moment of delivery, or address of an extension
//!   filler   0 · 7F FF FF FF · 0                    in front of the first unit of a queue that does not begin at a file
//! ```

use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::window::{self, Window};
use crate::lab::oracle::{Files, i32_at, i64_at, is_zero};

/// One unit of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Its number.
    pub number: i64,
    /// The record it points at.
    pub at: u64,
    /// That record's length.
    pub size: u32,
    /// The hash of its tag, its moment of delivery, or an address.
    pub tag: i64,
}

impl Unit {
    /// The address of the extension that holds the tag's hash, if it does not stand here.
    pub fn extension(&self) -> Option<u64> {
        (self.tag < i64::from(i32::MIN)).then(|| self.tag.wrapping_sub(i64::MIN) as u64)
    }
}

/// What twenty bytes of a queue are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A unit.
    Unit(Unit),
    /// Filler in front of the first unit.
    Filler,
    /// Nothing yet.
    Empty,
    /// Something else: neither a unit nor empty.
    Broken,
}

impl Slot {
    /// Reads twenty bytes; a file that ends before them has nothing there.
    fn of(bytes: &[u8], number: i64) -> Slot {
        if is_zero(bytes) {
            return Slot::Empty;
        }
        let (at, size, tag) = (i64_at(bytes, 0), i32_at(bytes, 8), i64_at(bytes, 12));
        if bytes.len() < UNIT {
            Slot::Broken
        } else if (at, size, tag) == (0, i32::MAX, 0) {
            Slot::Filler
        } else if at < 0 || size <= 0 {
            Slot::Broken
        } else {
            Slot::Unit(Unit { number, at: at.cast_unsigned(), size: size.cast_unsigned(), tag })
        }
    }
}

/// One queue's files.
pub struct Queue<'a> {
    files: &'a dyn Files,
    segments: &'a [Segment],
    open: Option<(usize, Window<'a>)>,
}

impl<'a> Queue<'a> {
    /// The queue of these files.
    pub fn new(files: &'a dyn Files, segments: &'a [Segment]) -> Queue<'a> {
        Queue { files, segments, open: None }
    }

    /// The number of the first slot that the files have room for.
    pub fn begin(&self) -> i64 {
        self.segments.first().map_or(0, |segment| (segment.start / UNIT as u64) as i64)
    }

    /// One past the number of the last slot that the files have room for.
    pub fn room(&self) -> i64 {
        self.segments.last().map_or(0, |segment| (segment.end() / UNIT as u64) as i64)
    }

    /// How many slots the files hold.
    pub fn slots(&self) -> usize {
        self.segments.iter().map(|segment| (segment.len / UNIT as u64) as usize).sum()
    }

    /// Which slot of the files, counted from 0, has that number; `None` if no file holds all of it.
    pub fn ordinal(&self, number: i64) -> Option<usize> {
        let (file, at) = self.locate(number)?;
        let slots = |segment: &Segment| segment.len / UNIT as u64;
        let before: u64 = self.segments[..file].iter().map(slots).sum();
        // A file that was cut may end within a slot.
        (at / (UNIT as u64) < slots(&self.segments[file])).then_some((before + at / UNIT as u64) as usize)
    }

    /// The numbers of each file's slots, file by file.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + use<'a> {
        let unit = UNIT as u64;
        self.segments.iter().flat_map(move |segment| {
            let first = segment.start / unit;
            (first..first + segment.len / unit).map(|number| number as i64)
        })
    }

    /// The files.
    pub fn segments(&self) -> &'a [Segment] {
        self.segments
    }

    /// What the slot of that number holds; a missing file holds nothing.
    pub fn slot(&mut self, number: i64) -> Slot {
        let Some((file, at)) = self.locate(number) else { return Slot::Empty };
        let segment = &self.segments[file];
        let window = match &mut self.open {
            Some((open, window)) if *open == file => window,
            open => {
                let window = Window::new(self.files, &segment.path, segment.len, window::SMALL);
                &mut open.insert((file, window)).1
            }
        };
        Slot::of(window.bytes(at, UNIT), number)
    }

    /// The file that holds the slot of that number, and its first byte there.
    pub fn place(&self, number: i64) -> Option<(&'a str, u64)> {
        let (file, at) = self.locate(number)?;
        Some((self.segments[file].path.as_str(), at))
    }

    /// The first number that holds nothing, if units follow each other without a hole from the last file's beginning on;
    /// found by halving, so that a look costs little.
    pub fn end(&mut self) -> i64 {
        let (mut low, mut high) = match self.segments.last() {
            Some(segment) => ((segment.start / UNIT as u64) as i64, self.room()),
            None => return 0,
        };
        while low < high {
            let middle = low + (high - low) / 2;
            match self.slot(middle) {
                Slot::Unit(_) | Slot::Filler => low = middle + 1,
                Slot::Empty | Slot::Broken => high = middle,
            }
        }
        low
    }

    /// The first number whose unit points at or behind a place of the log, found by halving; the end if there is none.
    pub fn first_at(&mut self, place: u64) -> i64 {
        let (mut low, mut high) = (self.begin(), self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.slot(middle) {
                Slot::Unit(unit) if place <= unit.at => high = middle,
                _ => low = middle + 1,
            }
        }
        low
    }

    fn locate(&self, number: i64) -> Option<(usize, u64)> {
        let place = u64::try_from(number).ok()?.checked_mul(UNIT as u64)?;
        let holds = |segment: &Segment| segment.start <= place && place < segment.end();
        let file = match &self.open {
            Some((file, _)) if holds(&self.segments[*file]) => *file,
            _ => self.segments.iter().position(holds)?,
        };
        Some((file, place - self.segments[file].start))
    }
}

/// Bytes of a unit.
pub const UNIT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::layout::Layout;

    fn unit(at: u64, size: i32, tag: i64) -> Vec<u8> {
        [&at.to_be_bytes()[..], &size.to_be_bytes(), &tag.to_be_bytes()].concat()
    }

    fn queue() -> Folder {
        let mut first = [unit(0, i32::MAX, 0), unit(0, i32::MAX, 0), unit(500, 120, 7)].concat();
        first.extend(unit(700, 130, 8));
        let mut second = unit(900, 140, i64::MIN + 44);
        second.extend(unit(1100, -5, 1));
        second.resize(80, 0);
        let name = |start: u64| format!("consumequeue/T/0/{start:020}");
        Folder([(name(80), first), (name(160), second)].into())
    }

    #[test]
    fn slots_are_read_by_number_over_files() {
        let folder = queue();
        let layout = Layout::of(&folder);
        let mut queue = Queue::new(&folder, &layout.queues[&("T".to_owned(), 0)]);
        assert_eq!((queue.begin(), queue.room(), queue.end()), (4, 12, 9));
        let slots: Vec<Slot> = (3..13).map(|number| queue.slot(number)).collect();
        let unit = |number, at, size, tag| Slot::Unit(Unit { number, at, size, tag });
        assert_eq!(slots[..4], [Slot::Empty, Slot::Filler, Slot::Filler, unit(6, 500, 120, 7)]);
        assert_eq!(slots[4..7], [unit(7, 700, 130, 8), unit(8, 900, 140, i64::MIN + 44), Slot::Broken]);
        assert_eq!(slots[7..], [Slot::Empty; 3]);
        assert_eq!((queue.first_at(0), queue.first_at(501), queue.first_at(5000)), (6, 7, 9));
        assert_eq!(queue.place(8), Some(("consumequeue/T/0/00000000000000000160", 0)));
        let Slot::Unit(extended) = queue.slot(8) else { panic!("a unit") };
        assert_eq!(extended.extension(), Some(44));
    }
}
