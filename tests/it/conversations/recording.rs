//! A recording, sorted by who asks whom.

use std::collections::BTreeMap;

use mqlab::mq::wire::codec::raw::RawCommand;

use super::story::Story;
use super::{Said, Spoken, raw};

/// A request of the recording with what was answered to it.
pub(super) struct Asked {
    pub(super) ms: u64,
    pub(super) raw: RawCommand,
    pub(super) answer: Option<RawCommand>,
}

/// A connection of the recording.
pub(super) struct Line {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) port: String,
}

/// The recording, sorted by who asks whom.
#[derive(Default)]
pub(super) struct Recording {
    pub(super) lines: BTreeMap<u32, Line>,
    /// What clients asked our nodes, by connection and number.
    pub(super) of_clients: BTreeMap<(u32, i32), Asked>,
    /// What nodes asked clients, by connection and code, in order.
    pub(super) to_clients: BTreeMap<(u32, i32), Vec<Asked>>,
    /// What nodes asked nodes, by who, whom and code, in order.
    pub(super) among_nodes: BTreeMap<(usize, usize, i32), Vec<Asked>>,
}

impl Recording {
    pub(super) fn of(story: &Story, said: &[Said]) -> Recording {
        let role = |name: &str| story.processes.iter().position(|process| process.role == name);
        let mut recording = Recording::default();
        // Where a request that waits for its answer has been put.
        let mut open: BTreeMap<(u32, bool, i32), Asked> = BTreeMap::new();
        let mut done: Vec<(u64, u32, bool, Asked)> = Vec::new();
        for line in said {
            match &line.event {
                Spoken::Opened { from, to, port, .. } => {
                    let of = Line { from: from.clone(), to: to.clone(), port: port.clone() };
                    recording.lines.insert(line.conn, of);
                }
                Spoken::Frame(frame) => {
                    let raw = raw(frame);
                    let opaque = raw.opaque.unwrap();
                    if raw.is_response() {
                        let way = (line.conn, !frame.from_client, opaque);
                        if let Some(mut asked) = open.remove(&way) {
                            asked.answer = Some(raw);
                            done.push((asked.ms, line.conn, way.1, asked));
                        }
                    } else {
                        let asked = Asked { ms: line.ms, raw, answer: None };
                        open.insert((line.conn, frame.from_client, opaque), asked);
                    }
                }
                Spoken::Closed { .. } => {}
            }
        }
        done.extend(open.into_iter().map(|((conn, from_client, _), asked)| (asked.ms, conn, from_client, asked)));
        done.sort_by_key(|(ms, .., asked)| (*ms, asked.raw.opaque));
        for (_, conn, from_client, asked) in done {
            let line = &recording.lines[&conn];
            let (from, to) = (role(&line.from), role(&line.to).unwrap());
            match (from, from_client) {
                (Some(from), true) => {
                    recording.among_nodes.entry((from, to, asked.raw.code)).or_default().push(asked);
                }
                (Some(from), false) => {
                    recording.among_nodes.entry((to, from, asked.raw.code)).or_default().push(asked);
                }
                (None, true) => {
                    recording.of_clients.insert((conn, asked.raw.opaque.unwrap()), asked);
                }
                (None, false) => {
                    recording.to_clients.entry((conn, asked.raw.code)).or_default().push(asked);
                }
            }
        }
        recording
    }
}
