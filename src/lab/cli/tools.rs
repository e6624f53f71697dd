//! `mqlab show topics|cluster|progress|queues`: what RocketMQ's own tools would print at a moment of a run, column by column.
//!
//! The run is taken to the moment and its nodes are asked as the tools ask them; the run itself does not notice.
//! Source: `TopicListSubCommand`, `ClusterListSubCommand`, `ConsumerProgressSubCommand`,
//! `TopicStatusSubCommand`.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::INVALID;
use crate::lab::cli::args::{Report, ToolArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::fault::episode::Trigger;
use crate::lab::fault::moment;
use crate::lab::scenario::plan::Plan;
use crate::lab::sim::tools::{self, Answers, BrokerRow, GroupRow};
use crate::lab::sim::world::World;
use crate::lab::trace::record::Level;
use crate::mq::time::{Calendar, Millis, Time};

/// One of the tools.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tool {
    Topics,
    Cluster,
    Progress,
    Queues,
}

/// What of it is printed, and how.
pub(super) struct Only<'a> {
    pub(super) topic: Option<&'a str>,
    pub(super) group: Option<&'a str>,
    pub(super) format: Report,
}

/// Takes the run to its moment and prints what the tool finds.
pub(super) fn show(tool: Tool, args: &ToolArgs, look: Look) -> Result<ExitCode> {
    let world = match world(args, look) {
        Ok(world) => world,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let only = Only { topic: args.topic.as_deref(), group: args.group.as_deref(), format: args.format };
    let out = match tool {
        Tool::Topics => topics(&world, &only),
        Tool::Cluster => cluster(&world, &only),
        Tool::Queues => queues(&world, &only),
        Tool::Progress => match &args.group {
            None => progress(&world, &only),
            Some(group) => match progress_in(&world, group, &only) {
                Ok(text) => text,
                Err(known) => {
                    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                    load::complain(&format!("no group `{group}` at this moment\n  help: groups: {known}\n"));
                    return Ok(ExitCode::from(INVALID));
                }
            },
        },
    };
    load::say(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// The world as it is at the moment asked for.
pub(super) fn world(args: &ToolArgs, look: Look) -> Result<World, String> {
    let until = match args.at.as_deref().map(moment::parse) {
        None => Time::NEVER,
        Some(Ok(Trigger::At(at))) => at,
        Some(_) => {
            let given = args.at.as_deref().unwrap_or_default();
            return Err(format!("`{given}` is no time of a run\n  help: e.g. `--at 12s` or `--at 1500ms`\n"));
        }
    };
    let scenario = load::scenario(&args.scenario, &args.plan, look)?;
    // A run that ends at the moment is the same run up to there.
    let plan = Plan { until: scenario.plan.until.min(until), ..scenario.plan };
    let mut world = World::new(&plan, Level::Digest);
    while world.step() {}
    Ok(world)
}

fn wanted(only: Option<&str>, name: &str) -> bool {
    only.is_none_or(|only| only == name)
}

/// A text as the tools cut it. Source: `UtilAll.frontStringAtLeast`.
fn front(text: &str, size: usize) -> String {
    text.chars().take(size).collect()
}

fn json_text(rows: &[Value], name: &str) -> String {
    format!("{}\n", json!({ name: rows }))
}

pub(super) fn topics(world: &dyn Answers, args: &Only<'_>) -> String {
    let rows = tools::topics(world);
    let rows = rows.iter().filter(|row| wanted(args.topic, &row.topic) && wanted(args.group, &row.group));
    if args.format == Report::Json {
        let rows: Vec<Value> = rows
            .map(|row| json!({ "cluster": row.cluster.as_str(), "topic": row.topic.as_str(), "group": row.group.as_str() }))
            .collect();
        return json_text(&rows, "topics");
    }
    let mut out = format!("{:<20}  {:<48}  {:<48}\n", "#Cluster Name", "#Topic", "#Consumer Group");
    for row in rows {
        let (cluster, topic, group) = (front(&row.cluster, 20), front(&row.topic, 48), front(&row.group, 48));
        let _ = writeln!(out, "{cluster:<20}  {topic:<48}  {group:<48}");
    }
    out
}

pub(super) fn cluster(world: &dyn Answers, args: &Only<'_>) -> String {
    let rows = tools::cluster(world);
    if args.format == Report::Json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| {
                let info: serde_json::Map<String, Value> =
                    row.info.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
                json!({
                    "cluster": row.cluster.as_str(), "broker": row.broker.as_str(), "id": row.id,
                    "addr": row.addr.as_str(), "age_ms": row.age, "info": info,
                })
            })
            .collect();
        return json_text(&rows, "brokers");
    }
    let mut out = format!(
        "{:<16}  {:<22}  {:<4}  {:<22} {:<16} {:>19} {:>19} {:>10} {:>5} {:>6}\n",
        "#Cluster Name",
        "#Broker Name",
        "#BID",
        "#Addr",
        "#Version",
        "#InTPS(LOAD)",
        "#OutTPS(LOAD)",
        "#PCWait(ms)",
        "#Hour",
        "#SPACE"
    );
    rows.iter().for_each(|row| broker_line(&mut out, row));
    out
}

fn broker_line(out: &mut String, row: &BrokerRow) {
    let info = |name: &str| row.info.get(name).map_or("", |value| value.as_str());
    let load = |rate: &str, pool: &str| {
        let rate: f64 = info(rate).split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        let (size, wait) =
            (info(&format!("{pool}ThreadPoolQueueSize")), info(&format!("{pool}ThreadPoolQueueHeadWaitTimeMills")));
        format!("{rate:>9.2}({size},{wait}ms)")
    };
    let space: f64 = info("commitLogDiskRatio").parse().unwrap_or(0.0);
    let hours = row.age as f64 / 3_600_000.0;
    let _ = writeln!(
        out,
        "{:<16}  {:<22}  {:<4}  {:<22} {:<16} {:>19} {:>19} {:>10} {:>5} {:>6}",
        row.cluster,
        row.broker,
        row.id,
        row.addr,
        info("brokerVersionDesc"),
        load("putTps", "send"),
        load("getTransferedTps", "pull"),
        info("pageCacheLockTimeMills"),
        format!("{hours:.2}"),
        format!("{space:.4}"),
    );
}

pub(super) fn progress(world: &dyn Answers, args: &Only<'_>) -> String {
    let rows = tools::progress(world);
    if args.format == Report::Json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| {
                json!({
                    "group": row.group.as_str(), "count": row.count, "version": row.version.as_str(),
                    "type": row.kind.as_str(), "model": row.model.as_str(), "tps": row.tps as f64 / 1_000.0, "diff": row.diff,
                })
            })
            .collect();
        return json_text(&rows, "groups");
    }
    let mut out = format!(
        "{:<32}  {:<6}  {:<24} {:<5}  {:<14}  {:<7}  {}\n",
        "#Group", "#Count", "#Version", "#Type", "#Model", "#TPS", "#Diff Total"
    );
    for row in rows {
        let group = front(&row.group, 32);
        let (count, version, kind, model, diff) = (row.count, &row.version, &row.kind, &row.model, row.diff);
        let tps = row.tps / 1_000;
        let _ = writeln!(out, "{group:<32}  {count:<6}  {version:<24} {kind:<5}  {model:<14}  {tps:<7}  {diff}");
    }
    out
}

/// One group queue by queue; or which groups there are.
pub(super) fn progress_in(world: &dyn Answers, group: &str, args: &Only<'_>) -> Result<String, Vec<String>> {
    let rows = tools::progress(world);
    match rows.iter().find(|row| row.group == *group) {
        Some(row) => Ok(progress_of(row, args)),
        None => Err(rows.iter().map(|row| row.group.to_string()).collect()),
    }
}

fn progress_of(row: &GroupRow, args: &Only<'_>) -> String {
    let queues = row.queues.iter().filter(|(queue, _)| wanted(args.topic, &queue.topic));
    if args.format == Report::Json {
        let rows: Vec<Value> = queues
            .map(|(queue, at)| {
                json!({
                    "topic": queue.topic.as_str(), "broker": queue.broker.as_str(), "queue_id": queue.queue_id,
                    "broker_offset": at.broker_offset, "consumer_offset": at.consumer_offset,
                    "diff": at.broker_offset - at.consumer_offset, "last_time": at.last_timestamp,
                })
            })
            .collect();
        return json_text(&rows, "queues");
    }
    let mut out = format!(
        "{:<32}  {:<32}  {:<4}  {:<20}  {:<20}  {:<20} {:<20}  {}\n",
        "#Topic", "#Broker Name", "#QID", "#Broker Offset", "#Consumer Offset", "#Client IP", "#Diff", "#LastTime"
    );
    let mut total = 0;
    for (queue, at) in queues {
        let diff = at.broker_offset - at.consumer_offset;
        total += diff;
        let last = if at.last_timestamp == 0 { "N/A".to_owned() } else { day_and_second(at.last_timestamp) };
        let (topic, broker) = (front(&queue.topic, 32), front(&queue.broker, 32));
        let _ = writeln!(
            out,
            "{topic:<32}  {broker:<32}  {:<4}  {:<20}  {:<20}  {:<20} {diff:<20}  {last}",
            queue.queue_id, at.broker_offset, at.consumer_offset, "N/A",
        );
    }
    let _ = write!(out, "\nConsume TPS: {:?}\nDiff Total: {total}\n", row.tps as f64 / 1_000.0);
    out
}

pub(super) fn queues(world: &dyn Answers, args: &Only<'_>) -> String {
    let rows = tools::queues(world);
    let is_own = |topic: &str| topic.starts_with('%') || SYSTEM_TOPICS.contains(&topic);
    let rows = rows.iter().filter(|(queue, _)| match args.topic {
        Some(topic) => queue.topic == *topic,
        None => !is_own(&queue.topic) && queue.topic != queue.broker,
    });
    if args.format == Report::Json {
        let rows: Vec<Value> = rows
            .map(|(queue, ends)| {
                json!({
                    "topic": queue.topic.as_str(), "broker": queue.broker.as_str(), "queue_id": queue.queue_id,
                    "min_offset": ends.min_offset, "max_offset": ends.max_offset,
                    "last_updated": ends.last_update_timestamp,
                })
            })
            .collect();
        return json_text(&rows, "queues");
    }
    let head = format!(
        "{:<32}  {:<4}  {:<20}  {:<20}    {}\n",
        "#Broker Name", "#QID", "#Min Offset", "#Max Offset", "#Last Updated"
    );
    let mut out = String::new();
    let mut shown = None;
    for (queue, ends) in rows {
        // The tool is asked for one topic; here each has its table.
        if shown.as_ref() != Some(&queue.topic) {
            let _ = write!(out, "{}{}\n{head}", if shown.is_some() { "\n" } else { "" }, queue.topic);
            shown = Some(queue.topic.clone());
        }
        let broker = front(&queue.broker, 32);
        let last =
            if ends.last_update_timestamp == 0 { String::new() } else { to_the_milli(ends.last_update_timestamp) };
        let (min, max) = (ends.min_offset, ends.max_offset);
        let _ = writeln!(out, "{broker:<32}  {:<4}  {min:<20}  {max:<20}    {last}", queue.queue_id);
    }
    out
}

/// `yyyy-MM-dd HH:mm:ss` of UTC. Source: `UtilAll.YYYY_MM_DD_HH_MM_SS`.
fn day_and_second(at: i64) -> String {
    let Calendar { year, month, day, hour, minute, second, .. } = Calendar::of(Millis(at), 0);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `yyyy-MM-dd HH:mm:ss,SSS` of UTC. Source: `UtilAll.timeMillisToHumanString2`.
fn to_the_milli(at: i64) -> String {
    format!("{},{:03}", day_and_second(at), Calendar::of(Millis(at), 0).milli)
}

/// Topics that every broker makes for itself. Source: `TopicConfigManager`.
const SYSTEM_TOPICS: &[&str] = &[
    "TBW102",
    "SELF_TEST_TOPIC",
    "BenchmarkTest",
    "OFFSET_MOVED_EVENT",
    "DefaultCluster",
    "SCHEDULE_TOPIC_XXXX",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
];
