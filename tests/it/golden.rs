//! Every row of `tests/golden/protocol` against what the real 4.3.2 classes returned.
//!
//! Nothing about a row is written down here: other rows of the same shape can be dropped into the files. A file is consumed
//! by a check below, by another module named here, or waits for an issue by name; a file that does none of it fails.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use mqlab::mq::broker::topic;
use mqlab::mq::message::id::{UniqIds, month_of, offset_msg_id, parse_offset_msg_id, tail};
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::{Host, MessageQueue, Name, PhysicalOffset, compress, java, record, sys_flag, tags_code};
use mqlab::mq::time::Millis;
use mqlab::mq::wire::body::{
    ConsumerIdList, DataVersion, HeartbeatData, JsonBody, KvTable, RegisterBrokerBody, RouteData, TopicConfigTable,
};
use serde_json::Value;

/// A check of one row: what differs, if anything; `None` for a row whose function is not consumed yet.
type Check = fn(&Value, &Value) -> Option<Result<(), String>>;

const CHECKED: &[(&str, Check)] = &[
    ("java_hash.json", java_hash),
    ("message_id.json", message_id),
    ("message_properties.json", message_properties),
    ("message_queue_order.json", message_queue_order),
    ("message_record.json", message_record),
    ("message_record_list.json", message_record_list),
    ("perm.json", perm),
    ("zlib_body.json", zlib_body),
    ("sysflag.json", sys_flags),
    ("json_body.json", json_body),
    ("unique_id.json", unique_id),
];

/// Consumed by `client.rs`.
const ELSEWHERE: &[&str] = &[
    "allocate.json",
    "select_queue.json",
    "latency_fault.json",
    "latency_select.json",
    "validators.json",
    "route_info.json",
    "process_queue.json",
];

/// Not consumed yet, with the issue that will.
const LATER: &[(&str, u32)] = &[
    ("data_version.json", 2),
    ("message_batch.json", 4),
    ("names.json", 2),
    ("remoting_bits.json", 2),
    ("remoting_decode.json", 2),
    ("remoting_encode.json", 2),
    ("remoting_headers.json", 2),
    ("send_message.json", 4),
    ("send_message_back.json", 4),
    ("end_transaction.json", 4),
    ("delay_level.json", 4),
    ("sql92.json", 4),
    ("tag_subscription.json", 4),
    ("to_string.json", 2),
    ("topic_config.json", 2),
    ("util_format.json", 3),
];

#[test]
fn every_file_is_consumed_or_waits_for_an_issue_by_name() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.retain(|name| name.ends_with(".json"));
    found.sort();
    let mut known: Vec<&str> = CHECKED.iter().map(|(file, _)| *file).collect();
    known.extend(ELSEWHERE);
    known.extend(LATER.iter().map(|(file, _)| *file));
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn every_row_is_as_the_release_says() {
    let mut wrong = Vec::new();
    for (file, check) in CHECKED {
        let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder().join(file)).unwrap()).unwrap();
        let mut checked = 0;
        for (number, row) in rows.iter().enumerate() {
            match check(&row["input"], &row["expected"]) {
                Some(Ok(())) => checked += 1,
                Some(Err(got)) => wrong.push(format!(
                    "{file} row {number}\n  input    {}\n  expected {}\n  got      {got}",
                    row["input"], row["expected"]
                )),
                None => {}
            }
        }
        println!("{file}: {checked} of {} rows", rows.len());
        assert!(checked > 0 || !wrong.is_empty(), "{file}: no row was checked");
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/protocol")
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Option<Result<(), String>> {
    Some(if got == expected { Ok(()) } else { Err(format!("{got:?}, expected {expected:?}")) })
}

fn java_hash(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    let text = input["text"].as_str()?;
    let code = if text.is_empty() { 0 } else { tags_code(text) };
    same(&(i64::from(java::hash(text)), code), &(expected["hashCode"].as_i64()?, expected["tagsCodeSingle"].as_i64()?))
}

fn message_id(input: &Value, expected: &Value) -> Option<Result<(), String>> {
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
    let (host, at) = found?;
    let got = (std::net::Ipv4Addr::from(host.ip).to_string(), i64::from(host.port), at.0);
    same(&got, &(expected["ip"].as_str()?.to_owned(), expected["port"].as_i64()?, expected["offset"].as_i64()?))
}

fn message_properties(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    if input["function"] == "messageProperties2String" {
        let mut properties = Properties::new();
        for pair in input["puts"].as_array()? {
            properties.put(pair[0].as_str()?, pair[1].as_str()?);
        }
        return same(&properties.encode().as_str(), &expected["text"].as_str()?);
    }
    let properties = Properties::decode(input["text"].as_str()?);
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

/// The fields of a decoded record; its texts (`toString`, `class`) come with issue 2's printing.
fn message_record(input: &Value, expected: &Value) -> Option<Result<(), String>> {
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
    let text = |field: &str| wanted[field].as_str().unwrap_or("").to_owned();
    same(&got, &(text("bornHost"), text("storeHost"), text("topic"), unhex(&text("bodyHex")), wanted_pairs))
}

fn message_record_list(input: &Value, expected: &Value) -> Option<Result<(), String>> {
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

fn perm(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    let perm = input["perm"].as_i64()? as i32;
    let has = |bit: i32| perm & bit == bit;
    let got = (topic::perm_text(perm), has(topic::PERM_READ), has(topic::PERM_WRITE), has(topic::PERM_INHERIT));
    let flag = |field: &str| expected[field].as_bool();
    same(&got, &(expected["text"].as_str()?.to_owned(), flag("readable")?, flag("writable")?, flag("inherited")?))
}

fn message_queue_order(input: &Value, expected: &Value) -> Option<Result<(), String>> {
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

fn zlib_body(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    let got = compress::inflate(&unhex(input["compressedHex"].as_str()?));
    match expected["ok"].as_bool()? {
        true => same(&got, &Some(unhex(expected["bodyHex"].as_str()?))),
        false => same(&got, &None),
    }
}

fn sys_flags(input: &Value, expected: &Value) -> Option<Result<(), String>> {
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

fn json_body(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    fn again<T: JsonBody>(json: &str) -> Result<String, String> {
        T::decode(json.as_bytes())
            .map(|body| String::from_utf8_lossy(&body.encode()).into_owned())
            .map_err(|error| error.to_string())
    }
    let json = input["json"].as_str()?;
    let got = match input["class"].as_str()?.rsplit('.').next()? {
        // An absent list is null upstream and left out; here it is empty. Ids of one bucket keep the order in which they
        // were put upstream; here they are kept sorted.
        "TopicRouteData" if json != "{}" && !ids_share_a_bucket(json) => again::<RouteData>(json),
        "HeartbeatData" => again::<HeartbeatData>(json),
        "TopicConfigSerializeWrapper" => again::<TopicConfigTable>(json),
        "RegisterBrokerBody" => again::<RegisterBrokerBody>(json),
        "DataVersion" => again::<DataVersion>(json),
        "GetConsumerListByGroupResponseBody" => again::<ConsumerIdList>(json),
        "KVTable" => again::<KvTable>(json),
        _ => return None,
    };
    same(&got, &Ok(expected["reencoded"].as_str()?.to_owned()))
}

fn ids_share_a_bucket(json: &str) -> bool {
    let Ok(route) = RouteData::decode(json.as_bytes()) else { return false };
    route.broker_datas.iter().any(|broker| {
        let buckets: std::collections::BTreeSet<i64> = broker.broker_addrs.keys().map(|id| id % 16).collect();
        buckets.len() < broker.broker_addrs.len()
    })
}

fn unique_id(input: &Value, expected: &Value) -> Option<Result<(), String>> {
    if input["function"] != "createUniqID tail" || input["timeZone"] != "UTC" {
        return None;
    }
    let now = Millis(input["now"].as_i64()?);
    let (start, next) = month_of(now);
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

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
