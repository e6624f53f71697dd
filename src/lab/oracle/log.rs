//! The commit log, walked from file to file.

use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::record::{self, Flaw, Found, MAGIC, Record};
use crate::lab::oracle::window::{self, Window};
use crate::lab::oracle::{Files, is_zero};

/// What the walk comes to next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// A whole record; the walk goes on behind it.
    Record(Record<'a>),
    /// A blank; the walk goes on in the next file.
    Blank {
        /// Where it begins.
        at: u64,
        /// The length it names.
        size: i32,
        /// The bytes that are left in the file.
        room: u64,
    },
    /// Something else; the walk stays here.
    Flawed {
        /// Where.
        at: u64,
        /// Why it is no record.
        flaw: Flaw,
    },
    /// Zeros; the walk stays here.
    Empty {
        /// Where.
        at: u64,
    },
    /// The next file does not begin where this one ends; the walk goes on in it.
    Gap {
        /// Where a byte should be.
        at: u64,
        /// Where the next file begins.
        next: u64,
    },
    /// There is no further file.
    End {
        /// One past the last byte.
        at: u64,
    },
}

/// A walk over the log.
///
/// It believes nothing and never goes back: where no record begins it stays until it is told to skip.
pub struct Walk<'a> {
    files: &'a dyn Files,
    segments: &'a [Segment],
    file: usize,
    at: u64,
    window: Option<Window<'a>>,
}

impl<'a> Walk<'a> {
    /// A walk over these files from their first byte.
    pub fn new(files: &'a dyn Files, segments: &'a [Segment]) -> Walk<'a> {
        let mut walk = Walk { files, segments, file: 0, at: 0, window: None };
        walk.open(0);
        walk
    }

    /// A walk that begins at a place of the log; `None` if no file holds it.
    pub fn from(files: &'a dyn Files, segments: &'a [Segment], at: u64) -> Option<Walk<'a>> {
        let file = segments.iter().position(|segment| (segment.start..segment.end()).contains(&at))?;
        let mut walk = Walk { files, segments, file: 0, at: 0, window: None };
        walk.open(file);
        walk.at = at - segments[file].start;
        Some(walk)
    }

    /// The place the walk is at.
    pub fn at(&self) -> u64 {
        self.segments.get(self.file).map_or(0, |segment| segment.start + self.at)
    }

    /// The file the walk is in, and how far.
    pub fn place(&self) -> (&'a str, u64) {
        self.segments.get(self.file).map_or(("commitlog", 0), |segment| (segment.path.as_str(), self.at))
    }

    /// What comes next.
    pub fn advance(&mut self) -> Piece<'_> {
        while let Some(segment) = self.segments.get(self.file).filter(|segment| segment.len <= self.at) {
            let Some(next) = self.segments.get(self.file + 1) else { return Piece::End { at: segment.end() } };
            self.open(self.file + 1);
            if next.start != segment.end() {
                return Piece::Gap { at: segment.end(), next: next.start };
            }
        }
        let (Some(segment), Some(window)) = (self.segments.get(self.file), &mut self.window) else {
            return Piece::End { at: 0 };
        };
        let place = segment.start + self.at;
        match record::read(window, segment.start, self.at) {
            Found::Record(record) => {
                self.at += u64::from(record.size());
                Piece::Record(record)
            }
            Found::Blank { size } => {
                let room = segment.len - self.at;
                self.at = segment.len;
                Piece::Blank { at: place, size, room }
            }
            Found::Flawed(flaw) => Piece::Flawed { at: place, flaw },
            Found::Empty | Found::Full => Piece::Empty { at: place },
        }
    }

    /// Moves on to where the log goes on, and says where that is: to a whole record that names its own place, or to a later
    /// file that does not begin with zeros. `None`: there is no such place, and the walk stays.
    pub fn skip(&mut self) -> Option<u64> {
        let segment = self.segments.get(self.file)?;
        if let Some(at) = find_record(self.files, segment, self.at + 1) {
            self.at = at;
            return Some(segment.start + at);
        }
        let begins = |segment: &Segment| !is_zero(&self.files.read(&segment.path, 0, 8));
        let file = (self.file + 1..self.segments.len()).find(|file| begins(&self.segments[*file]))?;
        self.open(file);
        Some(self.segments[file].start)
    }

    fn open(&mut self, file: usize) {
        let over = |segment: &'a Segment| Window::new(self.files, segment.path.as_str(), segment.len, window::LOG);
        self.window = self.segments.get(file).map(over);
        self.file = file;
        self.at = 0;
    }
}

/// The first place of a file, from a place on, where a whole record names its own place.
fn find_record(files: &dyn Files, segment: &Segment, from: u64) -> Option<u64> {
    let mut window = Window::new(files, &segment.path, segment.len, window::LOG);
    for part in files.written(&segment.path, from..segment.len) {
        let mut at = part.start;
        while at < part.end {
            let len = (part.end - at).min(STEP as u64) as usize;
            // The magic stands behind the length, and may lie across two steps.
            let bytes = window.bytes(at + 4, len + 3);
            let found = if is_zero(bytes) { None } else { find_magic(bytes).filter(|found| *found < len) };
            let Some(found) = found else {
                at += len as u64;
                continue;
            };
            at += found as u64;
            if let Found::Record(record) = record::read(&mut window, segment.start, at)
                && record.declared() == record.at as i64
            {
                return Some(at);
            }
            at += 1;
        }
    }
    None
}

fn find_magic(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|word| word == MAGIC.to_be_bytes())
}

/// The record that begins at a place of the log, if one does.
pub fn with_record<T>(
    files: &dyn Files,
    segments: &[Segment],
    at: u64,
    look: impl FnOnce(&Record<'_>) -> T,
) -> Option<T> {
    match Walk::from(files, segments, at)?.advance() {
        Piece::Record(record) => Some(look(&record)),
        _ => None,
    }
}

/// Bytes searched at once.
const STEP: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::layout::Layout;
    use crate::lab::oracle::record::tests::bytes_of;

    const FIRST: &str = "commitlog/00000000000000000000";
    const SECOND: &str = "commitlog/00000000000000001024";

    /// Three records and a blank in a file of 1024 bytes, one record in the next.
    fn log() -> Folder {
        let mut first = Vec::new();
        for number in 0..3 {
            first.extend(bytes_of(first.len() as u64, number, b"some body", "A\u{1}B\u{2}"));
        }
        let room = 1024 - first.len();
        first.extend((room as i32).to_be_bytes());
        first.extend(crate::lab::oracle::record::BLANK.to_be_bytes());
        first.resize(1024, 9);
        let mut second = bytes_of(1024, 3, b"", "");
        second.resize(1024, 0);
        Folder([(FIRST.to_owned(), first), (SECOND.to_owned(), second)].into())
    }

    /// What a walk comes to, in words; it skips what is flawed.
    fn told(folder: &Folder) -> Vec<String> {
        let layout = Layout::of(folder);
        let mut walk = Walk::new(folder, &layout.log);
        let mut told = Vec::new();
        loop {
            let word = match walk.advance() {
                Piece::Record(record) => format!("record {}", record.at),
                Piece::Blank { at, size, room } => format!("blank {at} {size} {room}"),
                Piece::Flawed { at, .. } => format!("flawed {at}"),
                Piece::Empty { at } => format!("empty {at}"),
                Piece::Gap { at, next } => format!("gap {at} {next}"),
                Piece::End { at } => format!("end {at}"),
            };
            let stays = ["flawed", "empty", "end"].iter().any(|stop| word.starts_with(stop));
            told.push(word);
            if stays && walk.skip().is_none() {
                return told;
            }
        }
    }

    #[test]
    fn a_log_is_walked_over_its_files() {
        let expected = ["record 0", "record 105", "record 210", "blank 315 709 709", "record 1024", "empty 1116"];
        assert_eq!(told(&log()), expected);
    }

    #[test]
    fn behind_a_damage_the_walk_goes_on_where_a_record_names_its_place() {
        let mut folder = log();
        folder.0.get_mut(FIRST).unwrap()[105 + 2] ^= 1;
        let expected = ["record 0", "flawed 105", "record 210", "blank 315 709 709", "record 1024", "empty 1116"];
        assert_eq!(told(&folder), expected);
        folder.0.get_mut(FIRST).unwrap()[315 + 7] ^= 1;
        let expected = ["record 0", "flawed 105", "record 210", "flawed 315", "record 1024", "empty 1116"];
        assert_eq!(told(&folder), expected);
        folder.0.get_mut(FIRST).unwrap()[..1024].fill(0);
        assert_eq!(told(&folder), ["empty 0", "record 1024", "empty 1116"]);
    }

    #[test]
    fn a_missing_file_is_a_gap() {
        let mut folder = log();
        let second = folder.0.remove(SECOND).unwrap();
        folder.0.insert("commitlog/00000000000000002048".to_owned(), second);
        let told = told(&folder);
        assert_eq!(told[3..], ["blank 315 709 709", "gap 1024 2048", "record 2048", "empty 2140"]);
    }

    #[test]
    fn a_walk_can_begin_anywhere() {
        let folder = log();
        let layout = Layout::of(&folder);
        let number = |at| with_record(&folder, &layout.log, at, |record| record.queue_offset());
        assert_eq!((number(210), number(1024), number(211), number(5000)), (Some(2), Some(3), None, None));
    }
}
