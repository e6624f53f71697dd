//! Rows of a message that a producer sends: what is answered, what is put, which topics are made.

use bytes::Bytes;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::broker::processor::admit::{
    Refusal, accepted, added_by, born_of, dead_of, group_of_retry, may_send, message_of,
};
use mqlab::mq::broker::processor::send::{code_of, refusal_of};
use mqlab::mq::broker::topic::{Presets, Topics};
use mqlab::mq::broker::transaction::{half_of, is_half};
use mqlab::mq::message::Name;
use mqlab::mq::node::Addr;
use mqlab::mq::time::Millis;
use mqlab::mq::wire::body::TopicConfig;
use mqlab::mq::wire::body::group::GroupConfig;
use mqlab::mq::wire::codec::from_raw;
use mqlab::mq::wire::codec::raw::{RawCommand, SerializeType};
use mqlab::mq::wire::header::{Header, SendHeader};
use serde_json::{Map, Value, json};

use super::transaction::{BROKER, host, shown, status};
use super::{Answer, same, unhex};

/// What every answer to a send carries upstream; this broker leaves both out, as its module says.
const ALWAYS: [(&str, &str); 2] = [("MSG_REGION", "DefaultRegion"), ("TRACE_ON", "true")];
/// What the store of the rows answers.
const STORED: (&str, &str) = ("C064035A00002A9F0000000000001388", "42");

/// How a send ends.
enum End {
    Refused(Refusal),
    Thrown(&'static str),
    Sent(i32, i32),
}

/// What a row's broker has.
struct Desk {
    topics: Topics,
    made: Vec<String>,
    puts: Vec<Value>,
}

pub(super) fn send_message(input: &Value, expected: &Value) -> Answer {
    let mut desk = desk(input)?;
    let header = header(input)?;
    let end = match send(&mut desk, header, input) {
        Ok(end) => end,
        Err((1, text)) if text == "java.lang.NullPointerException" => End::Thrown("java.lang.NullPointerException"),
        Err(refusal) => End::Refused(refusal),
    };
    let fields = |more: Map<String, Value>| -> Map<String, Value> {
        ALWAYS.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).chain(more).collect()
    };
    let (mut returned, mut written, mut thrown) = (Value::Null, Value::Null, Value::Null);
    match end {
        End::Refused((code, remark)) => {
            returned = json!({ "code": code, "remark": remark.as_str(), "flag": 1, "extFields": fields(Map::new()) });
        }
        End::Thrown(class) => thrown = json!(class),
        End::Sent(code, queue_id) => {
            let more = json!({ "msgId": STORED.0, "queueId": queue_id.to_string(), "queueOffset": STORED.1 });
            let fields = fields(more.as_object()?.clone());
            written = json!({ "code": code, "remark": null, "flag": 1, "extFields": fields });
        }
    }
    let Desk { mut made, puts, .. } = desk;
    made.sort();
    let got = json!({
        "returned": returned,
        "written": written,
        "thrown": thrown,
        "putMessages": puts,
        "topicsCreated": made,
    });
    same(&got, expected)
}

/// The steps of a send, in the broker's order.
fn send(desk: &mut Desk, header: SendHeader, input: &Value) -> Result<End, Refusal> {
    let broker = host(BROKER).expect("an address");
    let peer = host(input["remoteAddr"].as_str().unwrap_or_default()).expect("an address");
    let peer = Addr { ip: peer.ip, port: peer.port as u16 };
    let permission = input["brokerPermission"].as_i64().expect("a number") as i32;
    may_send(&header, (permission, broker.ip), &desk.topics)?;
    if desk.topics.get(&header.topic).is_none()
        && let Some(born) = born_of(&header, &mut desk.topics)
    {
        desk.make(born);
    }
    let accepted = accepted(&header, desk.topics.get(&header.topic), peer)?;
    // A row names no queue only where there is one.
    let queue_id = header.queue_id.max(0);
    let (max, had_none) = (header.max_reconsume_times, header.properties.is_none());
    let body = Bytes::from(unhex(input["bodyHex"].as_str().unwrap_or_default()));
    let mut message = message_of(header, (queue_id, accepted.sys_flag), (peer, broker), body);
    if let Some(name) = group_of_retry(&message.topic) {
        let version = input["requestVersion"].as_i64().expect("a number") as i32;
        let group = GroupConfig::new(name.clone());
        if let Some(dead) = dead_of(&name, Some(&group), version, (max, message.reconsume_times))? {
            message.topic = dead.topic_name.clone();
            message.queue_id = 0;
            message.sys_flag = message.sys_flag & !accepted.sys_flag | added_by(&dead);
            if desk.topics.get(&dead.topic_name).is_none() {
                desk.make(dead);
            }
        }
    }
    if is_half(&message) {
        if input["rejectTransactionMessage"] == true {
            let remark = "the broker[192.100.3.90] sending transaction message is forbidden";
            return Ok(End::Refused((16, remark.into())));
        }
        message = half_of(message, false);
    }
    let mut put = shown(&message, false);
    // No properties and an empty text of them are one here: the log cannot tell them apart either.
    if had_none {
        put["propertiesText"] = Value::Null;
    }
    // The tag's code is the store's to compute, there and here.
    put["tagsCodeInMessage"] = json!(0);
    desk.puts.push(put);
    // A store that gives nothing back is one that this engine has not.
    let Some(status) = status(&input["putStatus"]) else {
        return Ok(End::Refused((1, "store putMessage return null".into())));
    };
    if status.is_sent() { Ok(End::Sent(code_of(status), queue_id)) } else { Ok(End::Refused(refusal_of(status))) }
}

impl Desk {
    fn make(&mut self, config: TopicConfig) {
        self.made.push(config.to_string());
        self.topics.put(config, Millis(0));
    }
}

fn desk(input: &Value) -> Option<Desk> {
    let (cluster, broker) = (Name::from("DefaultCluster"), Name::from("broker-a"));
    let auto_create = input["autoCreateTopicEnable"].as_bool()?;
    let presets = Presets { cluster: &cluster, broker: &broker, auto_create, template_queues: 8 };
    let (mut topics, _) = Topics::load(&mut SimDisk::new(&DiskPlan::default()), &presets, Millis(0)).ok()?;
    if let Some(text) = input["topicPreset"].as_str() {
        topics.put(preset(text)?, Millis(0));
    }
    Some(Desk { topics, made: Vec::new(), puts: Vec::new() })
}

/// A topic as a row prints it.
fn preset(text: &str) -> Option<TopicConfig> {
    let inside = text.strip_prefix("TopicConfig [")?.strip_suffix(']')?;
    let field = |name: &str| inside.split(", ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let int = |name: &str| field(name)?.parse::<i32>().ok();
    let perm = field("perm")?;
    let bit = |letter: char, bit: i32| if perm.contains(letter) { bit } else { 0 };
    let config = TopicConfig {
        topic_name: field("topicName")?.into(),
        read_queue_nums: int("readQueueNums")?,
        write_queue_nums: int("writeQueueNums")?,
        perm: bit('R', 4) | bit('W', 2) | bit('X', 1),
        topic_filter_type: field("topicFilterType")?.into(),
        topic_sys_flag: int("topicSysFlag")?,
        order: field("order")? == "true",
    };
    (config.to_string() == text).then_some(config)
}

/// The header of a row's frame, read as the broker reads it.
fn header(input: &Value) -> Option<SendHeader> {
    let raw = RawCommand {
        code: input["requestCode"].as_i64()? as i32,
        language: None,
        version: input["requestVersion"].as_i64()? as i32,
        opaque: Some(1),
        flag: 0,
        remark: None,
        ext_fields: Some(super::wire::ext_fields(input["extFields"].as_object()?)),
        body: None,
        serialize_type: SerializeType::Json,
    };
    match from_raw(raw).ok()?.header {
        Header::Send(header) => Some(*header),
        _ => None,
    }
}
