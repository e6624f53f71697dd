//! Where a queue's first pull begins: at the group's place, or where a group without one begins.
//!
//! Source: `RebalancePushImpl.computePullFromWhere`.

use crate::mq::app::ConsumeFrom;
use crate::mq::client::config::RETRY_GROUP_TOPIC_PREFIX;
use crate::mq::client::exception::Exception;
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::MessageQueue;
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, Step};
use crate::mq::time::Millis;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{GroupQueueHeader, Header, QueueHeader, SearchOffsetHeader};

/// A search for the place under way: which thread searches, for which queue of which consumer.
#[derive(Clone, Debug)]
pub(crate) struct FromWhere {
    fiber: Fiber,
    consumer: usize,
    pub(super) queue: MessageQueue,
    stage: Stage,
}

/// What the thread waits for.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// A route, because this queue's broker is not known.
    QueryRoute,
    /// Nothing: a broadcasting consumer has read its own file.
    Read(Option<i64>),
    /// The group's place.
    Query,
    /// A route, because this queue's master is not known.
    EndRoute,
    /// The queue's end, or a moment in it.
    End,
}

/// A place that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The offset; negative if the search failed.
    pub(super) offset: i64,
    /// The offset that the broker keeps for the group, if it is that.
    pub(super) consumed: Option<i64>,
}

impl Place {
    /// Where a pull consumer's queue begins, for what that is worth: `RebalancePullImpl.computePullFromWhere`.
    pub(super) const FIRST: Place = Place { offset: 0, consumed: None };
}

const FAILED: Place = Place { offset: -1, consumed: None };

impl Client {
    /// Begins a search; the fiber is woken.
    pub(super) fn seek(
        &mut self,
        consumer: usize,
        queue: MessageQueue,
        fiber: Fiber,
        step: &mut Step<'_>,
    ) -> FromWhere {
        let mut seeking = FromWhere { fiber, consumer, queue, stage: Stage::QueryRoute };
        if let Some(local) = &self.consumers[consumer].local {
            seeking.stage = Stage::Read(local.stored(&seeking.queue, step.disk));
            self.wake(fiber, Woken::Go);
            return seeking;
        }
        match self.routes.admin_address(&seeking.queue.broker) {
            Some(addr) => self.query_offset(&mut seeking, addr, step),
            None => self.look_up(seeking.queue.topic.clone(), None, fiber, step),
        }
        seeking
    }

    /// A search goes on: the place, or the search if it is not over.
    pub(super) fn seek_on(
        &mut self,
        mut seeking: FromWhere,
        woken: Woken,
        step: &mut Step<'_>,
    ) -> Result<Place, FromWhere> {
        match seeking.stage {
            Stage::QueryRoute => match self.routes.admin_address(&seeking.queue.broker) {
                Some(addr) => self.query_offset(&mut seeking, addr, step),
                None => return Ok(FAILED),
            },
            Stage::Read(known) => return self.begin_at(seeking, known, step),
            Stage::Query => match offset_in(woken) {
                Ok(known) => return self.begin_at(seeking, known, step),
                Err(_) => return Ok(FAILED),
            },
            Stage::EndRoute => match self.routes.master(&seeking.queue.broker) {
                Some(addr) => self.ask_end(&mut seeking, addr, step),
                None => return Ok(FAILED),
            },
            Stage::End => {
                let offset = offset_in(woken).ok().flatten().unwrap_or(-1);
                return Ok(Place { offset, consumed: None });
            }
        }
        Err(seeking)
    }

    /// Where a place is known, there; else where a group without one begins.
    fn begin_at(
        &mut self,
        mut seeking: FromWhere,
        known: Option<i64>,
        step: &mut Step<'_>,
    ) -> Result<Place, FromWhere> {
        if let Some(offset) = known {
            return Ok(Place { offset, consumed: Some(offset) });
        }
        let retry = seeking.queue.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX);
        let is_last = self.config.profile.plants(Mistake::FirstIsLast);
        match (self.consumers[seeking.consumer].config.consume_from, retry) {
            (ConsumeFrom::First, false) if is_last => self.seek_end(&mut seeking, step),
            (ConsumeFrom::First, _) | (ConsumeFrom::Last, true) => return Ok(Place { offset: 0, consumed: None }),
            (ConsumeFrom::Last, false) | (ConsumeFrom::Timestamp(_), _) => self.seek_end(&mut seeking, step),
        }
        Err(seeking)
    }

    fn query_offset(&mut self, seeking: &mut FromWhere, addr: Addr, step: &mut Step<'_>) {
        let header = GroupQueueHeader {
            consumer_group: self.consumers[seeking.consumer].group().clone(),
            topic: seeking.queue.topic.clone(),
            queue_id: seeking.queue.queue_id,
        };
        seeking.stage = Stage::Query;
        let command = self.remoting.command(request::QUERY_CONSUMER_OFFSET, Header::QueryOffset(Box::new(header)));
        self.thread_asks(seeking.fiber, addr, command, QUERY_TIMEOUT_MS, step);
    }

    /// Looks for the end of a queue, or for a moment in it; its master alone is asked.
    fn seek_end(&mut self, seeking: &mut FromWhere, step: &mut Step<'_>) {
        match self.routes.master(&seeking.queue.broker) {
            Some(addr) => self.ask_end(seeking, addr, step),
            None => {
                seeking.stage = Stage::EndRoute;
                self.look_up(seeking.queue.topic.clone(), None, seeking.fiber, step);
            }
        }
    }

    fn ask_end(&mut self, seeking: &mut FromWhere, addr: Addr, step: &mut Step<'_>) {
        let retry = seeking.queue.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX);
        let (topic, queue_id) = (seeking.queue.topic.clone(), seeking.queue.queue_id);
        let (code, header) = match self.consumers[seeking.consumer].config.consume_from {
            ConsumeFrom::Timestamp(Some(Millis(timestamp))) if !retry => {
                let header = SearchOffsetHeader { topic, queue_id, timestamp };
                (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(Box::new(header)))
            }
            _ => (request::GET_MAX_OFFSET, Header::Queue(Box::new(QueueHeader { topic, queue_id }))),
        };
        seeking.stage = Stage::End;
        let command = self.remoting.command(code, header);
        self.thread_asks(seeking.fiber, addr, command, ADMIN_TIMEOUT_MS, step);
    }

    /// Asks as a thread does: synchronously, on the VIP port.
    pub(super) fn thread_asks(
        &mut self,
        fiber: Fiber,
        addr: Addr,
        command: Box<Command>,
        timeout: i64,
        step: &mut Step<'_>,
    ) {
        let request = Request { command, timeout, mode: Mode::Sync, waiter: Waiter::Fiber(fiber) };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }
}

/// The offset in an answer: none if the broker has none, an error if there was no answer.
fn offset_in(woken: Woken) -> Result<Option<i64>, Exception> {
    let Woken::Answered(answer) = woken else { return Ok(None) };
    let command = answer?;
    Ok(match (command.code, &command.header) {
        (response::SUCCESS, Header::Offset(offset)) => Some(*offset),
        _ => None,
    })
}

const QUERY_TIMEOUT_MS: i64 = 5000;
const ADMIN_TIMEOUT_MS: i64 = 6000;
