//! Rows of `mq::wire`: frames, headers, bits, bodies and their texts.

use bytes::Bytes;
use mqlab::mq::broker::topic;
use mqlab::mq::fastjson::Json;
use mqlab::mq::message::Name;
use mqlab::mq::wire::body::admin::{ClusterInfo, ConsumeStats, TopicList, TopicStats};
use mqlab::mq::wire::body::locks::{LockBatchRequestBody, LockBatchResponseBody};
use mqlab::mq::wire::body::text::perm_text;
use mqlab::mq::wire::body::{
    CheckClientBody, ConsumerIdList, DataVersion, HeartbeatData, JsonBody, KvTable, QueueOffsets, RegisterBrokerBody,
    RouteData, TopicConfig, TopicConfigTable,
};
use mqlab::mq::wire::codec::class::{HeaderClass, Kind, Scalar};
use mqlab::mq::wire::codec::raw::{ExtFields, Language, RawCommand, SerializeType, header_length, mark_protocol_type};
use mqlab::mq::wire::codec::{CodecError, from_raw, to_raw};
use serde_json::{Map, Value, json};

use super::{Answer, same, unhex};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn serialize_type(json: &Value) -> Option<SerializeType> {
    [SerializeType::Json, SerializeType::RocketMq].into_iter().find(|kind| json == kind.as_str())
}

fn int(json: &Value) -> Option<i32> {
    i32::try_from(json.as_i64()?).ok()
}

/// A command as the rows write one.
fn shown(command: &RawCommand) -> Value {
    let fields = command.ext_fields.as_ref().map(|fields| {
        let pairs = fields.iter().map(|(name, value)| (name.to_string(), json!(value.as_deref())));
        Value::Object(pairs.collect())
    });
    json!({
        "code": command.code,
        "language": command.language.map(Language::as_str),
        "version": command.version,
        "opaque": command.opaque,
        "flag": command.flag,
        "remark": command.remark.as_deref(),
        "extFields": fields,
        "bodyHex": command.body.as_deref().map(hex),
        "serializeType": command.serialize_type.as_str(),
        "isResponse": command.is_response(),
        "isOneway": command.is_oneway(),
        "type": if command.is_response() { "RESPONSE_COMMAND" } else { "REQUEST_COMMAND" },
    })
}

fn decoded(frame: &[u8], expected: &Value) -> Result<(), String> {
    match (RawCommand::decode(&Bytes::copy_from_slice(frame)), expected["ok"].as_bool()) {
        (Ok(command), Some(true)) if shown(&command) == expected["command"] => Ok(()),
        (Ok(command), _) => Err(shown(&command).to_string()),
        (Err(_), Some(false)) => Ok(()),
        (Err(error), _) => Err(error.to_string()),
    }
}

pub(super) fn remoting_decode(input: &Value, expected: &Value) -> Answer {
    Some(decoded(&unhex(input["afterLengthHex"].as_str()?), expected))
}

pub(super) fn remoting_encode(input: &Value, expected: &Value) -> Answer {
    let mut ext_fields = None;
    if let Some(puts) = input["extFieldPuts"].as_array() {
        let fields: &mut ExtFields = ext_fields.get_or_insert_default();
        for pair in puts {
            fields.put(pair[0].as_str()?.into(), pair[1].as_str().map(Name::from));
        }
    }
    let command = RawCommand {
        code: int(&input["code"])?,
        language: Language::ALL.into_iter().find(|language| input["language"] == language.as_str()),
        version: int(&input["version"])?,
        opaque: Some(int(&input["opaque"])?),
        flag: int(&input["flag"])?,
        remark: input["remark"].as_str().map(Name::from),
        ext_fields,
        body: input["bodyHex"].as_str().map(|body| Bytes::from(unhex(body))),
        serialize_type: serialize_type(&input["serializeType"])?,
    };
    let (Ok(frame), Ok(head)) = (command.encode(), command.encode_header()) else {
        return same(&Some(false), &expected["ok"].as_bool());
    };
    if let Err(got) = decoded(&frame[4..], &expected["decodedBack"]) {
        return Some(Err(format!("decoded back: {got}")));
    }
    let header = expected["headerText"].as_str().map(|_| String::from_utf8_lossy(&head[8..]).into_owned());
    let got = (hex(&frame), hex(&head), header.as_deref(), command.to_string());
    let text = |field: &str| expected[field].as_str().unwrap_or("").to_owned();
    same(&got, &(text("frameHex"), text("encodeHeaderHex"), expected["headerText"].as_str(), text("toString")))
}

pub(super) fn remoting_headers(input: &Value, expected: &Value) -> Answer {
    let class = HeaderClass::of(input["headerClass"].as_str()?)?;
    match input["function"].as_str()? {
        "encode" => header_encode(class, input, expected),
        "decodeCommandCustomHeader" => {
            let fields = input["extFields"].as_object().map(ext_fields);
            match (class.take(fields.as_ref()), expected["ok"].as_bool()?) {
                (Ok(values), true) => same(&values_shown(class, &values), &expected["fields"]),
                (Err(CodecError::Refused(text)), false) => same(&Some(text.as_str()), &expected["error"].as_str()),
                (Err(_), false) => same(&None, &expected["error"].as_str()),
                (got, _) => Some(Err(format!("{got:?}"))),
            }
        }
        // The same member under another name, in the other class's order.
        "createSendMessageRequestHeaderV2" => {
            let second = HeaderClass::of("SendMessageRequestHeaderV2")?;
            let values = values(class, &input["fields"])?;
            let of = |member: &str| {
                let at = class.fields.iter().position(|field| field.member == member)?;
                values[at].clone()
            };
            let moved: Vec<Option<Scalar>> = second.fields.iter().map(|field| of(field.member)).collect();
            same(&values_shown(second, &moved), &expected["fields"])
        }
        _ => None,
    }
}

/// Encodes the row's header as texts, and once more through the typed command where it can be one.
fn header_encode(class: &HeaderClass, input: &Value, expected: &Value) -> Answer {
    let fields = class.put(&values(class, &input["fields"])?);
    let raw = RawCommand {
        code: int(&input["code"])?,
        language: Some(Language::Java),
        version: int(&input["version"])?,
        opaque: Some(int(&input["opaque"])?),
        flag: 0,
        remark: None,
        ext_fields: Some(fields.clone()),
        body: None,
        serialize_type: serialize_type(&input["serializeType"])?,
    };
    let wanted = expected["frameHex"].as_str()?;
    if expected["extFields"].is_object() && ext_fields(expected["extFields"].as_object()?) != fields {
        return Some(Err(format!("{fields:?}")));
    }
    let frame = raw.encode().map_err(|error| error.to_string());
    if frame.as_ref().map(|frame| hex(frame)) != Ok(wanted.to_owned()) {
        return Some(Err(format!("{frame:?}")));
    }
    match from_raw(raw.clone()) {
        Ok(command) => {
            let again = RawCommand { version: raw.version, ..to_raw(&command, raw.serialize_type) };
            let frame = again.encode().map_err(|error| error.to_string());
            same(&frame.map(|frame| hex(&frame)), &Ok(wanted.to_owned()))
        }
        // A response's header in a request's place, a required field that is null, fields that do not go together.
        Err(CodecError::Missing { .. } | CodecError::Refused(_)) => Some(Ok(())),
        Err(error) => Some(Err(error.to_string())),
    }
}

pub(super) fn ext_fields(pairs: &Map<String, Value>) -> ExtFields {
    pairs.iter().map(|(name, value)| (Name::from(name.as_str()), value.as_str().map(Name::from))).collect()
}

fn values(class: &HeaderClass, fields: &Value) -> Option<Vec<Option<Scalar>>> {
    let value = |name: &str, kind: Kind| {
        let value = &fields[name];
        match kind {
            Kind::Text => value.as_str().map(|text| Scalar::Text(text.into())),
            Kind::Int => int(value).map(Scalar::Int),
            Kind::Long => value.as_i64().map(Scalar::Long),
            Kind::Bool => value.as_bool().map(Scalar::Bool),
        }
    };
    let names: Vec<&String> = fields.as_object()?.keys().collect();
    let all = names.iter().all(|name| class.fields.iter().any(|field| field.name == name.as_str()));
    (all && names.len() == class.fields.len())
        .then(|| class.fields.iter().map(|field| value(field.name, field.kind)).collect())
}

fn values_shown(class: &HeaderClass, values: &[Option<Scalar>]) -> Value {
    let shown = |value: &Option<Scalar>| match value {
        None => Value::Null,
        Some(Scalar::Text(text)) => json!(text.as_str()),
        Some(Scalar::Int(number)) => json!(number),
        Some(Scalar::Long(number)) => json!(number),
        Some(Scalar::Bool(value)) => json!(value),
    };
    Value::Object(class.fields.iter().zip(values).map(|(field, value)| (field.name.to_owned(), shown(value))).collect())
}

pub(super) fn remoting_bits(input: &Value, expected: &Value) -> Answer {
    let number = int(&input["number"])?;
    let code = u8::try_from(number & 0xff).ok()?;
    match input["function"].as_str()? {
        "markProtocolType" => {
            let word = mark_protocol_type(number, serialize_type(&input["serializeType"])?);
            let kind = SerializeType::of(word[0]).map(SerializeType::as_str);
            let got = (hex(&word), header_length(i32::from_be_bytes(word)) as i64, kind);
            let text = |field: &str| expected[field].as_str();
            same(&got, &(text("hex")?.to_owned(), expected["getHeaderLength"].as_i64()?, text("getProtocolType")))
        }
        "SerializeType.valueOf" => {
            same(&SerializeType::of(code).map(SerializeType::as_str), &expected["getProtocolType"].as_str())
        }
        "LanguageCode.valueOf" => same(&Language::of(code).map(Language::as_str), &expected["value"].as_str()),
        flag if flag.starts_with("flag/") => {
            let mut command = RawCommand::decode(&Bytes::from_static(b"\0\0\0\x02{}")).ok()?;
            command.flag = number;
            match flag {
                "flag/none" => {}
                "flag/markResponseType" => command.mark_response(),
                "flag/markOnewayRPC" => command.mark_oneway(),
                _ => return None,
            }
            let got = (command.flag.to_string(), Some(command.is_response()), Some(command.is_oneway()));
            let wanted = expected["value"].as_str()?.to_owned();
            same(&got, &(wanted, expected["isResponse"].as_bool(), expected["isOneway"].as_bool()))
        }
        _ => None,
    }
}

pub(super) fn topic_config(input: &Value, expected: &Value) -> Answer {
    match input["function"].as_str()? {
        "encode" => {
            let config = TopicConfig::decode(input["fields"].to_string().as_bytes()).ok()?;
            let got = (config.to_text(), config.to_string());
            same(&got, &(expected["text"].as_str()?.to_owned(), expected["toString"].as_str()?.to_owned()))
        }
        "decode" => {
            let config = TopicConfig::from_text(input["text"].as_str()?);
            let shown = config.map(|config| serde_json::from_slice::<Value>(&config.encode()).unwrap());
            same(&shown, &expected["fields"].as_object().map(|fields| Value::Object(fields.clone())))
        }
        _ => None,
    }
}

pub(super) fn data_version(input: &Value, expected: &Value) -> Answer {
    let read = |json: &Value| DataVersion::decode(json.to_string().as_bytes()).ok();
    let a = read(&input["a"])?;
    match input["function"].as_str()? {
        "equals" => {
            let json = String::from_utf8_lossy(&a.encode()).into_owned();
            let got = (Some(a == read(&input["b"])?), a.to_string(), json);
            let text = |field: &str| expected[field].as_str().unwrap_or("").to_owned();
            same(&got, &(expected["equal"].as_bool(), text("toString"), text("json")))
        }
        "nextVersion" => {
            let now = 1_600_000_000_000;
            let next = a.next(now);
            let wanted = &expected["result"];
            let is_now = wanted["timestampIsNow"].as_bool()?;
            same(&(next.timestamp == now, next.counter), &(is_now, wanted["counter"].as_i64()?))
        }
        _ => None,
    }
}

pub(super) fn perm(input: &Value, expected: &Value) -> Answer {
    let perm = input["perm"].as_i64()? as i32;
    let has = |bit: i32| perm & bit == bit;
    let got = (perm_text(perm), has(topic::PERM_READ), has(topic::PERM_WRITE), has(topic::PERM_INHERIT));
    let flag = |field: &str| expected[field].as_bool();
    same(&got, &(expected["text"].as_str()?.to_owned(), flag("readable")?, flag("writable")?, flag("inherited")?))
}

/// Bodies of conversations that nobody has here: statistics, administration.
pub(super) fn body_waits(input: &Value) -> Option<String> {
    let class = input["class"].as_str()?.rsplit('.').next()?;
    let known = [
        "TopicRouteData",
        "HeartbeatData",
        "TopicConfigSerializeWrapper",
        "RegisterBrokerBody",
        "DataVersion",
        "GetConsumerListByGroupResponseBody",
        "KVTable",
        "ResetOffsetBody",
        "TopicList",
        "ClusterInfo",
        "TopicStatsTable",
        "ConsumeStats",
        "CheckClientRequestBody",
        "LockBatchRequestBody",
        "LockBatchResponseBody",
        "UnlockBatchRequestBody",
    ];
    if !known.contains(&class) {
        return Some(format!("`{class}` has no type here"));
    }
    // Ids of one bucket keep the order in which they were put upstream; here they are kept sorted.
    let json = input["json"].as_str()?;
    (class == "TopicRouteData" && ids_share_a_bucket(json)).then(|| "broker ids of one bucket".to_owned())
}

pub(super) fn json_body(input: &Value, expected: &Value) -> Answer {
    fn again<T: JsonBody>(json: &str) -> Result<String, String> {
        T::decode(json.as_bytes())
            .map(|body| String::from_utf8_lossy(&body.encode()).into_owned())
            .map_err(|error| error.to_string())
    }
    let json = input["json"].as_str()?;
    let got = match input["class"].as_str()?.rsplit('.').next()? {
        "TopicRouteData" => again::<RouteData>(json),
        "HeartbeatData" => again::<HeartbeatData>(json),
        "TopicConfigSerializeWrapper" => again::<TopicConfigTable>(json),
        "RegisterBrokerBody" => again::<RegisterBrokerBody>(json),
        "DataVersion" => again::<DataVersion>(json),
        "GetConsumerListByGroupResponseBody" => again::<ConsumerIdList>(json),
        "KVTable" => again::<KvTable>(json),
        "TopicList" => again::<TopicList>(json),
        "ClusterInfo" => again::<ClusterInfo>(json),
        "TopicStatsTable" => again::<TopicStats>(json),
        "ConsumeStats" => again::<ConsumeStats>(json),
        "CheckClientRequestBody" => again::<CheckClientBody>(json),
        "ResetOffsetBody" => again::<QueueOffsets>(json),
        "LockBatchRequestBody" | "UnlockBatchRequestBody" => again::<LockBatchRequestBody>(json),
        "LockBatchResponseBody" => again::<LockBatchResponseBody>(json),
        _ => return None,
    };
    let wanted = expected["reencoded"].as_str()?;
    let got = got.map(|got| {
        let parse = |text: &str| Json::parse(text.as_bytes()).unwrap();
        without_absent(&parse(&got), &parse(wanted)).compact()
    });
    same(&got, &Ok(wanted.to_owned()))
}

/// An absent field is null upstream and left out when written again; here it is an empty text or list. Takes those away
/// that `wanted` has not, and nothing else.
fn without_absent(ours: &Json, wanted: &Json) -> Json {
    match (ours, wanted) {
        (Json::Object(pairs), Json::Object(_)) => {
            let kept = pairs.iter().filter_map(|(key, value)| {
                let there = wanted.pairs().iter().find(|(found, _)| found == key);
                match (there, value) {
                    (Some((_, there)), value) => Some((key.clone(), without_absent(value, there))),
                    (None, value) if ["\"\"", "[]", "{}"].contains(&value.compact().as_str()) => None,
                    (None, value) => Some((key.clone(), value.clone())),
                }
            });
            Json::Object(kept.collect())
        }
        (Json::Array(items), Json::Array(_)) => {
            let there = wanted.items().iter().chain(std::iter::repeat(&Json::Null));
            Json::Array(items.iter().zip(there).map(|(item, there)| without_absent(item, there)).collect())
        }
        _ => ours.clone(),
    }
}

fn ids_share_a_bucket(json: &str) -> bool {
    let Ok(route) = RouteData::decode(json.as_bytes()) else { return false };
    route.broker_datas.iter().any(|broker| {
        let buckets: std::collections::BTreeSet<i64> = broker.broker_addrs.keys().map(|id| id % 16).collect();
        buckets.len() < broker.broker_addrs.len()
    })
}
