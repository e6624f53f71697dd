//! What a slave takes over from its master beside the log: topics, offsets, delay offsets, subscription groups.
//!
//! Four requests one after the other, ten seconds after the start and every minute from then on, each given up after three
//! seconds and each without regard to what became of the one before. The delay offsets go into their file and nowhere else.
//! Filters are not taken over.
//!
//! Source: `SlaveSynchronize`, `BrokerOuterAPI`. Differs: a connect is given up by the driver.

use crate::mq::broker::{Broker, VIP_BELOW, group, offset, topic};
use crate::mq::fact::Fact;
use crate::mq::message::{Name, java};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, ConnId, Step, Timer, TimerKey};
use crate::mq::store::delay_offset;
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{JsonBody, TopicConfigTable};
use crate::mq::wire::code::request;
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// `SlaveSynchronize` as data.
#[derive(Clone, Debug, Default)]
pub(super) struct Synchronizing {
    /// `masterAddr`: what the last registration said, even if that was nothing.
    pub(super) master: Option<Addr>,
    asked: Option<Asked>,
    channels: Vec<Channel>,
}

/// A request that has not been answered.
#[derive(Clone, Debug)]
struct Asked {
    what: What,
    conn: ConnId,
    opaque: Opaque,
    deadline: Time,
    /// Waits for its connection.
    waiting: Option<Box<Command>>,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    addr: Addr,
    conn: ConnId,
    is_up: bool,
}

/// The four parts, in upstream's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Topics,
    Offsets,
    DelayOffsets,
    Groups,
}

impl What {
    fn next(self) -> Option<What> {
        match self {
            What::Topics => Some(What::Offsets),
            What::Offsets => Some(What::DelayOffsets),
            What::DelayOffsets => Some(What::Groups),
            What::Groups => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            What::Topics => "topics",
            What::Offsets => "offsets",
            What::DelayOffsets => "delay-offsets",
            What::Groups => "groups",
        }
    }

    fn code(self) -> i32 {
        match self {
            What::Topics => request::GET_ALL_TOPIC_CONFIG,
            What::Offsets => request::GET_ALL_CONSUMER_OFFSET,
            What::DelayOffsets => request::GET_ALL_DELAY_OFFSET,
            What::Groups => request::GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
        }
    }
}

impl Broker {
    /// Arms the first round. Source: `BrokerController.initialize`.
    pub(super) fn start_synchronizing(&self, step: &mut Step<'_>) {
        step.out.arm(ROUND, step.mono + SYNC_DELAY);
    }

    /// A round's time has come, or that of the request under way is over.
    pub(super) fn synchronize_due(&mut self, timer: TimerKey, step: &mut Step<'_>) {
        if timer == ROUND {
            step.out.arm(ROUND, step.mono + SYNC_PERIOD);
            if self.following().is_some_and(|one| one.synchronizing.asked.is_none()) {
                self.ask_master(Some(What::Topics), step);
            }
            return;
        }
        let Some(following) = self.following() else { return };
        if let Some(asked) = following.synchronizing.asked.take_if(|asked| asked.deadline <= step.mono) {
            self.ask_failed(&asked, "timeout, 3000(ms)".into(), step);
        }
    }

    /// Sends a request, over a connection that is made if it is not there; nothing while no master is known.
    fn ask_master(&mut self, what: Option<What>, step: &mut Step<'_>) {
        let (opaque, fresh) = (self.opaque(), self.new_conn());
        let Some(following) = self.following() else { return };
        let sync = &mut following.synchronizing;
        let (Some(what), Some(master)) = (what, sync.master) else { return };
        let addr = match what {
            What::Topics => master.with_port(master.port.saturating_sub(VIP_BELOW)),
            _ => master,
        };
        let command = Command::request(what.code(), opaque, Header::None);
        let deadline = step.mono + SYNC_TIMEOUT;
        let channel = sync.channels.iter().find(|channel| channel.addr == addr).copied();
        let waiting = match channel {
            Some(channel) if channel.is_up => {
                step.out.send(channel.conn, command);
                None
            }
            Some(_) => Some(command),
            None => {
                step.out.connect(fresh, addr);
                sync.channels.push(Channel { addr, conn: fresh, is_up: false });
                Some(command)
            }
        };
        let conn = channel.map_or(fresh, |channel| channel.conn);
        sync.asked = Some(Asked { what, conn, opaque, deadline, waiting });
        step.out.arm(DEADLINE, deadline);
    }

    fn ask_failed(&mut self, asked: &Asked, why: Name, step: &mut Step<'_>) {
        step.out.disarm(DEADLINE);
        step.out.say(Fact::SynchronizeFailed { what: asked.what.name(), why });
        self.ask_master(asked.what.next(), step);
    }

    /// A connection to the master's own port stands; whether it is one of these.
    pub(super) fn synchronize_connected(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        let Some(following) = self.following() else { return false };
        let sync = &mut following.synchronizing;
        let Some(channel) = sync.channels.iter_mut().find(|channel| channel.conn == conn) else { return false };
        channel.is_up = true;
        if let Some(asked) = sync.asked.as_mut().filter(|asked| asked.conn == conn)
            && let Some(command) = asked.waiting.take()
        {
            step.out.send(conn, command);
        }
        true
    }

    /// Such a connection is gone, or does not come about; whether it is one of these.
    pub(super) fn synchronize_closed(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        let Some(following) = self.following() else { return false };
        let sync = &mut following.synchronizing;
        let Some(at) = sync.channels.iter().position(|channel| channel.conn == conn) else { return false };
        let channel = sync.channels.remove(at);
        if let Some(asked) = sync.asked.take_if(|asked| asked.conn == conn) {
            let doing = if asked.waiting.is_some() { "connect" } else { "send request" };
            self.ask_failed(&asked, format!("{doing} to <{}> failed", channel.addr).into(), step);
        }
        true
    }

    /// An answer came; whether it is to one of these.
    pub(in crate::mq::broker) fn synchronize_answered(
        &mut self,
        conn: ConnId,
        answer: &Command,
        step: &mut Step<'_>,
    ) -> bool {
        let Some(following) = self.following() else { return false };
        let is_it = |asked: &mut Asked| asked.conn == conn && asked.opaque == answer.opaque;
        let Some(asked) = following.synchronizing.asked.take_if(is_it) else { return false };
        let body = match answer.code {
            0 => answer.body.as_deref().ok_or_else(|| Name::from("no body")),
            code => Err(format!("CODE: {code}  DESC: {}", answer.remark.as_deref().unwrap_or("null")).into()),
        };
        match body.and_then(|body| self.take_over(asked.what, body, step)) {
            Ok(()) => {
                step.out.disarm(DEADLINE);
                self.ask_master(asked.what.next(), step);
            }
            Err(why) => self.ask_failed(&asked, why, step),
        }
        true
    }

    /// Takes a part over. Topics and groups only if the master's are of another version.
    fn take_over(&mut self, what: What, body: &[u8], step: &mut Step<'_>) -> Result<(), Name> {
        let file = match what {
            What::Topics => {
                let table = TopicConfigTable::decode(body).map_err(|error| Name::from(error.to_string()))?;
                if !self.topics.replace(table) {
                    return Ok(());
                }
                self.persist_topics(step);
                topic::FILE
            }
            What::Offsets if self.config.profile.plants(Mistake::SlaveForgetsOffsets) => return Ok(()),
            What::Offsets => {
                self.offsets.merge(body).map_err(|error| Name::from(error.to_string()))?;
                self.persist_offsets(step);
                offset::FILE
            }
            What::DelayOffsets => {
                self.store.write_config(step.disk, delay_offset::FILE, java::text(body).into_owned());
                delay_offset::FILE
            }
            What::Groups => {
                if !self.groups.replace(body).map_err(|error| Name::from(error.to_string()))? {
                    return Ok(());
                }
                self.store.write_config(step.disk, group::FILE, self.groups.text());
                group::FILE
            }
        };
        step.out.say(Fact::Synchronized { what: what.name(), file });
        Ok(())
    }
}

const ROUND: TimerKey = TimerKey { name: Timer::SlaveSynchronize, number: 0 };
const DEADLINE: TimerKey = TimerKey { name: Timer::SlaveSynchronize, number: 1 };
/// Source: `BrokerController.initialize`: initial delay.
const SYNC_DELAY: Span = Span::from_secs(10);
/// Source: `BrokerController.initialize`: period.
const SYNC_PERIOD: Span = Span::from_secs(60);
/// Source: `BrokerOuterAPI.getAllTopicConfig`.
const SYNC_TIMEOUT: Span = Span::from_secs(3);
