//! The script: a scenario file as a person writes it.
//!
//! Nothing is decided here. Every name, span of time and expression keeps its place in the file, so that what is wrong with
//! it can be shown there; for the same reason no type is tagged, untagged or flattened, and unknown keys are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::bilingual::Bilingual;
use crate::lab::scenario::exercise::{CardScript, ExerciseScript};
use crate::lab::scenario::fault::FaultScript;
use crate::lab::scenario::found::FoundScript;
use crate::lab::scenario::hunt::HuntScript;
use crate::lab::scenario::operator::OperatorScript;
use crate::lab::scenario::puller::{LimitsScript, PullerScript};
use crate::lab::scenario::selector::SelectorScript;
use crate::lab::scenario::table::Table;

/// A text and where it stands.
pub type Text = Spanned<String>;

/// A scenario file.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Version of the format: 1.
    pub format: Option<Spanned<i64>>,
    /// The scenario's name.
    pub id: Option<Text>,
    /// The seed, if the command line gives none.
    pub seed: Option<Spanned<i64>>,
    /// When the run ends.
    pub until: Option<Text>,
    /// Every wall clock at the beginning.
    pub start: Option<Spanned<toml::value::Datetime>>,
    /// The lesson's track.
    pub track: Option<Text>,
    /// Lessons to take first.
    pub needs: Vec<Text>,
    /// What it is called.
    pub title: Option<Spanned<Bilingual>>,
    /// What it asks.
    pub question: Option<Spanned<Bilingual>>,
    /// What all nodes share.
    pub cluster: Table<ClusterScript>,
    /// Repairs of single weaknesses.
    pub profile: Table<ProfileScript>,
    /// Brokers.
    pub broker: Vec<Spanned<Table<BrokerScript>>>,
    /// Topics that exist from the start.
    pub topic: Vec<Spanned<Table<TopicScript>>>,
    /// Producers.
    pub producer: Vec<Spanned<Table<ProducerScript>>>,
    /// Consumers.
    pub consumer: Vec<Spanned<Table<ConsumerScript>>>,
    /// Pull loops.
    pub puller: Vec<Spanned<Table<PullerScript>>>,
    /// Operators.
    pub operator: Vec<Spanned<Table<OperatorScript>>>,
    /// What goes wrong.
    pub fault: Vec<Spanned<Table<FaultScript>>>,
    /// Narration.
    pub step: Vec<Spanned<Table<StepScript>>>,
    /// What should come out.
    pub expect: Vec<Spanned<Table<ExpectScript>>>,
    /// What a learner is to change.
    pub exercise: Option<Spanned<Table<ExerciseScript>>>,
    /// What to do with it in production.
    pub card: Option<Spanned<Table<CardScript>>>,
    /// What a hunt draws.
    pub hunt: HuntScript,
    /// Where a plan that a hunt found comes from.
    pub plan: Option<FoundScript>,
    /// The shapes that the scenario has: one of them is put in place before anything is decided.
    pub variant: Vec<toml::Table>,
}

/// What all nodes share.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterScript {
    /// `rocketmq-4.3.2`, `faithful` or `hardened`.
    pub profile: Option<Text>,
    /// How many nameservers.
    pub nameserver: Option<Spanned<i64>>,
    /// `orderMessageEnable` of every nameserver: routes carry the order configuration of their topic.
    pub order_message_enable: Option<bool>,
    /// The roads.
    pub network: Table<NetworkScript>,
}

/// The roads between all nodes.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkScript {
    /// One way, a span or a range.
    pub latency: Option<Text>,
    /// Frames lost, of 1.
    pub loss: Option<Spanned<f64>>,
}

/// Repairs of single weaknesses.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileScript {
    /// By row of the table of weaknesses: `K01 = true`.
    pub fix: BTreeMap<Text, bool>,
    /// A mistake to plant, by its name.
    pub plant: Option<Text>,
}

/// A broker.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerScript {
    /// Its name.
    pub name: Option<Text>,
    /// `brokerClusterName`.
    pub cluster: Option<Text>,
    /// `async-master`, `sync-master` or `slave`.
    pub role: Option<Text>,
    /// Whose slave: the name of a `[[broker]]` that is a master.
    pub of: Option<Text>,
    /// `brokerName`, where it is another than its node's or its master's: a slave of nobody, as a wrong file makes it.
    pub broker: Option<Text>,
    /// `brokerId` of a slave; the first free one if it is left out.
    pub id: Option<Spanned<i64>>,
    /// The address it announces, `brokerIP1`.
    pub announce: Option<Text>,
    /// Its own profile, where one node runs another build than the rest: `faithful` or `hardened`.
    pub profile: Option<Text>,
    /// When it boots: a moment.
    pub start: Option<Text>,
    /// `async` or `sync`: `flushDiskType`.
    pub flush: Option<Text>,
    /// `flushIntervalCommitLog`.
    pub flush_interval: Option<Text>,
    /// `flushCommitLogLeastPages`.
    pub flush_least_pages: Option<Spanned<i64>>,
    /// `flushCommitLogThoroughInterval`.
    pub flush_thorough_interval: Option<Text>,
    /// `mapedFileSizeCommitLog`, in bytes.
    pub commit_log_file_size: Option<Spanned<i64>>,
    /// `mapedFileSizeConsumeQueue`, in bytes.
    pub consume_queue_file_size: Option<Spanned<i64>>,
    /// `autoCreateTopicEnable`.
    pub auto_create_topic: Option<bool>,
    /// The text of a `.properties` file, unchanged; the keys above go before it.
    pub properties: Option<Text>,
    /// Its disk.
    pub disk: Table<DiskScript>,
}

/// A disk.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct DiskScript {
    /// How long a store holds its thread.
    pub write: Option<Text>,
    /// How long a flush takes.
    pub fsync: Option<Text>,
    /// Whether a surviving page may survive in part.
    pub torn_writes: Option<bool>,
    /// `ordered`, `writeback`, `reordering` or `strict`: in which order the file system makes things durable.
    pub personality: Option<Text>,
    /// The device's size in bytes.
    pub capacity: Option<Spanned<i64>>,
    /// The machine's memory in bytes.
    pub memory: Option<Spanned<i64>>,
}

/// A topic that exists from the start.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct TopicScript {
    /// Its name.
    pub name: Option<Text>,
    /// Read and write queues on each broker.
    pub queues: Option<Spanned<i64>>,
    /// On which brokers; all of them if left out.
    pub on: Option<Vec<Text>>,
}

/// A producer.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ProducerScript {
    /// Its name.
    pub name: Option<Text>,
    /// The process that it shares; one of its own, named like it, if left out.
    pub process: Option<Text>,
    /// `producerGroup`.
    pub group: Option<Text>,
    /// When its process boots: a moment.
    pub start: Option<Text>,
    /// `sendMsgTimeout`.
    pub timeout: Option<Text>,
    /// `retryTimesWhenSendFailed`.
    pub retries: Option<Spanned<i64>>,
    /// `sendLatencyFaultEnable`.
    pub latency_fault: Option<bool>,
    /// `retryAnotherBrokerWhenNotStoreOK`.
    pub retry_another_broker: Option<bool>,
    /// What it sends, each block one after the other.
    pub send: Vec<Spanned<Table<SendScript>>>,
    /// How its transactions end, the first match decides; with one it is a transactional producer.
    pub on: Vec<Spanned<Table<DecideScript>>>,
}

/// What a transaction listener does with some messages.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct DecideScript {
    /// Which messages; all if left out.
    #[serde(rename = "match")]
    pub matches: Table<MatchScript>,
    /// `commit`, `rollback`, `unknown`, `throw`, `null`, `crash`: what the local transaction does and returns.
    pub local: Option<Text>,
    /// What is answered when a broker asks, by the number of the question, the last one repeats.
    pub check: Vec<Text>,
    /// How long the local transaction takes.
    pub takes: Option<Text>,
}

/// A row of messages.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct SendScript {
    /// Where to.
    pub topic: Option<Text>,
    /// `sync`, `async`, `oneway` or `transaction`; `create-topic` sends nothing and creates `topic` where `key` lives.
    pub mode: Option<Text>,
    /// How many.
    pub count: Option<Spanned<i64>>,
    /// How many go out in one call: more than one are a batch.
    pub batch: Option<Spanned<i64>>,
    /// How long before the first one.
    pub wait: Option<Text>,
    /// How long between two.
    pub every: Option<Text>,
    /// How many queues a created topic has on each broker.
    pub queues: Option<Spanned<i64>>,
    /// `KEYS`; `{n}` is the message's number in its row, from 1; `{n%10}` what is left of it.
    pub key: Option<Text>,
    /// `TAGS`; `{pick:a,b}` draws one.
    pub tag: Option<Text>,
    /// The content.
    pub body: Option<Text>,
    /// The content's length in bytes; shorter content is filled up.
    pub size: Option<Spanned<i64>>,
    /// `delayTimeLevel`: the broker parks the message; 0 is not at all.
    pub delay_level: Option<Spanned<i64>>,
    /// `CHECK_IMMUNITY_TIME_IN_SECONDS`: how long a half message is left in peace.
    pub immunity: Option<Text>,
    /// User properties.
    pub properties: BTreeMap<Text, Text>,
    /// `round-robin`, `hash:key`, `modulo:key`, `random`, `machine-room`, `queue:2` or `queue:broker-a/2`.
    pub select: Option<Text>,
    /// `waitStoreMsgOK`.
    pub wait_store: Option<bool>,
    /// `retryTimesWhenSendFailed` of its producer.
    pub retries: Option<Spanned<i64>>,
    /// The budget of each call.
    pub timeout: Option<Text>,
}

/// A push consumer.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerScript {
    /// Its name.
    pub name: Option<Text>,
    /// The process that it shares; one of its own, named like it, if left out.
    pub process: Option<Text>,
    /// The process whose client id its own process says it has: another one with the same address and number.
    pub client_id_of: Option<Text>,
    /// `consumerGroup`.
    pub group: Option<Text>,
    /// `clustering` or `broadcasting`: `messageModel`.
    pub model: Option<Text>,
    /// `concurrent` or `orderly`: which kind of listener.
    pub mode: Option<Text>,
    /// Topics, and what of them: `"*"`, `"a || b"`, `{ sql = "a > 5" }`.
    pub subscribe: BTreeMap<Text, Spanned<SelectorScript>>,
    /// When its process boots: a moment.
    pub start: Option<Text>,
    /// `last`, `first` or `timestamp`: `consumeFromWhere`.
    pub from: Option<Text>,
    /// `consumeTimestamp` as `yyyyMMddHHmmss` of UTC; half an hour before the consumer starts if left out.
    pub timestamp: Option<Text>,
    /// `averagely`, `by-circle`, `by-config`, `machine-room`, `consistent-hash`: `allocateMessageQueueStrategy`.
    pub allocate: Option<Text>,
    /// The queues of `by-config`: `orders/broker-a/0`.
    pub own: Option<Vec<Text>>,
    /// The rooms of `machine-room`: the part of a broker's name before its `@`. Or who stands where for `machine-room-nearby`:
    /// `broker-a = east`, `10.0.3.1@ = east`, by the beginning of a broker's name or of a client's id.
    pub rooms: Option<Vec<Text>>,
    /// `consumeThreadMin`.
    pub threads: Option<Spanned<i64>>,
    /// `consumeMessageBatchMaxSize`.
    pub batch: Option<Spanned<i64>>,
    /// `pullBatchSize`.
    pub pull_batch: Option<Spanned<i64>>,
    /// `suspendCurrentQueueTimeMillis` of an ordered one.
    pub suspend: Option<Text>,
    /// `maxReconsumeTimes`; -1 is 16, and without end if it is ordered.
    pub max_reconsume: Option<Spanned<i64>>,
    /// How much it takes in hand before it waits.
    pub limits: Table<LimitsScript>,
    /// How the application behaves; the first match answers.
    pub on: Vec<Spanned<Table<OnScript>>>,
    /// What the application asks of the consumer while that runs.
    pub call: Vec<Spanned<Table<SteerScript>>>,
}

/// A call of a push consumer.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct SteerScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// `suspend`, `resume`, `subscribe` or `unsubscribe`.
    pub method: Option<Text>,
    /// The topic of the last two.
    pub topic: Option<Text>,
    /// What of it: `"*"`, `"a || b"`, `{ sql = "a > 5" }`.
    pub what: Option<Spanned<SelectorScript>>,
}

/// What an application does with some messages.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct OnScript {
    /// Which messages; all if left out.
    #[serde(rename = "match")]
    pub matches: Table<MatchScript>,
    /// Answers by delivery, the last one repeats.
    pub reply: Vec<Text>,
    /// `delayLevelWhenNextConsume` of a concurrent listener's context, beside the reply `fail`: -1 is a dead letter at once.
    pub delay_level: Option<Spanned<i64>>,
    /// `ackIndex` of that context, beside the reply `ok`: what lies behind it in the batch failed.
    pub ack_index: Option<Spanned<i64>>,
    /// `autoCommit` of an ordered listener's context.
    pub auto_commit: Option<Spanned<bool>>,
    /// `suspendCurrentQueueTimeMillis` of that context.
    pub suspend: Option<Text>,
    /// How long it takes.
    pub takes: Option<Text>,
}

/// Which messages.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct MatchScript {
    /// Of this topic.
    pub topic: Option<Text>,
    /// With this key.
    pub key: Option<Text>,
}

/// One step of narration.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct StepScript {
    /// At which moment.
    pub when: Option<Text>,
    /// What to look at.
    pub focus: Table<FocusScript>,
    /// What to say.
    pub say: Option<Spanned<Bilingual>>,
    /// What to ask before going on.
    pub predict: Option<Spanned<Table<PredictScript>>>,
}

/// What to look at.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct FocusScript {
    /// `cluster`, `timeline`, `message`; or the view `messages`, `queues`, `storage`, `transactions`, `checks`.
    pub pane: Option<Text>,
    /// `m1` or a key.
    pub message: Option<Text>,
}

/// A question before a surprise.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct PredictScript {
    /// The question.
    pub ask: Option<Spanned<Bilingual>>,
    /// The answers to choose from.
    pub choices: Vec<Spanned<Bilingual>>,
    /// Which one is right.
    pub answer: Option<Spanned<Table<AnswerScript>>>,
    /// Why.
    pub why: Option<Spanned<Bilingual>>,
}

/// The right answer.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerScript {
    /// By number, from 1.
    pub choice: Option<Spanned<i64>>,
    /// By an expression over the run.
    pub eval: Option<Text>,
}

/// What should come out.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectScript {
    /// Its name.
    pub id: Option<Text>,
    /// The check's name in the library.
    pub check: Option<Text>,
    /// `holds`, `violated` or `either`.
    pub outcome: Option<Text>,
    /// The message it is about, by key.
    pub message: Option<Text>,
    /// The topic it is about.
    pub topic: Option<Text>,
    /// The group it is about.
    pub group: Option<Text>,
    /// The count it allows: `1`, `0 | 3`, `>= 1`, `2..5`.
    pub count: Option<Text>,
    /// The event it waits for.
    pub event: Option<Text>,
    /// The node that a frame or a delivery goes to.
    pub to: Option<Text>,
    /// The frame's code by name.
    pub frame: Option<Text>,
    /// What an exception's text contains.
    pub error: Option<Text>,
}
