//! The map: a nameserver knows which broker serves which topic, as it last heard.
//!
//! It keeps routes in memory alone, never talks to another nameserver, and never pushes: brokers register, clients ask. On its
//! disk are the values that operators put ([`kv_config`]).
//!
//! Source: `NamesrvController`, `DefaultRequestProcessor`.

use std::any::Any;

use crate::mq::channel::Channels;
use crate::mq::disk::DiskError;
use crate::mq::fact::Fact;
use crate::mq::fastjson::EXCEPTION;
use crate::mq::message::Name;
use crate::mq::namesrv::kv_config::{KvConfig, ORDER_TOPIC_CONFIG};
use crate::mq::namesrv::route_info::{Dropped, RouteInfo};
use crate::mq::node::{Addr, ConnId, Event, Frame, Node, Step, Timer, TimerKey, Work};
use crate::mq::pool::Desk;
use crate::mq::profile::Profile;
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{JsonBody, RegisterBrokerBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

mod inquiry;

pub mod kv_config;

pub mod route_info;

/// A nameserver's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamesrvConfig {
    /// Where it listens.
    pub addr: Addr,
    /// `orderMessageEnable`: routes carry what operators wrote down of a topic's order.
    pub order_message_enable: bool,
    /// Which mistake is planted, if any; it has no weakness with a switch.
    pub profile: Profile,
}

impl NamesrvConfig {
    /// A nameserver as the release has it.
    pub fn new(addr: Addr) -> NamesrvConfig {
        NamesrvConfig { addr, order_message_enable: false, profile: Profile::FAITHFUL }
    }
}

/// A nameserver process.
#[derive(Clone, Debug)]
pub struct Namesrv {
    started: Time,
    channels: Channels,
    routes: RouteInfo,
    kv_config: KvConfig,
    order_message_enable: bool,
    scan_armed: Option<Time>,
    /// Requests that keep their threads busy.
    desk: Desk<(ConnId, Box<Command>)>,
}

impl Namesrv {
    /// Boots with empty tables, and with the values on its disk; none where they cannot be read ([`kv_config::readable`]).
    pub fn boot(config: NamesrvConfig, step: &mut Step<'_>) -> Namesrv {
        step.out.say(Fact::Started {});
        Namesrv {
            started: step.mono,
            channels: Channels::default(),
            routes: RouteInfo::new(config.profile),
            kv_config: KvConfig::load(step.disk).unwrap_or_default(),
            order_message_enable: config.order_message_enable,
            scan_armed: None,
            desk: Desk::new(WORKER_THREADS),
        }
    }

    /// The ports it listens on.
    pub fn ports(config: &NamesrvConfig) -> [u16; 1] {
        [config.addr.port]
    }

    /// What it knows.
    pub fn routes(&self) -> &RouteInfo {
        &self.routes
    }

    /// Does a request, or has it wait for a thread and its time.
    fn received(&mut self, conn: ConnId, command: Box<Command>, step: &mut Step<'_>) {
        self.channels.touch(conn, step.mono);
        if command.is_response() {
            return;
        }
        let cost = step.cost(Work::Route);
        if cost.0 == 0 && self.desk.is_idle() {
            return self.do_request(conn, &command, step);
        }
        self.desk.take((conn, command), step.mono, cost);
        self.arm_desk(step);
    }

    /// Does what is done by now, for those who are still there.
    fn desk_done(&mut self, step: &mut Step<'_>) {
        while let Some((conn, command)) = self.desk.done(step.mono, step.cost(Work::Route)) {
            if self.channels.is_open(conn) {
                self.do_request(conn, &command, step);
            }
        }
        self.arm_desk(step);
    }

    fn arm_desk(&mut self, step: &mut Step<'_>) {
        if let Some(at) = self.desk.next() {
            step.out.arm(TimerKey::of(Timer::DeskDone), at);
        }
    }

    fn do_request(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) {
        let answer = match (command.code, &command.header) {
            (request::REGISTER_BROKER, Header::RegisterBroker(_)) => Some(self.register(conn, command, step)),
            (request::UNREGISTER_BROKER, Header::UnregisterBroker(header)) => {
                let dropped = self.routes.unregister(header);
                say_dropped(dropped, "unregistered", step);
                Some(Command::response(response::SUCCESS, command.opaque, Header::None))
            }
            (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic)) => Some(self.route(topic, command, step)),
            (request::DELETE_TOPIC_IN_NAMESRV, Header::DeleteTopic(topic)) => {
                let brokers = self.routes.delete_topic(topic) as i64;
                step.out.say(Fact::RouteForgotten { topic: topic.clone(), brokers });
                Some(Command::response(response::SUCCESS, command.opaque, Header::None))
            }
            (request::WIPE_WRITE_PERM_OF_BROKER, Header::WipeWritePerm(broker)) => {
                let count = self.routes.wipe_write_perm(broker);
                step.out.say(Fact::WriteWiped { broker: broker.clone(), topics: i64::from(count) });
                Some(Command::response(response::SUCCESS, command.opaque, Header::Wiped(count)))
            }
            (request::GET_BROKER_CLUSTER_INFO, _) => {
                let body = self.routes.clusters().encode();
                Some(Command::response(response::SUCCESS, command.opaque, Header::None).with_body(body))
            }
            (request::GET_ALL_TOPIC_LIST_FROM_NAMESERVER, _) => {
                let body = self.routes.topics().encode();
                Some(Command::response(response::SUCCESS, command.opaque, Header::None).with_body(body))
            }
            (
                request::PUT_KV_CONFIG
                | request::GET_KV_CONFIG
                | request::DELETE_KV_CONFIG
                | request::GET_KVLIST_BY_NAMESPACE,
                _,
            ) => self.kv(command, step),
            _ => self.inquire(command, step),
        };
        if let Some(answer) = answer.filter(|_| !command.is_oneway()) {
            step.out.send(conn, answer);
        }
        self.arm_scan(step);
    }

    /// Source: `DefaultRequestProcessor.registerBrokerWithFilterServer`.
    fn register(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let Header::RegisterBroker(header) = &command.header else { unreachable!("matched by the caller") };
        let bytes = command.body.as_deref().unwrap_or_default();
        if header.body_crc32 != 0 && crate::mq::message::record::body_crc(bytes) != header.body_crc32 {
            return Command::response(response::SYSTEM_ERROR, command.opaque, Header::empty())
                .with_remark("crc32 not match");
        }
        let body = match RegisterBrokerBody::decode(bytes) {
            Ok(body) => body,
            Err(error) => {
                return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None)
                    .with_remark(format!("{EXCEPTION}: {error}"));
            }
        };
        let registered = self.routes.register(header, body, conn, step.wall);
        step.out.say(Fact::BrokerRegistered {
            broker: header.broker_name.clone(),
            addr: header.broker_addr.clone(),
            broker_id: header.broker_id,
            first: i64::from(registered.first),
        });
        let answer =
            Command::response(response::SUCCESS, command.opaque, Header::Registered(Box::new(registered.header)));
        match self.kv_config.list(ORDER_TOPIC_CONFIG) {
            Some(orders) => answer.with_body(orders.encode()),
            None => answer,
        }
    }

    /// What operators put, ask for and delete.
    ///
    /// Source: `DefaultRequestProcessor.putKVConfig`, `getKVConfig`, `deleteKVConfig`, `getKVListByNamespace`.
    fn kv(&mut self, command: &Command, step: &mut Step<'_>) -> Option<Box<Command>> {
        let answer = |code: i32, header: Header| Command::response(code, command.opaque, header);
        Some(match (command.code, &command.header) {
            (request::PUT_KV_CONFIG, Header::PutKv(put)) => {
                let written = self.kv_config.put((&put.namespace, &put.key), &put.value, step.disk);
                let (namespace, key, value) = (put.namespace.clone(), put.key.clone(), put.value.clone());
                step.out.say(Fact::KvPut { namespace, key, value });
                say_written(written, step);
                answer(response::SUCCESS, Header::None)
            }
            (request::DELETE_KV_CONFIG, Header::KvKey(at)) => {
                let (known, written) = self.kv_config.delete((&at.namespace, &at.key), step.disk);
                let (namespace, key) = (at.namespace.clone(), at.key.clone());
                step.out.say(Fact::KvDeleted { namespace, key, known: i64::from(known) });
                say_written(written, step);
                answer(response::SUCCESS, Header::None)
            }
            (request::GET_KV_CONFIG, Header::KvKey(at)) => match self.kv_config.get(&at.namespace, &at.key) {
                Some(value) => answer(response::SUCCESS, Header::KvValue(Some(value.clone()))),
                None => answer(response::QUERY_NOT_FOUND, Header::KvValue(None))
                    .with_remark(format!("No config item, Namespace: {} Key: {}", at.namespace, at.key)),
            },
            (request::GET_KVLIST_BY_NAMESPACE, Header::KvNamespace(namespace)) => {
                match self.kv_config.list(namespace) {
                    Some(table) => answer(response::SUCCESS, Header::None).with_body(table.encode()),
                    None => answer(response::QUERY_NOT_FOUND, Header::None)
                        .with_remark(format!("No config item, Namespace: {namespace}")),
                }
            }
            _ => return None,
        })
    }

    /// Source: `DefaultRequestProcessor.getRouteInfoByTopic`.
    fn route(&mut self, topic: &Name, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let mut route = self.routes.pickup(topic);
        if let Some(route) = route.as_mut().filter(|_| self.order_message_enable) {
            route.order_topic_conf = self.kv_config.get(ORDER_TOPIC_CONFIG, topic).cloned();
        }
        let brokers = route.as_ref().map_or(0, |route| route.broker_datas.len() as i64);
        step.out.say(Fact::RouteAnswered { topic: topic.clone(), brokers });
        match route {
            Some(route) => Command::response(response::SUCCESS, command.opaque, Header::None).with_body(route.encode()),
            None => Command::response(response::TOPIC_NOT_EXIST, command.opaque, Header::None)
                .with_remark(format!("No topic route info in name server for the topic: {topic}{SUGGEST_TODO}")),
        }
    }

    fn closed(&mut self, conn: ConnId, step: &mut Step<'_>) {
        self.channels.close(conn);
        let dropped = self.routes.channel_gone(conn);
        say_dropped(dropped, "closed", step);
    }

    fn scan(&mut self, step: &mut Step<'_>) {
        self.scan_armed = None;
        for (conn, dropped) in self.routes.expire(step.wall) {
            if self.channels.is_open(conn) {
                self.channels.close(conn);
                step.out.close(conn);
            }
            say_dropped(Some(dropped), "expired", step);
        }
        self.arm_scan(step);
    }

    /// Arms the scan for the first tick at which something can have expired.
    fn arm_scan(&mut self, step: &mut Step<'_>) {
        let Some(oldest) = self.routes.oldest() else { return };
        let wait = oldest.plus(self.routes.expires_after_ms() + 1).since(step.wall).max(0) as u64;
        let at = self.tick_at(step.mono + Span::from_millis(wait));
        if self.scan_armed != Some(at) {
            self.scan_armed = Some(at);
            step.out.arm(TimerKey::of(Timer::BrokerExpiry), at);
        }
    }

    /// The first tick at or after `at`: 5 s after the start, then every 10 s.
    fn tick_at(&self, at: Time) -> Time {
        let first = self.started + SCAN_DELAY;
        let ticks = at.since(first).0.div_ceil(SCAN_PERIOD.0);
        first + Span(ticks * SCAN_PERIOD.0)
    }
}

impl Node for Namesrv {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Accepted { conn, port, peer } => self.channels.open(conn, port, peer, step.mono, step.out),
            Event::Received { conn, frame: Frame::Command(command) } => self.received(conn, command, step),
            Event::Closed { conn, .. } => self.closed(conn, step),
            Event::Fired { timer } if timer.name == Timer::BrokerExpiry => self.scan(step),
            Event::Fired { timer } if timer.name == Timer::DeskDone => self.desk_done(step),
            Event::Fired { timer } if timer.name == Timer::ChannelIdle => {
                for conn in self.channels.close_idle(step.mono, step.out) {
                    let dropped = self.routes.channel_gone(conn);
                    say_dropped(dropped, "closed", step);
                }
            }
            Event::WallStepped => self.arm_scan(step),
            Event::Stop => {
                step.out.say(Fact::Stopped {});
                step.out.exit();
            }
            _ => {}
        }
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn say_dropped(dropped: Option<Dropped>, why: &'static str, step: &mut Step<'_>) {
    if let Some(Dropped { broker, addr }) = dropped {
        step.out.say(Fact::BrokerDropped { broker, addr, why });
    }
}

/// What became of the file; a write that failed is not tried again.
fn say_written(written: Result<(), DiskError>, step: &mut Step<'_>) {
    let file = "kvConfig.json";
    step.out.say(match written {
        Ok(()) => Fact::ConfigPersisted { file },
        Err(error) => Fact::ConfigFailed { file, why: error.to_string().into() },
    });
}

/// Source: `NettyServerConfig.serverWorkerThreads`.
const WORKER_THREADS: usize = 8;
/// Source: `RouteInfoManager.BROKER_CHANNEL_EXPIRED_TIME`.
pub const BROKER_EXPIRED_MS: i64 = 120_000;
/// Source: `NamesrvController.initialize`.
const SCAN_DELAY: Span = Span::from_secs(5);
/// Source: `NamesrvController.initialize`.
const SCAN_PERIOD: Span = Span::from_secs(10);
/// Source: `FAQUrl.suggestTodo(APPLY_TOPIC_URL)`.
const SUGGEST_TODO: &str = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";
