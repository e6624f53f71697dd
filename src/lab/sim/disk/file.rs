//! One mapped file: its pages, each with two images.

use std::sync::Arc;

use crate::lab::sim::disk::journal::Journal;
use crate::lab::trace::digest::text_word;
use crate::lab::trace::image::{PAGE, Page};
use crate::mq::disk::FileId;
use crate::mq::message::Name;
use crate::mq::time::Millis;

/// A mapped file. Its name is that of its last directory entry, even when it has none any more.
#[derive(Clone, Debug)]
pub(super) struct SimFile {
    name: Name,
    /// The name's word in the digest.
    word: u64,
    pub(super) len: u64,
    pub(super) modified: Millis,
    /// Nobody can open it any more; a power loss may bring it back.
    pub(super) gone: bool,
    table: PageTable,
    slots: Vec<Slot>,
    /// The page looked up last and its slot: appends stay on one page for a while.
    hot: (u64, u32),
    /// Pages of zeros for the slots to come.
    spare: Vec<Page>,
}

/// A page that was touched.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) page: u64,
    pub(super) cached: Page,
    /// `None` is zeros.
    pub(super) stable: Option<Page>,
    pub(super) dirty: bool,
    /// Every byte from here on is zero, and always was.
    pub(super) filled: u16,
    /// Stores before this number are stable.
    pub(super) clean: u64,
}

/// From a page's number to its slot, in two levels: a file of 1 GiB has 4,096 leaves, made when touched.
#[derive(Clone, Debug, Default)]
struct PageTable {
    leaves: Vec<Option<Box<[u32; LEAF]>>>,
}

const LEAF: usize = 64;
const NO_SLOT: u32 = u32::MAX;

impl PageTable {
    #[inline]
    fn find(&self, page: u64) -> Option<u32> {
        let leaf = self.leaves.get(page as usize / LEAF)?.as_ref()?;
        Some(leaf[page as usize % LEAF]).filter(|slot| *slot != NO_SLOT)
    }

    fn insert(&mut self, page: u64, slot: u32) {
        let number = page as usize / LEAF;
        if self.leaves.len() <= number {
            self.leaves.resize(number + 1, None);
        }
        self.leaves[number].get_or_insert_with(|| Box::new([NO_SLOT; LEAF]))[page as usize % LEAF] = slot;
    }
}

impl SimFile {
    /// A file of zeros.
    pub(super) fn new(name: Name, len: u64, modified: Millis) -> SimFile {
        let (table, hot) = (PageTable::default(), (u64::MAX, 0));
        let word = text_word(&name);
        SimFile { name, word, len, modified, gone: false, table, slots: Vec::new(), hot, spare: Vec::new() }
    }

    /// That of its last directory entry.
    #[inline]
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// The name's word in the digest.
    #[inline]
    pub(super) fn word(&self) -> u64 {
        self.word
    }

    /// Another name leads to it.
    pub(super) fn rename(&mut self, name: Name) {
        self.word = text_word(&name);
        self.name = name;
    }

    /// What a process sees of a page.
    #[inline]
    pub(super) fn page(&self, page: u64) -> &[u8; PAGE] {
        if self.hot.0 == page {
            return &self.slots[self.hot.1 as usize].cached;
        }
        self.table.find(page).map_or(&ZEROS, |slot| &self.slots[slot as usize].cached)
    }

    /// The pages that were touched, in the order of their first touch.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Where the last byte lies that may not be zero, and one further.
    pub(super) fn zeros_from(&self) -> u64 {
        self.slots.iter().map(|slot| slot.page * PAGE as u64 + u64::from(slot.filled)).max().unwrap_or(0)
    }

    /// The page's slot, if it was touched.
    pub(super) fn find(&self, page: u64) -> Option<&Slot> {
        self.table.find(page).map(|slot| &self.slots[slot as usize])
    }

    /// The page's slot, made if it was never touched.
    #[inline]
    pub(super) fn slot(&mut self, page: u64) -> &mut Slot {
        if self.hot.0 != page {
            let slot = match self.table.find(page) {
                Some(slot) => slot,
                None => self.touch(page),
            };
            self.hot = (page, slot);
        }
        &mut self.slots[self.hot.1 as usize]
    }

    fn touch(&mut self, page: u64) -> u32 {
        let slot = self.slots.len() as u32;
        let cached = self.fresh_page();
        self.slots.push(Slot { page, cached, stable: None, dirty: false, filled: 0, clean: 0 });
        self.table.insert(page, slot);
        slot
    }

    /// A page of zeros. They are made several at a time: whenever a large piece is asked for, the allocator first tidies
    /// all the small ones that it was given back.
    fn fresh_page(&mut self) -> Page {
        if self.spare.is_empty() {
            let count = self.slots.len().clamp(1, SPARE_PAGES_MAX);
            self.spare.extend((0..count).map(|_| Arc::new(ZEROS)));
        }
        self.spare.pop().expect("filled when empty")
    }

    /// Copies bytes into the cached image and notes them in the journal.
    #[inline]
    pub(super) fn store(&mut self, journal: &mut Journal, id: FileId, at: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let (page, from) = (at / PAGE as u64, (at % PAGE as u64) as usize);
            let length = rest.len().min(PAGE - from);
            let slot = self.slot(page);
            if !slot.dirty {
                (slot.dirty, slot.clean) = (true, journal.end());
            }
            let target = &mut Arc::make_mut(&mut slot.cached)[from..from + length];
            let covered = (from < usize::from(slot.filled)).then_some(&*target);
            journal.push(id, page, from, length, covered);
            target.copy_from_slice(&rest[..length]);
            slot.filled = slot.filled.max((from + length) as u16);
            (at, rest) = (at + length as u64, &rest[length..]);
        }
    }
}

impl Slot {
    /// Makes `page`, one of its versions, both images.
    pub(super) fn settle(&mut self, page: Page) {
        self.stable = Some(Arc::clone(&page));
        self.cached = page;
        self.dirty = false;
    }

    /// What a process sees, up to its last byte that is not zero.
    pub(super) fn content(&self) -> &[u8] {
        let filled = &self.cached[..usize::from(self.filled)];
        let last = filled.iter().rposition(|byte| *byte != 0);
        &filled[..last.map_or(0, |last| last + 1)]
    }
}

const SPARE_PAGES_MAX: usize = 32;
/// A page that was never touched.
pub(super) static ZEROS: [u8; PAGE] = [0; PAGE];
