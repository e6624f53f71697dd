//! Messages looked for, by their place in the log or by a key.
//!
//! Source: `QueryMessageProcessor`.

use bytes::{Bytes, BytesMut};

use crate::mq::broker::Broker;
use crate::mq::message::PhysicalOffset;
use crate::mq::node::Step;
use crate::mq::store::index::KeyQuery;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, QueriedHeader, QueryMessageHeader};

impl Broker {
    /// The record that begins at a place. Source: `QueryMessageProcessor.viewMessageById`.
    pub(in crate::mq::broker) fn view_message(
        &self,
        offset: i64,
        command: &Command,
        step: &mut Step<'_>,
    ) -> Box<Command> {
        let answer = |code: i32| Command::response(code, command.opaque, Header::None);
        match self.store.look(step.disk, PhysicalOffset(offset)) {
            Some(record) => answer(response::SUCCESS).with_body(record),
            None => answer(response::SYSTEM_ERROR).with_remark(format!("can not find message by the offset, {offset}")),
        }
    }

    /// Records with a key, or with one of the same hash. Source: `QueryMessageProcessor.queryMessage`.
    pub(in crate::mq::broker) fn query_message(
        &self,
        query: &QueryMessageHeader,
        is_unique: bool,
        command: &Command,
        step: &mut Step<'_>,
    ) -> Box<Command> {
        let max = match is_unique {
            true => self.config.store.default_query_max_num,
            false => usize::try_from(query.max_num).unwrap_or(0),
        };
        let wanted = KeyQuery {
            topic: &query.topic,
            key: &query.key,
            max,
            begin: query.begin_timestamp,
            end: query.end_timestamp,
        };
        let queried = self.store.query_message(step.disk, wanted);
        let header = Header::Queried(QueriedHeader {
            index_last_update_timestamp: queried.last_update_timestamp,
            index_last_update_phyoffset: queried.last_update_offset,
        });
        let body: BytesMut = queried.messages.iter().flatten().copied().collect();
        match body.is_empty() {
            false => Command::response(response::SUCCESS, command.opaque, header).with_body(Bytes::from(body)),
            true => Command::response(response::QUERY_NOT_FOUND, command.opaque, header)
                .with_remark("can not find message, maybe time range not correct"),
        }
    }
}
