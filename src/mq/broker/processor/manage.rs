//! Everything else: clients, groups, offsets, topics.
//!
//! Source: `ClientManageProcessor`, `ConsumerManageProcessor`, `AdminBrokerProcessor`.

use bytes::Bytes;

use crate::mq::broker::filter::{self, Change, CompileError};
use crate::mq::broker::group;
use crate::mq::broker::members::Left;
use crate::mq::broker::processor::pull::not_supported;
use crate::mq::broker::topic::{PERM_READ, PERM_WRITE, config};
use crate::mq::broker::{Broker, RETRY_PREFIX};
use crate::mq::fact::Fact;
use crate::mq::fastjson::EXCEPTION;
use crate::mq::filter::is_tag_type;
use crate::mq::message::{Group, Name, QueueOffset, Topic};
use crate::mq::mistake::Mistake;
use crate::mq::node::{ConnId, Step};
use crate::mq::wire::body::{CheckClientBody, ConsumerIdList, HeartbeatData, JsonBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{
    CreateTopicHeader, GroupQueueHeader, Header, SearchOffsetHeader, UnregisterClientHeader,
};

impl Broker {
    /// Handles a request that is neither a send nor a pull. A code that nobody knows is never answered.
    pub(in crate::mq::broker) fn manage(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) {
        let ok = |header: Header| Some(Command::response(response::SUCCESS, command.opaque, header));
        let answer = match (command.code, &command.header) {
            (request::HEART_BEAT, _) => self.heartbeat(conn, command, step),
            (request::CHECK_CLIENT_CONFIG, _) => Some(self.check_client(command)),
            (request::UNREGISTER_CLIENT, Header::UnregisterClient(header)) => {
                self.unregister_client(conn, header, step);
                ok(Header::empty())
            }
            (request::GET_CONSUMER_LIST_BY_GROUP, Header::ConsumerList(group)) => {
                Some(self.consumer_list(group, command))
            }
            (request::QUERY_CONSUMER_OFFSET, Header::QueryOffset(header)) => {
                Some(self.query_offset(header, command, step))
            }
            (request::UPDATE_CONSUMER_OFFSET, Header::UpdateOffset(header)) => {
                let (group, topic) = (&header.consumer_group, &header.topic);
                self.commit_offset(group, topic, header.queue_id, header.commit_offset, step);
                ok(Header::empty())
            }
            (request::LOCK_BATCH_MQ, _) => Some(self.lock_batch(command, step)),
            (request::UNLOCK_BATCH_MQ, _) => Some(self.unlock_batch(command, step)),
            (request::GET_MAX_OFFSET, Header::Queue(header)) => {
                ok(Header::Offset(self.store.max_queue_offset(&header.topic, header.queue_id).0))
            }
            (request::GET_MIN_OFFSET, Header::Queue(header)) => {
                ok(Header::Offset(self.store.min_queue_offset(&header.topic, header.queue_id).0))
            }
            (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(header)) => {
                ok(Header::Offset(self.search(header, step)))
            }
            (request::INVOKE_BROKER_TO_RESET_OFFSET, Header::ResetOffset(header)) => {
                Some(self.reset_offset(header, command, step))
            }
            (
                request::GET_TOPIC_STATS_INFO
                | request::GET_CONSUME_STATS
                | request::GET_CONSUMER_CONNECTION_LIST
                | request::GET_BROKER_RUNTIME_INFO,
                header,
            ) => Some(self.status(header, command, step)),
            (request::UPDATE_BROKER_CONFIG, _) => Some(self.change_settings(command, step)),
            (request::UPDATE_AND_CREATE_TOPIC, Header::CreateTopic(header)) => {
                Some(self.update_topic(header, command, step))
            }
            (request::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, _) => Some(self.set_group(command, step)),
            (request::DELETE_SUBSCRIPTIONGROUP, Header::DeleteGroup(group)) => {
                self.delete_group(group, step);
                ok(Header::None)
            }
            (request::DELETE_TOPIC_IN_BROKER, Header::DeleteTopic(topic)) => {
                self.delete_topic(topic, step);
                ok(Header::None)
            }
            (request::VIEW_MESSAGE_BY_ID, Header::ViewMessage(offset)) => {
                Some(self.view_message(*offset, command, step))
            }
            (request::QUERY_MESSAGE, Header::QueryMessage(query, is_unique)) => {
                Some(self.query_message(query, *is_unique == Some(true), command, step))
            }
            (
                request::GET_CONSUMER_RUNNING_INFO
                | request::CONSUME_MESSAGE_DIRECTLY
                | request::INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
                _,
            ) => self.relay(conn, command, step),
            _ => self.table(command).or_else(|| self.inquire(command, step)),
        };
        if let Some(answer) = answer {
            self.answer(conn, command.is_oneway(), answer, step);
        }
    }

    /// A whole table, for a slave. Of the four answers only the topics' has a header class.
    ///
    /// Source: `AdminBrokerProcessor.getAllTopicConfig` and the three like it.
    fn table(&self, command: &Command) -> Option<Box<Command>> {
        let (header, table) = match command.code {
            request::GET_ALL_TOPIC_CONFIG => (Header::empty(), self.topics.json()),
            request::GET_ALL_CONSUMER_OFFSET => (Header::None, self.offsets.json()),
            request::GET_ALL_DELAY_OFFSET => (Header::None, self.store.delay_offsets().json()),
            request::GET_ALL_SUBSCRIPTIONGROUP_CONFIG => (Header::None, self.groups.json()),
            _ => return None,
        };
        let body = Bytes::from(table.compact());
        Some(Command::response(response::SUCCESS, command.opaque, header).with_body(body))
    }

    /// Source: `ClientManageProcessor.heartBeat`.
    fn heartbeat(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) -> Option<Box<Command>> {
        let data = match HeartbeatData::decode(command.body.as_deref().unwrap_or_default()) {
            Ok(data) => data,
            Err(error) => {
                let response = Command::response(response::SYSTEM_ERROR, command.opaque, Header::None);
                return Some(response.with_remark(format!("{EXCEPTION}: {error}")));
            }
        };
        for consumer in &data.consumer_data_set {
            self.create_group(&consumer.group_name, step);
            let group = self.groups.get(&consumer.group_name);
            let notify = group.is_none_or(|group| group.notify_consumer_ids_changed_enable);
            let retry = Name::from(format!("{RETRY_PREFIX}{}", consumer.group_name));
            if let Some(queues) = group.map(|group| group.retry_queue_nums)
                && self.topics.get(&retry).is_none()
            {
                self.create_topic(config(retry, queues, PERM_READ | PERM_WRITE), step);
            }
            let (is_new, changed) = self.members.register_consumer(consumer, conn, &data.client_id, step.wall);
            if is_new {
                self.say_registered(&consumer.group_name, &data.client_id, "consumer", step);
            }
            if changed && notify {
                self.notify_ids_changed(&consumer.group_name, step);
            }
            let changes = self.filters.register(&consumer.group_name, &consumer.subscription_data_set, step.wall);
            self.say_filters(&consumer.group_name, changes, step);
        }
        for producer in &data.producer_data_set {
            if self.members.register_producer(&producer.group_name, conn, &data.client_id, step.wall) {
                self.say_registered(&producer.group_name, &data.client_id, "producer", step);
            }
        }
        self.arm_clients(step);
        self.arm_filters(step);
        Some(Command::response(response::SUCCESS, command.opaque, Header::None))
    }

    fn say_registered(&self, group: &Group, client: &Name, role: &'static str, step: &mut Step<'_>) {
        step.out.say(Fact::ClientRegistered { group: group.clone(), client: client.clone(), role });
    }

    /// Tells every member of a group, the new one included. Source: `DefaultConsumerIdsChangeListener`.
    fn notify_ids_changed(&mut self, group: &Group, step: &mut Step<'_>) {
        let Some(info) = self.members.consumer_group(group) else { return };
        let members: Vec<ConnId> = info.members.keys().copied().collect();
        for conn in members {
            let opaque = self.opaque();
            let command =
                Command::oneway(request::NOTIFY_CONSUMER_IDS_CHANGED, opaque, Header::IdsChanged(group.clone()));
            if self.channels.is_open(conn) {
                step.out.send(conn, command);
            }
        }
    }

    fn unregister_client(&mut self, conn: ConnId, header: &UnregisterClientHeader, step: &mut Step<'_>) {
        let mut left = self.members.unregister(conn, header.producer_group.as_ref(), header.consumer_group.as_ref());
        if self.config.profile.plants(Mistake::UnregisterTakesAll)
            && let Some(group) = &header.consumer_group
        {
            let others: Vec<ConnId> =
                self.members.consumer_group(group).iter().flat_map(|info| info.members.keys().copied()).collect();
            left.extend(others.into_iter().flat_map(|conn| self.members.expel(group, conn)));
        }
        self.say_left(left, "unregistered", true, step);
    }

    /// Says who left, and tells the other members of their groups if asked.
    pub(in crate::mq::broker) fn say_left(
        &mut self,
        left: Vec<Left>,
        why: &'static str,
        notify: bool,
        step: &mut Step<'_>,
    ) {
        for Left { group, client, is_consumer } in left {
            step.out.say(Fact::ClientDropped { group: group.clone(), client, why });
            if is_consumer && notify {
                if self.members.consumer_group(&group).is_none() {
                    let changes = self.filters.unregister(&group, step.wall);
                    self.say_filters(&group, changes, step);
                    self.arm_filters(step);
                }
                self.notify_ids_changed(&group, step);
            }
        }
    }

    /// Looks at a subscription before its consumer starts. Source: `ClientManageProcessor.checkClientConfig`.
    fn check_client(&self, command: &Command) -> Box<Command> {
        let answer = |code: i32| Command::response(code, command.opaque, Header::None);
        let body = match CheckClientBody::decode(command.body.as_deref().unwrap_or_default()) {
            Ok(body) => body,
            Err(error) => return answer(response::SYSTEM_ERROR).with_remark(format!("{EXCEPTION}: {error}")),
        };
        let Some(data) = body.subscription_data.filter(|data| !is_tag_type(Some(&data.expression_type))) else {
            return answer(response::SUCCESS);
        };
        if !self.config.enable_property_filter {
            return answer(response::SYSTEM_ERROR).with_remark(not_supported(&data.expression_type));
        }
        match filter::compile(&data.sub_string, &data.expression_type) {
            Ok(_) => answer(response::SUCCESS),
            Err(CompileError::Language) => answer(response::SUBSCRIPTION_PARSE_FAILED),
            Err(CompileError::Sql(error)) => {
                answer(response::SUBSCRIPTION_PARSE_FAILED).with_remark(error.cause.to_string())
            }
        }
    }

    /// Says what became of a group's filters, and has new records asked by them from here on.
    fn say_filters(&mut self, group: &Group, changes: Vec<(Topic, Change)>, step: &mut Step<'_>) {
        if changes.is_empty() {
            return;
        }
        for (topic, change) in changes {
            let group = group.clone();
            step.out.say(match change {
                Change::Now(why) => Fact::FilterRegistered { group, topic, why },
                Change::Refused(CompileError::Language) => {
                    Fact::FilterRefused { group, topic, why: "nobody speaks its language".into() }
                }
                Change::Refused(CompileError::Sql(error)) => {
                    Fact::FilterRefused { group, topic, why: error.to_string().into() }
                }
            });
        }
        self.calc_bit_maps();
    }

    /// Source: `ConsumerManageProcessor.getConsumerListByGroup`.
    fn consumer_list(&self, group: &Group, command: &Command) -> Box<Command> {
        match self.members.consumer_group(group) {
            Some(info) => {
                let ids = info.members.values().map(|member| member.client_id.clone()).collect();
                Command::response(response::SUCCESS, command.opaque, Header::empty())
                    .with_body(ConsumerIdList(ids).encode())
            }
            None => Command::response(response::SYSTEM_ERROR, command.opaque, Header::empty())
                .with_remark(format!("no consumer for this group, {group}")),
        }
    }

    /// A group without an offset begins at 0 while the queue's first entry is still in memory.
    ///
    /// Source: `ConsumerManageProcessor.queryConsumerOffset`.
    fn query_offset(&mut self, header: &GroupQueueHeader, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let (topic, queue_id) = (&header.topic, header.queue_id);
        if let Some(stored) = self.offsets.get(&header.consumer_group, topic, queue_id) {
            let is_at_end = stored.0 == self.store.max_queue_offset(topic, queue_id).0;
            let is_beyond = is_at_end && self.config.profile.plants(Mistake::EndCountsAsBeyond);
            let stored = if is_beyond { QueueOffset(0) } else { stored };
            return Command::response(response::SUCCESS, command.opaque, Header::Offset(stored.0));
        }
        let min = self.store.min_queue_offset(topic, queue_id);
        if min.0 <= 0 && !self.store.is_in_disk(step.disk, topic, queue_id, QueueOffset(0)) {
            return Command::response(response::SUCCESS, command.opaque, Header::Offset(0));
        }
        Command::response(response::QUERY_NOT_FOUND, command.opaque, Header::empty())
            .with_remark("Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first")
    }

    fn search(&mut self, header: &SearchOffsetHeader, step: &mut Step<'_>) -> i64 {
        self.store.offset_by_time(step.disk, &header.topic, header.queue_id, header.timestamp).0
    }

    /// Makes or changes a topic; whether it is ordered is asked for and not heard, as upstream.
    ///
    /// Source: `AdminBrokerProcessor.updateAndCreateTopic`.
    fn update_topic(&mut self, header: &CreateTopicHeader, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        if header.topic == *self.config.cluster {
            let remark = format!("the topic[{}] is conflict with system reserved words.", header.topic);
            return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None).with_remark(remark);
        }
        let mut created = config(header.topic.clone(), header.write_queue_nums, header.perm);
        created.read_queue_nums = header.read_queue_nums;
        created.topic_filter_type = header.topic_filter_type.clone();
        created.topic_sys_flag = header.topic_sys_flag.unwrap_or(0);
        self.update_topic_config(created, step);
        Command::response(response::SUCCESS, command.opaque, Header::None)
    }

    /// Makes or changes a group; a body of `null` is answered and changes nothing.
    ///
    /// Source: `AdminBrokerProcessor.updateAndCreateSubscriptionGroup`.
    fn set_group(&mut self, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        match group::from_body(command.body.as_deref().unwrap_or_default()) {
            Ok(Some(config)) => self.update_group(config, step),
            Ok(None) => {}
            Err(error) => {
                let response = Command::response(response::SYSTEM_ERROR, command.opaque, Header::None);
                return response.with_remark(format!("{EXCEPTION}: {error}"));
            }
        }
        Command::response(response::SUCCESS, command.opaque, Header::None)
    }

    /// Deletes a topic, and whatever consume queues have no topic any more; the records stay, and so do the groups' offsets.
    ///
    /// Nobody is told: nameservers name the topic until they are asked to forget it, and a producer that still knows the way
    /// makes the topic anew with its next message, where that is allowed. Source: `AdminBrokerProcessor.deleteTopic`.
    fn delete_topic(&mut self, topic: &Topic, step: &mut Step<'_>) {
        let known = i64::from(self.topics.remove(topic, step.wall));
        if known == 1 {
            self.persist_topics(step);
        }
        let topics = &self.topics;
        let queues = self.store.clean_unused_topics(step.disk, &|topic| topics.get(topic).is_some()) as i64;
        step.out.say(Fact::TopicDeleted { topic: topic.clone(), known, queues });
    }
}
