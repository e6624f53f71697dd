//! Disks that have not kept what a sync should have made durable (F4): which, and from when on.
//!
//! No promise says that anything survives that; every one says that nobody lies about it. Whoever judges survival asks here,
//! so that all draw the same line:
//!
//! | asked | because | by |
//! |---|---|---|
//! | [`Sick::is_sick`] | what later syncs say of the pages of that one is not true, and no later sync writes them | G01 (of masters with slaves), G63, G64 |
//! | [`Sick::is_sick`] | a repaired broker's delay cursors wait for copies that are not forced any more, and levels are delivered again | G32 |
//! | [`Sick::boots`] | a boot finds what the medium has, which may be less than what was read before: it ends an epoch | G05, G13 |
//! | [`Sick::strikes_after`] | a copy to be tried again was given to the page cache, and may have been in its pages | G02, G06, G70 |
//! | [`Sick::moments`] | the same of the copies of a half message that were to be asked for again, and of a delayed message's | G06, G11, G12 |
//! | [`Sick::moments`] | a repaired broker stands still once it was told, and what waits for a force is not handed on | G61, G62 |
//! | [`Sick::gives_again`] | a group read on behind records that were durable to all who could know, and are gone: their offsets are given again, and the group does not look back | G02, G70 |
//!
//! Honesty (G01h, G73) asks nothing here. A broker that was told that its sync failed and goes on as if it had not (K01) is
//! seen there, without any loss.

use crate::lab::check::history::History;
use crate::lab::trace::record::{DiskEvent, NodeId, Record, What};
use crate::mq::time::Time;

/// What a disk does to the pages of a sync, in its own words, that leaves them off the medium. One of them tells nobody.
const NOT_WRITTEN: &[&str] = &[
    "a sync fails",
    "a sync fails, and the next one will say so",
    "a page is not written",
    "a page is written to the wrong place",
    "no space: pages are lost at the writeback",
];

/// Every moment in which something was not made durable that should have been, in order.
#[derive(Debug, Default)]
pub struct Sick(Vec<(NodeId, Time)>);

impl Sick {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        let is_lost = match &record.what {
            What::Disk(DiskEvent::Wrong { what, .. }) => NOT_WRITTEN.contains(what),
            What::Disk(DiskEvent::FlushFailed { .. }) => true,
            _ => return,
        };
        if is_lost && self.0.last() != Some(&(node, record.at)) {
            self.0.push((node, record.at));
        }
    }

    /// Every such moment of a node's disk.
    pub fn moments(&self, node: NodeId) -> impl Iterator<Item = Time> {
        self.0.iter().filter(move |(sick, _)| *sick == node).map(|(_, at)| *at)
    }

    /// How many there were, of all disks.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether there was one by then.
    pub fn is_sick(&self, node: NodeId, by: Time) -> bool {
        self.moments(node).any(|at| at <= by)
    }

    /// Whether there was one of any disk at or after a moment.
    pub fn strikes_after(&self, from: Time) -> bool {
        self.0.iter().any(|(_, at)| from <= *at)
    }

    /// Boots of a node that had such a disk, in order.
    pub fn boots<'a>(&self, history: &'a History, node: NodeId) -> impl Iterator<Item = Time> + use<'a> {
        let first = self.moments(node).next();
        let boots = history.boots.iter().filter(move |(booted, _)| *booted == node).map(|(_, at)| *at);
        boots.filter(move |at| first.is_some_and(|first| first < *at))
    }

    /// Whether an offset of a queue was behind a group, on a sick disk, before the message was there that has it now.
    pub fn gives_again(
        &self,
        history: &History,
        group: &str,
        (node, topic, queue, offset): (NodeId, &str, i32, i64),
        stored: Time,
    ) -> bool {
        self.is_sick(node, stored)
            && history.signs.pulls.iter().any(|asked| {
                let place = &asked.place;
                asked.broker == node
                    && asked.at < stored
                    && self.is_sick(node, asked.at)
                    && offset < asked.offset
                    && (place.group.as_str(), place.topic.as_str(), place.queue) == (group, topic, queue)
            })
    }
}
