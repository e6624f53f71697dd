//! The broker's four config files: read at boot, in upstream's order; written when something changed.
//!
//! | file | written |
//! |---|---|
//! | `topics.json` | at every change of a topic |
//! | `subscriptionGroup.json` | at every change of a group |
//! | `consumerOffset.json` | 10 s after the start, then every 5 s, and at a clean stop |
//! | `consumerFilter.json` | every 10 s, and at a clean stop |
//!
//! Differs: upstream writes the last two at every tick, changed or not; here a tick without a change writes nothing. The
//! file says the same; its `.bak` is then the generation before the last change, not a second copy of the file, and a broker
//! to whom nothing happened has no such file until it stops.
//! Source: `BrokerController.initialize`, `shutdown`.

use std::sync::Arc;

use crate::mq::broker::filter::{self, Filters};
use crate::mq::broker::group::{self, Groups};
use crate::mq::broker::matching::Snapshot;
use crate::mq::broker::offset::{self, Offsets};
use crate::mq::broker::topic::{self, Presets, Topics};
use crate::mq::broker::{Broker, BrokerConfig};
use crate::mq::disk::DiskError;
use crate::mq::fact::Fact;
use crate::mq::message::{Group, Name, QueueOffset, names};
use crate::mq::node::{Step, Timer, TimerKey};
use crate::mq::store::config_file::{ConfigError, Loaded, Unreadable};
use crate::mq::store::reput::BitMaps;
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::group::GroupConfig;
use crate::mq::wire::body::{JsonBody, KvTable, TopicConfig};
use crate::mq::wire::command::Command;

/// What the four files say.
pub(super) struct Configs {
    pub(super) topics: Topics,
    pub(super) offsets: Offsets,
    pub(super) groups: Groups,
    pub(super) filters: Filters,
}

impl Configs {
    /// Reads the files, or what stands in for them.
    ///
    /// Errors: [`ConfigError`] for a file that cannot be read and has a `.bak` that cannot be read either: the broker does
    /// not start. Source: `BrokerController.initialize`.
    pub(super) fn load(config: &BrokerConfig, step: &mut Step<'_>) -> Result<Configs, ConfigError> {
        let presets = Presets {
            cluster: &config.cluster,
            broker: &config.broker_name,
            auto_create: config.auto_create_topic_enable,
            template_queues: config.default_topic_queue_nums,
        };
        let (mut topics, loaded) = Topics::load(step.disk, &presets, step.wall)?;
        say_loaded(topic::FILE, &loaded, step);
        let (offsets, loaded) = Offsets::load(step.disk)?;
        say_loaded(offset::FILE, &loaded, step);
        let (groups, loaded) = Groups::load(step.disk, config.auto_create_subscription_group, step.wall)?;
        say_loaded(group::FILE, &loaded, step);
        let (mut filters, loaded) = Filters::load(step.disk, config.bit_maps, step.wall)?;
        filters.clean_time_span_ms = config.filter_data_clean_time_span_ms;
        say_loaded(filter::FILE, &loaded, step);
        for preset in &config.topics {
            if topics.get(&preset.topic_name).is_none() {
                topics.put(preset.clone(), step.wall);
            }
        }
        Ok(Configs { topics, offsets, groups, filters })
    }
}

fn say_loaded(file: &'static str, loaded: &Loaded, step: &mut Step<'_>) {
    if let Some(why) = &loaded.passed_over {
        step.out.say(passed_over(file, why, loaded.found));
    }
}

/// Filters as they are, to be asked about records.
pub(super) fn bit_maps(filters: &Filters) -> Arc<dyn BitMaps> {
    Arc::new(Snapshot(filters.clone()))
}

/// The fact that a config file was there and could not be read.
pub(super) fn passed_over(file: &'static str, why: &Unreadable, has_backup: bool) -> Fact {
    let instead = if has_backup { "backup" } else { "nothing" };
    Fact::ConfigUnreadable { file: short(file), why: Name::from(why.to_string()), instead }
}

/// A file's name without its folder.
fn short(file: &'static str) -> &'static str {
    file.strip_prefix("config/").unwrap_or(file)
}

impl Broker {
    /// A new topic: said, written, and told to every nameserver at once.
    pub(super) fn create_topic(&mut self, config: TopicConfig, step: &mut Step<'_>) {
        let (topic, queues, perm) =
            (config.topic_name.clone(), i64::from(config.write_queue_nums), i64::from(config.perm));
        self.topics.put(config, step.wall);
        step.out.say(Fact::TopicCreated { topic, queues, perm });
        self.persist_topics(step);
        self.register_all(step, true);
    }

    /// A topic that an operator made or changed: nameservers are told it alone, under the version of the whole table.
    ///
    /// What they know of other topics stays as it is, although the version is new. Source: `TopicConfigManager.updateTopicConfig`.
    pub(super) fn update_topic_config(&mut self, config: TopicConfig, step: &mut Step<'_>) {
        let (topic, queues, perm) =
            (config.topic_name.clone(), i64::from(config.write_queue_nums), i64::from(config.perm));
        self.topics.put(config, step.wall);
        step.out.say(Fact::TopicCreated { topic: topic.clone(), queues, perm });
        self.persist_topics(step);
        self.register_one(&topic, step);
    }

    /// Makes a group that is not known, if it may be made so. Source: `SubscriptionGroupManager.findSubscriptionGroupConfig`.
    pub(super) fn create_group(&mut self, group: &Group, step: &mut Step<'_>) {
        if self.groups.create(group, step.wall) {
            step.out.say(Fact::GroupCreated { group: group.clone() });
            self.store.write_config(step.disk, group::FILE, self.groups.text());
        }
    }

    /// A group as an operator wants it. Source: `AdminBrokerProcessor.updateAndCreateSubscriptionGroup`.
    pub(super) fn update_group(&mut self, config: GroupConfig, step: &mut Step<'_>) {
        let (group, retries) = (config.group_name.clone(), i64::from(config.retry_max_times));
        let consume = i64::from(config.consume_enable);
        let known = i64::from(self.groups.put(config, step.wall));
        step.out.say(Fact::GroupUpdated { group, known, consume, retries });
        self.store.write_config(step.disk, group::FILE, self.groups.text());
    }

    /// A group that an operator deletes: who names it next makes it anew, where that is allowed. Its offsets, its members and
    /// its filters stay as they are. Source: `AdminBrokerProcessor.deleteSubscriptionGroup`.
    pub(super) fn delete_group(&mut self, group: &Group, step: &mut Step<'_>) {
        let known = self.groups.remove(group, step.wall);
        step.out.say(Fact::GroupDeleted { group: group.clone(), known: i64::from(known) });
        if known {
            self.store.write_config(step.disk, group::FILE, self.groups.text());
        }
    }

    /// Topics are ordered as the nameserver has it that answered first; one that never heard of any says nothing.
    ///
    /// Source: `BrokerController.doRegisterBrokerAll`, `TopicConfigManager.updateOrderTopicConfig`.
    pub(super) fn learn_orders(&mut self, answer: &Command, step: &mut Step<'_>) {
        let Some(orders) = answer.body.as_deref().and_then(|body| KvTable::decode(body).ok()) else { return };
        let changed = self.topics.order(&orders, step.wall);
        if changed.is_empty() {
            return;
        }
        for (topic, is_ordered) in changed {
            step.out.say(Fact::TopicOrdered { topic, order: i64::from(is_ordered) });
        }
        self.persist_topics(step);
    }

    pub(super) fn persist_topics(&mut self, step: &mut Step<'_>) {
        self.topics.is_dirty = false;
        self.store.write_config(step.disk, topic::FILE, self.topics.text());
    }

    pub(super) fn persist_offsets(&mut self, step: &mut Step<'_>) {
        let held = self.held_cursors();
        self.offsets.is_dirty = held.is_some();
        let text = match held {
            None => self.offsets.text(),
            Some(cursors) => {
                let mut offsets = self.offsets.clone();
                for (topic, cursor) in cursors {
                    offsets.commit(&names::TRANS_GROUP.into(), &topic.into(), 0, QueueOffset(cursor));
                }
                offsets.text()
            }
        };
        self.store.write_config(step.disk, offset::FILE, text);
    }

    pub(super) fn persist_filters(&mut self, step: &mut Step<'_>) {
        self.filters.is_dirty = false;
        self.store.write_config(step.disk, filter::FILE, self.filters.text(step.wall));
    }

    /// Has new records asked by the filters as they are, where that is wanted.
    pub(super) fn calc_bit_maps(&mut self) {
        if self.config.enable_calc_filter_bit_map {
            self.store.calc_bit_maps(bit_maps(&self.filters));
        }
    }

    /// Arms the tick at which the filters' file is written: something changed, or one of the dead is to go.
    pub(super) fn arm_filters(&mut self, step: &mut Step<'_>) {
        let from = match self.filters.next_cleaning() {
            _ if self.filters.is_dirty => step.mono,
            Some(at) => step.mono + Span::from_millis(at.since(step.wall).max(0) as u64),
            None => return,
        };
        let at = self.tick(Time(from.0.saturating_sub(1)), FILTERS_PERIOD, FILTERS_PERIOD);
        if self.filters_armed != Some(at) {
            self.filters_armed = Some(at);
            step.out.arm(TimerKey::of(Timer::FilterPersist), at);
        }
    }

    pub(super) fn filters_due(&mut self, step: &mut Step<'_>) {
        self.filters_armed = None;
        let is_time = self.filters.next_cleaning().is_some_and(|at| at <= step.wall);
        if self.filters.is_dirty || is_time {
            self.persist_filters(step);
        }
        self.arm_filters(step);
    }

    /// A config file was written.
    pub(super) fn config_written(&mut self, file: &'static str, step: &mut Step<'_>) {
        step.out.say(Fact::ConfigPersisted { file: short(file) });
    }

    /// A config file's next text lies beside it.
    pub(super) fn config_staged(&mut self, file: &'static str, step: &mut Step<'_>) {
        step.out.say(Fact::ConfigStaged { file: short(file) });
    }

    /// A config file could not be written: what has a period of its own is tried again at its next tick.
    pub(super) fn config_failed(&mut self, file: &'static str, error: DiskError, step: &mut Step<'_>) {
        step.out.say(Fact::ConfigFailed { file: short(file), why: Name::from(error.to_string()) });
        match file {
            offset::FILE => self.offsets.is_dirty = true,
            filter::FILE => self.filters.is_dirty = true,
            _ => {}
        }
    }
}

/// Source: `BrokerController.initialize`: initial delay and period.
const FILTERS_PERIOD: Span = Span::from_secs(10);
