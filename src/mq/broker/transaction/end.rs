//! A producer says how its transaction ended. Source: `EndTransactionProcessor`.
//!
//! There is no idempotence: a second commit of the same half message writes the message once more. Neither its topic's
//! existence nor its permissions are looked at again. Differs: upstream handles these requests in a pool of its own, 8 threads
//! and two more a core; here that pool is never full.

use crate::mq::broker::{Broker, transaction};
use crate::mq::fact::Fact;
use crate::mq::message::java::parse_int;
use crate::mq::message::property::names;
use crate::mq::message::record::{Reading, decode_with};
use crate::mq::message::sys_flag::{TRANSACTION_COMMIT, TRANSACTION_NOT, TRANSACTION_ROLLBACK, with_transaction_type};
use crate::mq::message::{PhysicalOffset, StoredMessage};
use crate::mq::mistake::Mistake;
use crate::mq::node::{ConnId, Step};
use crate::mq::store::config::Role;
use crate::mq::store::outcome::PutStatus;
use crate::mq::store::record::NewMessage;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{EndTransactionHeader, Header};

/// A commit whose true message is written and waits for its force.
#[derive(Clone, Debug)]
pub(in crate::mq::broker) struct Committing {
    conn: ConnId,
    command: Box<Command>,
    half: StoredMessage,
}

/// What is to be done about a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Ending {
    /// Nothing, and no answer: the producer does not know.
    Unknown,
    /// It is refused with this code and text.
    Refused(i32, &'static str),
    /// Upstream throws this.
    Thrown(&'static str),
    /// A note is written.
    Rollback(Box<StoredMessage>),
    /// The true message is written, then a note.
    Commit(Box<(StoredMessage, NewMessage)>),
}

/// Looks at a request, and at the half message that `find` gives. Source: `EndTransactionProcessor.processRequest`.
pub fn ending(is_slave: bool, header: &EndTransactionHeader, find: impl FnOnce() -> Option<StoredMessage>) -> Ending {
    if is_slave {
        return Ending::Refused(response::SLAVE_NOT_AVAILABLE, NOT_SET);
    }
    if header.commit_or_rollback == TRANSACTION_NOT {
        return Ending::Unknown;
    }
    let Some(half) = find() else {
        return Ending::Refused(response::SYSTEM_ERROR, "Find prepared transaction message failed");
    };
    let wrong = match half.message.properties.get(names::PGROUP) {
        None => return Ending::Thrown("java.lang.NullPointerException"),
        Some(group) if *group != header.producer_group => Some("The producer group wrong"),
        Some(_) if half.queue_offset.0 != header.tran_state_table_offset => {
            Some("The transaction state table offset wrong")
        }
        Some(_) if half.commit_log_offset.0 != header.commit_log_offset => Some("The commit log offset wrong"),
        Some(_) => None,
    };
    match wrong {
        Some(why) => Ending::Refused(response::SYSTEM_ERROR, why),
        None if header.commit_or_rollback == TRANSACTION_ROLLBACK => Ending::Rollback(Box::new(half)),
        None => match final_message(&half, header) {
            Ok(message) => Ending::Commit(Box::new((half, message))),
            Err(thrown) => Ending::Thrown(thrown),
        },
    }
}

/// The true message of a half one.
///
/// Its text is made before the true address is taken out, so consumers see it, and with whatever `WAIT` the producer said.
/// A delay level that was put aside comes back (K21): the store delays a committed message like any other.
/// Source: `EndTransactionProcessor.endMessageTransaction`. Errors: the exception that upstream throws.
fn final_message(half: &StoredMessage, header: &EndTransactionHeader) -> Result<NewMessage, &'static str> {
    let mut map = half.message.properties.clone();
    map.remove(transaction::FIRST_STORED);
    if let Some(level) = map.remove(transaction::LEVEL_ASIDE) {
        map.put(names::DELAY, level);
    }
    let text = map.encode();
    let queue = map.remove(names::REAL_QID).and_then(|queue| parse_int(&queue));
    let queue_id = queue.ok_or("java.lang.NumberFormatException")?;
    let topic = map.remove(names::REAL_TOPIC).ok_or("java.lang.NullPointerException")?;
    Ok(NewMessage {
        topic,
        queue_id,
        flag: half.message.flag,
        sys_flag: with_transaction_type(half.sys_flag, header.commit_or_rollback),
        born_timestamp: half.born_timestamp,
        born_host: half.born_host,
        store_host: half.store_host,
        reconsume_times: half.reconsume_times,
        prepared_transaction_offset: header.commit_log_offset,
        body: half.message.body.clone(),
        properties: text.into(),
        map: Some(Box::new(map)),
    })
}

/// What a commit answers when its message was put. Source: `EndTransactionProcessor.sendFinalMessage`.
pub fn answer_of(status: PutStatus) -> (i32, Option<&'static str>) {
    match status {
        PutStatus::PutOk
        | PutStatus::FlushDiskTimeout
        | PutStatus::FlushSlaveTimeout
        | PutStatus::SlaveNotAvailable => (response::SUCCESS, None),
        PutStatus::CreateMapedFileFailed => (response::SYSTEM_ERROR, Some("Create mapped file failed.")),
        PutStatus::MessageIllegal | PutStatus::PropertiesSizeExceeded => (response::MESSAGE_ILLEGAL, Some(ILLEGAL)),
        PutStatus::ServiceNotAvailable => (response::SERVICE_NOT_AVAILABLE, Some("Service not available now.")),
        PutStatus::OsPagecacheBusy => (response::SYSTEM_ERROR, Some("OS page cache busy, please try another machine")),
        PutStatus::UnknownError => (response::SYSTEM_ERROR, Some("UNKNOWN_ERROR")),
        PutStatus::Thrown(_) => (response::SYSTEM_ERROR, Some("java.lang.RuntimeException")),
    }
}

impl Broker {
    /// A producer ends a transaction. Nobody waits for the answer: the request is one-way.
    pub(in crate::mq::broker) fn end_transaction(
        &mut self,
        conn: ConnId,
        mut command: Box<Command>,
        step: &mut Step<'_>,
    ) {
        let Header::EndTransaction(mut header) = std::mem::take(&mut command.header) else {
            let remark = "commitOrRollback field wrong".into();
            return self.refuse(conn, &command, response::SYSTEM_ERROR, remark, step);
        };
        let is_slave = self.config.store.role == Role::Slave;
        let is_rollback = header.commit_or_rollback == TRANSACTION_ROLLBACK;
        if is_rollback && self.config.profile.plants(Mistake::RollbackDelivers) {
            header.commit_or_rollback = TRANSACTION_COMMIT;
        }
        let found = || {
            let bytes = self.store.look(step.disk, PhysicalOffset(header.commit_log_offset))?;
            decode_with(&bytes, 0, Reading { body: true, inflate: false }).map(|(half, _)| half)
        };
        match ending(is_slave, &header, found) {
            Ending::Unknown => {}
            Ending::Refused(code, remark) => self.refuse(conn, &command, code, remark.into(), step),
            Ending::Thrown(class) => self.refuse(conn, &command, response::SYSTEM_ERROR, class.into(), step),
            Ending::Rollback(half) => {
                say_ended("rollback", &half, &header, step);
                self.put_op(&half, step);
                let answer = command.answered(response::SUCCESS, Header::None).with_remark(NOT_SET);
                self.answer(conn, true, answer, step);
            }
            Ending::Commit(commit) => {
                let (half, message) = *commit;
                say_ended("commit", &half, &header, step);
                let clock = Self::clock(step);
                let put = self.store.put(step.disk, clock, &message);
                let (status, waits) = (put.status, put.waits);
                self.say_appended(&put, message, step);
                let committing = Committing { conn, command, half };
                match waits {
                    Some(request) => self.transactions.committing.push((request, committing)),
                    None => self.committed(committing, status, step),
                }
            }
        }
    }

    /// A commit's message that waited for its force has its status.
    pub(in crate::mq::broker) fn commit_put_done(&mut self, request: u64, status: PutStatus, step: &mut Step<'_>) {
        let waiting = &mut self.transactions.committing;
        if let Some(at) = waiting.iter().position(|(number, _)| *number == request) {
            let (_, committing) = waiting.remove(at);
            self.committed(committing, status, step);
        }
    }

    fn committed(&mut self, committing: Committing, status: PutStatus, step: &mut Step<'_>) {
        let Committing { conn, command, half } = committing;
        let (code, remark) = answer_of(status);
        if let Some(remark) = remark {
            return self.refuse(conn, &command, code, remark.into(), step);
        }
        self.put_op(&half, step);
        let is_oneway = command.is_oneway();
        self.answer(conn, is_oneway, command.answered(code, Header::None), step);
    }

    /// Writes the note that a half message is settled; how that went makes no difference.
    ///
    /// Source: `TransactionalMessageServiceImpl.deletePrepareMessage`, `TransactionalMessageBridge.putOpMessage`.
    fn put_op(&mut self, half: &StoredMessage, step: &mut Step<'_>) {
        if self.config.profile.plants(Mistake::OpForgotten) {
            return;
        }
        let op = transaction::op_of(half, self.announced, step.wall);
        let clock = Self::clock(step);
        let put = self.store.put(step.disk, clock, &op);
        if self.config.profile.fix_k04
            && let Some(landed) = &put.landed
        {
            self.transactions.unread.push((half.queue_offset.0, landed.at));
        }
        self.say_appended(&put, op, step);
    }
}

fn say_ended(state: &'static str, half: &StoredMessage, header: &EndTransactionHeader, step: &mut Step<'_>) {
    let checked = i32::from(header.from_transaction_check);
    step.out.say(Fact::TransactionEnded { state, half: half.queue_offset.0, checked });
}

/// What a response says that nobody gave a text. Source: `RemotingCommand.createResponseCommand`.
const NOT_SET: &str = "not set any response code";
/// Source: `EndTransactionProcessor.sendFinalMessage`.
const ILLEGAL: &str = "The message is illegal, maybe msg body or properties length not matched. msg body length limit 128k, msg properties length limit 32k.";
