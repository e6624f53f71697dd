//! Two commands held against each other, a field at a time.

use bytes::Bytes;
use mqlab::mq::fastjson::Json;
use mqlab::mq::message::{StoredMessage, record};
use mqlab::mq::wire::code::request;
use mqlab::mq::wire::codec::raw::{Language, RawCommand};

/// A field of a frame as the real node and as ours wrote it.
#[derive(Debug)]
pub(super) struct Field {
    /// `code`, `ext.msgId`, `body.table.putTps`, `body.messages[].storeTimestamp`.
    pub(super) name: String,
    pub(super) real: String,
    pub(super) ours: String,
}

/// Which half of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Half {
    Request,
    Answer,
}

/// All fields of the two, those of the real one first and in its order. `opaque` counts what its process has said and is not
/// one of them.
pub(super) fn fields(code: i32, half: Half, real: &RawCommand, ours: &RawCommand) -> Vec<Field> {
    let mut found = Vec::new();
    let mut add = |name: &str, real: String, ours: String| {
        found.push(Field { name: name.to_owned(), real, ours });
    };
    add("code", real.code.to_string(), ours.code.to_string());
    add("flag", real.flag.to_string(), ours.flag.to_string());
    add("version", real.version.to_string(), ours.version.to_string());
    let language = |raw: &RawCommand| raw.language.map_or("none", Language::as_str).to_owned();
    add("language", language(real), language(ours));
    let (told, own) = (text(real.remark.as_deref()), text(ours.remark.as_deref()));
    add("remark", thrown(&told).to_owned(), thrown(&own).to_owned());
    let keys = |raw: &RawCommand| match &raw.ext_fields {
        None => "none".to_owned(),
        Some(fields) => fields.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" "),
    };
    add("ext", keys(real), keys(ours));
    for (name, value) in real.ext_fields.iter().flat_map(|fields| fields.iter()) {
        let Some(own) = ours.ext_fields.as_ref().and_then(|fields| fields.get(name)) else { continue };
        add(&format!("ext.{name}"), text(value.as_deref()), text(own.as_deref()));
    }
    bodies(code, half, (real.body.as_ref(), ours.body.as_ref()), &mut found);
    found
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or("none").to_owned()
}

/// Of an exception's text its class: the rest is the JDK's.
fn thrown(remark: &str) -> &str {
    let class = remark.split([':', ',']).next().unwrap_or(remark);
    if class.contains('.') && class.ends_with("Exception") && !class.contains(' ') { class } else { remark }
}

/// Lists that are sets of upstream's by the hash of an object's place in memory: they are compared in one order.
const SETS: [(i32, &str); 4] = [
    (request::GET_CONSUMER_LIST_BY_GROUP, "body.consumerIdList"),
    (request::GET_CONSUMER_CONNECTION_LIST, "body.connectionSet"),
    (request::GET_PRODUCER_CONNECTION_LIST, "body.connectionSet"),
    (request::GET_CONSUMER_RUNNING_INFO, "body.subscriptionSet"),
];

fn bodies(code: i32, half: Half, bodies: (Option<&Bytes>, Option<&Bytes>), found: &mut Vec<Field>) {
    let (real, ours) = match bodies {
        (None, None) => return,
        (Some(real), Some(ours)) => (real, ours),
        (real, ours) => {
            let shown = |body: Option<&Bytes>| body.map_or("none".to_owned(), |body| readable(body));
            return found.push(Field { name: "body".to_owned(), real: shown(real), ours: shown(ours) });
        }
    };
    if holds_records(code, half) {
        return records(real, ours, found);
    }
    match (Json::parse(real), Json::parse(ours)) {
        (Ok(real), Ok(ours)) => json((code, "body"), &real, &ours, found),
        _ => found.push(Field { name: "body".to_owned(), real: readable(real), ours: readable(ours) }),
    }
}

fn holds_records(code: i32, half: Half) -> bool {
    match half {
        Half::Answer => {
            matches!(code, request::PULL_MESSAGE | request::QUERY_MESSAGE | request::VIEW_MESSAGE_BY_ID)
        }
        Half::Request => matches!(code, request::CHECK_TRANSACTION_STATE | request::CONSUME_MESSAGE_DIRECTLY),
    }
}

fn readable(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// Keys in their order, then the values of the keys that both have; of lists the length, then the members that both have.
fn json((code, name): (i32, &str), real: &Json, ours: &Json, found: &mut Vec<Field>) {
    match (real, ours) {
        (Json::Object(real), Json::Object(ours)) => {
            let keys =
                |pairs: &[(Json, Json)]| pairs.iter().map(|(key, _)| key.compact()).collect::<Vec<_>>().join(" ");
            found.push(Field { name: format!("{name}.keys"), real: keys(real), ours: keys(ours) });
            for (key, value) in real {
                if let Some((_, own)) = ours.iter().find(|(own, _)| own == key) {
                    let last = key.as_str().filter(|key| is_plain(key)).map_or("{}".to_owned(), str::to_owned);
                    json((code, &format!("{name}.{last}")), value, own, found);
                }
            }
        }
        (Json::Array(real), Json::Array(ours)) => {
            let (many, own) = (real.len().to_string(), ours.len().to_string());
            found.push(Field { name: format!("{name}.length"), real: many, ours: own });
            let is_set = SETS.contains(&(code, name));
            let ordered = |list: &[Json]| {
                let mut list = list.to_vec();
                if is_set {
                    list.sort_by_key(Json::compact);
                }
                list
            };
            for (value, own) in ordered(real).iter().zip(&ordered(ours)) {
                json((code, &format!("{name}[]")), value, own, found);
            }
        }
        _ => found.push(Field { name: name.to_owned(), real: real.compact(), ours: ours.compact() }),
    }
}

/// Whether a key names a field of a bean, not a member of a map.
fn is_plain(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn records(real: &Bytes, ours: &Bytes, found: &mut Vec<Field>) {
    let (real, ours) = (record::decode_all(real), record::decode_all(ours));
    let (many, own) = (real.len().to_string(), ours.len().to_string());
    found.push(Field { name: "body.messages.length".to_owned(), real: many, ours: own });
    for (real, ours) in real.iter().zip(&ours) {
        for ((name, real), (_, ours)) in of_record(real).into_iter().zip(of_record(ours)) {
            found.push(Field { name: format!("body.messages[].{name}"), real, ours });
        }
        let names = |message: &StoredMessage| {
            message.message.properties.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
        };
        found.push(Field { name: "body.messages[].properties".to_owned(), real: names(real), ours: names(ours) });
        for (name, value) in real.message.properties.iter() {
            if let Some(own) = ours.message.properties.get(name) {
                let name = format!("body.messages[].properties.{name}");
                found.push(Field { name, real: value.to_string(), ours: own.to_string() });
            }
        }
    }
}

fn of_record(stored: &StoredMessage) -> [(&'static str, String); 16] {
    let host = |host: mqlab::mq::message::Host| format!("{:08x}:{}", host.ip, host.port);
    [
        ("topic", stored.message.topic.to_string()),
        ("flag", stored.message.flag.to_string()),
        ("body", readable(&stored.message.body)),
        ("queueId", stored.queue_id.to_string()),
        ("storeSize", stored.store_size.to_string()),
        ("queueOffset", stored.queue_offset.0.to_string()),
        ("sysFlag", stored.sys_flag.to_string()),
        ("bornTimestamp", stored.born_timestamp.0.to_string()),
        ("bornHost", host(stored.born_host)),
        ("storeTimestamp", stored.store_timestamp.0.to_string()),
        ("storeHost", host(stored.store_host)),
        ("commitLogOffset", stored.commit_log_offset.0.to_string()),
        ("bodyCRC", stored.body_crc.to_string()),
        ("reconsumeTimes", stored.reconsume_times.to_string()),
        ("preparedTransactionOffset", stored.prepared_transaction_offset.to_string()),
        ("bodyLength", stored.message.body.len().to_string()),
    ]
}
