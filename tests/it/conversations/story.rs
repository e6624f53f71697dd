//! What a conversation's `story.json` says of the processes: who they were, how they were set up, when they came and went.

use std::fs;
use std::path::PathBuf;

use mqlab::mq::broker::properties::Places;
use mqlab::mq::broker::properties::text::Pair;
use mqlab::mq::broker::{Broker, BrokerConfig};
use mqlab::mq::message::Name;
use mqlab::mq::namesrv::{Namesrv, NamesrvConfig};
use mqlab::mq::node::{Addr, Node};
use mqlab::mq::wire::codec::raw::SerializeType;
use serde_json::Value;

use super::stage::Boot;
use super::{Said, Spoken};

/// A process of ours, by its role.
pub(super) struct Process {
    pub(super) role: String,
    pub(super) ip: u32,
    pub(super) ports: Vec<u16>,
    /// How it writes its headers.
    pub(super) speaks: SerializeType,
}

/// Something that befalls a process of ours.
pub(super) enum Deed {
    Boot(Boot),
    Stop,
    Kill,
}

pub(super) struct Step {
    pub(super) ms: u64,
    pub(super) role: String,
    pub(super) deed: Deed,
}

pub(super) struct Story {
    /// The wall clock at the beginning.
    pub(super) epoch: i64,
    pub(super) processes: Vec<Process>,
    /// By time.
    pub(super) steps: Vec<Step>,
}

/// The nameserver's role.
pub(super) const NAMESRV: &str = "namesrv";

/// Reads the story; what its steps do not tell to the millisecond, the frames do: a broker's boot is over when it registers,
/// and its stop when it takes leave.
pub(super) fn story(name: &str, said: &[Said]) -> Story {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/conversations");
    let text = fs::read_to_string(folder.join(name).join("story.json")).unwrap();
    let story: Value = serde_json::from_str(&text).unwrap();
    let mut processes: Vec<Process> = Vec::new();
    for process in story["processes"].as_array().unwrap() {
        if process["kind"] != "client" && processes.iter().all(|known| process["role"] != *known.role) {
            processes.push(process_of(process));
        }
    }
    let mut steps: Vec<Step> = Vec::new();
    for step in story["steps"].as_array().unwrap() {
        let role = step["role"].as_str().unwrap_or_default();
        if processes.iter().any(|process| process.role == role) {
            steps.extend(step_of(step, role, said));
        }
    }
    steps.sort_by_key(|step| step.ms);
    Story { epoch: story["epochMillisAtZero"].as_i64().unwrap(), processes, steps }
}

fn process_of(process: &Value) -> Process {
    let ports = match process["port"].as_u64() {
        Some(port) => vec![port as u16],
        None => ["main", "vip", "ha"].iter().map(|kind| process["ports"][kind].as_u64().unwrap() as u16).collect(),
    };
    let ip = Addr::parse(&format!("{}:0", process["ip"].as_str().unwrap())).unwrap().ip;
    let is_binary = process["jvm"].as_array().is_some_and(|jvm| jvm.iter().any(|set| set == BINARY));
    let speaks = if is_binary { SerializeType::RocketMq } else { SerializeType::Json };
    Process { role: process["role"].as_str().unwrap().to_owned(), ip, ports, speaks }
}

const BINARY: &str = "-Drocketmq.serialize.type=ROCKETMQ";

fn step_of(step: &Value, role: &str, said: &[Said]) -> Option<Step> {
    let ms = step["ms"].as_u64().unwrap();
    let (ms, deed) = match step["do"].as_str()? {
        "start process" | "start process again" if role == NAMESRV => (ms, Deed::Boot(nameserver())),
        "start process" | "start process again" => {
            let heard = first(said, role, 103, ms).into_iter().chain(reached(said, role, ms)).min().unwrap_or(ms);
            (swept(said, role, heard).unwrap_or(heard - LEAD_MS), Deed::Boot(broker(&step["config"])))
        }
        "graceful stop (SIGTERM)" => {
            let gone = step["gone"].as_u64().unwrap();
            let left = if role == NAMESRV { Some(gone) } else { first(said, role, 104, ms) };
            (left.unwrap_or(gone), Deed::Stop)
        }
        "kill (SIGKILL)" => (ms, Deed::Kill),
        other => panic!("{role} does `{other}`"),
    };
    Some(Step { ms, role: role.to_owned(), deed })
}

/// When a process first says something to the nameserver from a moment on.
fn first(said: &[Said], role: &str, code: i32, from: u64) -> Option<u64> {
    let mut conns = Vec::new();
    for line in said {
        match &line.event {
            Spoken::Opened { from, to, .. } if from == role && to == NAMESRV => conns.push(line.conn),
            Spoken::Frame(frame)
                if line.ms >= from
                    && frame.from_client
                    && conns.contains(&line.conn)
                    && frame.header["code"] == code
                    && frame.header["flag"].as_i64().is_some_and(|flag| flag & 1 == 0) =>
            {
                return Some(line.ms);
            }
            _ => {}
        }
    }
    None
}

/// When somebody first reaches a process from a moment on.
fn reached(said: &[Said], role: &str, from: u64) -> Option<u64> {
    let is_his =
        |line: &&Said| matches!(&line.event, Spoken::Opened { to, client, .. } if to == role && !client.is_empty());
    said.iter().filter(|line| line.ms >= from).find(is_his).map(|line| line.ms)
}

/// When the loop that sweeps held pulls began, to the millisecond: it goes round every five seconds, and a pull that has been
/// held too long is answered then.
fn swept(said: &[Said], role: &str, heard: u64) -> Option<u64> {
    let mut conns = Vec::new();
    let mut asked = std::collections::BTreeMap::new();
    for line in said.iter().filter(|line| line.ms >= heard || matches!(line.event, Spoken::Opened { .. })) {
        match &line.event {
            Spoken::Opened { to, port, .. } if to == role && port == "main" => conns.push(line.conn),
            Spoken::Frame(frame) if conns.contains(&line.conn) => {
                let way = (line.conn, frame.header["opaque"].as_i64());
                if frame.from_client && frame.header["code"] == 11 {
                    asked.insert(way, line.ms);
                } else if frame.header["code"] == 19
                    && asked.get(&way).is_some_and(|since| SUSPENDED_MS <= line.ms - since)
                {
                    let at = line.ms - SWEEP_MS * ((line.ms - heard) / SWEEP_MS + 1);
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// By how much a broker's boot is ahead of its first registration where nothing tells it better.
const LEAD_MS: u64 = 110;
/// How long a consumer lets its pull be held, at least.
const SUSPENDED_MS: u64 = 15_000;
const SWEEP_MS: u64 = 5_000;

fn nameserver() -> Boot {
    let config = NamesrvConfig::new(Addr::new(127, 0, 0, 9, 9_876));
    Box::new(move |step| Box::new(Namesrv::boot(config.clone(), step)) as Box<dyn Node>)
}

/// A broker with the settings that the real one was given, read as its own file would be.
fn broker(settings: &Value) -> Boot {
    let settings = settings.as_object().unwrap();
    let pairs: Vec<Pair> = settings
        .iter()
        .zip(1..)
        .map(|((key, value), line)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Pair { line, key: Name::from(key.as_str()), value: Name::from(value) }
        })
        .collect();
    let mut config = BrokerConfig::new("unnamed", Addr::default());
    let remarks = config.apply(&pairs, Places::File).unwrap();
    config.addr.ip = config.broker_ip1;
    assert!(remarks.is_empty(), "{remarks:?}");
    config.store.commit_log_file_size = 1 << 20;
    config.store.consume_queue_file_size = 20_000;
    Box::new(move |step| Box::new(Broker::boot(config.clone(), step).unwrap()) as Box<dyn Node>)
}
