//! The tables of pull loops, as a person writes them.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::script::Text;

/// An application that pulls from queue after queue.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct PullerScript {
    /// Its name.
    pub name: Option<Text>,
    /// The process that it shares; one of its own, named like it, if left out.
    pub process: Option<Text>,
    /// `consumerGroup` of its pull consumer.
    pub group: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// `registerTopics`: topics that are shared out among the group's members.
    pub register: Option<Vec<Text>>,
    /// When its process boots: a moment.
    pub start: Option<Text>,
    /// How long after that its first round begins.
    pub wait: Option<Text>,
    /// `pull` or `block`: round after round, and whether the broker holds a pull that finds nothing; or `schedule`: each of
    /// its queues has a task of `MQPullConsumerScheduleService`.
    pub how: Option<Text>,
    /// `clustering` or `broadcasting`: whose the queues of a registered topic are, and where offsets are noted.
    pub model: Option<Text>,
    /// `pullThreadNums` of `schedule`.
    pub threads: Option<Spanned<i64>>,
    /// Tags; all if left out.
    pub tags: Option<Text>,
    /// `maxNums` of each pull.
    pub batch: Option<Spanned<i64>>,
    /// How long it rests between two rounds; of `schedule`: `pullNextDelayTimeMillis`.
    pub pause: Option<Text>,
    /// How many rounds it makes; without end if left out.
    pub rounds: Option<Spanned<i64>>,
    /// `memory`, `ledger` or `broker`: where its table of offsets is.
    pub keep: Option<Text>,
    /// How long the work on a batch takes.
    pub takes: Option<Text>,
    /// Keys of messages on which the work fails.
    pub fail: Vec<Text>,
    /// `forget` or `send-back`: what becomes of them; or `throw`, of `schedule`: the callback throws, and pulls them again.
    pub on_fail: Option<Text>,
}

/// How much a push consumer takes in hand.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsScript {
    /// `pullThresholdForQueue`, in messages.
    pub queue: Option<Spanned<i64>>,
    /// `pullThresholdSizeForQueue`, in MiB.
    pub queue_mib: Option<Spanned<i64>>,
    /// `pullThresholdForTopic`, in messages.
    pub topic: Option<Spanned<i64>>,
    /// `pullThresholdSizeForTopic`, in MiB.
    pub topic_mib: Option<Spanned<i64>>,
    /// `consumeConcurrentlyMaxSpan`.
    pub span: Option<Spanned<i64>>,
}
