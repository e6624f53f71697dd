//! `mqlab show`.

use clap::{Args, Subcommand};

use crate::lab::cli::args::{PlanArgs, Report};

/// One view.
#[derive(Subcommand, Debug)]
pub enum Show {
    /// One column a node, arrows for frames.
    Lanes(ShowArgs),
    /// Topics with their clusters and groups, as `mqadmin topicList -c` prints them.
    Topics(ToolArgs),
    /// Brokers, as `mqadmin clusterList` prints them; with `--view` the first of the six views.
    Cluster(ToolOrViewArgs),
    /// How far groups have got, as `mqadmin consumerProgress` prints it; with `--group` queue by queue.
    Progress(ToolArgs),
    /// The ends of the queues, as `mqadmin topicStatus` prints them; with `--view` how far each group has got in each of them.
    Queues(ToolOrViewArgs),
    /// How far each message has come, and the trip of one.
    Messages {
        /// The run, the moment, and what is looked at.
        #[command(flatten)]
        view: ViewArgs,
        /// Only messages that have this in their name, topic, tag, body or state.
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
    },
    /// Half messages, what became of each, and how often brokers have asked.
    Transactions(ViewArgs),
    /// What is expected and judged, the events that show it, and the run in numbers.
    Checks(ViewArgs),
    /// The records of a log, where each of them is safe, and the bytes of one.
    Storage(ViewArgs),
    /// Messages that an operator would find, as `mqadmin queryMsgById`, `queryMsgByKey` and `queryMsgByUniqueKey` print them.
    Message(MessageArgs),
    /// One message's whole trip.
    Story {
        /// The message's key, its unique key, or its number (`m1`).
        key: String,
        /// Which run.
        #[command(flatten)]
        run: ShowArgs,
    },
}

/// What a tool finds out at a moment of a run.
#[derive(Args, Debug, Clone)]
pub struct ToolArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// At which virtual time, e.g. `12s`; the run's end by default.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Only this group, queue by queue.
    #[arg(long, short)]
    pub group: Option<String>,
    /// Only this topic.
    #[arg(long, short)]
    pub topic: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// What a tool finds out, or a view.
#[derive(Args, Debug, Clone)]
pub struct ToolOrViewArgs {
    /// What the tool is asked.
    #[command(flatten)]
    pub tool: ToolArgs,
    /// The view of that name, as the player shows it; `--at` may then be an event, too: `#31`.
    #[arg(long, conflicts_with_all = ["group", "topic"])]
    pub view: bool,
    /// What the view looks at: a message (`m1`, its key or its unique key), or a node.
    #[arg(long, value_name = "FOCUS", requires = "view")]
    pub focus: Option<String>,
}

/// A view at a moment of a run.
#[derive(Args, Debug, Clone)]
pub struct ViewArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// At which moment: a virtual time (`12s`) or an event (`#31`, before it); the run's end by default.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// What is looked at: a message (`m1`, its key or its unique key), or a node.
    #[arg(long, value_name = "FOCUS")]
    pub focus: Option<String>,
    /// What to print; the JSON's `schema` names its version.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// Which messages are looked for, and where.
#[derive(Args, Debug, Clone)]
pub struct MessageArgs {
    /// The run, the moment, and the topic to look in for a key; each topic of the run without one.
    #[command(flatten)]
    pub tool: ToolArgs,
    /// Which messages.
    #[command(flatten)]
    pub which: WhichMessage,
}

/// One way of three.
#[derive(Args, Debug, Clone)]
#[group(required = true, multiple = false)]
pub struct WhichMessage {
    /// By its offset message id.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// By a key of the application's.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// By the id that its producer made.
    #[arg(long, value_name = "ID")]
    pub unique_key: Option<String>,
}

/// Which run a view is drawn of.
#[derive(Args, Debug, Clone)]
pub struct ShowArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How many columns to use.
    #[arg(long)]
    pub width: Option<u16>,
}
