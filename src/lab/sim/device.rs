//! Disk faults of a world: they begin and end on the disks of machines, and what they do is recorded.

use crate::lab::fault::device::{Files, Wrong};
use crate::lab::fault::episode::{Episode, FaultKind};
use crate::lab::sim::dice::{Roll, path_name};
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::machine::{Machine, Mood};
use crate::lab::sim::record::Tag;
use crate::lab::sim::storage::Onset;
use crate::lab::sim::world::World;
use crate::lab::trace::digest::text_word;
use crate::lab::trace::record::{DiskEvent, What};
use crate::mq::message::Name;
use crate::mq::time::Time;

impl World {
    /// A disk fault begins on one machine.
    pub(crate) fn begin_disk_fault(&mut self, number: u32, node: u16, (files, wrong): (&Files, &Wrong), cause: u64) {
        if self.machines[usize::from(node)].setup.disk.is_none() {
            return;
        }
        let Episode { name, lasts, .. } = &self.setup.episodes[number as usize];
        let until: Option<Time> = lasts.map(|span| self.after(span));
        // A fault on every machine draws for each by itself.
        let stream = self.dice.stream(&["fault", name, &self.machines[usize::from(node)].setup.name]);
        let (name, files, wrong) = (name.clone(), files.clone(), wrong.clone());
        let (wall, now) = (self.stamp_of(node, cause).wall, self.now);
        let disk = &mut self.machines[usize::from(node)].disk;
        disk.set_clock(wall, now);
        disk.begin_fault(Onset { number, name, files, wrong, until, stream });
        self.journal_as(node, cause);
        self.tell_space(number, node, cause);
    }

    /// A disk fault ends on one machine.
    pub(crate) fn end_disk_fault(&mut self, number: u32, node: u16, cause: u64) {
        self.machines[usize::from(node)].disk.end_fault(number);
        self.tell_space(number, node, cause);
    }

    /// A process whose disk got fuller or emptier by another's hand is told.
    fn tell_space(&mut self, number: u32, node: u16, cause: u64) {
        let kind = &self.setup.episodes[number as usize].kind;
        let changes_space = matches!(kind, FaultKind::Disk { wrong: Wrong::Full { .. }, .. });
        let Machine { mood, incarnation, .. } = self.machines[usize::from(node)];
        if changes_space && matches!(mood, Mood::Running | Mood::Paused) {
            self.errand(self.now, ErrandKind::SpaceChanged { node, incarnation }, cause);
        }
    }

    /// Records what was done to a disk in somebody else's step.
    fn journal_as(&mut self, node: u16, cause: u64) {
        let stamp = self.stamp_of(node, cause);
        let before = std::mem::replace(&mut self.stamp, stamp);
        self.journal(node);
        self.stamp = before;
    }

    /// Records a draw of a fault.
    pub(crate) fn note_fault_rolled(&mut self, node: u16, fault: &Name, roll: Roll) {
        let machine = &self.machines[usize::from(node)].setup.name;
        self.rec.words(roll.stream, roll.ordinal);
        self.rec.note(&self.stamp, Tag::Rolled, (roll.of, roll.got), || {
            let stream = path_name(&["fault", fault, machine]);
            What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
        });
    }

    /// Records that a fault struck.
    pub(crate) fn note_struck(&mut self, what: &'static str, file: Name, at: u64) {
        self.rec.words(text_word(&file), at);
        let struck = || What::Disk(DiskEvent::Wrong { what, file, at });
        self.rec.note(&self.stamp, Tag::DiskWrong, (text_word(what), 0), struck);
    }
}
