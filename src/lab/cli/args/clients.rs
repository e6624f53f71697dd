//! `mqlab send`, `mqlab consume`, `mqlab admin`: clients over sockets.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::lab::cli::args::{Report, WhichMessage};
use crate::lab::fault::moment;
use crate::mq::time::Span;

/// Which cluster, and how it is told.
#[derive(Args, Debug, Clone)]
pub struct ClusterArgs {
    /// The nameservers, with `;` between them.
    #[arg(long, short, env = "NAMESRV_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:9876")]
    pub nameserver: String,
    /// Talk to a broker's own port, not to its VIP channel two below.
    #[arg(long)]
    pub no_vip: bool,
    /// What to print: lines to read, or a JSON object for each thing that happens.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// What is sent, and how.
#[derive(Args, Debug, Clone)]
pub struct SendArgs {
    /// The topic.
    pub topic: String,
    /// A body each, in which `{n}` is the message's number; without any, each line of standard input is one.
    #[arg(value_name = "BODY")]
    pub bodies: Vec<String>,
    /// The producer's group.
    #[arg(long, default_value = "mqlab")]
    pub group: String,
    /// Its tag.
    #[arg(long)]
    pub tag: Option<String>,
    /// A key, in which `{n}` is the message's number. May be repeated.
    #[arg(long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
    /// A property of its own. May be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE", value_parser = property)]
    pub properties: Vec<(String, String)>,
    /// So many messages: bodies begin again when they are used up, lines of standard input do not.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Let so much time pass between two messages.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "0ms")]
    pub every: Span,
    /// Wait for each result before the next message is sent; so it is unless another way is named.
    #[arg(long)]
    pub sync: bool,
    /// Send without waiting, and print results as callbacks bring them.
    #[arg(long = "async", conflicts_with_all = ["sync", "oneway"])]
    pub is_async: bool,
    /// Send and never hear how it went.
    #[arg(long, conflicts_with = "sync")]
    pub oneway: bool,
    /// Deliver it late: 1 is 1 s, 2 is 5 s, 3 is 10 s, and so on to 18, 2 h, as `messageDelayLevel` has it.
    #[arg(long, value_name = "LEVEL")]
    pub delay_level: Option<u32>,
    /// How long a send may take, all attempts together.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "3s")]
    pub timeout: Span,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What is consumed, and how it is answered.
#[derive(Args, Debug, Clone)]
pub struct ConsumeArgs {
    /// The topic.
    pub topic: String,
    /// The consumer's group.
    #[arg(long, short, default_value = "mqlab")]
    pub group: String,
    /// Only messages with one of these tags, e.g. `paid || shipped`.
    #[arg(long, value_name = "TAGS")]
    pub tag: Option<String>,
    /// Only messages whose properties meet this SQL92 condition; the broker must have `enablePropertyFilter`.
    #[arg(long, value_name = "CONDITION", conflicts_with = "tag")]
    pub sql: Option<String>,
    /// Where a group begins that has no place yet.
    #[arg(long, value_enum, default_value_t = From::Last)]
    pub from: From,
    /// Every member gets every message.
    #[arg(long)]
    pub broadcast: bool,
    /// Consume each queue in order, under the broker's lock.
    #[arg(long)]
    pub orderly: bool,
    /// End when so many messages are done.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// End after so much time.
    #[arg(long = "for", value_name = "SPAN", value_parser = span)]
    pub time: Option<Span>,
    /// Answer RECONSUME_LATER to the first deliveries, so many: they come again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fail: u64,
    /// Keep a broadcasting group's offsets in this folder; in a temporary one by default.
    #[arg(long, value_name = "DIR", requires = "broadcast")]
    pub offsets: Option<PathBuf>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Where a group begins that has no place yet.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// `CONSUME_FROM_FIRST_OFFSET`.
    First,
    /// `CONSUME_FROM_LAST_OFFSET`.
    Last,
}

/// What is asked of a cluster.
#[derive(Subcommand, Debug, Clone)]
pub enum AdminCommand {
    /// Topics with their clusters and groups, as `mqadmin topicList -c` prints them.
    Topics {
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Brokers, as `mqadmin clusterList` prints them.
    Cluster {
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Where a topic's queues are.
    Route {
        /// The topic.
        topic: String,
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// The ends of a topic's queues, as `mqadmin topicStatus` prints them.
    Status {
        /// The topic.
        topic: String,
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// How far groups have got, as `mqadmin consumerProgress` prints it; of one group queue by queue.
    Progress {
        /// The group.
        group: Option<String>,
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Make a topic, or change one, on every master, as `mqadmin updateTopic` does.
    Create {
        /// The topic.
        topic: String,
        /// Queues to read and to write on each broker.
        #[arg(long, value_name = "N", default_value_t = 8)]
        queues: i32,
        /// On the brokers of this cluster.
        #[arg(long = "cluster", value_name = "NAME", default_value = "DefaultCluster")]
        at: String,
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Delete a topic from brokers and nameservers, as `mqadmin deleteTopic` does.
    Delete {
        /// The topic.
        topic: String,
        /// From the brokers of this cluster.
        #[arg(long = "cluster", value_name = "NAME", default_value = "DefaultCluster")]
        at: String,
        /// Which cluster.
        #[command(flatten)]
        cluster: ClusterArgs,
    },
    /// Look for messages, as `mqadmin queryMsgById`, `queryMsgByKey` and `queryMsgByUniqueKey` do.
    Query(Box<QueryArgs>),
}

/// Which messages are looked for, and where.
#[derive(Args, Debug, Clone)]
pub struct QueryArgs {
    /// Which messages.
    #[command(flatten)]
    pub which: WhichMessage,
    /// The topic in which keys are looked for.
    #[arg(long, short, required_unless_present = "id")]
    pub topic: Option<String>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

pub(super) fn span(text: &str) -> Result<Span, String> {
    moment::span(text).map_err(|error| format!("{}; {}", error.message, error.help))
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a property is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
