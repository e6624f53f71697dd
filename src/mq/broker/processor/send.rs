//! A message comes in.
//!
//! Sends run in a pool of one thread: a put that waits for its force holds that thread, later sends wait in the queue, and
//! whoever has waited 200 ms there is told so.
//!
//! Source: `SendMessageProcessor`, `AbstractSendMessageProcessor`, `BrokerFastFailure`.

use crate::mq::broker::processor::admit::{self, Accepted, Refusal};
use crate::mq::broker::{Broker, transaction};
use crate::mq::fact::Fact;
use crate::mq::message::id::offset_msg_id;
use crate::mq::message::sys_flag::{TRANSACTION_NOT, with_transaction_type};
use crate::mq::message::{Name, QueueId};
use crate::mq::mistake::Mistake;
use crate::mq::node::{ConnId, Step, Stream, Timer, TimerKey, Work};
use crate::mq::pool::{Submitted, Waiting};
use crate::mq::store::delay::SCHEDULE_TOPIC;
use crate::mq::store::outcome::{Landed, Put, PutStatus};
use crate::mq::store::record::NewMessage;
use crate::mq::time::Time;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, SendHeader, SentHeader, TRACED};

/// A send on its way through the pool.
#[derive(Clone, Debug)]
pub struct SendJob {
    conn: ConnId,
    command: Box<Command>,
}

/// A send whose message is written and whose thread is not free yet: it waits for the force, a slow disk keeps it inside the
/// log's lock, or a slow processor is not done with it.
#[derive(Clone, Debug)]
pub struct Parked {
    pub(super) conn: ConnId,
    pub(super) command: Box<Command>,
    pub(super) queue_id: QueueId,
    pub(super) landed: Landed,
    /// The id that is answered: of a batch's records, those of all, joined.
    pub(super) msg_id: Name,
    /// Under which number the store will say how the put ended.
    pub(super) waits: Option<u64>,
    /// How it ended, if that is known.
    pub(super) status: Option<PutStatus>,
    /// When its thread is out of the lock.
    pub(super) until: Time,
}

impl Broker {
    /// Hands a send to the pool, unless the store is in no state to take it.
    ///
    /// Source: `NettyRemotingAbstract.processRequestCommand`, `SendMessageProcessor.rejectRequest`.
    pub(in crate::mq::broker) fn submit_send(&mut self, conn: ConnId, command: Box<Command>, step: &mut Step<'_>) {
        if self.store.is_os_page_cache_busy(Self::clock(step)) || self.store.is_transient_store_pool_deficient() {
            let remark = "[REJECTREQUEST]system busy, start flow control for a while".into();
            return self.refuse(conn, &command, response::SYSTEM_BUSY, remark, step);
        }
        match self.sends.submit(SendJob { conn, command }, step.mono) {
            Submitted::Run(job) => self.run_sends(job, step),
            Submitted::Queued => self.arm_fast_failure(step),
            Submitted::Rejected(job) => {
                let remark = "[OVERLOAD]system busy, start flow control for a while".into();
                self.refuse(job.conn, &job.command, response::SYSTEM_BUSY, remark, step);
            }
        }
    }

    /// Runs a send, and those that waited behind it, until one keeps its thread.
    fn run_sends(&mut self, first: SendJob, step: &mut Step<'_>) {
        let mut next = Some(first);
        while let Some(job) = next {
            next = if self.send(job, step) { self.sends.finish() } else { None };
        }
    }

    /// Checks, writes and answers; whether the job is over. Source: `SendMessageProcessor.sendMessage`.
    fn send(&mut self, job: SendJob, step: &mut Step<'_>) -> bool {
        let SendJob { conn, mut command } = job;
        if command.code == request::CONSUMER_SEND_MSG_BACK {
            self.take_back(conn, command, step);
            return true;
        }
        let Header::Send(header) = std::mem::take(&mut command.header) else {
            self.refuse(conn, &command, response::SYSTEM_ERROR, "the send request has no header".into(), step);
            return true;
        };
        let accepted = match self.accept(conn, &header, step) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                self.refuse_send(conn, &command, refusal, step);
                return true;
            }
        };
        let queue_id = match header.queue_id {
            named if named >= 0 => named,
            _ => step.dice.below(Stream::BrokerQueue, accepted.write_queues.max(1) as u64) as i32,
        };
        if header.batch {
            return self.send_batch((conn, command), *header, (queue_id, accepted.sys_flag), step);
        }
        step.out.say(Fact::SendAccepted { topic: header.topic.clone(), queue_id });
        let max = header.max_reconsume_times;
        let hosts = (self.channels.peer(conn).unwrap_or_default(), self.announced);
        let body = command.body.take().unwrap_or_default();
        let mut message = admit::message_of(*header, (queue_id, accepted.sys_flag), hosts, body);
        if let Err(refusal) = self.dead_if_exhausted(&mut message, max, step) {
            self.refuse_send(conn, &command, refusal, step);
            return true;
        }
        if transaction::is_half(&message) {
            if self.config.reject_transaction_message {
                let [a, b, c, d] = self.config.broker_ip1.to_be_bytes();
                let remark = format!("the broker[{a}.{b}.{c}.{d}] sending transaction message is forbidden").into();
                self.refuse_send(conn, &command, (response::NO_PERMISSION, remark), step);
                return true;
            }
            let profile = &self.config.profile;
            let is_seen = profile.plants(Mistake::HalfVisible);
            let puts_level_aside = profile.fix_k21 && !profile.plants(Mistake::HalfKeepsLevel);
            if is_seen {
                let sys_flag = with_transaction_type(message.sys_flag, TRANSACTION_NOT);
                let seen = NewMessage { sys_flag, ..message.clone() };
                let clock = Self::clock(step);
                let put = self.store.put(step.disk, clock, &seen);
                self.say_appended(&put, seen, step);
            }
            message = transaction::half_of(message, puts_level_aside);
        }
        let clock = Self::clock(step);
        let put = self.store.put(step.disk, clock, &message);
        let Some(landed) = put.landed.filter(|_| put.status.is_sent()) else {
            self.refuse_put(conn, &command, put.status, step);
            return true;
        };
        // A record that fits no file is answered with success all the same.
        let is_given_back = self.config.profile.fix_k03 && message.topic.starts_with('%');
        let topic = put.parked.map_or_else(|| message.topic.clone(), |_| SCHEDULE_TOPIC.into());
        self.stats.sent(&topic, 1, step.mono);
        self.say_appended(&put, message, step);
        let msg_id = offset_msg_id(self.announced, landed.at);
        let parked = self.parked_of(&put, (conn, command, queue_id), (landed, msg_id), step);
        if is_given_back && parked.status == Some(PutStatus::PutOk) {
            let is_oneway = parked.command.is_oneway();
            let answer = answer_of(parked, PutStatus::PutOk);
            self.answer_durable(&put, (conn, is_oneway), answer, step);
            return true;
        }
        self.park_or_answer(parked, step)
    }

    /// What is known of a send when its message was put.
    pub(super) fn parked_of(
        &self,
        put: &Put,
        (conn, command, queue_id): (ConnId, Box<Command>, QueueId),
        (landed, msg_id): (Landed, Name),
        step: &Step<'_>,
    ) -> Parked {
        let waits = put.waits;
        let status = if waits.is_none() { Some(put.status) } else { None };
        let until = self.store.inside_until(Self::clock(step)).unwrap_or(step.mono) + step.cost(Work::Send);
        Parked { conn, command, queue_id, landed, msg_id, waits, status, until }
    }

    /// Answers a put, or keeps its thread until it is final; whether the job is over.
    pub(super) fn park_or_answer(&mut self, parked: Parked, step: &mut Step<'_>) -> bool {
        if let Some(status) = parked.status.filter(|_| parked.until <= step.mono) {
            self.answer_put(parked, status, step);
            return true;
        }
        self.parked.push(parked);
        self.arm_jobs(step);
        false
    }

    /// Says where a message landed, if it did.
    pub(in crate::mq::broker) fn say_appended(&mut self, put: &Put, message: NewMessage, step: &mut Step<'_>) {
        let Some(landed) = put.landed.filter(|_| put.is_stored()) else { return };
        self.wake_checks(&message.topic);
        self.stats.put(1, i64::from(landed.size), step.mono);
        let topic = if put.parked.is_some() { Name::from(SCHEDULE_TOPIC) } else { message.topic };
        step.out.say(Fact::Appended {
            topic,
            queue_id: put.parked.unwrap_or(message.queue_id),
            size: landed.size,
            at: landed.at.0,
            queue_offset: landed.queue_offset.0,
        });
    }

    /// A waiting put is over: its sender hears, unless its thread is still inside the lock.
    pub(in crate::mq::broker) fn put_done(&mut self, request: u64, status: PutStatus, step: &mut Step<'_>) {
        let Some(parked) = self.parked.iter_mut().find(|parked| parked.waits == Some(request)) else {
            if !self.copy_done(request, status, step) {
                self.commit_put_done(request, status, step);
            }
            return;
        };
        parked.status = Some(status);
        self.jobs_done(step);
    }

    /// Answers every send whose thread is free again; the thread takes the next.
    pub(in crate::mq::broker) fn jobs_done(&mut self, step: &mut Step<'_>) {
        let now = step.mono;
        let is_done = |parked: &Parked| parked.status.is_some() && parked.until <= now;
        while let Some(at) = self.parked.iter().position(is_done) {
            let parked = self.parked.remove(at);
            let status = parked.status.expect("it is done");
            self.answer_put(parked, status, step);
            if let Some(next) = self.sends.finish() {
                self.run_sends(next, step);
            }
        }
        self.arm_jobs(step);
    }

    /// Arms the end of the first stall.
    fn arm_jobs(&mut self, step: &mut Step<'_>) {
        let inside = self.parked.iter().map(|parked| parked.until).filter(|until| step.mono < *until);
        if let Some(until) = inside.min() {
            step.out.arm(TimerKey::of(Timer::JobDone), until);
        }
    }

    /// The checks in front of a put, in upstream's order; an unknown topic may be born in between.
    fn accept(&mut self, conn: ConnId, header: &SendHeader, step: &mut Step<'_>) -> Result<Accepted, Refusal> {
        admit::may_send(header, (self.config.broker_permission, self.config.broker_ip1), &self.topics)?;
        if self.topics.get(&header.topic).is_none()
            && let Some(born) = admit::born_of(header, &mut self.topics)
        {
            self.create_topic(born, step);
        }
        let peer = self.channels.peer(conn).unwrap_or_default();
        admit::accepted(header, self.topics.get(&header.topic), peer)
    }

    fn answer_put(&mut self, parked: Parked, status: PutStatus, step: &mut Step<'_>) {
        let (conn, is_oneway) = (parked.conn, parked.command.is_oneway());
        self.answer(conn, is_oneway, answer_of(parked, status), step);
    }

    /// Refuses a send: its answer says where traces would go, as one that is taken does; that of an exception does not.
    pub(super) fn refuse_send(
        &mut self,
        conn: ConnId,
        command: &Command,
        (code, remark): Refusal,
        step: &mut Step<'_>,
    ) {
        step.out.say(Fact::RequestRefused { request: command.code, code, remark: remark.clone() });
        let header = match remark.starts_with("java.") {
            true => Header::None,
            false => Header::Other(TRACED.map(|(name, value)| (name.into(), value.into())).into()),
        };
        let response = Command::response(code, command.opaque, header).with_remark(remark);
        self.answer(conn, command.is_oneway(), response, step);
    }

    pub(super) fn refuse_put(&mut self, conn: ConnId, command: &Command, status: PutStatus, step: &mut Step<'_>) {
        match command.code {
            request::CONSUMER_SEND_MSG_BACK => {
                let (code, remark) = refusal_of(status);
                self.refuse(conn, command, code, remark, step);
            }
            _ => self.refuse_send(conn, command, refusal_of(status), step),
        }
    }

    /// Tells everybody if the page cache is busy, and else everybody who has waited too long.
    ///
    /// Source: `BrokerFastFailure.cleanExpiredRequest`.
    pub(in crate::mq::broker) fn sweep_sends(&mut self, step: &mut Step<'_>) {
        self.fast_failure_armed = false;
        while self.store.is_os_page_cache_busy(Self::clock(step))
            && let Some(late) = self.sends.evict_oldest()
        {
            self.refuse_late("[PCBUSY_CLEAN_QUEUE]", late, step);
        }
        let wait = self.config.wait_time_in_send_queue;
        while self.sends.oldest().is_some_and(|oldest| oldest.since + wait <= step.mono) {
            let late = self.sends.evict_oldest().expect("looked at above");
            self.refuse_late("[TIMEOUT_CLEAN_QUEUE]", late, step);
        }
        self.arm_fast_failure(step);
    }

    fn refuse_late(&mut self, why: &str, late: Waiting<SendJob>, step: &mut Step<'_>) {
        let (period, size) = (step.mono.since(late.since).as_millis(), self.sends.waiting());
        let remark = format!(
            "{why}broker busy, start flow control for a while, period in queue: {period}ms, size of queue: {size}"
        );
        self.refuse(late.job.conn, &late.job.command, response::SYSTEM_BUSY, remark.into(), step);
    }
}

/// The answer to a send that was put.
fn answer_of(parked: Parked, status: PutStatus) -> Box<Command> {
    let Parked { command, queue_id, landed, msg_id, .. } = parked;
    let header = SentHeader { msg_id, queue_id, queue_offset: landed.queue_offset.0, transaction_id: None };
    command.answered(code_of(status), Header::Sent(header))
}

/// The code that is answered when a message is stored: three statuses besides success count as sent.
///
/// Source: `SendMessageProcessor.handlePutMessageResult`.
pub fn code_of(status: PutStatus) -> i32 {
    match status {
        PutStatus::FlushDiskTimeout => response::FLUSH_DISK_TIMEOUT,
        PutStatus::FlushSlaveTimeout => response::FLUSH_SLAVE_TIMEOUT,
        PutStatus::SlaveNotAvailable => response::SLAVE_NOT_AVAILABLE,
        _ => response::SUCCESS,
    }
}

/// What is answered when a message is not stored. Source: `SendMessageProcessor.handlePutMessageResult`.
pub fn refusal_of(status: PutStatus) -> Refusal {
    let (code, remark) = match status {
        PutStatus::CreateMapedFileFailed => {
            (response::SYSTEM_ERROR, "create mapped file failed, server is busy or broken.")
        }
        PutStatus::MessageIllegal | PutStatus::PropertiesSizeExceeded => (response::MESSAGE_ILLEGAL, ILLEGAL),
        PutStatus::ServiceNotAvailable => (response::SERVICE_NOT_AVAILABLE, NOT_AVAILABLE),
        PutStatus::OsPagecacheBusy => {
            (response::SYSTEM_ERROR, "[PC_SYNCHRONIZED]broker busy, start flow control for a while")
        }
        PutStatus::UnknownError => (response::SYSTEM_ERROR, "UNKNOWN_ERROR"),
        // Upstream's text is the exception's class and the first line of its stack.
        PutStatus::Thrown(thrown) => return (response::SYSTEM_ERROR, format!("{}: {thrown}", thrown.class()).into()),
        _ => (response::SYSTEM_ERROR, "UNKNOWN_ERROR DEFAULT"),
    };
    (code, remark.into())
}

/// Source: `SendMessageProcessor.handlePutMessageResult`.
const ILLEGAL: &str = "the message is illegal, maybe msg body or properties length not matched. msg body length limit 128k, msg properties length limit 32k.";
/// Source: `SendMessageProcessor.handlePutMessageResult` with `diskUtil`. Differs: the three ratios are not measured.
const NOT_AVAILABLE: &str = "service not available now, maybe disk full, CL:  0.00 CQ:  0.00 INDEX:  0.00, maybe your broker machine memory too small.";
