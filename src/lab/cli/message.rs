//! `mqlab show message`: what RocketMQ's own tools would find of a message at a moment of a run.
//!
//! Source: `QueryMsgByIdSubCommand`, `QueryMsgByKeySubCommand`, `QueryMsgByUniqueKeySubCommand`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::INVALID;
use crate::lab::cli::args::{MessageArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::tools;
use crate::lab::sim::tools::{Wanted, messages};
use crate::lab::view::operator;
use crate::mq::message::{StoredMessage, id};

/// Takes the run to its moment and prints what is found there.
pub(super) fn show(args: &MessageArgs, look: Look) -> Result<ExitCode> {
    let world = match tools::world(&args.tool, look) {
        Ok(world) => world,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let topic = args.tool.topic.as_deref();
    let wanted = match (&args.which.id, &args.which.key, &args.which.unique_key) {
        (Some(id), ..) => Wanted::Id(id),
        (_, Some(key), _) => Wanted::Key(key, topic),
        (_, _, key) => Wanted::UniqueKey(key.as_deref().unwrap_or_default(), topic),
    };
    let found = messages(&world, wanted);
    if found.is_empty() {
        let (Wanted::Id(text) | Wanted::Key(text, _) | Wanted::UniqueKey(text, _)) = wanted;
        let help = "a broker finds what its index holds: look later (`--at`), or see `mqlab show queues`";
        load::complain(&format!("no message `{text}` at this moment\n  help: {help}\n"));
        return Ok(ExitCode::from(INVALID));
    }
    if args.tool.format == Report::Json {
        let rows: Vec<Value> = found.iter().map(row).collect();
        load::say(&format!("{}\n", json!({ "messages": rows })))?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines = match wanted {
        Wanted::Key(..) => operator::by_key(&found),
        Wanted::Id(_) => found.iter().flat_map(|found| operator::details(found, true)).collect(),
        Wanted::UniqueKey(..) => found.iter().flat_map(|found| operator::details(found, false)).collect(),
    };
    load::say(&format!("{}\n", lines.join("\n")))?;
    Ok(ExitCode::SUCCESS)
}

fn row(found: &StoredMessage) -> Value {
    let properties: serde_json::Map<String, Value> =
        found.message.properties.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
    json!({
        "message_id": operator::message_id(found).as_str(),
        "offset_id": id::offset_msg_id(found.store_host, found.commit_log_offset).as_str(),
        "topic": found.message.topic.as_str(),
        "queue_id": found.queue_id,
        "queue_offset": found.queue_offset.0,
        "commit_log_offset": found.commit_log_offset.0,
        "reconsume_times": found.reconsume_times,
        "born": found.born_timestamp.0,
        "stored": found.store_timestamp.0,
        "properties": properties,
    })
}
