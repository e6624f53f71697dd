//! `mqlab send`: a producer that sends what stands on the command line, or the lines of standard input.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use serde_json::json;

use crate::host::client::{self, Client, Heard};
use crate::lab::cli::args::SendArgs;
use crate::lab::cli::clients::{INTERRUPT, Teller, config, is_interrupted, start};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{LAB, NOT_EXPECTED};
use crate::lab::locale::clients as words;
use crate::mq::app::{Call, OpId, Return, SendBy, SendMode, SendStatus, SendTo};
use crate::mq::client::config::ProducerConfig;
use crate::mq::message::Message;
use crate::mq::message::property::{Properties, names};

/// Sends that may be under way without a result.
const WINDOW: u64 = 1_000;

/// How many there were, and how they went.
#[derive(Default)]
struct Tally {
    sent: u64,
    ended: u64,
    ok: u64,
    has_ended: bool,
}

/// Sends all of it.
pub(in crate::lab::cli) fn run(args: &SendArgs, look: Look) -> Result<ExitCode> {
    let teller = Teller::new(&args.cluster, look);
    let started = match config(&args.cluster) {
        Ok(mut config) => {
            let mut producer = ProducerConfig::new(args.group.as_str());
            producer.send_msg_timeout = args.timeout;
            config.producers.push(producer);
            start(config, None)?
        }
        Err(error) => Err(error),
    };
    let client = match started {
        Ok(client) => client,
        Err(error) => {
            return Ok(teller.refuse(&error));
        }
    };
    let mut tally = Tally::default();
    let is_read = match args.bodies.is_empty() {
        true => {
            let lines = io::stdin().lock().split(b'\n');
            let lines = lines.take(args.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
            send_all(lines.map(|line| line.map(without_return)), (args, &client), (&teller, &mut tally))?
        }
        false => {
            let count = args.count.unwrap_or(args.bodies.len() as u64);
            let bodies = (1..).zip(args.bodies.iter().cycle()).take_while(|(number, _)| *number <= count);
            let bodies = bodies.map(|(number, body)| Ok(numbered(body, number).into_bytes()));
            send_all(bodies, (args, &client), (&teller, &mut tally))?
        }
    };
    while !tally.has_ended && tally.ended < tally.sent {
        tally.take(client.hear(), &teller)?;
    }
    let is_whole = client.stop();
    if !is_whole {
        teller.unclean();
        return Ok(ExitCode::from(LAB));
    }
    let values = [("ok", tally.ok.to_string()), ("count", tally.sent.to_string())];
    let values = [(values[0].0, values[0].1.as_str()), (values[1].0, values[1].1.as_str())];
    teller.note(
        match () {
            () if tally.ok < tally.sent || !is_read => words::NOT_ALL_SENT,
            () if args.oneway => words::WRITTEN,
            () => words::SENT,
        },
        &values,
    );
    Ok(match () {
        () if is_interrupted() => ExitCode::from(INTERRUPT),
        () if tally.ok < tally.sent || !is_read => ExitCode::from(NOT_EXPECTED),
        () => ExitCode::SUCCESS,
    })
}

/// Sends bodies until there are no more; false if they broke off.
fn send_all(
    bodies: impl Iterator<Item = io::Result<Vec<u8>>>,
    (args, client): (&SendArgs, &Client),
    (teller, tally): (&Teller, &mut Tally),
) -> Result<bool> {
    for body in bodies {
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                load::complain(&words::INPUT.with(teller.lang, &[("why", &error.to_string())]));
                return Ok(false);
            }
        };
        if 0 < tally.sent && 0 < args.every.0 {
            client::rest(Duration::from_nanos(args.every.0));
        }
        tally.sent += 1;
        client.call(call(args, tally.sent, body));
        let may_wait = if args.is_async { WINDOW } else { 1 };
        while !tally.has_ended && may_wait <= tally.sent - tally.ended {
            tally.take(client.hear(), teller)?;
        }
        while let Some(answer) = client.heard() {
            tally.take(Some(answer), teller)?;
        }
        if tally.has_ended || is_interrupted() {
            break;
        }
    }
    Ok(true)
}

/// The call that sends a message.
fn call(args: &SendArgs, number: u64, body: Vec<u8>) -> Call {
    let (op, group) = (OpId(number), args.group.as_str().into());
    let mut properties = Properties::new();
    let keys: Vec<String> = args.keys.iter().map(|key| numbered(key, number)).collect();
    for (name, value) in &args.properties {
        properties.put(name.as_str(), value.as_str());
    }
    if let Some(tag) = &args.tag {
        properties.put(names::TAGS, tag.as_str());
    }
    if !keys.is_empty() {
        properties.put(names::KEYS, keys.join(" "));
    }
    if let Some(level) = args.delay_level {
        properties.put(names::DELAY, level.to_string());
    }
    properties.put(names::WAIT, "true");
    let message = Message { topic: args.topic.as_str().into(), flag: 0, properties, body: Bytes::from(body) };
    let mode = match (args.is_async, args.oneway) {
        (true, _) => SendMode::Async,
        (_, true) => SendMode::Oneway,
        _ => return Call::Send { op, group, message, timeout: None },
    };
    Call::SendBy { op, group, message, timeout: None, by: SendBy { mode, to: SendTo::Any } }
}

impl Tally {
    /// A result, or the end of the process.
    fn take(&mut self, heard: Option<Heard>, teller: &Teller) -> Result<()> {
        let Some(heard) = heard else {
            self.has_ended = true;
            return Ok(());
        };
        match heard {
            Heard::Returned(Return::Sent { op, result }) => {
                self.ended += 1;
                self.ok += u64::from(result.status == SendStatus::SendOk);
                let object = json!({
                    "number": op.0,
                    "status": result.status.as_str(),
                    "msg_id": result.msg_id.as_str(),
                    "offset_msg_id": result.offset_msg_id.as_str(),
                    "topic": result.queue.topic.as_str(),
                    "broker": result.queue.broker.as_str(),
                    "queue_id": result.queue.queue_id,
                    "queue_offset": result.queue_offset.0,
                });
                teller.say(&result.to_string(), &object)?;
            }
            Heard::Returned(Return::Failed { op, error }) => {
                self.ended += 1;
                teller.thrown(&error, json!({ "number": op.0 }))?;
            }
            Heard::Returned(Return::Done { .. }) => {
                self.ended += 1;
                self.ok += 1;
            }
            Heard::Returned(_) | Heard::StartThrew(_) => {}
        }
        Ok(())
    }
}

/// A text with the message's number in it.
fn numbered(text: &str, number: u64) -> String {
    text.replace("{n}", &number.to_string())
}

/// A line without the carriage return that some systems end it with.
fn without_return(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    line
}
