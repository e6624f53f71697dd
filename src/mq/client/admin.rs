//! An operator's calls: the route names the brokers, and each is asked in turn.
//!
//! Source: `DefaultMQAdminExtImpl`, `MQClientAPIImpl`.

use std::collections::VecDeque;

use crate::mq::app::{AdminAnswer, AdminCall, OpId, Return};
use crate::mq::client::exception::Exception;
use crate::mq::client::instance::route_of;
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::route::MASTER_ID;
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::MessageQueue;
use crate::mq::node::{Addr, Step};
use crate::mq::wire::body::{JsonBody, QueueOffsets, RouteData};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, ResetOffsetHeader};

/// A call under way.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    op: OpId,
    what: AdminCall,
    /// Brokers still to be asked; `None` until the route has come.
    brokers: Option<VecDeque<Addr>>,
    offsets: Vec<(MessageQueue, i64)>,
}

impl Client {
    /// An operator calls. Source: `DefaultMQAdminExtImpl.resetOffsetByTimestamp`, `examineTopicRouteInfo`.
    pub(super) fn administer(&mut self, op: OpId, what: AdminCall, step: &mut Step<'_>) {
        let AdminCall::ResetOffset { topic, .. } = &what;
        let command = self.remoting.command(request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic.clone()));
        let id = self.ops.add(Op::Admin(Box::new(Admin { op, what, brokers: None, offsets: Vec::new() })));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        match self.remoting.has_nameservers() {
            true => self.remoting.invoke(Target::Nameserver, request, step, &mut self.ready),
            false => self.wake(Fiber::Op(id), Woken::Answered(Err(Exception::Connect(None)))),
        }
    }

    /// The call goes on with an answer; the first refusal ends it, whatever the brokers before have done.
    pub(super) fn admin_on(&mut self, id: u64, mut admin: Box<Admin>, woken: Woken, step: &mut Step<'_>) {
        let Woken::Answered(answer) = woken else { return };
        if let Err(exception) = admin.take(answer) {
            return step.out.app(Return::Failed { op: admin.op, error: exception.into_error(0, true) });
        }
        match admin.brokers.as_mut().and_then(VecDeque::pop_front) {
            Some(addr) => self.ask_to_reset(id, admin, addr, step),
            None => {
                let Admin { op, offsets, .. } = *admin;
                step.out.app(Return::Administered { op, what: AdminAnswer::Offsets(offsets) });
            }
        }
    }

    /// Source: `MQClientAPIImpl.invokeBrokerToResetOffset`.
    fn ask_to_reset(&mut self, id: u64, admin: Box<Admin>, addr: Addr, step: &mut Step<'_>) {
        let AdminCall::ResetOffset { group, topic, timestamp, force } = admin.what.clone();
        let header = Box::new(ResetOffsetHeader { topic, group, timestamp, is_force: force });
        let command = self.remoting.command(request::INVOKE_BROKER_TO_RESET_OFFSET, Header::ResetOffset(header));
        self.ops.waiting.insert(id, Op::Admin(admin));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }
}

impl Admin {
    /// Takes an answer in: the route first, then a broker's.
    fn take(&mut self, answer: Result<Box<Command>, Exception>) -> Result<(), Exception> {
        let command = answer?;
        if command.code != response::SUCCESS {
            return Err(Exception::Client { code: command.code, text: command.remark.clone().unwrap_or_default() });
        }
        match &self.brokers {
            None => self.brokers = Some(route_of(&command).map(|route| masters(&route)).unwrap_or_default()),
            Some(_) => {
                let told = command.body.as_deref().and_then(|body| QueueOffsets::decode(body).ok());
                self.offsets.extend(told.unwrap_or_default().0);
            }
        }
        Ok(())
    }
}

/// The master of each broker, or another address of one without. Source: `BrokerData.selectBrokerAddr`.
///
/// Differs: the lowest id where upstream draws one.
fn masters(route: &RouteData) -> VecDeque<Addr> {
    let mut brokers: Vec<_> = route.broker_datas.iter().collect();
    brokers.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
    let addrs = brokers
        .into_iter()
        .filter_map(|data| data.broker_addrs.get(&MASTER_ID).or_else(|| data.broker_addrs.values().next()));
    addrs.filter_map(|text| Addr::parse(text)).collect()
}

/// Source: `DefaultMQAdminExt.timeoutMillis`.
const TIMEOUT_MS: i64 = 5000;
