//! Syncs: which of the pages that a flush forces reach the device, and what the process hears of it.
//!
//! A page that does not reach it is clean all the same: no later flush will try again. What the device holds then differs
//! from what the page cache holds, which nobody sees before the cache is gone. That difference is a mask of its own.

use std::sync::Arc;

use crate::lab::fault::device::{Access, FileSystem, FullShows, Occurs, Wrong};
use crate::lab::sim::disk::faults::Armed;
use crate::lab::sim::disk::file::ZEROS;
use crate::lab::sim::disk::{PendingFlush, SimDisk};
use crate::lab::trace::image::{PAGE, Page};
use crate::mq::disk::{DiskError, FileId};
use crate::mq::message::Name;

/// Where a page goes that a sync writes.
enum Fate {
    /// Where it belongs.
    Stored,
    /// Nowhere, for good.
    Lost,
    /// To another place, until that fault heals.
    Misled { owner: u32, by: i64, sibling: bool },
}

impl SimDisk {
    /// A flush is done on a disk that has faults.
    #[cold]
    pub(in crate::lab::sim::disk) fn complete_hurt(&mut self, flush: PendingFlush) -> Result<(), DiskError> {
        let name = self.name_of(flush.file);
        let owes = self.pays(flush.file);
        let failing = self.struck(&name, |_, armed| match armed.wrong {
            Wrong::SyncFails { occurs, system } => Some((occurs, system)),
            _ => None,
        });
        let (file, pages) = (flush.file, flush.pages.clone());
        let fates: Vec<_> = pages.iter().map(|(page, _)| (self.fate(&name), self.on_device(file, *page))).collect();
        if let Some((place, system)) = failing {
            return self.fail(flush, &name, (place, system), owes);
        }
        if self.has_no_room_for(&flush, &name) {
            self.tell("no space: pages are lost at the writeback", &name, 0);
            self.names.commit(self.personality, flush.file, flush.names);
            self.lose_all(&flush);
            return Err(DiskError::Full);
        }
        self.settle_flush(flush);
        for ((page, content), (fate, before)) in pages.iter().zip(fates) {
            match fate {
                Fate::Stored => self.is_written(file, *page, content),
                Fate::Lost => {
                    self.tell("a page is not written", &name, page * PAGE as u64);
                    self.lay_behind((file, *page), content, &before, None);
                }
                Fate::Misled { owner, by, sibling } => {
                    self.tell("a page is written to the wrong place", &name, page * PAGE as u64);
                    self.lay_behind((file, *page), content, &before, Some(owner));
                    let target = if sibling { self.sibling(&name) } else { Some(file) };
                    if let (Some(target), Some(page)) = (target, page.checked_add_signed(by)) {
                        self.lay_on((target, page), content, owner);
                    }
                }
            }
        }
        if owes {
            self.tell("a sync answers for the one before", &name, 0);
            return Err(DiskError::Io);
        }
        Ok(())
    }

    /// Whether this file's sync has to answer for an earlier one; that is paid now.
    fn pays(&mut self, file: FileId) -> bool {
        let armed = self.faults.as_mut().into_iter().flat_map(|faults| &mut faults.armed);
        armed.fold(false, |owes, armed| armed.owed.remove(&file) | owes)
    }

    /// A sync fails: what the file system makes of it.
    fn fail(
        &mut self,
        flush: PendingFlush,
        name: &Name,
        (place, system): (usize, FileSystem),
        owes: bool,
    ) -> Result<(), DiskError> {
        match system {
            FileSystem::Ext4Ordered | FileSystem::Ext4Journal => {
                self.names.commit(self.personality, flush.file, flush.names);
                self.lose_all(&flush);
            }
            FileSystem::Xfs => self.lose_all(&flush),
            FileSystem::Btrfs => self.revert_all(&flush),
        }
        if system == FileSystem::Ext4Journal {
            self.faults.as_mut().expect("one struck").armed[place].owed.insert(flush.file);
            self.tell("a sync fails, and the next one will say so", name, 0);
            return if owes { Err(DiskError::Io) } else { Ok(()) };
        }
        self.tell("a sync fails", name, 0);
        Err(DiskError::Io)
    }

    /// What becomes of one page.
    fn fate(&mut self, name: &Name) -> Fate {
        let struck = self.struck(name, |_, armed| match armed.wrong {
            Wrong::LostWrite { occurs } => Some((occurs, Fate::Lost)),
            Wrong::Misdirected { on: Access::Write, occurs, by, sibling } => {
                Some((occurs, Fate::Misled { owner: armed.number, by, sibling }))
            }
            _ => None,
        });
        struck.map_or(Fate::Stored, |(_, fate)| fate)
    }

    /// Whether pages of a flush need blocks that a full device does not have.
    fn has_no_room_for(&mut self, flush: &PendingFlush, name: &Name) -> bool {
        let shows_here =
            |armed: &Armed| matches!(armed.wrong, Wrong::Full { .. }) && armed.shows == FullShows::Writeback;
        if !self.faults.as_ref().is_some_and(|faults| faults.armed.iter().any(shows_here)) {
            return false;
        }
        let mut stored = 0;
        for (number, file) in self.files.iter().enumerate() {
            let Some(file) = file.as_ref().filter(|file| !file.gone) else { continue };
            let id = FileId(number as u32);
            stored += file.slots().iter().filter(|slot| !self.is_hole(id, slot.page)).count() as u64;
        }
        let new = flush.pages.iter().filter(|(page, _)| self.is_hole(flush.file, *page)).count() as u64;
        let struck = self.struck(name, |_, armed| match armed.wrong {
            Wrong::Full { capacity, .. } if shows_here(armed) && new > 0 => {
                (capacity < (stored + new) * PAGE as u64).then_some((Occurs::ALWAYS, ()))
            }
            _ => None,
        });
        struck.is_some()
    }

    /// Whether the device has no block for a page: it never wrote anything there but zeros.
    fn is_hole(&self, file: FileId, page: u64) -> bool {
        self.on_device(file, page) == ZEROS
    }

    /// The pages of a flush are clean, and are not on the device.
    fn lose_all(&mut self, flush: &PendingFlush) {
        let pages = flush.pages.iter();
        let before: Vec<_> = pages.map(|(page, _)| self.on_device(flush.file, *page)).collect();
        self.settle_pages(flush.clone());
        for ((page, content), before) in flush.pages.iter().zip(before) {
            self.lay_behind((flush.file, *page), content, &before, None);
        }
    }

    /// The pages of a flush are as they were on the device, and clean.
    fn revert_all(&mut self, flush: &PendingFlush) {
        let end = self.journal.end();
        let Some(file) = self.files.get_mut(flush.file.0 as usize).and_then(Option::as_mut) else { return };
        let file = Arc::make_mut(file);
        for (page, _) in &flush.pages {
            let slot = file.slot(*page);
            let stable = slot.stable.clone().unwrap_or_else(|| Arc::new(ZEROS));
            slot.settle(stable);
            slot.clean = end;
        }
    }

    /// The power goes: of some pages the device has just taken the first bytes, and the page cache is gone.
    pub(in crate::lab::sim::disk) fn device_took(&mut self, pages: impl Iterator<Item = (FileId, u64, usize)>) {
        let Some(faults) = &mut self.faults else { return };
        for (file, page, to) in pages {
            faults.overlays.written(file, page, to);
        }
        faults.overlays.expose();
    }

    /// What lies on the device where a page belongs.
    fn on_device(&self, file: FileId, page: u64) -> [u8; PAGE] {
        let stable = self.file(file).and_then(|file| file.find(page)).and_then(|slot| slot.stable.as_ref());
        let mut bytes = stable.map_or(ZEROS, |stable| **stable);
        if let Some(faults) = &self.faults {
            faults.overlays.fold_device(file, page, &mut bytes);
        }
        bytes
    }

    /// Whether a page's stable image is this one: of two flushes the later one may have been done first.
    fn is_settled(&self, file: FileId, page: u64, content: &Page) -> bool {
        let slot = self.file(file).and_then(|file| file.find(page));
        slot.and_then(|slot| slot.stable.as_ref()).is_some_and(|stable| Arc::ptr_eq(stable, content))
    }

    fn is_written(&mut self, file: FileId, page: u64, content: &Page) {
        if self.is_settled(file, page, content)
            && let Some(faults) = &mut self.faults
        {
            faults.overlays.written(file, page, PAGE);
        }
    }

    /// Lays a mask behind the page cache: the device still holds `bytes`, where it should hold `content`.
    fn lay_behind(&mut self, at: (FileId, u64), content: &Page, bytes: &[u8; PAGE], owner: Option<u32>) {
        if !self.is_settled(at.0, at.1, content) {
            return;
        }
        let Some(faults) = &mut self.faults else { return };
        faults.overlays.written(at.0, at.1, PAGE);
        let mut bits = Box::new(**content);
        faults.overlays.fold_device(at.0, at.1, &mut bits[..]);
        for (bit, byte) in bits.iter_mut().zip(bytes) {
            *bit ^= byte;
        }
        faults.overlays.lay(owner, at, false, bits);
    }

    /// A page that belongs elsewhere lands here.
    fn lay_on(&mut self, at: (FileId, u64), content: &Page, owner: u32) {
        if self.file(at.0).is_none_or(|file| file.len <= at.1 * PAGE as u64) {
            return;
        }
        let mut bits = Box::new(self.on_device(at.0, at.1));
        for (bit, byte) in bits.iter_mut().zip(content.iter()) {
            *bit ^= byte;
        }
        self.faults.as_mut().expect("one struck").overlays.lay(Some(owner), at, false, bits);
    }
}
