//! The transactional producer: a half message, the local transaction, the end; and the answer when a broker asks.
//!
//! The half message is an ordinary synchronous send. What the local transaction says goes out one-way and may be lost: then a
//! broker asks, on the connection of any member of the group, and one thread of that member answers.
//!
//! Source: `TransactionMQProducer`, `DefaultMQProducerImpl.sendMessageInTransaction`, `endTransaction`,
//! `checkTransactionState`, `ClientRemotingProcessor.checkTransactionState`.

use crate::mq::app::{
    AppError, ErrorKind, LocalOutcome, LocalState, OpId, Return, SendMode, SendResult, SendStatus, SendTo, TaskId,
};
use crate::mq::client::exception::client_text;
use crate::mq::client::producer::send::{Caller, Send, Started};
use crate::mq::client::remoting::{Mode, Request, Target};
use crate::mq::client::validators::check_message;
use crate::mq::client::{Client, Waiter};
use crate::mq::fact::Fact;
use crate::mq::message::id::{offset_msg_id, parse_offset_msg_id};
use crate::mq::message::property::names;
use crate::mq::message::record::decode;
use crate::mq::message::{Message, Name, StoredMessage, sys_flag};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, ConnId, Step};
use crate::mq::pool::Submitted;
use crate::mq::wire::code::request;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{CheckTransactionHeader, EndTransactionHeader, Header};

/// What an application is deciding.
#[derive(Clone, Debug)]
pub(crate) enum Deciding {
    /// Its local transaction runs.
    Local(Box<Local>),
    /// It was asked; the producer's only thread waits for it.
    Check(Box<Check>),
}

/// A call of `sendMessageInTransaction` whose half message is stored.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    op: OpId,
    producer: usize,
    result: SendResult,
}

/// A broker's question.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    producer: usize,
    addr: Addr,
    header: CheckTransactionHeader,
    message: StoredMessage,
}

impl Client {
    /// An application sends a message in a transaction.
    pub(crate) fn send_in_transaction(&mut self, op: OpId, group: &str, mut message: Message, step: &mut Step<'_>) {
        let config = self.producer_of(group).map(|at| &self.producers[at].config);
        if config.is_some_and(|config| !config.transactional) {
            let text = "sendMessageInTransaction not implement, please use TransactionMQProducer class".into();
            let error = AppError { kind: ErrorKind::Runtime, text, code: -1, attempts: 0, provably_not_stored: true };
            return step.out.app(Return::Failed { op, error });
        }
        let max = config.map_or(usize::MAX, |config| config.max_message_size);
        if let Err(exception) = check_message(&message.topic, Some(message.body.len()), max) {
            return step.out.app(Return::Failed { op, error: exception.into_error(0, true) });
        }
        message.properties.put(names::TRAN_MSG, "true");
        message.properties.put(names::PGROUP, group);
        let caller = Caller::Half(op);
        let started = Started { caller, group, mode: SendMode::Sync, to: SendTo::Any, batch: None };
        self.start_send(started, message, None, step);
    }

    /// A half message was stored: the local transaction runs, unless it may be lost with the broker.
    pub(super) fn half_sent(&mut self, send: &Send, op: OpId, result: SendResult, step: &mut Step<'_>) {
        let local = Local { op, producer: send.producer, result };
        let runs_anyway = self.config.profile.plants(Mistake::LocalAfterDegradedHalf);
        if local.result.status != SendStatus::SendOk && !runs_anyway {
            return self.local_ended(local, LocalState::Rollback, None, step);
        }
        let group = self.producers[send.producer].config.group.clone();
        let task = self.decide(Deciding::Local(Box::new(local)));
        step.out.app(Return::Execute { task, op, group, message: send.message.clone() });
    }

    fn decide(&mut self, deciding: Deciding) -> TaskId {
        let task = TaskId(self.next_task);
        self.next_task += 1;
        self.deciding.insert(task, deciding);
        task
    }

    /// A transaction listener answered.
    pub(crate) fn decided(&mut self, task: TaskId, outcome: LocalOutcome, step: &mut Step<'_>) {
        match self.deciding.remove(task) {
            Some(Deciding::Local(local)) => {
                let (state, remark) = match outcome {
                    LocalOutcome::State(state) => (state, None),
                    LocalOutcome::Null => (LocalState::Unknown, None),
                    LocalOutcome::Threw(text) => {
                        let remark = format!("executeLocalTransactionBranch exception: {text}");
                        (LocalState::Unknown, Some(remark.into()))
                    }
                };
                self.local_ended(*local, state, remark, step);
            }
            Some(Deciding::Check(check)) => {
                self.check_answered(&check, outcome, step);
                if let Some(next) = self.producers[check.producer].checks.finish() {
                    self.run_check(next, step);
                }
            }
            None => {}
        }
    }

    /// Tells the broker and returns; whether the broker hears of it makes no difference.
    ///
    /// Without a known master the request goes to a nameserver, which does not know it. Source: `endTransaction`.
    fn local_ended(&mut self, local: Local, state: LocalState, remark: Option<Name>, step: &mut Step<'_>) {
        let Local { op, producer, mut result } = local;
        let is_lost = self.config.profile.plants(Mistake::LocalResultLost);
        let told = if is_lost { LocalState::Unknown } else { state };
        if let Some((_, at)) = parse_offset_msg_id(&result.offset_msg_id) {
            let header = EndTransactionHeader {
                producer_group: self.producers[producer].config.group.clone(),
                tran_state_table_offset: result.queue_offset.0,
                commit_log_offset: at.0,
                commit_or_rollback: bits(told),
                from_transaction_check: false,
                msg_id: result.msg_id.clone(),
                transaction_id: None,
            };
            let target = self.routes.master(&result.queue.broker).map_or(Target::Nameserver, Target::At);
            self.send_end(target, (result.queue.broker.clone(), told), header, remark, step);
        }
        // Not copied into the result of a transaction.
        result.offset_msg_id = Name::default();
        step.out.app(Return::SentInTransaction { op, result, state });
    }

    fn send_end(
        &mut self,
        target: Target,
        (broker, state): (Name, LocalState),
        header: EndTransactionHeader,
        remark: Option<Name>,
        step: &mut Step<'_>,
    ) {
        let checked = i32::from(header.from_transaction_check);
        let half = header.tran_state_table_offset;
        step.out.say(Fact::TransactionEndSent { broker, state: state.word(), half, checked });
        let header = Header::EndTransaction(Box::new(header));
        let mut command = self.remoting.command(request::END_TRANSACTION, header);
        command.remark = remark;
        let request = Request { command, timeout: END_TIMEOUT_MS, mode: Mode::Oneway, waiter: Waiter::Nobody };
        if target != Target::Nameserver || self.remoting.has_nameservers() {
            self.remoting.invoke(target, request, step, &mut self.ready);
        }
    }

    /// A broker asks how a transaction ended; a message that cannot be read and a group that does not live here are ignored.
    pub(crate) fn asked_to_check(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) {
        let Header::CheckTransaction(header) = &command.header else { return };
        let Some((message, _)) = command.body.as_ref().and_then(|body| decode(body, 0)) else { return };
        let Some(addr) = self.remoting.addr_of(conn) else { return };
        let Some(group) = message.message.properties.get(names::PGROUP) else { return };
        let Some(producer) = self.producer_of(group) else { return };
        let asked = &self.producers[producer];
        if !asked.config.transactional || !asked.running {
            return;
        }
        let check = Check { producer, addr, header: (**header).clone(), message };
        match self.producers[producer].checks.submit(check, step.mono) {
            Submitted::Run(check) => self.run_check(check, step),
            // A full queue throws in the thread that reads the connection; nobody hears of it.
            Submitted::Queued | Submitted::Rejected(_) => {}
        }
    }

    fn run_check(&mut self, check: Check, step: &mut Step<'_>) {
        let (group, message) = (self.producers[check.producer].config.group.clone(), check.message.clone());
        let task = self.decide(Deciding::Check(Box::new(check)));
        step.out.app(Return::Check { task, group, message });
    }

    /// Answers to the address that asked; a listener that returns null throws where nobody listens, and says nothing.
    fn check_answered(&mut self, check: &Check, outcome: LocalOutcome, step: &mut Step<'_>) {
        let (state, remark) = match outcome {
            LocalOutcome::State(LocalState::Unknown) if self.config.profile.plants(Mistake::UnknownCommits) => {
                (LocalState::Commit, None)
            }
            LocalOutcome::State(state) => (state, None),
            LocalOutcome::Null => return,
            LocalOutcome::Threw(text) => {
                (LocalState::Unknown, Some(format!("checkLocalTransactionState Exception: {text}").into()))
            }
        };
        let own = check.message.message.properties.get(names::UNIQ_KEY).cloned();
        let msg_id = own.unwrap_or_else(|| offset_msg_id(check.message.store_host, check.message.commit_log_offset));
        let header = EndTransactionHeader {
            producer_group: self.producers[check.producer].config.group.clone(),
            tran_state_table_offset: check.header.tran_state_table_offset,
            commit_log_offset: check.header.commit_log_offset,
            commit_or_rollback: bits(state),
            from_transaction_check: true,
            msg_id,
            transaction_id: check.header.transaction_id.clone(),
        };
        let broker = Name::from(check.addr.to_string());
        self.send_end(Target::At(check.addr), (broker, state), header, remark, step);
    }
}

/// A half message could not be sent: whatever the reason, one exception says so. The local transaction does not run.
pub(super) fn half_failed(error: AppError) -> AppError {
    let text = client_text(-1, "send message Exception").into();
    AppError { kind: ErrorKind::Client, text, code: -1, ..error }
}

/// A state as sys-flag bits.
fn bits(state: LocalState) -> i32 {
    match state {
        LocalState::Commit => sys_flag::TRANSACTION_COMMIT,
        LocalState::Rollback => sys_flag::TRANSACTION_ROLLBACK,
        LocalState::Unknown => sys_flag::TRANSACTION_NOT,
    }
}

/// Differs: a one-way request has no use for it; upstream waits so long for a permit.
const END_TIMEOUT_MS: i64 = 3_000;
/// Source: `TransactionMQProducer.checkThreadPoolMaxSize`.
pub(super) const CHECK_THREADS: usize = 1;
/// Source: `TransactionMQProducer.checkRequestHoldMax`.
pub(super) const CHECKS_MAX: usize = 2_000;
