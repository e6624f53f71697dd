//! A group is moved: its members are told, or the brokers' tables are changed behind their back.
//!
//! The second way reads how far the group has got, asks for the place of the moment, and writes it down, queue by queue. A
//! member that is up goes on where it was and reports that: the way is for groups that are down.
//!
//! Source: `DefaultMQAdminExtImpl.resetOffsetByTimestamp`, `resetOffsetByTimestampOld`.

use crate::mq::app::{AdminAnswer, AdminCall, Rollback};
use crate::mq::client::admin::{Admin, Ask, Thrown, runtime, thrown};
use crate::mq::client::exception::Exception;
use crate::mq::client::instance::route_of;
use crate::mq::client::route::MASTER_ID;
use crate::mq::message::java::{map_order, queue_hash};
use crate::mq::message::{Group, MessageQueue, Name};
use crate::mq::node::Addr;
use crate::mq::wire::body::admin::{ConsumeStats, TopicStats};
use crate::mq::wire::body::{JsonBody, QueueOffsets, RouteData};
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

impl Admin {
    /// The group, the moment and whether by force.
    pub(super) fn reset_of(&self) -> (Group, i64, bool) {
        match &self.what {
            AdminCall::ResetOffset { group, to, force, .. } => (group.clone(), to.moment(self.at), *force),
            _ => (Group::default(), 0, false),
        }
    }

    /// The route names the brokers.
    pub(super) fn reset_brokers(&mut self, answer: Result<Box<Command>, Exception>) -> Result<(), Thrown> {
        let command = answer.map_err(thrown)?;
        if command.code != response::SUCCESS {
            let text = command.remark.clone().unwrap_or_default();
            return Err(thrown(Exception::Client { code: command.code, text }));
        }
        let route = route_of(&command).unwrap_or_default();
        // The last broker's number counts for all of them, as upstream.
        let queues = route.queue_datas.last().map_or(0, |data| data.read_queue_nums);
        let in_table = self.in_table;
        self.asks.extend(brokers(&route).into_iter().map(|(broker, addr)| match in_table {
            true => Ask::Stats { addr, broker, queues },
            false => Ask::Reset(addr),
        }));
        Ok(())
    }

    /// A broker told the members.
    pub(super) fn reset(&mut self, command: &Command) {
        let told = command.body.as_deref().and_then(|body| QueueOffsets::decode(body).ok()).unwrap_or_default();
        if let AdminAnswer::Offsets(offsets) = &mut self.told {
            offsets.extend(told.0);
        }
    }

    /// How far the group has got at a broker; without any place there, the queues' ends are asked for.
    pub(super) fn stands(&mut self, command: &Command, addr: Addr, broker: Name, queues: i32) {
        let stats = command.body.as_deref().and_then(|body| ConsumeStats::decode(body).ok()).unwrap_or_default();
        let topic = self.topic();
        let mut rows: Vec<_> = stats.0.into_iter().collect();
        map_order(&mut rows, |(queue, _)| queue_hash(queue));
        let rows = rows.into_iter().filter(|(queue, _)| queue.topic == topic);
        let rows = rows.map(|(queue, at)| row(queue, at.broker_offset, at.consumer_offset));
        let places: Vec<Ask> = rows.map(|row| Ask::Place { addr, row }).collect();
        match places.is_empty() {
            true => self.asks.push_front(Ask::Ends { addr, broker, queues }),
            false => self.ask_first(places),
        }
    }

    /// The ends of the queues, between which a group without a place is put at the begin.
    ///
    /// Errors: a queue can be read and was never to be written, where upstream runs into a null.
    pub(super) fn ends(&mut self, command: &Command, addr: Addr, broker: &Name, queues: i32) -> Result<(), Thrown> {
        let stats = command.body.as_deref().and_then(|body| TopicStats::decode(body).ok()).unwrap_or_default();
        let queue = |queue_id| MessageQueue { topic: self.topic(), broker: broker.clone(), queue_id };
        let mut places = Vec::new();
        for queue in (0..queues).map(queue) {
            let ends = stats.0.get(&queue).ok_or_else(runtime)?;
            places.push(Ask::Place { addr, row: row(queue, ends.max_offset, ends.min_offset) });
        }
        self.ask_first(places);
        Ok(())
    }

    /// The place of the moment: it is written down if it lies before the group's, or by force.
    pub(super) fn placed(&mut self, command: &Command, addr: Addr, mut row: Rollback) {
        let Header::Offset(offset) = command.header else { return };
        row.timestamp_offset = offset;
        let (_, _, force) = self.reset_of();
        if force || offset <= row.consumer_offset {
            row.rollback_offset = offset;
            self.asks.push_front(Ask::Commit { addr, row });
        } else {
            self.committed(row);
        }
    }

    pub(super) fn committed(&mut self, row: Rollback) {
        if let AdminAnswer::Rollback(rows) = &mut self.told {
            rows.push(row);
        }
    }

    pub(super) fn ask_first(&mut self, asks: Vec<Ask>) {
        asks.into_iter().rev().for_each(|ask| self.asks.push_front(ask));
    }
}

fn row(queue: MessageQueue, broker_offset: i64, consumer_offset: i64) -> Rollback {
    Rollback { queue, broker_offset, consumer_offset, timestamp_offset: 0, rollback_offset: consumer_offset }
}

/// The brokers of a route, each with its master or, without one, another address. Source: `BrokerData.selectBrokerAddr`.
///
/// Differs: the lowest id where upstream draws one.
pub(super) fn brokers(route: &RouteData) -> Vec<(Name, Addr)> {
    let mut brokers: Vec<_> = route.broker_datas.iter().collect();
    brokers.sort_by(|a, b| a.broker_name.cmp(&b.broker_name));
    let addrs = brokers.into_iter().filter_map(|data| {
        let addr = data.broker_addrs.get(&MASTER_ID).or_else(|| data.broker_addrs.values().next())?;
        Some((data.broker_name.clone(), Addr::parse(addr)?))
    });
    addrs.collect()
}
