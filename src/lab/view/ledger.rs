//! Every record that was written into a log, read from the bytes that were stored: whose it is, under which address.

use std::collections::BTreeMap;

use crate::lab::oracle::Files;
use crate::lab::oracle::record::{self, Found};
use crate::lab::oracle::window::Window;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{DiskEvent, NodeId, What};
use crate::lab::view::lines::Handles;
use crate::mq::message::names::TRANS_OP_TOPIC;
use crate::mq::time::Time;

/// A record in a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Whose log.
    pub node: NodeId,
    /// Written in this step.
    pub step: u64,
    /// At this moment.
    pub time: Time,
    /// Where it begins in the log.
    pub at: i64,
    /// Its length in bytes.
    pub size: i64,
    /// Its topic.
    pub topic: String,
    /// Its queue.
    pub queue_id: i32,
    /// Its place there.
    pub queue_offset: i64,
    /// Its key.
    pub key: String,
    /// Its unique key.
    pub uid: String,
    /// How often it had been tried.
    pub times: i32,
    /// The body of a note that settles a transaction; empty for all others.
    pub note: String,
    /// The application's message of which it is a copy, by its place from 0.
    pub message: Option<usize>,
}

impl Letter {
    /// Where it stands in its queue: `orders/1 #0`.
    pub fn place(&self) -> String {
        format!("{}/{} #{}", self.topic, self.queue_id, self.queue_offset)
    }
}

/// All of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// In the order in which they were written.
    pub letters: Vec<Letter>,
    by_place: BTreeMap<(NodeId, String, i32, i64), Vec<usize>>,
    by_log: BTreeMap<(NodeId, i64), Vec<usize>>,
    by_message: BTreeMap<usize, Vec<usize>>,
}

impl Ledger {
    /// The records of a run; the trace needs level `full`.
    pub fn of(trace: &Trace, handles: &Handles) -> Ledger {
        let mut ledger = Ledger::default();
        // A replica's bytes come in pieces that end anywhere.
        let mut tails: BTreeMap<NodeId, (u64, Vec<u8>)> = BTreeMap::new();
        for record in trace.records() {
            let (Some(node), What::Disk(DiskEvent::Stored { file, at, bytes, .. })) = (record.node, &record.what)
            else {
                continue;
            };
            let start = file.strip_prefix("commitlog/").and_then(|name| name.parse::<u64>().ok());
            let Some(start) = start.filter(|_| !bytes.is_empty()) else { continue };
            let at = start + at;
            let (at, mut bytes) = match tails.remove(&node) {
                Some((from, mut before)) if from + before.len() as u64 == at => {
                    before.extend_from_slice(bytes);
                    (from, before)
                }
                _ => (at, bytes.to_vec()),
            };
            let mut read = 0;
            while let Some(letter) = letter(&bytes[read..], at + read as u64) {
                read += letter.size as usize;
                let keyed = || Some(&letter.key).filter(|key| !key.is_empty()).and_then(|key| handles.find(key));
                let message = handles.of_uid(&letter.uid).or_else(keyed);
                ledger.add(Letter { node, step: record.step, time: record.at, message, ..letter });
            }
            let rest = bytes.split_off(read);
            if !rest.is_empty() && rest.len() < PIECE_MAX && !is_filler(&rest) {
                tails.insert(node, (at + read as u64, rest));
            }
        }
        ledger
    }

    fn add(&mut self, letter: Letter) {
        let number = self.letters.len();
        let place = (letter.node, letter.topic.clone(), letter.queue_id, letter.queue_offset);
        self.by_place.entry(place).or_default().push(number);
        self.by_log.entry((letter.node, letter.at)).or_default().push(number);
        if let Some(message) = letter.message {
            self.by_message.entry(message).or_default().push(number);
        }
        self.letters.push(letter);
    }

    /// The record of a queue's entry at the moment `#step`.
    pub fn in_queue(&self, (node, topic, queue_id): (NodeId, &str, i32), offset: i64, step: u64) -> Option<&Letter> {
        self.last(self.by_place.get(&(node, topic.to_owned(), queue_id, offset))?, step)
    }

    /// The record that begins at a place of a log at the moment `#step`.
    pub fn in_log(&self, node: NodeId, at: i64, step: u64) -> Option<&Letter> {
        self.last(self.by_log.get(&(node, at))?, step)
    }

    fn last(&self, numbers: &[usize], step: u64) -> Option<&Letter> {
        numbers.iter().rev().map(|number| &self.letters[*number]).find(|letter| letter.step < step)
    }

    /// The places at which records begin in a log that ends there, at the moment `#step`.
    pub fn places(&self, node: NodeId, end: i64, step: u64) -> impl Iterator<Item = &Letter> {
        let own = self.by_log.range((node, 0)..(node, end));
        own.filter_map(move |(_, numbers)| self.last(numbers, step))
    }

    /// The records of a message, in order.
    pub fn of_message(&self, message: usize, step: u64) -> impl DoubleEndedIterator<Item = &Letter> {
        let own = self.by_message.get(&message).map_or(&[][..], Vec::as_slice);
        own.iter().map(|number| &self.letters[*number]).filter(move |letter| letter.step < step)
    }
}

/// The bytes of one piece, as the reader of records wants them.
struct Piece<'a>(&'a [u8]);

impl Files for Piece<'_> {
    fn list(&self) -> Vec<(String, u64)> {
        Vec::new()
    }

    fn read(&self, _path: &str, at: u64, len: usize) -> std::borrow::Cow<'_, [u8]> {
        let at = self.0.len().min(at as usize);
        std::borrow::Cow::Borrowed(&self.0[at..self.0.len().min(at.saturating_add(len))])
    }
}

/// The record that these bytes begin with.
fn letter(bytes: &[u8], at: u64) -> Option<Letter> {
    let piece = Piece(bytes);
    let mut window = Window::new(&piece, "", bytes.len() as u64, bytes.len());
    let Found::Record(record) = record::read(&mut window, at, 0) else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let marks = record.marks();
    let topic = text(record.topic);
    Some(Letter {
        node: NodeId::default(),
        step: 0,
        time: Time::ZERO,
        at: at as i64,
        size: i64::from(record.size()),
        queue_id: record.queue(),
        queue_offset: record.queue_offset(),
        key: marks.keys.map(text).unwrap_or_default(),
        uid: marks.unique.map(text).unwrap_or_default(),
        times: record.reconsumed(),
        note: if topic == TRANS_OP_TOPIC { text(record.body) } else { String::new() },
        topic,
        message: None,
    })
}

fn is_filler(bytes: &[u8]) -> bool {
    let magic = bytes.get(4..8).unwrap_or(&[0; 4]);
    magic == [0; 4] || magic == record::BLANK.to_be_bytes()
}

/// No record is longer.
const PIECE_MAX: usize = 8 << 20;
