//! The map: a nameserver knows which broker serves which topic, as it last heard.
//!
//! It keeps everything in memory, never talks to another nameserver, and never pushes: brokers register, clients ask.
//!
//! Source: `NamesrvController`, `DefaultRequestProcessor`.

use std::any::Any;

use crate::mq::channel::Channels;
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::namesrv::route_info::{Dropped, RouteInfo};
use crate::mq::node::{Addr, ConnId, Event, Frame, Node, Step, Timer, TimerKey};
use crate::mq::profile::Profile;
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{JsonBody, RegisterBrokerBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

pub mod route_info;

/// A nameserver's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamesrvConfig {
    /// Where it listens.
    pub addr: Addr,
    /// Which mistake is planted, if any; it has no weakness with a switch.
    pub profile: Profile,
}

impl NamesrvConfig {
    /// A nameserver as the release has it.
    pub fn new(addr: Addr) -> NamesrvConfig {
        NamesrvConfig { addr, profile: Profile::FAITHFUL }
    }
}

/// A nameserver process.
#[derive(Clone, Debug)]
pub struct Namesrv {
    started: Time,
    channels: Channels,
    routes: RouteInfo,
    scan_armed: Option<Time>,
}

impl Namesrv {
    /// Boots with empty tables.
    pub fn boot(config: NamesrvConfig, step: &mut Step<'_>) -> Namesrv {
        step.out.say(Fact::Started {});
        Namesrv {
            started: step.mono,
            channels: Channels::default(),
            routes: RouteInfo::new(config.profile),
            scan_armed: None,
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

    fn received(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) {
        self.channels.touch(conn, step.mono);
        if command.is_response() {
            return;
        }
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
            // Upstream's processor answers null to a code it does not know: the caller times out.
            _ => None,
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
            return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None)
                .with_remark("crc32 not match");
        }
        let body = match RegisterBrokerBody::decode(bytes) {
            Ok(body) => body,
            Err(error) => {
                return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None)
                    .with_remark(error.to_string());
            }
        };
        let registered = self.routes.register(header, body, conn, step.wall);
        step.out.say(Fact::BrokerRegistered {
            broker: header.broker_name.clone(),
            addr: header.broker_addr.clone(),
            broker_id: header.broker_id,
            first: i64::from(registered.first),
        });
        Command::response(response::SUCCESS, command.opaque, Header::Registered(Box::new(registered.header)))
    }

    /// Source: `DefaultRequestProcessor.getRouteInfoByTopic`.
    fn route(&mut self, topic: &Name, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let route = self.routes.pickup(topic);
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
            Event::Received { conn, frame: Frame::Command(command) } => self.received(conn, &command, step),
            Event::Closed { conn, .. } => self.closed(conn, step),
            Event::Fired { timer } if timer.name == Timer::BrokerExpiry => self.scan(step),
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

/// Source: `RouteInfoManager.BROKER_CHANNEL_EXPIRED_TIME`.
pub const BROKER_EXPIRED_MS: i64 = 120_000;
/// Source: `NamesrvController.initialize`.
const SCAN_DELAY: Span = Span::from_secs(5);
/// Source: `NamesrvController.initialize`.
const SCAN_PERIOD: Span = Span::from_secs(10);
/// Source: `FAQUrl.suggestTodo(APPLY_TOPIC_URL)`.
const SUGGEST_TODO: &str = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";
