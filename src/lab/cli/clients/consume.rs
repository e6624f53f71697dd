//! `mqlab consume`: a push consumer that prints what it is given.

use std::process::ExitCode;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::host::client::{self, Client, Heard};
use crate::lab::cli::args::{ConsumeArgs, From};
use crate::lab::cli::clients::{INTERRUPT, Teller, config, is_interrupted, start};
use crate::lab::cli::load::Look;
use crate::lab::cli::{LAB, NOT_EXPECTED};
use crate::lab::locale::clients as words;
use crate::lab::view::operator;
use crate::mq::app::{
    Call, ConsumeFrom, ConsumeOutcome, MessageModel, MessageSelector, Ordered, OrderlyStatus, Return, TaskId,
};
use crate::mq::client::config::ConsumerConfig;
use crate::mq::message::property::names;
use crate::mq::message::{MessageQueue, StoredMessage};
use crate::mq::time::{Calendar, Millis};

/// What a consumer has been given so far.
#[derive(Default)]
struct Tally {
    /// Deliveries.
    given: u64,
    /// Messages that are done.
    done: u64,
}

/// Consumes until it is enough.
pub(in crate::lab::cli) fn run(args: &ConsumeArgs, look: Look) -> Result<ExitCode> {
    let teller = Teller::new(&args.cluster, look);
    let started = match config(&args.cluster) {
        Ok(mut config) => {
            config.consumers.push(consumer(args));
            start(config, args.offsets.clone())?
        }
        Err(error) => Err(error),
    };
    let client = match started {
        Ok(client) => client,
        Err(error) => {
            return Ok(teller.refuse(&error));
        }
    };
    if !client::is_there(&args.cluster.nameserver) {
        teller.note(words::NOBODY, &[("addr", &args.cluster.nameserver)]);
    }
    teller.note(words::WAITING, &[("topic", &args.topic), ("group", &args.group)]);
    if let Some(span) = args.time {
        let handle = client.handle();
        let wait = move || {
            client::rest(Duration::from_nanos(span.0));
            handle.stop();
        };
        Builder::new().name("mqlab-time".to_owned()).spawn(wait).context("a thread for the time")?;
    }
    let mut tally = Tally::default();
    let mut has_thrown = false;
    while args.count.is_none_or(|count| tally.done < count) {
        match client.hear() {
            Some(Heard::Returned(Return::Listen { task, queue, messages, .. })) => {
                listen((args, &client), (task, &queue, &messages), (&teller, &mut tally))?;
            }
            Some(Heard::Returned(_)) => {}
            Some(Heard::StartThrew(text)) => {
                teller.start_threw(&text)?;
                has_thrown = true;
                break;
            }
            None => break,
        }
    }
    if !client.stop() {
        teller.unclean();
        return Ok(ExitCode::from(LAB));
    }
    let (done, given) = (tally.done.to_string(), tally.given.to_string());
    teller.note(words::CONSUMED, &[("done", &done), ("given", &given)]);
    let is_short = args.count.is_some_and(|count| tally.done < count);
    Ok(match () {
        () if has_thrown => ExitCode::from(NOT_EXPECTED),
        () if is_interrupted() && is_short => ExitCode::from(INTERRUPT),
        () if is_short => ExitCode::from(NOT_EXPECTED),
        () => ExitCode::SUCCESS,
    })
}

fn consumer(args: &ConsumeArgs) -> ConsumerConfig {
    let selector = match &args.sql {
        Some(sql) => MessageSelector::Sql(sql.as_str().into()),
        None => MessageSelector::Tags(args.tag.as_deref().unwrap_or("*").into()),
    };
    ConsumerConfig {
        subscriptions: vec![(args.topic.as_str().into(), selector)],
        consume_from: match args.from {
            From::First => ConsumeFrom::First,
            From::Last => ConsumeFrom::Last,
        },
        message_model: if args.broadcast { MessageModel::Broadcasting } else { MessageModel::Clustering },
        consume_orderly: args.orderly,
        ..ConsumerConfig::new(args.group.as_str())
    }
}

/// The listener: prints the messages, and answers.
fn listen(
    (args, client): (&ConsumeArgs, &Client),
    (task, queue, messages): (TaskId, &MessageQueue, &[StoredMessage]),
    (teller, tally): (&Teller, &mut Tally),
) -> Result<()> {
    tally.given += messages.len() as u64;
    let fails = tally.given <= args.fail;
    let (outcome, answer) = match (fails, args.orderly) {
        (false, false) => (ConsumeOutcome::Success { ack_index: i32::MAX }, "CONSUME_SUCCESS"),
        (true, false) => (ConsumeOutcome::Later, "RECONSUME_LATER"),
        (_, true) => {
            let status = if fails { OrderlyStatus::Suspend } else { OrderlyStatus::Success };
            (ConsumeOutcome::Ordered(Ordered::new(status)), status.as_str())
        }
    };
    for message in messages {
        teller.say(&line(queue, message, fails.then_some(answer)), &object(queue, message, answer))?;
    }
    client.call(Call::Listened { task, outcome });
    if !fails {
        tally.done += messages.len() as u64;
    }
    Ok(())
}

/// When it was stored, where it stands, its tag, its keys and its body; how often it was tried before, and what is answered if
/// that is not that it is done.
fn line(queue: &MessageQueue, stored: &StoredMessage, answer: Option<&str>) -> String {
    let property = |name: &str| stored.message.properties.get(name).map_or("-", |text| text.as_str()).to_owned();
    let again = match stored.reconsume_times {
        0 => String::new(),
        times => format!("  reconsumeTimes={times}"),
    };
    format!(
        "{}  {}/{}@{}  {}  {}  {}{again}{}",
        clock(stored.store_timestamp),
        queue.broker,
        queue.queue_id,
        stored.queue_offset.0,
        property(names::TAGS),
        property(names::KEYS),
        String::from_utf8_lossy(&stored.message.body),
        answer.map(|answer| format!("  {answer}")).unwrap_or_default(),
    )
}

fn object(queue: &MessageQueue, stored: &StoredMessage, answer: &str) -> Value {
    let mut object = found(stored);
    object["broker"] = json!(queue.broker.as_str());
    object["queue_id"] = json!(queue.queue_id);
    object["answer"] = json!(answer);
    object
}

/// A message as an object.
pub(super) fn found(stored: &StoredMessage) -> Value {
    let properties = stored.message.properties.iter();
    let properties: Map<String, Value> =
        properties.map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
    json!({
        "topic": stored.message.topic.as_str(),
        "broker": stored.broker.as_ref().map(|name| name.as_str()),
        "queue_id": stored.queue_id,
        "queue_offset": stored.queue_offset.0,
        "msg_id": operator::message_id(stored).as_str(),
        "born_timestamp": stored.born_timestamp.0,
        "store_timestamp": stored.store_timestamp.0,
        "reconsume_times": stored.reconsume_times,
        "tag": stored.message.properties.get(names::TAGS).map(|text| text.as_str()),
        "keys": stored.message.properties.get(names::KEYS).map(|text| text.as_str()),
        "properties": properties,
        "body": String::from_utf8_lossy(&stored.message.body),
    })
}

/// `HH:mm:ss.SSS` of UTC.
fn clock(at: Millis) -> String {
    let Calendar { hour, minute, second, milli, .. } = Calendar::of(at, 0);
    format!("{hour:02}:{minute:02}:{second:02}.{milli:03}")
}
