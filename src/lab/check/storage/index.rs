//! G62: every key of every record is found, and every entry leads to a record of its key.
//!
//! Entries stand in the order of the log, so both are walked side by side. An entry that does not fit is kept until the walk
//! is over: a key that lacks its entry may turn out to be the one that the entry was made for.

use crate::lab::check::storage::log::place;
use crate::lab::check::storage::told::{Place, Told, said};
use crate::lab::check::storage::{G62, LogEnd, Seen};
use crate::lab::locale::Phrase;
use crate::lab::oracle::index::{Entry, HEADER, IndexFile, SLOT, key_hash_on, topic_hash};
use crate::lab::oracle::layout::Layout;
use crate::lab::oracle::log::with_record;
use crate::lab::oracle::properties::Marks;
use crate::lab::oracle::record::Record;
use crate::lab::oracle::window::{self, Window};

/// All index files of a store.
pub(super) struct Index<'a> {
    store: Seen<'a>,
    layout: &'a Layout,
    files: Vec<Chains<'a>>,
    /// The file that the walk is in.
    file: usize,
    /// The hash of the last record's topic: there are few topics.
    topic: (Vec<u8>, i32),
    wanted: Vec<i32>,
    strays: Vec<Stray>,
    /// Records and hashes of keys that have no entry, unless a stray one turns out to be theirs.
    lost: Vec<(u64, i32)>,
    absent: Absent,
    pub(super) own: u64,
}

/// One file while its entries are walked.
struct Chains<'a> {
    index: IndexFile<'a>,
    count: u32,
    /// The entry that comes next.
    next: u32,
    /// The newest entry of each slot so far.
    newest: Vec<u32>,
    /// Store times of the first and last entries that met their records.
    times: Option<((u32, i64), (u32, i64))>,
}

/// An entry that leads to no record of its key.
struct Stray {
    place: Place,
    entry: Entry,
}

/// Keys without entries.
#[derive(Default)]
struct Absent {
    /// In front of the first file's first entry: how many, and the last of their records.
    before: Range,
    /// Between two files.
    between: Range,
    /// Behind the last entry.
    after: Range,
    /// Of those behind: places and hashes, as many as are listed.
    listed: Vec<(u64, i32)>,
    /// Of those in front of a file: the last few.
    near: Vec<(u64, i32)>,
}

#[derive(Clone, Copy, Default)]
struct Range {
    count: u64,
    first: u64,
    last: u64,
}

impl<'a> Index<'a> {
    pub(super) fn of(store: Seen<'a>, layout: &'a Layout) -> Index<'a> {
        let files = IndexFile::all(store.files, &layout.index).into_iter().map(Chains::of).collect();
        let topic = (Vec::new(), topic_hash(b""));
        let (wanted, strays, lost) = (Vec::new(), Vec::new(), Vec::new());
        Index { store, layout, files, file: 0, topic, wanted, strays, lost, absent: Absent::default(), own: 0 }
    }

    /// The next record of the log.
    pub(super) fn record(&mut self, record: &Record<'_>, marks: &Marks<'_>, told: &mut Told) {
        if self.files.is_empty() {
            return;
        }
        self.wanted.clear();
        if record.is_indexed() {
            if self.topic.0 != record.topic {
                self.topic = (record.topic.to_vec(), topic_hash(record.topic));
            }
            let topic = self.topic.1;
            self.wanted.extend(marks.indexed().map(|key| key_hash_on(topic, key)));
        }
        while let Some(entry) = self.peek() {
            if (entry.at as u64) < record.at || (record.at < entry.at as u64 && self.is_ahead(record.at)) {
                self.stray(entry, told);
                continue;
            }
            if entry.at as u64 == record.at {
                self.group(record, told);
            } else if !self.wanted.is_empty() {
                self.lacks(record, Some(entry), told);
            }
            return;
        }
        if !self.wanted.is_empty() {
            self.lacks(record, None, told);
        }
    }

    /// The next entry, over the borders of files.
    fn peek(&mut self) -> Option<Entry> {
        loop {
            let chains = self.files.get_mut(self.file)?;
            if chains.next <= chains.count
                && let Some(entry) = chains.index.entry(chains.next)
            {
                return Some(entry);
            }
            self.file += 1;
        }
    }

    /// Whether an entry of this record stands a little further on: those in front of it lead astray.
    fn is_ahead(&mut self, at: u64) -> bool {
        let Some(chains) = self.files.get_mut(self.file).filter(|_| !self.wanted.is_empty()) else { return false };
        let last = chains.count.min(chains.next.saturating_add(AHEAD));
        (chains.next..=last).any(|number| chains.index.entry(number).is_some_and(|entry| entry.at as u64 == at))
    }

    /// The entries of one record against its keys.
    fn group(&mut self, record: &Record<'_>, told: &mut Told) {
        let all = self.wanted.clone();
        let mut group = Vec::new();
        while let Some(entry) = self.peek().filter(|entry| entry.at as u64 == record.at) {
            // Dispatched twice, a record is indexed twice.
            let mut is_own = all.contains(&entry.hash);
            if let Some(at) = self.wanted.iter().position(|hash| *hash == entry.hash) {
                self.wanted.swap_remove(at);
                is_own = true;
            }
            group.push((self.file, entry, is_own));
            self.files[self.file].next += 1;
        }
        for (file, entry, is_own) in group {
            let chains = &mut self.files[file];
            if is_own {
                self.own += 1;
                chains.met(&entry, record.stored(), told);
                chains.hang(&entry, entry.hash, told);
                continue;
            }
            // A key left over is this entry's: its hash was changed, or, where the hash fits its slot, the record's key.
            let key = self.wanted.pop().filter(|_| !chains.is_hung(&entry));
            told.breach((G62, "entry"), chains.place(entry.number), not_a_key(&entry, record.at));
            chains.hang(&entry, key.unwrap_or(entry.hash), told);
        }
        self.lose(record.at, told);
    }

    /// What is still wanted has no entry so far: which one was made for it shows when all have been walked.
    fn lose(&mut self, at: u64, told: &mut Told) {
        for hash in std::mem::take(&mut self.wanted) {
            if self.lost.len() < STRAYS_MAX {
                self.lost.push((at, hash));
            } else {
                told.breach((G62, "missing"), place(self.layout, at), no_entry(at, hash));
            }
        }
    }

    /// A record with keys has no entries.
    fn lacks(&mut self, record: &Record<'_>, next: Option<Entry>, told: &mut Told) {
        let count = self.wanted.len() as u64;
        if next.is_some_and(|entry| entry.number == 1) {
            // The file's first entry may be this record's own, led astray.
            let room = LISTED_MAX.saturating_sub(self.wanted.len());
            self.absent.near.drain(..self.absent.near.len().saturating_sub(room));
            self.absent.near.extend(self.wanted.iter().map(|hash| (record.at, *hash)));
        }
        match next {
            Some(entry) if entry.number == 1 && self.file == 0 => self.absent.before.add(record.at, count),
            Some(entry) if entry.number == 1 => self.absent.between.add(record.at, count),
            Some(_) => self.lose(record.at, told),
            None => {
                self.absent.after.add(record.at, count);
                let room = LISTED_MAX.saturating_sub(self.absent.listed.len());
                self.absent.listed.extend(self.wanted.iter().take(room).map(|hash| (record.at, *hash)));
            }
        }
    }

    /// A key has no entry, or a stray one is its own.
    fn missing(&mut self, at: u64, hash: i32, told: &mut Told) {
        match self.strays.iter().position(|stray| stray.entry.hash == hash) {
            Some(own) => {
                let stray = self.strays.swap_remove(own);
                told.breach((G62, "entry"), stray.place, misplaced(&stray.entry, at));
            }
            None => told.breach((G62, "missing"), place(self.layout, at), no_entry(at, hash)),
        }
    }

    /// An entry that leads to no record which the walk is at.
    fn stray(&mut self, entry: Entry, told: &mut Told) {
        let begin = self.layout.log.first().map_or(0, |segment| segment.start);
        let chains = &mut self.files[self.file];
        chains.hang(&entry, entry.hash, told);
        chains.next += 1;
        let place = chains.place(entry.number);
        if (0..begin as i64).contains(&entry.at) || self.leads_to_its_key(&entry) {
            return;
        }
        if self.strays.len() < STRAYS_MAX {
            self.strays.push(Stray { place, entry });
        } else {
            told.breach((G62, "entry"), place, leads_nowhere(&entry));
        }
    }

    fn leads_to_its_key(&self, entry: &Entry) -> bool {
        let Ok(at) = u64::try_from(entry.at) else { return false };
        let has_key = |record: &Record<'_>| {
            let (topic, marks) = (topic_hash(record.topic), record.marks());
            record.is_indexed() && marks.indexed().any(|key| key_hash_on(topic, key) == entry.hash)
        };
        with_record(self.store.files, &self.layout.log, at, has_key) == Some(true)
    }

    /// The log has ended.
    pub(super) fn finish(&mut self, end: u64, told: &mut Told, progress: &mut dyn FnMut(u64)) {
        while let Some(entry) = self.peek() {
            self.stray(entry, told);
        }
        for (at, hash) in std::mem::take(&mut self.lost) {
            self.missing(at, hash, told);
        }
        let due = self.store.dispatched_to.filter(|_| self.store.end != LogEnd::Unknown).unwrap_or(0);
        let absent = std::mem::take(&mut self.absent);
        let unlisted = absent.near.iter().map(|key| (key, 0));
        for ((at, hash), due) in unlisted.chain(absent.listed.iter().map(|key| (key, due))) {
            let is_stray = self.strays.iter().any(|stray| stray.entry.hash == *hash);
            if is_stray || *at < due {
                self.missing(*at, *hash, told);
            }
        }
        self.ranges(&absent, told);
        self.left(end, told);
        for chains in &mut self.files {
            chains.finish(self.store, told);
            progress(chains.index.segment.len);
        }
    }

    /// Keys that lie outside what the index covers.
    fn ranges(&self, absent: &Absent, told: &mut Told) {
        let file = self.layout.index.first().map_or("index", |segment| segment.path.as_str());
        let is_told_only = self.store.end == LogEnd::Unknown;
        for (range, en, zh) in [
            (absent.before, "in front of the first index file", "第一个索引文件之前"),
            (absent.between, "between two index files", "两个索引文件之间"),
        ] {
            let Range { count, first, last } = range;
            if count == 0 {
                continue;
            }
            let sentence = said(
                format!("{count} keys of records from {first} to {last} lie {en}: a query does not find them"),
                format!("{first} 到 {last} 的记录有 {count} 个键在{zh}：查询找不到它们"),
            );
            match is_told_only {
                true => told.note("not indexed", (file.to_owned(), 0), sentence),
                false => told.breach((G62, "missing"), place(self.layout, first), sentence),
            }
        }
        let Range { count, first, last } = absent.after;
        if 0 < count {
            let sentence = said(
                format!(
                    "{count} keys of records from {first} to {last} lie behind the last entry: the index is behind"
                ),
                format!("{first} 到 {last} 的记录有 {count} 个键在最后一个条目之后：索引落后"),
            );
            told.note(
                "behind",
                (self.layout.index.last().map_or(file, |segment| &segment.path).to_owned(), 0),
                sentence,
            );
        }
    }

    /// Strays that are no lacking key's own: left by a cut, or wrong.
    fn left(&mut self, end: u64, told: &mut Told) {
        let was_cut = self.store.end != LogEnd::NeverCut;
        let (left, wrong): (Vec<Stray>, Vec<Stray>) =
            std::mem::take(&mut self.strays).into_iter().partition(|stray| was_cut && end as i64 <= stray.entry.at);
        for stray in wrong {
            told.breach((G62, "entry"), stray.place, leads_nowhere(&stray.entry));
        }
        if let Some(first) = left.first() {
            let (count, at) = (left.len(), first.entry.at);
            let sentence = said(
                format!("{count} index entries point behind the log's end at {end}: the first at {at}"),
                format!("{count} 个索引条目指向日志末尾 {end} 之后：第一个指向 {at}"),
            );
            told.note("left over", first.place.clone(), sentence);
        }
    }
}

impl Range {
    fn add(&mut self, at: u64, count: u64) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += count;
        self.last = at;
    }
}

impl<'a> Chains<'a> {
    fn of(mut index: IndexFile<'a>) -> Chains<'a> {
        let count = index.agreed();
        Chains { index, count, next: 1, newest: Vec::new(), times: None }
    }

    fn place(&self, number: u32) -> Place {
        (self.index.segment.path.clone(), self.index.entry_place(number).unwrap_or(0))
    }

    /// An entry met its record.
    fn met(&mut self, entry: &Entry, stored: i64, told: &mut Told) {
        let begin = self.index.header.begin_time;
        let seconds = if begin <= 0 { 0 } else { (stored.saturating_sub(begin) / 1000).clamp(0, i64::from(i32::MAX)) };
        // The first entry of a later file is measured from the end of the file in front of it.
        if i64::from(entry.seconds) != seconds && entry.number != 1 {
            let (file, at) = self.place(entry.number);
            told.breach((G62, "entry"), (file, at + 12), other_time(entry, seconds));
        }
        let first = self.times.map_or((entry.number, stored), |(first, _)| first);
        self.times = Some((first, (entry.number, stored)));
    }

    /// Whether the slot of the entry's hash knows of it.
    fn is_hung(&self, entry: &Entry) -> bool {
        let Some(slot) = self.index.slot_of(entry.hash) else { return false };
        let newest = self.newest.get(slot as usize).copied().unwrap_or(0);
        i64::from(entry.older) == i64::from(newest) && entry.number <= self.index.slot(slot).max(0).unsigned_abs()
    }

    /// An entry hangs on its slot, in front of the one that was newest.
    fn hang(&mut self, entry: &Entry, hash: i32, told: &mut Told) {
        let Some(slot) = self.index.slot_of(hash) else { return };
        if self.newest.is_empty() {
            self.newest = vec![0; self.index.shape.map_or(0, |shape| shape.slots as usize)];
        }
        let newest = std::mem::replace(&mut self.newest[slot as usize], entry.number);
        if i64::from(entry.older) != i64::from(newest) {
            let (file, at) = self.place(entry.number);
            told.breach((G62, "chain"), (file, at + 16), off_chain(entry, slot, newest));
        }
    }

    /// The file's slots and header against the entries that were walked.
    fn finish(&mut self, store: Seen<'_>, told: &mut Told) {
        self.header(told);
        let segment = self.index.segment;
        let Some(shape) = self.index.shape else {
            if 1 < self.index.header.next || segment.len < HEADER as u64 {
                let sentence = said(
                    "its entries hang on no slots, whatever number of slots it has",
                    "无论有多少个槽，它的条目都不挂在任何槽上",
                );
                told.breach((G62, "header"), (segment.path.clone(), 0), sentence);
            }
            return;
        };
        let mut slots = Window::new(store.files, &segment.path, segment.len, window::SMALL);
        let compare = |slot: u32, found: i32, newest: u32, told: &mut Told| {
            if i64::from(found) != i64::from(newest) {
                let place = IndexFile::slot_place(slot);
                told.breach((G62, "chain"), (segment.path.clone(), place), other_slot(slot, found, newest));
            }
        };
        // A slot of which nothing is written is zero: right if no entry hangs on it.
        let mut behind = 0;
        let newest = |slot: u32| self.newest.get(slot as usize).copied().unwrap_or(0);
        for part in store.files.written(&segment.path, HEADER as u64..shape.slots_end()) {
            let first = (part.start.saturating_sub(HEADER as u64) / SLOT as u64) as u32;
            let end = (part.end - HEADER as u64).div_ceil(SLOT as u64).min(u64::from(shape.slots)) as u32;
            for slot in (behind..first).filter(|slot| newest(*slot) != 0) {
                compare(slot, 0, newest(slot), told);
            }
            let mut slot = first.max(behind);
            while slot < end {
                let wanted = ((end - slot) as usize).min(STRETCH) * SLOT;
                let bytes = slots.bytes(IndexFile::slot_place(slot), wanted);
                for at in 0..wanted / SLOT {
                    let found = crate::lab::oracle::i32_at(bytes, at * SLOT);
                    compare(slot + at as u32, found, newest(slot + at as u32), told);
                }
                slot += (wanted / SLOT) as u32;
            }
            behind = behind.max(end);
        }
        for slot in (behind..shape.slots).filter(|slot| newest(*slot) != 0) {
            compare(slot, 0, newest(slot), told);
        }
    }

    fn header(&mut self, told: &mut Told) {
        let header = self.index.header;
        let path = &self.index.segment.path;
        let mut compare = |name: &str, offset: u64, found: i64, expected: i64| {
            if found != expected {
                let sentence = said(
                    format!("the header's {name} is {found}, its entries say {expected}"),
                    format!("文件头的 {name} 是 {found}，而条目表明应为 {expected}"),
                );
                told.breach((G62, "header"), (path.clone(), offset), sentence);
            }
        };
        compare("hashSlotCount", 32, i64::from(header.put), i64::from(header.next.max(1)) - 1);
        if self.count == 0 || self.index.shape.is_none() {
            return;
        }
        let (first, last) = (self.index.entry(1), self.index.entry(self.count));
        let (Some(first), Some(last)) = (first, last) else { return };
        compare("beginPhyOffset", 16, header.begin_at, first.at);
        compare("endPhyOffset", 24, header.end_at, last.at);
        let Some(((number, stored), (last_number, last_stored))) = self.times else { return };
        if number == 1 {
            compare("beginTimestamp", 0, header.begin_time, stored);
        }
        if last_number == self.count {
            compare("endTimestamp", 8, header.end_time, last_stored);
        }
    }
}

fn not_a_key(entry: &Entry, at: u64) -> Phrase {
    let Entry { number, hash, .. } = *entry;
    said(
        format!("entry {number} has the hash {hash}, which no key of its record at {at} has"),
        format!("第 {number} 个条目的哈希 {hash} 不属于它在 {at} 处的记录的任何键"),
    )
}

fn misplaced(entry: &Entry, own: u64) -> Phrase {
    let Entry { number, at, .. } = *entry;
    said(
        format!("entry {number} points at {at}, the record of its key lies at {own}"),
        format!("第 {number} 个条目指向 {at}，而它的键的记录位于 {own}"),
    )
}

fn leads_nowhere(entry: &Entry) -> Phrase {
    let Entry { number, at, hash, .. } = *entry;
    said(
        format!("entry {number} points at {at}, where no record has a key with its hash {hash}"),
        format!("第 {number} 个条目指向 {at}，那里没有记录的键具有哈希 {hash}"),
    )
}

fn no_entry(at: u64, hash: i32) -> Phrase {
    said(
        format!("the record at {at} has a key with the hash {hash} and no entry leads to it"),
        format!("{at} 处的记录有一个哈希为 {hash} 的键，却没有条目指向它"),
    )
}

fn other_time(entry: &Entry, expected: i64) -> Phrase {
    let Entry { number, seconds, at, .. } = *entry;
    said(
        format!(
            "entry {number} says {seconds} s after the file's begin, its record at {at} was stored after {expected} s"
        ),
        format!("第 {number} 个条目写着文件起始后 {seconds} 秒，而它在 {at} 处的记录存储于 {expected} 秒后"),
    )
}

fn off_chain(entry: &Entry, slot: u32, newest: u32) -> Phrase {
    let Entry { number, older, .. } = *entry;
    said(
        format!("entry {number} of slot {slot} leads to entry {older}, the one before it is {newest}"),
        format!("槽 {slot} 的第 {number} 个条目指向条目 {older}，而它的前一个是 {newest}"),
    )
}

fn other_slot(slot: u32, found: i32, newest: u32) -> Phrase {
    said(
        format!("slot {slot} leads to entry {found}, its newest is {newest}"),
        format!("槽 {slot} 指向条目 {found}，而它最新的条目是 {newest}"),
    )
}

/// So many entries are looked ahead for those of the next record.
const AHEAD: u32 = 32;
/// So many keys behind the last entry are listed.
const LISTED_MAX: usize = 64;
/// So many slots are looked at in one stretch.
const STRETCH: usize = 1_024;
/// So many entries that lead astray are kept until the end.
const STRAYS_MAX: usize = 4_096;
