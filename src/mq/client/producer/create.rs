//! Creating a topic through a producer. Source: `DefaultMQProducerImpl.createTopic`, `MQAdminImpl.createTopic`.

use std::collections::VecDeque;

use crate::mq::app::{OpId, Return};
use crate::mq::client::exception::Exception;
use crate::mq::client::instance::route_of;
use crate::mq::client::producer::Op;
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::route::MASTER_ID;
use crate::mq::client::validators::check_topic;
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::Topic;
use crate::mq::node::{Addr, Step};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::{CreateTopicHeader, Header};

/// What an application wants created.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The operation.
    pub(crate) op: OpId,
    /// The topic whose route names the brokers.
    pub(crate) key: Topic,
    /// The new topic.
    pub(crate) topic: Topic,
    /// Read and write queues on each broker.
    pub(crate) queues: i32,
}

/// One call of `createTopic`.
#[derive(Clone, Debug)]
pub(crate) struct Create {
    wanted: Wanted,
    /// Masters still to be asked; `None` until the route has come.
    masters: Option<VecDeque<Addr>>,
    /// How often the front one has been asked.
    tries: u32,
    created: bool,
    failed: bool,
}

impl Client {
    /// An application creates a topic.
    pub(crate) fn create_topic(&mut self, wanted: Wanted, group: &str, step: &mut Step<'_>) {
        let checked = self.running_producer(group).and_then(|_| check_topic(&wanted.topic));
        if let Err(exception) = checked {
            let error = exception.into_error(0, true);
            return step.out.app(Return::Failed { op: wanted.op, error });
        }
        let header = Header::Route(wanted.key.clone());
        let create = Box::new(Create { wanted, masters: None, tries: 0, created: false, failed: false });
        let id = self.ops.add(Op::Create(create));
        let command = self.remoting.command(request::GET_ROUTEINTO_BY_TOPIC, header);
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        match self.remoting.has_nameservers() {
            true => self.remoting.invoke(Target::Nameserver, request, step, &mut self.ready),
            false => self.wake(Fiber::Op(id), Woken::Answered(Err(Exception::Connect(None)))),
        }
    }

    /// A creation goes on with an answer.
    pub(super) fn create_on(&mut self, id: u64, mut create: Box<Create>, woken: Woken, step: &mut Step<'_>) {
        let Woken::Answered(answer) = woken else { return };
        match &mut create.masters {
            None => {
                let route = answer.as_ref().ok().and_then(|command| route_of(command));
                let Some(mut route) = route.filter(|route| !route.broker_datas.is_empty()) else {
                    return create.fails(step);
                };
                route.broker_datas.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
                let masters = route.broker_datas.iter().filter_map(|data| data.broker_addrs.get(&MASTER_ID));
                create.masters = Some(masters.filter_map(|text| Addr::parse(text)).collect());
            }
            Some(masters) => {
                let ok = answer.is_ok_and(|command| command.code == response::SUCCESS);
                create.tries += 1;
                create.created |= ok;
                create.failed |= !ok && create.tries == TRIES_MAX;
                if ok || create.tries == TRIES_MAX {
                    create.tries = 0;
                    masters.pop_front();
                }
            }
        }
        match create.masters.as_ref().and_then(|masters| masters.front().copied()) {
            Some(addr) => self.ask_to_create(id, create, addr, step),
            None if create.failed && !create.created => create.fails(step),
            None => step.out.app(Return::Done { op: create.wanted.op }),
        }
    }

    fn ask_to_create(&mut self, id: u64, create: Box<Create>, addr: Addr, step: &mut Step<'_>) {
        let header = CreateTopicHeader {
            topic: create.wanted.topic.clone(),
            default_topic: create.wanted.key.clone(),
            read_queue_nums: create.wanted.queues,
            write_queue_nums: create.wanted.queues,
            perm: PERM_READ_WRITE,
            topic_filter_type: "SINGLE_TAG".into(),
            topic_sys_flag: Some(0),
            order: false,
        };
        let command = self.remoting.command(request::UPDATE_AND_CREATE_TOPIC, Header::CreateTopic(Box::new(header)));
        self.ops.waiting.insert(id, Op::Create(create));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }
}

impl Create {
    /// Every way to fail is wrapped in the same exception; the cause is not part of its text.
    fn fails(&self, step: &mut Step<'_>) {
        let exception = Exception::client("create new topic failed");
        step.out.app(Return::Failed { op: self.wanted.op, error: exception.into_error(0, true) });
    }
}

const TIMEOUT_MS: i64 = 6000;
const TRIES_MAX: u32 = 5;
const PERM_READ_WRITE: i32 = 6;
