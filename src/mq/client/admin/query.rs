//! Messages looked for: by the place that an id names, by a key, by a unique key.
//!
//! A broker finds by hash and answers with whatever has the same one; it is here that other keys are left out.
//!
//! Source: `MQAdminImpl.viewMessage`, `queryMessage`. Differs: the route is asked for each time, upstream's first looks among
//! those it has; a broker that cannot be reached counts as answered at once, where upstream waits for 24 s.

use crate::mq::app::{AdminAnswer, AdminCall};
use crate::mq::client::admin::{Admin, Ask, Thrown, reset, runtime, thrown};
use crate::mq::client::exception::Exception;
use crate::mq::client::instance::route_of;
use crate::mq::message::property::names;
use crate::mq::message::{Name, StoredMessage, id, java, record};
use crate::mq::node::Addr;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;

/// The question for the record that an offset message id names. Errors: it names no place. Source: `MessageDecoder.decodeMessageId`.
pub(super) fn view(id: &str) -> Result<Ask, Exception> {
    let named = id::parse_offset_msg_id(id).and_then(|(host, at)| {
        let port = u16::try_from(host.port).ok()?;
        Some(Ask::View(Addr { ip: host.ip, port }, at))
    });
    let text = "query message by id finished, but no message.";
    named.ok_or_else(|| Exception::Client { code: response::NO_MESSAGE, text: text.into() })
}

impl Admin {
    /// The record came. What was asked for by a unique key that reads like a place is then looked for by the key.
    ///
    /// Source: `MQClientAPIImpl.viewMessage`, `DefaultMQAdminExtImpl.viewMessage`.
    pub(super) fn viewed(&mut self, answer: Result<Box<Command>, Exception>) -> Result<(), Thrown> {
        let viewed = answer.and_then(|command| match command.code {
            response::SUCCESS => Ok(command.body.as_ref().map(record::decode_all).unwrap_or_default()),
            code => Err(Exception::Broker { code, remark: command.remark.clone() }),
        });
        match viewed {
            Ok(found) => self.told = AdminAnswer::Messages(found),
            Err(_) if matches!(self.what, AdminCall::QueryByUniqueKey { .. }) => self.asks.push_back(Ask::Route),
            Err(exception) => return Err(thrown(exception)),
        }
        Ok(())
    }

    /// The route names the brokers that are asked, all at once.
    ///
    /// Errors: there is none; the unique key is too short to say when it was made.
    pub(super) fn query_brokers(
        &mut self,
        answer: Result<Box<Command>, Exception>,
        topic: &Name,
    ) -> Result<(), Thrown> {
        if let AdminCall::QueryByUniqueKey { id, .. } = &self.what
            && id::nearly_time(id, self.at).is_none()
        {
            return Err(runtime());
        }
        let route = answer.ok().and_then(|command| route_of(&command));
        let brokers = route.map(|route| reset::brokers(&route)).unwrap_or_default();
        if brokers.is_empty() {
            let text = format!("The topic[{topic}] not matched route info").into();
            return Err(thrown(Exception::Client { code: response::TOPIC_NOT_EXIST, text }));
        }
        self.asks.extend(brokers.into_iter().map(|(_, addr)| Ask::Query(addr)));
        Ok(())
    }

    /// A broker's records: those with another key are left out; of several with the same unique key the oldest stays.
    pub(super) fn found(&mut self, answer: Result<Box<Command>, Exception>) {
        let Some(command) = answer.ok().filter(|command| command.code == response::SUCCESS) else { return };
        let records = command.body.as_ref().map(record::decode_all).unwrap_or_default();
        let AdminAnswer::Messages(found) = &mut self.told else { return };
        for message in records {
            match &self.what {
                AdminCall::QueryByUniqueKey { id, .. } if message_id(&message) == *id => match found.first() {
                    Some(first) if first.store_timestamp <= message.store_timestamp => {}
                    _ => *found = vec![message],
                },
                AdminCall::QueryByKey { key, .. } if has_key(&message, key) => found.push(message),
                _ => {}
            }
        }
    }
}

/// The unique key, or the id of its place without one. Source: `MessageClientExt.getMsgId`.
fn message_id(message: &StoredMessage) -> Name {
    let own = message.message.properties.get(names::UNIQ_KEY).cloned();
    own.unwrap_or_else(|| id::offset_msg_id(message.store_host, message.commit_log_offset))
}

fn has_key(message: &StoredMessage, key: &str) -> bool {
    let keys = message.message.properties.get(names::KEYS);
    keys.is_some_and(|keys| java::split(keys, ' ').contains(&key))
}
