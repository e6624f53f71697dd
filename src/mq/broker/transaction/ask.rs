//! A producer is asked how its transaction ended. Source: `AbstractTransactionalMessageCheckListener.sendCheckMessage`.

use crate::mq::broker::Broker;
use crate::mq::message::id::offset_msg_id;
use crate::mq::message::java::parse_int;
use crate::mq::message::property::names;
use crate::mq::message::record::encode_as_is;
use crate::mq::message::{Name, StoredMessage};
use crate::mq::node::{ConnId, Step};
use crate::mq::wire::code::request;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{CheckTransactionHeader, Header};

impl Broker {
    /// Asks any member of the half message's producer group; who it was, empty if there was nobody.
    ///
    /// The question carries the message under its true address, with the place of the copy that was just written. A
    /// compressed body travels inflated under a flag that says deflated: no client can read it, and nobody answers.
    pub(super) fn ask_producer(&mut self, half: &StoredMessage, step: &mut Step<'_>) -> Name {
        let properties = &half.message.properties;
        let unique = properties.get(names::UNIQ_KEY).cloned();
        let header = CheckTransactionHeader {
            tran_state_table_offset: half.queue_offset.0,
            commit_log_offset: half.commit_log_offset.0,
            msg_id: unique.clone(),
            transaction_id: unique,
            offset_msg_id: Some(offset_msg_id(half.store_host, half.commit_log_offset)),
        };
        let group = properties.get(names::PGROUP).cloned().unwrap_or_default();
        let queue = properties.get(names::REAL_QID).and_then(|queue| parse_int(queue));
        let (Some(topic), Some(queue_id)) = (properties.get(names::REAL_TOPIC).cloned(), queue) else {
            return Name::default();
        };
        let Some((conn, client)) = self.available_channel(&group) else { return Name::default() };
        let mut asked = half.clone();
        (asked.message.topic, asked.queue_id, asked.store_size) = (topic, queue_id, 0);
        let opaque = self.opaque();
        let header = Header::CheckTransaction(Box::new(header));
        let command = Command::oneway(request::CHECK_TRANSACTION_STATE, opaque, header).with_body(encode_as_is(&asked));
        step.out.send(conn, command);
        client
    }

    /// The next of a group's connections, or one of the two behind it, if it is open. Source: `ProducerManager.getAvaliableChannel`.
    ///
    /// Differs: a group's connections stand in the order in which they were opened; upstream's in that of a `HashMap`.
    fn available_channel(&mut self, group: &str) -> Option<(ConnId, Name)> {
        let members: Vec<(ConnId, Name)> =
            self.members.producer_group(group)?.map(|(conn, client)| (conn, client.clone())).collect();
        if members.is_empty() {
            return None;
        }
        self.transactions.asked = self.transactions.asked.wrapping_add(1);
        let first = (self.transactions.asked & i32::MAX) as usize;
        let tried = (0..TRIES).map(|number| &members[(first + number) % members.len()]);
        tried.into_iter().find(|(conn, _)| self.channels.is_open(*conn)).cloned()
    }
}

/// Source: `ProducerManager.GET_AVALIABLE_CHANNEL_RETRY_COUNT`.
const TRIES: usize = 3;
