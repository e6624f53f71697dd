//! Questions about a consumer that only the consumer can answer: the broker asks it and hands its answer on.
//!
//! Source: `AdminBrokerProcessor.callConsumer`, `Broker2Client.callClient`, `getConsumeStatus`. Differs: no thread waits for a
//! member, and a member whose connection goes is given up at once where upstream waits its time out.

use crate::mq::broker::Broker;
use crate::mq::fastjson::Json;
use crate::mq::message::id::parse_offset_msg_id;
use crate::mq::message::{Group, Name, java};
use crate::mq::node::{ConnId, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::inquiry::{consumer_status, member_status};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::codec::NULL_POINTER;
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// A member is asked for somebody.
#[derive(Clone, Debug)]
pub(in crate::mq::broker) struct Relayed {
    /// Who wants to know, and the number of his question.
    conn: ConnId,
    opaque: Opaque,
    /// Who is asked, and the number of ours.
    asked: ConnId,
    number: Opaque,
    deadline: Time,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// The member's answer is the answer.
    Whole { group: Group, client: Name },
    /// Each member is asked in turn.
    Status(Box<Status>),
}

#[derive(Clone, Debug)]
struct Status {
    header: Header,
    client: Name,
    /// Who is still to be asked.
    left: Vec<(ConnId, Name)>,
    known: Vec<(Name, Json)>,
}

impl Broker {
    /// Asks a member; an answer only if nobody can be asked.
    pub(in crate::mq::broker) fn relay(
        &mut self,
        conn: ConnId,
        command: &Command,
        step: &mut Step<'_>,
    ) -> Option<Box<Command>> {
        let refused = |remark: String| {
            Some(Command::response(response::SYSTEM_ERROR, command.opaque, Header::None).with_remark(remark))
        };
        if command.code == request::INVOKE_BROKER_TO_GET_CONSUMER_STATUS {
            return self.ask_status(conn, command, step);
        }
        let field = |name: &str| command.header.field(name).cloned().unwrap_or_default();
        let (group, client) = (field("consumerGroup"), field("clientId"));
        let mut asked = Command::request(command.code, Opaque::default(), command.header.clone());
        asked.body = command.body.clone();
        if command.code == request::CONSUME_MESSAGE_DIRECTLY {
            let Header::Other(fields) = &mut asked.header else { return refused(NULL_POINTER.to_owned()) };
            fields.retain(|(name, _)| *name != *"brokerName");
            fields.push(("brokerName".into(), self.config.broker_name.clone()));
            let record = parse_offset_msg_id(&field("msgId")).and_then(|(_, at)| self.store.look(step.disk, at));
            let Some(record) = record else { return refused(NULL_POINTER.to_owned()) };
            asked.body = Some(record);
        }
        let member = self.members.consumer_group(&group).and_then(|info| {
            let mut members = info.members.iter();
            members.find(|(_, member)| member.client_id == client).map(|(conn, _)| *conn)
        });
        let Some(member) = member.filter(|member| self.channels.is_open(*member)) else {
            return refused(format!("The Consumer <{group}> <{client}> not online"));
        };
        asked.opaque = self.opaque();
        self.relays.push(Relayed {
            conn,
            opaque: command.opaque,
            asked: member,
            number: asked.opaque,
            deadline: step.mono + CALL_TIMEOUT,
            what: What::Whole { group, client },
        });
        step.out.send(member, asked);
        self.arm_relays(step);
        None
    }

    /// Source: `Broker2Client.getConsumeStatus`.
    fn ask_status(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) -> Option<Box<Command>> {
        let field = |name: &str| command.header.field(name).cloned();
        let refused = |remark: String| {
            Some(Command::response(response::SYSTEM_ERROR, command.opaque, Header::None).with_remark(remark))
        };
        let group = field("group").unwrap_or_default();
        let Some(info) = self.members.consumer_group(&group) else { return refused(NULL_POINTER.to_owned()) };
        if info.members.is_empty() {
            return refused(format!("No Any Consumer online in the consumer group: [{group}]"));
        }
        let client = field("clientAddr").filter(|client| !java::is_blank(client)).unwrap_or_default();
        let is_meant = |own: &Name| client.is_empty() || *own == client;
        let members = info.members.iter().map(|(conn, member)| (*conn, member.client_id.clone()));
        let left: Vec<(ConnId, Name)> = members.filter(|(_, own)| is_meant(own)).rev().collect();
        let topic = ("topic".into(), field("topic").unwrap_or_default());
        let header = Header::Other(vec![topic, ("group".into(), group)]);
        let status = Status { header, client: Name::default(), left, known: Vec::new() };
        self.ask_next(conn, command.opaque, Box::new(status), step);
        None
    }

    /// Asks the next member, or answers with what is known.
    fn ask_next(&mut self, conn: ConnId, opaque: Opaque, mut status: Box<Status>, step: &mut Step<'_>) {
        while let Some((asked, client)) = status.left.pop() {
            if !self.channels.is_open(asked) {
                continue;
            }
            status.client = client;
            let number = self.opaque();
            let question = Command::request(request::GET_CONSUMER_STATUS_FROM_CLIENT, number, status.header.clone());
            step.out.send(asked, question);
            let deadline = step.mono + STATUS_TIMEOUT;
            self.relays.push(Relayed { conn, opaque, asked, number, deadline, what: What::Status(status) });
            return self.arm_relays(step);
        }
        // Upstream's answer keeps the remark with which it was made.
        let answer = Command::response(response::SUCCESS, opaque, Header::None)
            .with_remark("not set any response code")
            .with_body(consumer_status(&status.known));
        self.answer(conn, false, answer, step);
    }

    /// Whether a response is a member's to such a question; it is handed on.
    pub(in crate::mq::broker) fn relay_answered(
        &mut self,
        conn: ConnId,
        command: &Command,
        step: &mut Step<'_>,
    ) -> bool {
        let is_his = |relayed: &Relayed| relayed.asked == conn && relayed.number == command.opaque;
        let Some(at) = self.relays.iter().position(is_his) else { return false };
        let relayed = self.relays.remove(at);
        match relayed.what {
            What::Whole { .. } => {
                let answer = Box::new(Command { opaque: relayed.opaque, ..command.clone() });
                self.answer(relayed.conn, false, answer, step);
            }
            What::Status(mut status) => {
                let told = command.body.as_deref().filter(|_| command.code == response::SUCCESS);
                if let Some(offsets) = told.and_then(member_status) {
                    status.known.push((status.client.clone(), offsets));
                }
                self.ask_next(relayed.conn, relayed.opaque, status, step);
            }
        }
        self.arm_relays(step);
        true
    }

    /// Gives up on members that did not answer in time.
    pub(in crate::mq::broker) fn relays_due(&mut self, step: &mut Step<'_>) {
        let now = step.mono;
        while let Some(at) = self.relays.iter().position(|relayed| relayed.deadline <= now) {
            let relayed = self.relays.remove(at);
            match relayed.what {
                What::Whole { group, client } => {
                    let peer = self.channels.peer(relayed.asked).unwrap_or_default();
                    let remark = format!("consumer <{group}> <{client}> Timeout: {TIMED_OUT} <{peer}> {TIMED_OUT_AT}");
                    let answer = Command::response(response::CONSUME_MSG_TIMEOUT, relayed.opaque, Header::None);
                    self.answer(relayed.conn, false, answer.with_remark(remark), step);
                }
                What::Status(status) => self.ask_next(relayed.conn, relayed.opaque, status, step),
            }
        }
        self.arm_relays(step);
    }

    fn arm_relays(&mut self, step: &mut Step<'_>) {
        match self.relays.iter().map(|relayed| relayed.deadline).min() {
            Some(deadline) => step.out.arm(DEADLINE, deadline),
            None => step.out.disarm(DEADLINE),
        }
    }
}

const DEADLINE: TimerKey = TimerKey::of(Timer::RequestDeadline);
/// Source: `Broker2Client.callClient`.
const CALL_TIMEOUT: Span = Span::from_secs(10);
/// Source: `Broker2Client.getConsumeStatus`.
const STATUS_TIMEOUT: Span = Span::from_secs(5);
/// Source: `RemotingTimeoutException`, `RemotingHelper.exceptionSimpleDesc`.
const TIMED_OUT: &str = "org.apache.rocketmq.remoting.exception.RemotingTimeoutException: wait response on the channel";
/// Source: `NettyRemotingAbstract.invokeSyncImpl`.
const TIMED_OUT_AT: &str = "timeout, 10000(ms), org.apache.rocketmq.remoting.netty.NettyRemotingAbstract.invokeSyncImpl(NettyRemotingAbstract.java:390)";
