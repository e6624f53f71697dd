//! `mqlab send`: clients over sockets.

use clap::Args;

use crate::lab::cli::args::Report;
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

pub(super) fn span(text: &str) -> Result<Span, String> {
    moment::span(text).map_err(|error| format!("{}; {}", error.message, error.help))
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a property is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
