//! Rows of the broker's transaction service: what is answered, and what is put.

use bytes::Bytes;
use mqlab::mq::broker::transaction::end::{Ending, answer_of, ending};
use mqlab::mq::broker::transaction::op_of;
use mqlab::mq::message::java::{parse_int, parse_long};
use mqlab::mq::message::property::{Properties, names};
use mqlab::mq::message::{Host, Message, PhysicalOffset, QueueOffset, StoredMessage};
use mqlab::mq::store::outcome::PutStatus;
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::time::Millis;
use mqlab::mq::wire::codec::class::{HeaderClass, Scalar};
use mqlab::mq::wire::header::EndTransactionHeader;
use serde_json::{Value, json};

use super::{Answer, same, unhex};

/// The broker of the rows.
pub(super) const BROKER: &str = "192.100.3.90:10911";

pub(super) fn end_transaction(input: &Value, expected: &Value) -> Answer {
    let class = HeaderClass::of("EndTransactionRequestHeader")?;
    let fields = super::wire::ext_fields(input["header"].as_object()?);
    let Ok(values) = class.take(Some(&fields)) else {
        let thrown = "org.apache.rocketmq.remoting.exception.RemotingCommandException";
        return same(&json!({ "response": null, "thrown": thrown, "putMessages": [] }), expected);
    };
    let header = header(&values)?;
    let half = match &input["storedHalfMessage"] {
        Value::Null => None,
        half => Some(stored(half)?),
    };
    let status = status(&input["putStatus"]);
    let (mut response, mut thrown, mut puts) = (Value::Null, Value::Null, Vec::new());
    let answer =
        |code: i32, remark: Option<&str>| json!({ "code": code, "remark": remark, "flag": 1, "extFields": null });
    let op = |half: &StoredMessage| shown(&op_of(half, host(BROKER).expect("an address"), Millis(0)), true);
    match ending(input["role"] == "SLAVE", &header, || half) {
        Ending::Unknown => {}
        Ending::Refused(code, remark) => response = answer(code, Some(remark)),
        Ending::Thrown(class) => thrown = json!(class),
        Ending::Rollback(half) => {
            puts.push(op(&half));
            response = answer(0, Some("not set any response code"));
        }
        Ending::Commit(commit) => {
            puts.push(shown(&commit.1, false));
            // A store that gives nothing back is one that this engine has not.
            let (code, remark) = status.map_or((1, Some("store putMessage return null")), answer_of);
            if code == 0 {
                puts.push(op(&commit.0));
            }
            response = answer(code, remark);
        }
    }
    let mut expected = expected.clone();
    for put in expected["putMessages"].as_array_mut()? {
        // The tag's code is the store's to compute here, from the text.
        put.as_object_mut()?.remove("tagsCodeInMessage");
    }
    same(&json!({ "response": response, "thrown": thrown, "putMessages": puts }), &expected)
}

fn header(values: &[Option<Scalar>]) -> Option<EndTransactionHeader> {
    let [
        Some(Scalar::Text(group)),
        Some(Scalar::Long(table)),
        Some(Scalar::Long(log)),
        Some(Scalar::Int(kind)),
        Some(Scalar::Bool(checked)),
        Some(Scalar::Text(id)),
        transaction,
    ] = values
    else {
        return None;
    };
    Some(EndTransactionHeader {
        producer_group: group.clone(),
        tran_state_table_offset: *table,
        commit_log_offset: *log,
        commit_or_rollback: *kind,
        from_transaction_check: *checked,
        msg_id: id.clone(),
        transaction_id: transaction.as_ref().map(|id| id.to_string().into()),
    })
}

pub(super) fn host(text: &str) -> Option<Host> {
    let (ip, port) = text.split_once(':')?;
    let ip: std::net::Ipv4Addr = ip.parse().ok()?;
    Some(Host { ip: u32::from(ip), port: parse_int(port)? })
}

pub(super) fn stored(half: &Value) -> Option<StoredMessage> {
    let int = |field: &str| half[field].as_i64().map(|number| number as i32);
    let mut properties = Properties::new();
    for pair in half["propertyPuts"].as_array()? {
        properties.put(pair[0].as_str()?, pair[1].as_str()?);
    }
    let body = Bytes::from(unhex(half["bodyHex"].as_str()?));
    Some(StoredMessage {
        message: Message { topic: half["topic"].as_str()?.into(), flag: int("flag")?, properties, body },
        broker: None,
        queue_id: int("queueId")?,
        store_size: 0,
        queue_offset: QueueOffset(half["queueOffset"].as_i64()?),
        sys_flag: int("sysFlag")?,
        born_timestamp: Millis(half["bornTimestamp"].as_i64()?),
        born_host: host(half["bornHost"].as_str()?)?,
        store_timestamp: Millis(0),
        store_host: host(half["storeHost"].as_str()?)?,
        commit_log_offset: PhysicalOffset(half["commitLogOffset"].as_i64()?),
        body_crc: 0,
        reconsume_times: int("reconsumeTimes")?,
        prepared_transaction_offset: 0,
    })
}

pub(super) fn status(text: &Value) -> Option<PutStatus> {
    Some(match text.as_str()? {
        "PUT_OK" => PutStatus::PutOk,
        "FLUSH_DISK_TIMEOUT" => PutStatus::FlushDiskTimeout,
        "FLUSH_SLAVE_TIMEOUT" => PutStatus::FlushSlaveTimeout,
        "SLAVE_NOT_AVAILABLE" => PutStatus::SlaveNotAvailable,
        "SERVICE_NOT_AVAILABLE" => PutStatus::ServiceNotAvailable,
        "CREATE_MAPEDFILE_FAILED" => PutStatus::CreateMapedFileFailed,
        "MESSAGE_ILLEGAL" => PutStatus::MessageIllegal,
        "PROPERTIES_SIZE_EXCEEDED" => PutStatus::PropertiesSizeExceeded,
        "OS_PAGECACHE_BUSY" => PutStatus::OsPagecacheBusy,
        "UNKNOWN_ERROR" => PutStatus::UnknownError,
        other => panic!("no put status {other}"),
    })
}

/// A put as the rows show it; of a note they leave out what a clock and a counter made.
pub(super) fn shown(message: &NewMessage, is_op: bool) -> Value {
    let map = message.map.as_deref().cloned().unwrap_or_else(|| Properties::decode(&message.properties));
    let pairs: serde_json::Map<String, Value> =
        map.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
    let host = |host: Host| format!("{}:{}", std::net::Ipv4Addr::from(host.ip), host.port);
    let delay = map.get(names::DELAY).map_or(Some(0), |level| parse_long(level));
    let hex: String = message.body.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "topic": message.topic.as_str(),
        "queueId": message.queue_id,
        "flag": message.flag,
        "sysFlag": message.sys_flag,
        "bodyHex": hex,
        "bornTimestamp": if is_op { Value::Null } else { json!(message.born_timestamp.0) },
        "bornHost": host(message.born_host),
        "storeHost": host(message.store_host),
        "reconsumeTimes": message.reconsume_times,
        "preparedTransactionOffset": message.prepared_transaction_offset,
        "propertiesText": if is_op { Value::Null } else { json!(message.properties.as_str()) },
        "properties": pairs,
        "delayTimeLevel": delay,
        "waitStoreMsgOK": message.waits(),
    })
}
