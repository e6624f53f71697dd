//! What two threads of a real node, or two connections to it, did at once, and who was first.

use std::collections::BTreeMap;

use mqlab::mq::message::id::parse_offset_msg_id;
use mqlab::mq::wire::code::response;
use mqlab::mq::wire::codec::raw::RawCommand;
use mqlab::mq::wire::command::Command;
use mqlab::mq::wire::header::Header;

use super::recording::Recording;
use super::{Said, Spoken};

/// Where a record of the recording stands in our broker's log: two threads of the real broker may have written in turn.
#[derive(Default)]
pub(super) struct Places(BTreeMap<(usize, i64), i64>);

impl Places {
    /// The same message has an id here and there.
    pub(super) fn learn(&mut self, machine: usize, real: Option<&RawCommand>, ours: &RawCommand) {
        let place = |raw: &RawCommand| {
            let id = raw.ext_fields.as_ref()?.get("msgId")?.clone()?;
            parse_offset_msg_id(&id).map(|(_, at)| at.0)
        };
        if let (Some(real), Some(ours)) = (real.and_then(place), place(ours)) {
            self.0.insert((machine, real), ours);
        }
    }

    /// A request that names a place means the one here.
    pub(super) fn put_right(&self, machine: usize, command: &mut Command) {
        let place = match &mut command.header {
            Header::EndTransaction(end) => &mut end.commit_log_offset,
            Header::SendBack(back) => &mut back.offset,
            Header::ViewMessage(offset) => offset,
            _ => return,
        };
        if let Some(ours) = self.0.get(&(machine, *place)) {
            *place = *ours;
        }
    }
}

/// Of a pull and a heartbeat that crossed, the heartbeat comes first where the real broker knew of it, and else the pull.
pub(super) fn uncrossed(said: &[Said], recording: &Recording) -> Vec<Said> {
    let mut said = said.to_vec();
    let code = |line: &Said| match &line.event {
        Spoken::Frame(frame) if frame.from_client => {
            Some((frame.header["code"].as_i64()?, frame.header["opaque"].as_i64()?))
        }
        _ => None,
    };
    for at in (0..said.len()).rev() {
        let Some((11, opaque)) = code(&said[at]) else { continue };
        let (ms, conn) = (said[at].ms, said[at].conn);
        let asked = recording.of_clients.get(&(conn, opaque as i32));
        let Some(asked) = asked else { continue };
        if asked.answer.as_ref().is_some_and(|answer| answer.code == response::SUBSCRIPTION_NOT_LATEST) {
            let near = said[..at].iter().rev().take_while(|line| ms <= line.ms + CROSSED_MS);
            let beat =
                near.enumerate().filter(|(_, line)| line.conn == conn && matches!(code(line), Some((34, _)))).last();
            if let Some((before, beat)) = beat.map(|(before, line)| (before, line.ms)) {
                let mut pull = said.remove(at);
                pull.ms = beat;
                said.insert(at - before - 1, pull);
            }
            continue;
        }
        let near = said[at + 1..].iter().take_while(|line| line.ms <= ms + CROSSED_MS);
        let beat = near.enumerate().filter(|(_, line)| line.conn == conn && matches!(code(line), Some((34, _)))).last();
        if let Some((behind, beat)) = beat.map(|(behind, line)| (behind, line.ms)) {
            let mut pull = said.remove(at);
            pull.ms = beat;
            said.insert(at + behind + 1, pull);
        }
    }
    said
}

const CROSSED_MS: u64 = 10;
