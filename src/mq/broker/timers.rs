//! A broker's periodic work, armed only while there is some.
//!
//! Each upstream task has its grid, counted from the start; a timer is set for the first tick at which the task would have
//! found something to do.

use crate::mq::broker::Broker;
use crate::mq::broker::members::EXPIRED_MS;
use crate::mq::broker::topic::{PERM_READ, PERM_WRITE};
use crate::mq::message::Name;
use crate::mq::message::record::body_crc;
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, ConnId, Step, Timer, TimerKey};
use crate::mq::store::Service;
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{JsonBody, RegisterBrokerBody, TopicConfigTable};
use crate::mq::wire::code::request;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, RegisterBrokerHeader, UnregisterBrokerHeader};

impl Broker {
    /// Arms, moves or disarms the timers of the store's services.
    pub(super) fn arm_services(&mut self, step: &mut Step<'_>) {
        for (service, due) in self.store.deadlines(Self::clock(step)) {
            let armed = self.armed[service as usize];
            // A loop's tick that is set is not put off: it finds what has come in between.
            let keeps =
                !matches!(service, Service::FlushCommitLog | Service::Commit) && armed.is_some() && armed <= due;
            if due == armed || (due.is_some() && keeps) {
                continue;
            }
            let timer = TimerKey::of(match service {
                Service::Reput => Timer::Reput,
                Service::GroupCommit => Timer::GroupCommit,
                Service::FlushCommitLog => Timer::FlushCommitLog,
                Service::FlushConsumeQueue => Timer::FlushConsumeQueue,
                Service::PutDeadline => Timer::PutDeadline,
                Service::Commit => Timer::CommitLog,
                Service::Schedule => Timer::Schedule,
                Service::DelayOffsets => Timer::DelayOffsets,
                Service::Clean => Timer::CleanFiles,
            });
            self.armed[service as usize] = due;
            match due {
                Some(at) => step.out.arm(timer, at),
                None => step.out.disarm(timer),
            }
        }
        self.arm_checks(step);
    }

    /// Arms the write of the consumers' offsets if there are new ones.
    pub(super) fn arm_offsets(&mut self, step: &mut Step<'_>) {
        if self.offsets.is_dirty && !self.offsets_armed && !self.stopping {
            self.offsets_armed = true;
            step.out.arm(
                TimerKey::of(Timer::OffsetPersist),
                self.tick(step.mono, OFFSETS_DELAY, self.config.flush_consumer_offset_interval.max(TICK_MIN)),
            );
        }
    }

    /// The first tick of a grid after `now`.
    pub(super) fn tick(&self, now: Time, delay: Span, period: Span) -> Time {
        let first = self.started + delay;
        if now < first {
            return first;
        }
        first + Span((now.since(first).0 / period.0 + 1) * period.0)
    }

    pub(super) fn fired_of_broker(&mut self, timer: Timer, step: &mut Step<'_>) {
        match timer {
            Timer::Registration => {
                self.register_all(step, false);
                let period = self.config.register_name_server_period.clamp(REGISTRATION_MIN, REGISTRATION_MAX);
                step.out.arm(TimerKey::of(Timer::Registration), step.mono + period);
            }
            Timer::OffsetPersist => {
                self.offsets_armed = false;
                if self.offsets.is_dirty && !self.config.profile.plants(Mistake::OffsetsNeverPersisted) {
                    self.persist_offsets(step);
                }
            }
            Timer::FilterPersist => self.filters_due(step),
            Timer::HoldSweep => self.sweep_holds(step),
            Timer::FastFailure => self.sweep_sends(step),
            Timer::JobDone => self.jobs_done(step),
            Timer::DeskDone => self.desks_done(step),
            Timer::RequestDeadline => self.relays_due(step),
            Timer::TransactionCheck => self.checks_due(step),
            Timer::ClientExpiry => self.sweep_clients(step),
            Timer::ChannelIdle => {
                for conn in self.channels.close_idle(step.mono, step.out) {
                    self.closed(conn, "closed", step);
                }
            }
            _ => {}
        }
    }

    /// Arms the sweep of held pulls: a loop of 5 s, or of the short polling time.
    pub(super) fn arm_holds(&mut self, step: &mut Step<'_>) {
        if !self.holds_armed && !self.holds.is_empty() {
            self.holds_armed = true;
            let period = match self.config.long_polling_enable {
                true => HOLD_SWEEP,
                false => Span::from_millis(self.config.short_polling_time_ms.max(1) as u64),
            };
            step.out.arm(TimerKey::of(Timer::HoldSweep), self.tick(step.mono, period, period));
        }
    }

    fn sweep_holds(&mut self, step: &mut Step<'_>) {
        self.holds_armed = false;
        for (topic, queue_id) in self.holds.queues() {
            let newest = self.store.max_queue_offset(&topic, queue_id).0;
            self.notify_arrival(&topic, queue_id, newest, None, step);
        }
        self.arm_holds(step);
    }

    /// Arms the sweep of the send queue for the tick at which its oldest job has waited too long, or the page cache is busy.
    pub(super) fn arm_fast_failure(&mut self, step: &mut Step<'_>) {
        let Some(oldest) = self.sends.oldest() else { return };
        if !self.fast_failure_armed {
            self.fast_failure_armed = true;
            let over = oldest.since + self.config.wait_time_in_send_queue;
            let busy = self.store.os_page_cache_busy_from(Self::clock(step));
            let over = busy.map_or(over, |busy| over.min(busy));
            let before = Time(over.0.saturating_sub(1)).max(step.mono);
            step.out.arm(TimerKey::of(Timer::FastFailure), self.tick(before, FAST_FAILURE_DELAY, FAST_FAILURE_PERIOD));
        }
    }

    /// Arms the scan for clients that have been silent for two minutes.
    pub(super) fn arm_clients(&mut self, step: &mut Step<'_>) {
        let Some(oldest) = self.members.oldest() else { return };
        let wait = oldest.plus(EXPIRED_MS).since(step.wall).max(0) as u64;
        let at = self.tick(step.mono + Span::from_millis(wait), CLIENTS_PERIOD, CLIENTS_PERIOD);
        if self.clients_armed != Some(at) {
            self.clients_armed = Some(at);
            step.out.arm(TimerKey::of(Timer::ClientExpiry), at);
        }
    }

    /// Source: `ClientHousekeepingService.scanExceptionChannel`. Expiry does not notify the other members.
    fn sweep_clients(&mut self, step: &mut Step<'_>) {
        self.clients_armed = None;
        let stays = self.config.profile.plants(Mistake::ClosedMemberStays);
        for conn in self.members.expired(step.wall).into_iter().filter(|_| !stays) {
            step.out.close(conn);
            self.closed(conn, "expired", step);
        }
        self.arm_clients(step);
    }

    pub(super) fn wall_stepped(&mut self, step: &mut Step<'_>) {
        self.store.wall_stepped(Self::clock(step));
        self.arm_clients(step);
        self.arm_filters(step);
        self.replica_wall_stepped(step);
    }

    /// Tells every nameserver all topics. Source: `BrokerController.registerBrokerAll`, `doRegisterBrokerAll`.
    pub(super) fn register_all(&mut self, step: &mut Step<'_>, oneway: bool) {
        if self.stopping {
            return;
        }
        self.register(self.topics.table().clone(), oneway, step);
    }

    /// Tells every nameserver one topic. Source: `BrokerController.registerIncrementBrokerData`.
    pub(super) fn register_one(&mut self, topic: &str, step: &mut Step<'_>) {
        if self.stopping {
            return;
        }
        let mut topics = self.topics.table().clone();
        topics.topic_config_table.retain(|name, _| *name == *topic);
        self.register(topics, false, step);
    }

    fn register(&mut self, mut topics: TopicConfigTable, oneway: bool, step: &mut Step<'_>) {
        if self.config.broker_permission & READ_WRITE != READ_WRITE {
            topics.topic_config_table.values_mut().for_each(|topic| topic.perm = self.config.broker_permission);
        }
        let body =
            RegisterBrokerBody { topic_config_serialize_wrapper: topics, filter_server_list: Vec::new() }.encode();
        let header = Header::RegisterBroker(Box::new(RegisterBrokerHeader {
            broker_name: self.config.broker_name.clone(),
            broker_addr: self.announced_text(),
            cluster_name: self.config.cluster.clone(),
            ha_server_addr: self.ha_server_text(),
            broker_id: self.config.broker_id,
            compressed: false,
            body_crc32: body_crc(&body),
        }));
        let opaque = self.opaque();
        let command = match oneway {
            true => Command::oneway(request::REGISTER_BROKER, opaque, header),
            false => {
                self.registration.begin_round(opaque);
                Command::request(request::REGISTER_BROKER, opaque, header)
            }
        };
        self.send_to_nameservers(&command.with_body(body), step);
    }

    pub(super) fn unregister_all(&mut self, step: &mut Step<'_>) {
        let header = Header::UnregisterBroker(Box::new(UnregisterBrokerHeader {
            broker_name: self.config.broker_name.clone(),
            broker_addr: self.announced_text(),
            cluster_name: self.config.cluster.clone(),
            broker_id: self.config.broker_id,
        }));
        let opaque = self.opaque();
        self.send_to_nameservers(&Command::request(request::UNREGISTER_BROKER, opaque, header), step);
    }

    fn send_to_nameservers(&mut self, command: &Command, step: &mut Step<'_>) {
        let next = &mut self.next_conn;
        let mut next_conn = || {
            let conn = ConnId(*next);
            *next += 2;
            conn
        };
        self.registration.send_all(command, &mut next_conn, step.out);
    }

    /// `brokerIP1:listenPort`.
    fn announced_text(&self) -> Name {
        let ip = self.announced.ip;
        Name::from(Addr { ip, port: self.config.addr.port }.to_string())
    }

    /// `brokerIP2:haListenPort`. Source: `BrokerController.getHAServerAddr`.
    fn ha_server_text(&self) -> Name {
        Name::from(Addr { ip: self.config.broker_ip2, port: self.config.addr.port.saturating_add(1) }.to_string())
    }
}

/// Source: `BrokerController.start`.
const REGISTRATION_MIN: Span = Span::from_secs(10);
/// Source: `BrokerController.start`.
const REGISTRATION_MAX: Span = Span::from_secs(60);
/// Source: `BrokerController.initialize`.
const OFFSETS_DELAY: Span = Span::from_secs(10);
const READ_WRITE: i32 = PERM_READ | PERM_WRITE;
/// What `scheduleAtFixedRate` takes at least.
const TICK_MIN: Span = Span::from_millis(1);
/// Source: `PullRequestHoldService.run`: `waitForRunning(5 * 1000)`.
const HOLD_SWEEP: Span = Span::from_secs(5);
/// Source: `BrokerFastFailure.start`: initial delay.
const FAST_FAILURE_DELAY: Span = Span::from_secs(1);
/// Source: `BrokerFastFailure.start`: period.
const FAST_FAILURE_PERIOD: Span = Span::from_millis(10);
/// Source: `ClientHousekeepingService.start`.
const CLIENTS_PERIOD: Span = Span::from_secs(10);
