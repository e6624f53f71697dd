//! A pull consumer's places: remembered, at the broker, in its own file; and the ends of a queue.
//!
//! Source: `RemoteBrokerOffsetStore`, `LocalFileOffsetStore`, `MQAdminImpl`.

use crate::mq::app::Return;
use crate::mq::app::pull::{PullAnswer, PullCall};
use crate::mq::client::consumer::Consumer;
use crate::mq::client::consumer::puller::{ADMIN_TIMEOUT_MS, Pulling, Stage};
use crate::mq::client::exception::Exception;
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Mode, Request, Target, broker_exception, vip};
use crate::mq::client::{Client, Fiber, Waiter};
use crate::mq::message::MessageQueue;
use crate::mq::node::{Addr, Step};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{GroupQueueHeader, Header, QueueHeader, SearchOffsetHeader, UpdateOffsetHeader};

impl Consumer {
    /// Remembers a queue's offset, higher or lower. Source: `updateOffset`.
    pub(super) fn note_offset(&mut self, queue: &MessageQueue, offset: i64) {
        if let Some(id) = self.find(queue) {
            let own = self.assigned.get_mut(&id).expect("found above");
            return own.update_offset(offset, false);
        }
        match &mut self.local {
            Some(local) => local.remember(queue.clone(), offset),
            None => drop(self.puller_mut().loose.insert(queue.clone(), offset)),
        }
    }

    /// Source: `readOffset` from memory.
    fn remembered_offset(&self, queue: &MessageQueue) -> Option<i64> {
        if let Some(id) = self.find(queue) {
            return self.assigned.get(&id).and_then(|own| own.consumed);
        }
        match &self.local {
            Some(local) => local.remembered(queue),
            None => self.puller().loose.get(queue).copied(),
        }
    }
}

impl Client {
    /// Source: `DefaultMQPullConsumerImpl.fetchConsumeOffset`.
    pub(super) fn fetch_offset(&mut self, pulling: Pulling, step: &mut Step<'_>) {
        let PullCall::FetchOffset { queue, from_store } = &pulling.what else { return };
        let consumer = &mut self.consumers[pulling.consumer];
        let remembered = if *from_store { None } else { consumer.remembered_offset(queue) };
        if let Some(offset) = remembered {
            return self.tell(&pulling, PullAnswer::Offset(offset), step);
        }
        let Some(local) = &consumer.local else {
            return self.ask_broker(pulling, false, step);
        };
        let stored = local.stored(queue, step.disk);
        if let Some(offset) = stored {
            consumer.note_offset(queue, offset);
        }
        self.tell(&pulling, PullAnswer::Offset(stored.unwrap_or(NONE)), step);
    }

    /// Asks the queue's broker, once its address is known: the master for the ends of a queue, any for the group's place.
    pub(super) fn ask_broker(&mut self, pulling: Pulling, refreshed: bool, step: &mut Step<'_>) {
        let Some(queue) = pulling.what.queue().cloned() else { return };
        let is_admins = pulling.is_admins();
        let addr = match is_admins {
            true => self.routes.master(&queue.broker),
            false => self.routes.admin_address(&queue.broker),
        };
        match addr {
            Some(addr) => self.ask_addr(pulling, addr, &queue, step),
            None if !refreshed => self.call_waits_for_route(pulling, &queue, step),
            None if matches!(pulling.what, PullCall::FetchOffset { .. }) => {
                self.tell(&pulling, PullAnswer::Offset(FAILED), step);
            }
            None => pulling.broker_not_exist(&queue, step),
        }
    }

    fn ask_addr(&mut self, mut pulling: Pulling, addr: Addr, queue: &MessageQueue, step: &mut Step<'_>) {
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        let consumer_group = self.consumers[pulling.consumer].group().clone();
        let (code, header, mode) = match pulling.what {
            PullCall::FetchOffset { .. } => {
                let header = GroupQueueHeader { consumer_group, topic, queue_id };
                (request::QUERY_CONSUMER_OFFSET, Header::QueryOffset(Box::new(header)), Mode::Sync)
            }
            PullCall::UpdateOffsetToBroker { offset: commit_offset, is_oneway, .. } => {
                let header = UpdateOffsetHeader { consumer_group, topic, queue_id, commit_offset };
                let mode = if is_oneway { Mode::Oneway } else { Mode::Sync };
                (request::UPDATE_CONSUMER_OFFSET, Header::UpdateOffset(Box::new(header)), mode)
            }
            PullCall::SearchOffset { timestamp, .. } => {
                let header = SearchOffsetHeader { topic, queue_id, timestamp };
                (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(Box::new(header)), Mode::Sync)
            }
            PullCall::MinOffset(_) => {
                (request::GET_MIN_OFFSET, Header::Queue(Box::new(QueueHeader { topic, queue_id })), Mode::Sync)
            }
            _ => (request::GET_MAX_OFFSET, Header::Queue(Box::new(QueueHeader { topic, queue_id })), Mode::Sync),
        };
        let timeout = if pulling.is_admins() { ADMIN_TIMEOUT_MS } else { STORE_TIMEOUT_MS };
        pulling.stage = if mode == Mode::Oneway { Stage::Written } else { Stage::Answer(Some(addr)) };
        let id = self.ops.add(Op::Pull(Box::new(pulling)));
        let command = self.remoting.command(code, header);
        let request = Request { command, timeout, mode, waiter: Waiter::Fiber(Fiber::Op(id)) };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }

    /// An answer with an offset, or without one.
    pub(super) fn offset_answered(
        &mut self,
        pulling: &Pulling,
        asked: Option<Addr>,
        answer: Result<Box<Command>, Exception>,
        step: &mut Step<'_>,
    ) {
        let found = answer.and_then(|command| match (command.code, &command.header) {
            (response::SUCCESS, Header::Offset(offset)) => Ok(*offset),
            (response::SUCCESS, _) => Ok(0),
            _ => Err(broker_exception(&command)),
        });
        match (&pulling.what, found) {
            (PullCall::UpdateOffsetToBroker { .. }, Ok(_)) => step.out.app(Return::Done { op: pulling.op }),
            (PullCall::UpdateOffsetToBroker { .. }, Err(exception)) => pulling.fails(exception, step),
            (PullCall::FetchOffset { queue, .. }, Ok(offset)) => {
                self.consumers[pulling.consumer].note_offset(queue, offset);
                self.tell(pulling, PullAnswer::Offset(offset), step);
            }
            (PullCall::FetchOffset { .. }, Err(Exception::Broker { .. })) => {
                self.tell(pulling, PullAnswer::Offset(NONE), step);
            }
            (PullCall::FetchOffset { .. }, Err(_)) => self.tell(pulling, PullAnswer::Offset(FAILED), step),
            (_, Ok(offset)) => self.tell(pulling, PullAnswer::Offset(offset), step),
            (_, Err(_)) => {
                let addr = asked.map_or_else(|| "null".to_owned(), |addr| addr.to_string());
                pulling.fails(Exception::client(format!("Invoke Broker[{addr}] exception")), step);
            }
        }
    }
}

impl Pulling {
    /// Whether `MQAdminImpl` asks, not the offset store.
    fn is_admins(&self) -> bool {
        matches!(self.what, PullCall::SearchOffset { .. } | PullCall::MinOffset(_) | PullCall::MaxOffset(_))
    }
}

/// What stands for an offset that nobody keeps.
const NONE: i64 = -1;
/// What stands for an offset that could not be asked for.
const FAILED: i64 = -2;
const STORE_TIMEOUT_MS: i64 = 5000;
