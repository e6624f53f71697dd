//! An operator's calls: one question after the other, each answer saying what is to be asked next.
//!
//! A command that takes several steps is not one action: what the steps before a failed one have done stays done. Questions
//! about a key alone go to all brokers at once, and what a broker does not answer is left out.
//!
//! Source: `DefaultMQAdminExtImpl`, `MQAdminImpl`, `MQClientAPIImpl`, and the commands of `tools`.

use std::collections::VecDeque;

use crate::mq::app::{
    AdminAnswer, AdminCall, AppError, ErrorKind, OpId, OrderConfAct, ResetTo, ResetWay, Return, Rollback, TopicAt,
};
use crate::mq::client::exception::Exception;
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Request, Target, vip};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::{Name, PhysicalOffset, Topic};
use crate::mq::node::{Addr, Step};
use crate::mq::time::Millis;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;

mod ask;
mod groups;
mod order;
mod query;
mod reset;
mod topics;

/// A call under way.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    op: OpId,
    what: AdminCall,
    /// When it was made.
    at: Millis,
    /// What is to be asked, in turn.
    asks: VecDeque<Ask>,
    /// What was asked last.
    asked: Ask,
    /// How many answers are awaited.
    open: usize,
    /// Whether a group is moved in the brokers' tables.
    in_table: bool,
    told: AdminAnswer,
}

/// One question.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ask {
    /// The route of the call's topic.
    Route,
    /// Who belongs to which cluster.
    Cluster,
    /// Tell the members of the group.
    Reset(Addr),
    /// How far the group has got at a broker, which has so many queues to read.
    Stats { addr: Addr, broker: Name, queues: i32 },
    /// The ends of the topic's queues, for a group that has no place in them.
    Ends { addr: Addr, broker: Name, queues: i32 },
    /// The place of the moment in a queue.
    Place { addr: Addr, row: Rollback },
    /// Write the group's new place down.
    Commit { addr: Addr, row: Rollback },
    /// Who belongs to which cluster, for the brokers' names.
    Names,
    /// Who belongs to which cluster, for those who are to delete this topic.
    Holders(Topic),
    /// Make or change the topic.
    Update(Addr),
    /// Delete a topic at a broker.
    Delete(Addr, Topic),
    /// Delete a topic at a nameserver.
    Forget(Addr, Topic),
    /// Make or change the group.
    UpdateGroup(Addr),
    /// Delete the group.
    DeleteGroup(Addr),
    /// The order configuration of the topic is this.
    PutOrder(Addr, Name),
    /// What is the order configuration of the topic?
    GetOrder,
    /// The same, for this broker's part to be joined to it.
    JoinOrder(Name),
    /// The topic has no order configuration.
    DeleteOrder(Addr),
    /// No writing to the broker any more, says a nameserver.
    Wipe(Addr),
    /// The record at a place.
    View(Addr, PhysicalOffset),
    /// Records with a key, from all brokers at once.
    Query(Addr),
}

/// Why a call ends without what was asked for.
type Thrown = Box<AppError>;

impl Client {
    /// An operator calls.
    pub(super) fn administer(&mut self, op: OpId, what: AdminCall, step: &mut Step<'_>) {
        let asks = match &what {
            AdminCall::ResetOffset { .. } | AdminCall::QueryByKey { .. } => Ok(VecDeque::from([Ask::Route])),
            AdminCall::UpdateTopic { at: TopicAt::Broker(host), order, .. } => {
                let addr = Addr { ip: host.ip, port: host.port as u16 };
                Ok([Ask::Update(addr)].into_iter().chain(order.then_some(Ask::Names)).collect())
            }
            AdminCall::UpdateTopic { .. } | AdminCall::UpdateGroup { .. } | AdminCall::DeleteGroup { .. } => {
                Ok(VecDeque::from([Ask::Cluster]))
            }
            AdminCall::DeleteTopic { topic, .. } => Ok(VecDeque::from([Ask::Holders(topic.clone())])),
            AdminCall::OrderConf { act, .. } => Ok(order::asks(act, self.remoting.nameservers())),
            AdminCall::WipeWritePerm { .. } => Ok(self.remoting.nameservers().map(Ask::Wipe).collect()),
            AdminCall::ViewMessage { id } => query::view(id).map(|view| VecDeque::from([view])),
            AdminCall::QueryByUniqueKey { id, .. } => {
                query::view(id).or(Ok(Ask::Route)).map(|ask| VecDeque::from([ask]))
            }
        };
        let asks = match asks {
            Ok(asks) => asks,
            Err(exception) => {
                return step.out.app(Return::Failed { op, error: exception.into_error(0, true) });
            }
        };
        let in_table = matches!(what, AdminCall::ResetOffset { way: ResetWay::Table, .. });
        let told = told_at_first(&what, in_table);
        let admin = Admin { op, what, at: step.wall, asks, asked: Ask::Cluster, open: 0, in_table, told };
        let id = self.ops.add(Op::Admin(Box::new(admin)));
        if let Some(Op::Admin(admin)) = self.ops.waiting.remove(id) {
            self.ask_next(id, admin, step);
        }
    }

    /// The call goes on with an answer; the first refusal ends it, whatever the questions before have done.
    pub(super) fn admin_on(&mut self, id: u64, mut admin: Box<Admin>, woken: Woken, step: &mut Step<'_>) {
        let Woken::Answered(answer) = woken else { return };
        admin.open -= 1;
        let namesrv: Vec<Addr> = self.remoting.nameservers().collect();
        if let Err(error) = admin.take(answer, &namesrv) {
            return step.out.app(Return::Failed { op: admin.op, error: *error });
        }
        self.ask_next(id, admin, step);
    }

    /// Asks what is to be asked next, or ends the call.
    fn ask_next(&mut self, id: u64, mut admin: Box<Admin>, step: &mut Step<'_>) {
        if 0 < admin.open {
            self.ops.waiting.insert(id, Op::Admin(admin));
            return;
        }
        let mut questions = Vec::new();
        while let Some(ask) = admin.asks.pop_front() {
            questions.push(admin.question(&ask));
            admin.asked = ask;
            if !matches!(admin.asked, Ask::Query(_)) {
                break;
            }
        }
        if questions.is_empty() {
            return step.out.app(admin.end());
        }
        admin.open = questions.len();
        self.ops.waiting.insert(id, Op::Admin(admin));
        for question in questions {
            let command = self.remoting.command(question.code, question.header);
            let waiter = Waiter::Fiber(Fiber::Op(id));
            let command = match question.body {
                Some(body) => command.with_body(body),
                None => command,
            };
            let request = Request { command, timeout: question.timeout, mode: question.mode, waiter };
            let target = match question.to {
                ask::To::AnyNameserver => Target::Nameserver,
                ask::To::Nameserver(addr) => Target::At(addr),
                ask::To::Broker(addr) => Target::At(vip(self.config.vip_channel_enabled, addr)),
            };
            if target == Target::Nameserver && !self.remoting.has_nameservers() {
                self.wake(Fiber::Op(id), Woken::Answered(Err(Exception::Connect(None))));
            } else {
                self.remoting.invoke(target, request, step, &mut self.ready);
            }
        }
    }
}

impl Admin {
    /// Takes an answer in: what it tells, and what is to be asked because of it.
    fn take(&mut self, answer: Result<Box<Command>, Exception>, nameservers: &[Addr]) -> Result<(), Thrown> {
        let asked = self.asked.clone();
        if self.passes_over(&asked, &answer) {
            return Ok(());
        }
        match asked {
            Ask::Query(_) => self.found(answer),
            Ask::View(..) => return self.viewed(answer),
            Ask::Wipe(addr) => self.wiped(addr, answer),
            Ask::Route => return self.routed(answer),
            Ask::JoinOrder(own) => self.joined(&own, answer, nameservers),
            _ => {
                let command = answer.map_err(thrown)?;
                if command.code != response::SUCCESS {
                    return self.refused(&asked, &command);
                }
                match asked {
                    Ask::Cluster => self.clustered(&command),
                    Ask::Names => self.named(&command, nameservers)?,
                    Ask::Holders(topic) => self.held_by(&command, &topic, nameservers),
                    Ask::Reset(_) => self.reset(&command),
                    Ask::Stats { addr, broker, queues } => self.stands(&command, addr, broker, queues),
                    Ask::Ends { addr, broker, queues } => self.ends(&command, addr, &broker, queues)?,
                    Ask::Place { addr, row } => self.placed(&command, addr, row),
                    Ask::Commit { row, .. } => self.committed(row),
                    Ask::Forget(addr, topic) => self.forgotten(addr, topic),
                    Ask::Update(addr)
                    | Ask::Delete(addr, _)
                    | Ask::UpdateGroup(addr)
                    | Ask::DeleteGroup(addr)
                    | Ask::DeleteOrder(addr) => self.done_by(addr),
                    Ask::PutOrder(addr, conf) => self.ordered(addr, conf),
                    Ask::GetOrder => self.order_is(&command),
                    Ask::Query(_) | Ask::View(..) | Ask::Wipe(_) | Ask::Route | Ask::JoinOrder(_) => {}
                }
            }
        }
        Ok(())
    }

    /// A refusal ends the call; only a group without members is then moved in the tables, if that was asked for.
    ///
    /// Source: `ResetOffsetByTimeCommand`.
    fn refused(&mut self, asked: &Ask, command: &Command) -> Result<(), Thrown> {
        let is_either = matches!(self.what, AdminCall::ResetOffset { way: ResetWay::Either, .. });
        if matches!(asked, Ask::Reset(_)) && is_either && command.code == response::CONSUMER_NOT_ONLINE {
            (self.in_table, self.told) = (true, AdminAnswer::Rollback(Vec::new()));
            self.asks = VecDeque::from([Ask::Route]);
            return Ok(());
        }
        let is_brokers = matches!(
            asked,
            Ask::Cluster
                | Ask::Names
                | Ask::Holders(_)
                | Ask::Stats { .. }
                | Ask::Ends { .. }
                | Ask::Place { .. }
                | Ask::Commit { .. }
        );
        Err(thrown(match is_brokers {
            true => Exception::Broker { code: command.code, remark: command.remark.clone() },
            false => Exception::Client { code: command.code, text: command.remark.clone().unwrap_or_default() },
        }))
    }

    /// The route of the call's topic has come, or has not.
    fn routed(&mut self, answer: Result<Box<Command>, Exception>) -> Result<(), Thrown> {
        match &self.what {
            AdminCall::QueryByKey { topic, .. } | AdminCall::QueryByUniqueKey { topic, .. } => {
                let topic = topic.clone();
                self.query_brokers(answer, &topic)
            }
            _ => self.reset_brokers(answer),
        }
    }

    fn done_by(&mut self, addr: Addr) {
        match &mut self.told {
            AdminAnswer::DoneBy(by) | AdminAnswer::Ordered { by, .. } => by.push(addr.to_string().into()),
            AdminAnswer::GroupGone { by, .. } if matches!(self.asked, Ask::DeleteGroup(_)) => {
                by.push(addr.to_string().into());
            }
            _ => {}
        }
    }

    /// What the operator is given in the end.
    fn end(self) -> Return {
        let op = self.op;
        match &self.told {
            AdminAnswer::Messages(found) if found.is_empty() => {
                let text = "query message by key finished, but no message.".into();
                let error = Exception::Client { code: response::NO_MESSAGE, text }.into_error(0, true);
                Return::Failed { op, error }
            }
            _ => Return::Administered { op, what: self.told },
        }
    }
}

fn told_at_first(what: &AdminCall, in_table: bool) -> AdminAnswer {
    match what {
        AdminCall::ResetOffset { .. } if in_table => AdminAnswer::Rollback(Vec::new()),
        AdminCall::ResetOffset { .. } => AdminAnswer::Offsets(Vec::new()),
        AdminCall::UpdateTopic { order: true, .. } => AdminAnswer::Ordered { by: Vec::new(), conf: Name::default() },
        AdminCall::DeleteGroup { .. } => AdminAnswer::GroupGone { by: Vec::new(), topics: Vec::new() },
        AdminCall::OrderConf { act: OrderConfAct::Get, .. } => AdminAnswer::Value(Name::default()),
        AdminCall::UpdateTopic { .. }
        | AdminCall::DeleteTopic { .. }
        | AdminCall::UpdateGroup { .. }
        | AdminCall::OrderConf { .. } => AdminAnswer::DoneBy(Vec::new()),
        AdminCall::WipeWritePerm { .. } => AdminAnswer::Wiped(Vec::new()),
        AdminCall::ViewMessage { .. } | AdminCall::QueryByKey { .. } | AdminCall::QueryByUniqueKey { .. } => {
            AdminAnswer::Messages(Vec::new())
        }
    }
}

fn thrown(exception: Exception) -> Thrown {
    Box::new(exception.into_error(0, true))
}

/// An exception of Java's own, whose message is null.
fn runtime() -> Thrown {
    let (kind, text, code) = (ErrorKind::Runtime, Name::from("null"), -1);
    Box::new(AppError { kind, text, code, attempts: 0, provably_not_stored: true })
}

impl ResetTo {
    /// The moment as brokers are told it, at the time of the call.
    fn moment(self, now: Millis) -> i64 {
        match self {
            ResetTo::Now => now.0,
            ResetTo::At(moment) => moment,
        }
    }
}
