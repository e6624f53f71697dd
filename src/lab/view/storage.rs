//! View 4, storage: the records of one broker's log, where each of them is safe, and every byte of the one that is looked at.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::oracle::Files;
use crate::lab::oracle::layout::Layout;
use crate::lab::oracle::log::{self, Piece, Walk};
use crate::lab::oracle::record::{Flaw, Record as Found, Transaction};
use crate::lab::trace::fold::{Picture, State};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::NodeId;
use crate::lab::view::disk::Disk;
use crate::lab::view::scene::{self, At, Pick, Scene};

mod bytes;
mod draw;

pub use bytes::{Field, Row, Unit};

/// What the version of the data is called: `mqlab.view.storage/1`.
pub const SCHEMA: &str = "mqlab.view.storage/1";

/// A broker's log at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Storage {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// Whose log it is; `null` if no broker ever writes one.
    pub log: Option<Log>,
    /// Records, in their order in the log: all, or those around the one that is looked at.
    pub records: Vec<Record>,
    /// How many there are before those.
    pub before: usize,
    /// How many there are behind them.
    pub behind: usize,
    /// Which of them is looked at, counted from the first that is here.
    pub chosen: Option<usize>,
    /// Its fields, in their order in the record.
    pub fields: Vec<Field>,
    /// Its bytes.
    pub bytes: Vec<Row>,
    /// The entry of its queue that leads to it.
    pub unit: Option<Unit>,
    /// Which field is looked at.
    pub field: Option<usize>,
    /// Whose log it is, for picking.
    #[serde(skip)]
    node: NodeId,
}

/// A log as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Log {
    /// The broker's node.
    pub broker: String,
    /// Whether it runs: `waiting`, `up`, `paused`, `down`, `off`.
    pub state: &'static str,
    /// The file that is written, as it is called.
    pub file: String,
    /// Where the first file begins.
    pub begin: i64,
    /// Where the last record ends.
    pub written: i64,
    /// Up to where the disk would hold it without power.
    pub fsynced: i64,
    /// Up to where the broker believes that it does; 0 while it does not run.
    pub believed: i64,
    /// Up to where it was followed into queues; `null` while the broker does not run.
    pub dispatched: Option<i64>,
    /// Up to where a slave has said that it has it; `null` if none has.
    pub replicated: Option<i64>,
    /// Pages of its last file that differ from what the disk would hold.
    pub dirty: usize,
}

/// A record of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Record {
    /// Where it begins.
    pub at: i64,
    /// Its length in bytes.
    pub len: i64,
    /// Its topic.
    pub topic: String,
    /// Its queue.
    pub queue_id: i32,
    /// Its place there.
    pub queue_offset: i64,
    /// Its key.
    pub key: String,
    /// Its tag.
    pub tag: String,
    /// The application's message of which it is a copy: `m1 order-1`.
    pub message: Option<String>,
    /// `message`, `prepared`, `commit` or `rollback`, from its flags.
    pub kind: &'static str,
    /// Whether it can be read: `ok`, or what is wrong with it.
    pub crc: String,
    /// Where it is safe: `page-cache`, `fsynced`, `replicated`.
    pub place: &'static str,
}

/// The log at a scene's moment: that of the record that is looked at, or the first broker's that has one.
pub fn of(scene: &Scene<'_>) -> Storage {
    let (picture, backstage) = (scene.picture(), scene.backstage());
    let mut storage = Storage {
        schema: SCHEMA,
        at: scene.at(),
        log: None,
        records: Vec::new(),
        before: 0,
        behind: 0,
        chosen: None,
        fields: Vec::new(),
        bytes: Vec::new(),
        unit: None,
        field: None,
        node: NodeId::default(),
    };
    let looked = scene.record();
    let has_log = |node: &NodeId| !backstage.disks[usize::from(node.0)].list().is_empty();
    let named = match scene.focus.pick {
        Some(Pick::Node(node) | Pick::Queue { node, .. }) => Some(node),
        _ => looked.map(|(node, _)| node),
    };
    let named = named.filter(|node| scene.trace.header.nodes[usize::from(node.0)].role == Role::Broker);
    let Some(node) = named.or_else(|| scene.nodes(Role::Broker).find(has_log)) else { return storage };
    storage.node = node;
    let disk = &backstage.disks[usize::from(node.0)];
    let layout = Layout::of(disk);
    let walked = walk(scene, (node, disk, &layout), looked.filter(|(own, _)| *own == node).map(|(_, at)| at));
    let log = whole(scene, (node, disk, &layout), &picture, (walked.written, &walked.ends));
    storage.log = Some(Log {
        dispatched: backstage.dispatched.get(&node).copied(),
        replicated: backstage.replicated.get(&node).copied(),
        ..log
    });
    storage.records = walked.records;
    (storage.before, storage.behind, storage.chosen) = (walked.before, walked.behind, walked.chosen);
    if let Some(log) = &storage.log {
        for record in &mut storage.records {
            let end = record.at + record.len;
            record.place = match () {
                () if log.replicated.is_some_and(|to| end <= to) => "replicated",
                () if end <= log.fsynced => "fsynced",
                () => "page-cache",
            };
        }
    }
    if let Some(record) = storage.chosen.and_then(|at| storage.records.get(at)) {
        let read = |found: &Found<'_>| (bytes::fields(found), bytes::rows(found), bytes::unit(disk, &layout, found));
        if let Some(read) = log::with_record(disk, &layout.log, record.at as u64, read) {
            (storage.fields, storage.bytes, storage.unit) = read;
            storage.field = scene.focus.field.map(|field| field.min(storage.fields.len().saturating_sub(1)));
        }
    }
    storage
}

/// What a walk along a log came to.
#[derive(Default)]
struct Walked {
    records: Vec<Record>,
    before: usize,
    behind: usize,
    chosen: Option<usize>,
    written: i64,
    /// Where records end.
    ends: Vec<i64>,
}

/// Walks along the log: as many records as are wanted, around the one that is looked at.
///
/// The places at which to begin and how many there are come from what was ever written; what stands there is read.
fn walk(scene: &Scene<'_>, (node, disk, layout): (NodeId, &Disk, &Layout), looked: Option<i64>) -> Walked {
    let begin = layout.log.first().map_or(0, |segment| segment.start as i64);
    let own = scene.index.ledger.places(node, i64::MAX, scene.step).filter(|letter| begin <= letter.at);
    let (places, ends): (Vec<i64>, Vec<i64>) = own.map(|letter| (letter.at, letter.at + letter.size)).unzip();
    let near = looked.unwrap_or(i64::MAX);
    let chosen = places.partition_point(|at| *at < near).min(places.len().saturating_sub(1));
    let window = scene.window(places.len(), chosen);
    let mut walked = Walked { before: window.start, ends, ..Walked::default() };
    let from = places.get(window.start).copied().unwrap_or(begin);
    let Some(mut walk) = Walk::from(disk, &layout.log, from as u64) else { return walked };
    loop {
        match walk.advance() {
            Piece::Record(found) => {
                walked.written = found.end() as i64;
                if walked.records.len() < window.len() {
                    walked.records.push(record(scene, node, &found));
                } else {
                    walked.behind += 1;
                }
            }
            Piece::Blank { .. } | Piece::Gap { .. } => {}
            Piece::Flawed { at, flaw } => {
                if walked.records.len() < window.len() {
                    walked.records.push(flawed(at as i64, flaw));
                }
                if walk.skip().is_none() {
                    break;
                }
            }
            Piece::Empty { .. } | Piece::End { .. } => break,
        }
    }
    if walked.written == 0 {
        walked.before = 0;
    }
    walked.chosen = match looked {
        Some(looked) => walked.records.iter().position(|record| record.at == looked),
        None => walked.records.len().checked_sub(1),
    };
    walked
}

fn record(scene: &Scene<'_>, node: NodeId, found: &Found<'_>) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let marks = found.marks();
    let letter = scene.index.ledger.in_log(node, found.at as i64, scene.step);
    Record {
        at: found.at as i64,
        len: i64::from(found.size()),
        topic: text(found.topic),
        queue_id: found.queue(),
        queue_offset: found.queue_offset(),
        key: marks.keys.map(text).unwrap_or_default(),
        tag: marks.tags.map(text).unwrap_or_default(),
        message: letter.and_then(|letter| letter.message).map(|number| scene.message(number)),
        kind: match found.transaction() {
            Transaction::None => "message",
            Transaction::Prepared => "prepared",
            Transaction::Commit => "commit",
            Transaction::Rollback => "rollback",
        },
        crc: "ok".to_owned(),
        place: "page-cache",
    }
}

/// What cannot be read.
fn flawed(at: i64, flaw: Flaw) -> Record {
    let crc = match flaw {
        Flaw::Magic { found, .. } => format!("magic {found:08X}"),
        Flaw::Size { found, .. } => format!("size {found}"),
        Flaw::Parts { size, .. } => format!("parts of {size}"),
        Flaw::Crc { found, body } => format!("crc {found:08X}, body {body:08X}"),
        Flaw::Delay => "delay level".to_owned(),
    };
    let empty = String::new;
    Record {
        at,
        len: 0,
        topic: empty(),
        queue_id: 0,
        queue_offset: 0,
        key: empty(),
        tag: empty(),
        message: None,
        kind: "message",
        crc,
        place: "page-cache",
    }
}

fn whole(
    scene: &Scene<'_>,
    (node, disk, layout): (NodeId, &Disk, &Layout),
    picture: &Picture,
    (written, ends): (i64, &[i64]),
) -> Log {
    let own = &picture.nodes[usize::from(node.0)];
    let begin = layout.log.first().map_or(0, |segment| segment.start as i64);
    let (mut fsynced, mut dirty, mut file) = (begin, 0, String::new());
    for segment in &layout.log {
        let end = (written - segment.start as i64).clamp(0, segment.len as i64);
        let (forced, pages) = disk.forced(&segment.path, end as u64);
        if fsynced == segment.start as i64 {
            fsynced += forced as i64;
        }
        dirty += pages;
        if 0 < end || file.is_empty() {
            segment.path.rsplit('/').next().unwrap_or_default().clone_into(&mut file);
        }
    }
    // Bytes that happen to be as they were say nothing: whole records do.
    let fsynced = ends.iter().rev().find(|end| **end <= fsynced).copied().unwrap_or(begin);
    Log {
        broker: scene.name(node),
        state: scene::state(own.state),
        file,
        begin,
        written: written.max(begin),
        fsynced,
        believed: if matches!(own.state, State::Up | State::Paused) { own.flushed } else { 0 },
        dispatched: None,
        replicated: None,
        dirty,
    }
}
