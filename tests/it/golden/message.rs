//! Rows of `mq::message`: hashes, ids, properties, records, flags, names and printed texts.

use bytes::Bytes;
use mqlab::mq::app::pull::{PullResult, PullStatus};
use mqlab::mq::app::{SendStatus, send_result_text};
use mqlab::mq::client::Owned;
use mqlab::mq::message::id::{UniqIds, maker, month_of, nearly_time, offset_msg_id, parse_offset_msg_id, tail};
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::property::names as property;
use mqlab::mq::message::{
    Host, Message, MessageQueue, Name, PhysicalOffset, QueueOffset, StoredMessage, batch, compress, java, names,
    record, sys_flag, tags_code, text,
};
use mqlab::mq::store::delay::{DelayLevels, level_of_queue, queue_of_level};
use mqlab::mq::time::Millis;
use mqlab::mq::wire::command::version_desc;
use serde_json::Value;

use super::{Answer, same, unhex};

pub(super) fn java_hash(input: &Value, expected: &Value) -> Answer {
    // No text has no hash of its own, and counts as an empty one where tags are hashed.
    let text = input["text"].as_str();
    let code = text.filter(|text| !text.is_empty()).map_or(0, tags_code);
    let wanted = |field: &str| expected[field].as_i64();
    let got = (text.map(|text| i64::from(java::hash(text))), Some(code), Some(code));
    same(&got, &(wanted("hashCode"), wanted("tagsCodeSingle"), wanted("tagsCodeMulti")))
}

pub(super) fn message_id(input: &Value, expected: &Value) -> Answer {
    if !["createMessageId", "decodeMessageId"].iter().any(|known| input["function"] == *known) {
        return None;
    }
    if input["function"] == "createMessageId" {
        let ip: std::net::Ipv4Addr = input["ip"].as_str()?.parse().ok()?;
        let host = Host { ip: u32::from(ip), port: input["port"].as_i64()? as i32 };
        let id = offset_msg_id(host, PhysicalOffset(input["offset"].as_i64()?));
        return same(&id.as_str(), &expected["id"].as_str()?);
    }
    // A port that is none makes upstream's address throw; here it is a number like any other.
    let found = parse_offset_msg_id(input["id"].as_str()?);
    if expected["ok"] == false {
        return match found {
            Some((host, _)) if (0..=65_535).contains(&host.port) => Some(Err(format!("{found:?}, expected an error"))),
            _ => Some(Ok(())),
        };
    }
    let Some((host, at)) = found else { return Some(Err("no id".to_owned())) };
    let got = (std::net::Ipv4Addr::from(host.ip).to_string(), i64::from(host.port), at.0);
    same(&got, &(expected["ip"].as_str()?.to_owned(), expected["port"].as_i64()?, expected["offset"].as_i64()?))
}

pub(super) fn message_batch(input: &Value, expected: &Value) -> Answer {
    let message = |row: &Value| {
        let mut properties = Properties::new();
        for pair in row["puts"].as_array()? {
            properties.put(pair[0].as_str()?, pair[1].as_str()?);
        }
        let body = Bytes::from(unhex(row["bodyHex"].as_str()?));
        Some(Message { topic: "t".into(), flag: row["flag"].as_i64()? as i32, properties, body })
    };
    let messages: Vec<Message> = input["messages"].as_array()?.iter().map(message).collect::<Option<_>>()?;
    let bytes = batch::encode(&messages);
    let wanted = unhex(expected["encodedHex"].as_str()?);
    if bytes != wanted {
        return Some(Err(format!("{bytes:x}")));
    }
    let got: Result<Vec<Value>, batch::BadLength> = batch::entries(&bytes)
        .map(|entry| {
            let batch::Entry { flag, body, properties } = entry?;
            let map = Properties::decode(&java::text(properties));
            let map: serde_json::Map<String, Value> =
                map.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect();
            let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(serde_json::json!({ "flag": flag, "bodyHex": hex, "properties": map }))
        })
        .collect();
    same(&got, &Ok(expected["decoded"].as_array()?.clone()))
}

/// What a table that could not be read whole holds is not looked at: the store does not load.
pub(super) fn delay_level(input: &Value, expected: &Value) -> Answer {
    let number = input["number"].as_i64();
    match input["function"].as_str()? {
        "delayLevel2QueueId" => same(&i64::from(queue_of_level(number? as i32)), &expected["value"].as_i64()?),
        "queueId2DelayLevel" => same(&i64::from(level_of_queue(number? as i32)), &expected["value"].as_i64()?),
        _ => {
            let levels = DelayLevels::parse(input["messageDelayLevel"].as_str()?);
            let Some(levels) = levels else { return same(&false, &expected["ok"].as_bool()?) };
            let table: serde_json::Map<String, Value> = (1..=levels.max())
                .filter_map(|level| Some((level.to_string(), levels.delay_ms(level)?.into())))
                .collect();
            let mut due = Vec::new();
            for row in expected["computeDeliverTimestamp"].as_array()? {
                let stored = row["storeTimestamp"].as_i64()?;
                let level = row["level"].as_i64()?;
                let at = levels.deliver_timestamp(level as i32, Millis(stored)).0;
                due.push(serde_json::json!({ "level": level, "storeTimestamp": stored, "deliverTimestamp": at }));
            }
            let got = (true, i64::from(levels.max()), Value::from(table), Value::from(due));
            let wanted = (expected["ok"].as_bool()?, expected["maxDelayLevel"].as_i64()?);
            same(&got, &(wanted.0, wanted.1, expected["table"].clone(), expected["computeDeliverTimestamp"].clone()))
        }
    }
}

pub(super) fn message_properties(input: &Value, expected: &Value) -> Answer {
    if input["function"] == "messageProperties2String" {
        let mut properties = Properties::new();
        for pair in input["puts"].as_array().into_iter().flatten() {
            properties.put(pair[0].as_str()?, pair[1].as_str()?);
        }
        let order: Option<Vec<&str>> =
            input["puts"].is_array().then(|| properties.iter().map(|(name, _)| &**name).collect());
        let wanted = expected["hashMapOrder"].as_array();
        let wanted = wanted.map(|names| names.iter().map(|name| name.as_str().unwrap_or("")).collect());
        return same(&(properties.encode().as_str(), order), &(expected["text"].as_str()?, wanted));
    }
    if input["function"] != "string2messageProperties" {
        return None;
    }
    let properties = Properties::decode(input["text"].as_str().unwrap_or(""));
    let mut got: Vec<(String, String)> =
        properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    got.sort();
    let mut wanted: Vec<(String, String)> = match &expected["properties"] {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect()
        }
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| (pair[0].as_str().unwrap_or("").to_owned(), pair[1].as_str().unwrap_or("").to_owned()))
            .collect(),
        _ => return None,
    };
    wanted.sort();
    same(&got, &wanted)
}

/// A null value would be printed as `null`; here a property has a value or is not there.
pub(super) fn properties_wait(input: &Value) -> Option<String> {
    let null = |pair: &Value| pair[1].is_null();
    input["puts"].as_array()?.iter().any(null).then(|| "a value is never null here".to_owned())
}

pub(super) fn message_record_list(input: &Value, expected: &Value) -> Answer {
    let found = record::decode_all(&Bytes::from(unhex(input["bufferHex"].as_str()?)));
    let got: Vec<(String, i64, i64, String, i64)> = found
        .iter()
        .map(|message| {
            let id = offset_msg_id(message.store_host, message.commit_log_offset).to_string();
            let length = message.message.body.len() as i64;
            (message.message.topic.to_string(), i64::from(message.queue_id), message.queue_offset.0, id, length)
        })
        .collect();
    let one = |json: &Value| {
        let text = |field: &str| json[field].as_str().unwrap_or("").to_owned();
        let number = |field: &str| json[field].as_i64().unwrap_or(0);
        (text("topic"), number("queueId"), number("queueOffset"), text("offsetMsgId"), number("bodyLength"))
    };
    same(&got, &expected["messages"].as_array()?.iter().map(one).collect())
}

pub(super) fn message_queue_order(input: &Value, expected: &Value) -> Answer {
    let read = |json: &Value| -> Option<Vec<MessageQueue>> {
        let queue = |json: &Value| {
            let (topic, broker) = (Name::from(json[0].as_str()?), Name::from(json[1].as_str()?));
            Some(MessageQueue { topic, broker, queue_id: json[2].as_i64()? as i32 })
        };
        json.as_array()?.iter().map(queue).collect()
    };
    let mut queues = read(&input["queues"])?;
    queues.sort();
    same(&queues, &read(&expected["sorted"])?)
}

pub(super) fn zlib_body(input: &Value, expected: &Value) -> Answer {
    let got = compress::inflate(&unhex(input["compressedHex"].as_str()?));
    match expected["ok"].as_bool()? {
        true => same(&got, &Some(unhex(expected["bodyHex"].as_str()?))),
        false => same(&got, &None),
    }
}

pub(super) fn message_record(input: &Value, expected: &Value) -> Answer {
    let bytes = Bytes::from(unhex(input["bufferHex"].as_str()?));
    // `clientDecode` and calls without flags read and inflate.
    let flag = |field: &str| input[field].as_bool().unwrap_or(true);
    let reading = record::Reading { body: flag("readBody"), inflate: flag("deCompressBody") };
    let found = record::decode_with(&bytes, 0, reading).map(|(message, _)| message);
    if expected["decoded"] == false {
        return same(&found.map(|message| message.store_size), &None);
    }
    let Some(found) = found else { return Some(Err("not decoded".to_owned())) };
    let wanted = &expected["message"];
    let host = |host: Host| format!("{}:{}", std::net::Ipv4Addr::from(host.ip), host.port);
    let numbers = [
        ("storeSize", i64::from(found.store_size)),
        ("bodyCRC", i64::from(found.body_crc)),
        ("queueId", i64::from(found.queue_id)),
        ("flag", i64::from(found.message.flag)),
        ("queueOffset", found.queue_offset.0),
        ("commitLogOffset", found.commit_log_offset.0),
        ("sysFlag", i64::from(found.sys_flag)),
        ("bornTimestamp", found.born_timestamp.0),
        ("storeTimestamp", found.store_timestamp.0),
        ("reconsumeTimes", i64::from(found.reconsume_times)),
        ("preparedTransactionOffset", found.prepared_transaction_offset),
    ];
    for (field, got) in numbers {
        if wanted[field].as_i64() != Some(got) {
            return Some(Err(format!("{field} {got}")));
        }
    }
    let mut properties: Vec<(String, String)> =
        found.message.properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    properties.sort();
    let pairs = wanted["properties"].as_object().into_iter().flatten();
    let mut wanted_pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect();
    wanted_pairs.sort();
    let got = (
        host(found.born_host),
        host(found.store_host),
        found.message.topic.to_string(),
        found.message.body.to_vec(),
        properties,
    );
    let id = offset_msg_id(found.store_host, found.commit_log_offset);
    // Whether upstream made a map for no properties is not kept here; reading a client message's id makes one.
    let map = wanted["properties"].is_object() || wanted["class"] == "MessageClientExt";
    let text = printed(&found, &id, map);
    if Some(text.as_str()) != wanted["toString"].as_str() {
        return Some(Err(text));
    }
    let text = |field: &str| wanted[field].as_str().unwrap_or("").to_owned();
    same(&got, &(text("bornHost"), text("storeHost"), text("topic"), unhex(&text("bodyHex")), wanted_pairs))
}

pub(super) fn sys_flags(input: &Value, expected: &Value) -> Answer {
    if input["function"] == "PullSysFlag" {
        return pull_sys_flags(input, expected);
    }
    if input["function"] != "MessageSysFlag" {
        return None;
    }
    let (flag, kind) = (input["flag"].as_i64()? as i32, input["type"].as_i64()? as i32);
    let got = (
        sys_flag::transaction_type(flag),
        sys_flag::with_transaction_type(flag, kind),
        sys_flag::without_compressed(flag),
    );
    let number = |field: &str| expected[field].as_i64().map(|number| number as i32);
    same(&got, &(number("transactionValue")?, number("resetTransaction")?, number("clearCompressed")?))
}

/// A record as it is printed once decoded: a body that is not there is null, and so are properties without a `map`.
fn printed(stored: &StoredMessage, id: &Name, map: bool) -> String {
    let message = &stored.message;
    let properties = map.then_some(&message.properties);
    let body = Some(&*message.body).filter(|body| !body.is_empty());
    text::stored(stored, id, &text::message(&message.topic, message.flag, properties, body, None))
}

fn pull_sys_flags(input: &Value, expected: &Value) -> Answer {
    let asked = |field: &str| input[field].as_bool();
    let flag =
        sys_flag::pull::build(asked("commitOffset")?, asked("suspend")?, asked("subscription")?, asked("classFilter")?);
    let has = |bit: i32| Some(flag & bit == bit);
    let got = (
        i64::from(flag),
        i64::from(sys_flag::pull::without_commit_offset(flag)),
        has(sys_flag::pull::COMMIT_OFFSET),
        has(sys_flag::pull::SUSPEND),
        has(sys_flag::pull::SUBSCRIPTION),
        has(sys_flag::pull::CLASS_FILTER),
    );
    let found = |field: &str| expected[field].as_bool();
    let wanted = (
        expected["sysFlag"].as_i64()?,
        expected["clearCommitOffset"].as_i64()?,
        found("hasCommitOffset"),
        found("hasSuspend"),
        found("hasSubscription"),
        found("hasClassFilter"),
    );
    same(&got, &wanted)
}

/// Constants that nothing here names: environment, HTTP look-up, groups of tools.
pub(super) fn name_waits(input: &Value) -> Option<String> {
    let text = input["text"].as_str().filter(|_| input["kind"] == "constant")?;
    let known = CONSTANTS.iter().any(|(name, _)| *name == text);
    (!known).then(|| "a constant that nothing here names".to_owned())
}

pub(super) fn names_of(input: &Value, expected: &Value) -> Answer {
    let text = input["text"].as_str()?;
    let name = Name::from(text);
    match input["kind"].as_str()? {
        "group or topic" => {
            let flag = |field: &str| expected[field].as_bool();
            let wanted = (expected["getRetryTopic"].as_str()?, expected["getDLQTopic"].as_str()?);
            let got = (names::retry_topic(text), names::dlq_topic(text));
            let kinds = (Some(names::is_system_group(&name)), Some(names::is_system_topic(&name)));
            same(
                &((got.0.as_str(), got.1.as_str()), kinds),
                &(wanted, (flag("isSysConsumerGroup"), flag("isSystemTopic"))),
            )
        }
        "address" => {
            let got = if input["flag"].as_bool()? { names::vip_channel(text) } else { Some(name) };
            same(&got.as_deref(), &expected["brokerVIPChannel"].as_str())
        }
        "MQVersion.getVersionDesc" => {
            let got = version_desc(text.parse().ok()?);
            same(&got.as_deref(), &expected["value"].as_str())
        }
        "constant" => {
            let (_, value) = CONSTANTS.iter().find(|(name, _)| *name == text)?;
            same(value, &expected["value"].as_str()?)
        }
        _ => None,
    }
}

/// Upstream's constants beside ours.
const CONSTANTS: &[(&str, &str)] = &[
    ("MessageConst.PROPERTY_KEYS", property::KEYS),
    ("MessageConst.PROPERTY_TAGS", property::TAGS),
    ("MessageConst.PROPERTY_WAIT_STORE_MSG_OK", property::WAIT),
    ("MessageConst.PROPERTY_DELAY_TIME_LEVEL", property::DELAY),
    ("MessageConst.PROPERTY_RETRY_TOPIC", property::RETRY_TOPIC),
    ("MessageConst.PROPERTY_REAL_TOPIC", property::REAL_TOPIC),
    ("MessageConst.PROPERTY_REAL_QUEUE_ID", property::REAL_QID),
    ("MessageConst.PROPERTY_TRANSACTION_PREPARED", property::TRAN_MSG),
    ("MessageConst.PROPERTY_PRODUCER_GROUP", property::PGROUP),
    ("MessageConst.PROPERTY_MIN_OFFSET", property::MIN_OFFSET),
    ("MessageConst.PROPERTY_MAX_OFFSET", property::MAX_OFFSET),
    ("MessageConst.PROPERTY_ORIGIN_MESSAGE_ID", property::ORIGIN_MESSAGE_ID),
    ("MessageConst.PROPERTY_RECONSUME_TIME", property::RECONSUME_TIME),
    ("MessageConst.PROPERTY_MSG_REGION", property::MSG_REGION),
    ("MessageConst.PROPERTY_TRACE_SWITCH", property::TRACE_ON),
    ("MessageConst.PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX", property::UNIQ_KEY),
    ("MessageConst.PROPERTY_MAX_RECONSUME_TIMES", property::MAX_RECONSUME_TIMES),
    ("MessageConst.PROPERTY_CONSUME_START_TIMESTAMP", property::CONSUME_START_TIME),
    ("MixAll.AUTO_CREATE_TOPIC_KEY_TOPIC", mqlab::mq::broker::topic::AUTO_CREATE_TOPIC),
    ("MixAll.CLIENT_INNER_PRODUCER_GROUP", mqlab::mq::client::config::CLIENT_INNER_PRODUCER_GROUP),
    ("MixAll.CID_RMQ_SYS_PREFIX", names::CID_RMQ_SYS_PREFIX),
    ("MixAll.RETRY_GROUP_TOPIC_PREFIX", names::RETRY_GROUP_TOPIC_PREFIX),
    ("MixAll.DLQ_GROUP_TOPIC_PREFIX", names::DLQ_GROUP_TOPIC_PREFIX),
    ("MixAll.SYSTEM_TOPIC_PREFIX", names::SYSTEM_TOPIC_PREFIX),
];

pub(super) fn to_string(input: &Value, expected: &Value) -> Answer {
    let fields = &input["fields"];
    let wanted = expected["text"].as_str()?;
    match input["class"].as_str()? {
        "MessageQueue" => {
            // Java prints a null as `null` and hashes it as nothing.
            let of = |null: &str| {
                let text = |at: usize| Name::from(fields["queue"][at].as_str().unwrap_or(null));
                let queue_id = fields["queue"][2].as_i64()? as i32;
                Some(MessageQueue { topic: text(0), broker: text(1), queue_id })
            };
            let got = (of("null")?.to_string(), Some(i64::from(of("")?.hash_code())));
            same(&got, &(wanted.to_owned(), expected["hashCode"].as_i64()))
        }
        "SendResult" | "TransactionSendResult" => {
            let all = [
                SendStatus::SendOk,
                SendStatus::FlushDiskTimeout,
                SendStatus::FlushSlaveTimeout,
                SendStatus::SlaveNotAvailable,
            ];
            let status = all.into_iter().find(|status| Some(status.as_str()) == fields["sendStatus"].as_str())?;
            let ids = (fields["msgId"].as_str(), fields["offsetMsgId"].as_str());
            let at = QueueOffset(fields["queueOffset"].as_i64()?);
            same(&send_result_text(status, ids, &queue(&fields["queue"])?, at).as_str(), &wanted)
        }
        "PullResult" => {
            let all = [PullStatus::Found, PullStatus::NoNewMsg, PullStatus::NoMatchedMsg, PullStatus::OffsetIllegal];
            let number = |field: &str| fields[field].as_i64();
            let result = PullResult {
                status: all.into_iter().find(|status| Some(status.as_str()) == fields["pullStatus"].as_str())?,
                next_begin_offset: number("nextBeginOffset")?,
                min_offset: number("minOffset")?,
                max_offset: number("maxOffset")?,
                queue: MessageQueue { topic: "t".into(), broker: "b".into(), queue_id: 0 },
                messages: (0..number("messages").unwrap_or(0)).map(|_| nothing()).collect(),
            };
            same(&result.to_string().as_str(), &wanted)
        }
        "PullRequest" => {
            let next_offset = fields["nextOffset"].as_i64()?;
            let group = Name::from(fields["consumerGroup"].as_str().unwrap_or("null"));
            let queue = queue(&fields["queue"])?;
            same(&Owned { group, queue, next_offset, consumed: -1, cached: 0 }.to_string().as_str(), &wanted)
        }
        "MessageQueueForC" => {
            let text = |at: usize| Name::from(fields["queue"][at].as_str().unwrap_or("null"));
            let queue_id = fields["queue"][2].as_i64()? as i32;
            let queue = MessageQueue { topic: text(0), broker: text(1), queue_id };
            same(&text::queue_for_c(&queue, fields["offset"].as_i64()?).as_str(), &wanted)
        }
        "Message" => same(&message_text(fields)?.as_str(), &wanted),
        "MessageExt" | "MessageClientExt" => stored_text(&input["class"], fields, expected),
        _ => None,
    }
}

/// A message of which only that it is there counts.
fn nothing() -> StoredMessage {
    StoredMessage {
        message: Message { topic: "t".into(), flag: 0, properties: Properties::new(), body: Bytes::new() },
        broker: None,
        queue_id: 0,
        store_size: 0,
        queue_offset: QueueOffset(0),
        sys_flag: 0,
        born_timestamp: Millis(0),
        born_host: Host::default(),
        store_timestamp: Millis(0),
        store_host: Host::default(),
        commit_log_offset: PhysicalOffset(0),
        body_crc: 0,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
    }
}

fn queue(json: &Value) -> Option<MessageQueue> {
    let (topic, broker) = (Name::from(json[0].as_str()?), Name::from(json[1].as_str()?));
    Some(MessageQueue { topic, broker, queue_id: json[2].as_i64()? as i32 })
}

fn puts(json: &Value) -> Option<Properties> {
    let mut properties = Properties::new();
    for pair in json.as_array()? {
        properties.put(pair[0].as_str()?, pair[1].as_str()?);
    }
    Some(properties)
}

/// The long constructor puts tags, keys and WAIT, in this order, each text only if it is not empty.
fn message_text(fields: &Value) -> Option<String> {
    let mut properties = Properties::new();
    for (name, field) in [(property::TAGS, "tags"), (property::KEYS, "keys")] {
        if let Some(text) = fields[field].as_str().filter(|text| !text.is_empty()) {
            properties.put(name, text);
        }
    }
    if let Some(wait) = fields["waitStoreMsgOK"].as_bool() {
        properties.put(property::WAIT, wait.to_string());
    }
    for (name, value) in puts(&fields["puts"])?.iter() {
        properties.put(name.clone(), value.clone());
    }
    let body = fields["bodyHex"].as_str().map(unhex);
    let flag = fields["flag"].as_i64()? as i32;
    let properties = Some(&properties).filter(|properties| !properties.is_empty());
    let topic = fields["topic"].as_str().unwrap_or("null");
    Some(text::message(topic, flag, properties, body.as_deref(), fields["transactionId"].as_str()))
}

fn stored_text(class: &Value, fields: &Value, expected: &Value) -> Answer {
    let number = |field: &str| fields[field].as_i64();
    let host = |field: &str| -> Option<Host> {
        let addr: std::net::SocketAddrV4 = fields[field].as_str()?.parse().ok()?;
        Some(Host { ip: u32::from(*addr.ip()), port: i32::from(addr.port()) })
    };
    let stored = StoredMessage {
        message: Message {
            topic: fields["topic"].as_str()?.into(),
            flag: 0,
            properties: puts(&fields["puts"])?,
            body: Bytes::from(unhex(fields["bodyHex"].as_str()?)),
        },
        broker: None,
        queue_id: number("queueId")? as i32,
        store_size: number("storeSize")? as i32,
        queue_offset: QueueOffset(number("queueOffset")?),
        sys_flag: number("sysFlag")? as i32,
        born_timestamp: Millis(number("bornTimestamp")?),
        born_host: host("bornHost")?,
        store_timestamp: Millis(number("storeTimestamp")?),
        store_host: host("storeHost")?,
        commit_log_offset: PhysicalOffset(number("commitLogOffset")?),
        body_crc: number("bodyCRC")? as i32,
        reconsume_times: number("reconsumeTimes")? as i32,
        prepared_transaction_offset: number("preparedTransactionOffset")?,
    };
    let offset_id = Name::from(fields["offsetMsgId"].as_str()?);
    // What a consumer calls the message's id: the producer's key if there is one.
    let id = match class == "MessageClientExt" {
        true => stored.message.properties.get(property::UNIQ_KEY).unwrap_or(&offset_id),
        false => &offset_id,
    };
    let got = (printed(&stored, &offset_id, true), id.to_string());
    same(&got, &(expected["text"].as_str()?.to_owned(), expected["getMsgId"].as_str()?.to_owned()))
}

/// Zones with one offset all year, in ms; in others the month's bounds would need the zone's rules.
const ZONES: &[(&str, i64)] = &[("UTC", 0), ("Asia/Shanghai", 8 * 3_600_000)];

/// Zones whose months need rules that nothing here has.
pub(super) fn zone_waits(input: &Value) -> Option<String> {
    let zone = input["timeZone"].as_str()?;
    ZONES.iter().all(|(known, _)| *known != zone).then(|| format!("the zone {zone}"))
}

/// The id's month begins at midnight of a time zone; ours is UTC, so another zone's clock is moved there and back.
pub(super) fn unique_id(input: &Value, expected: &Value) -> Answer {
    let (_, zone) = ZONES.iter().find(|(name, _)| input["timeZone"] == *name)?;
    let now = Millis(input["now"].as_i64()?);
    let there = Millis(now.0 + zone);
    if input["function"] != "createUniqID tail" {
        if input["function"] != "getNearlyTimeFromID / getIPStrFromID" {
            return None;
        }
        let id = input["id"].as_str()?;
        let ip = maker(id).map(|ip| std::net::Ipv4Addr::from(ip).to_string());
        let time = nearly_time(id, there).map(|time| time.0 - zone);
        return same(&(ip.as_deref(), time), &(expected["ip"].as_str(), expected["nearlyTime"].as_i64()));
    }
    let (start, next) = month_of(there);
    let (start, next) = (start - zone, next - zone);
    let counter = input["counter"].as_i64()? as u16;
    let digits: String = tail(now, start, counter).iter().map(|byte| format!("{byte:02X}")).collect();
    let length = UniqIds::new(1, 2, 3).next(now).len() as i64;
    let wanted = (
        expected["tailHex"].as_str()?.to_owned(),
        expected["startOfMonth"].as_i64()?,
        expected["nextStartOfMonth"].as_i64()?,
        expected["length"].as_i64()?,
    );
    same(&(digits, start, next, length), &wanted)
}
