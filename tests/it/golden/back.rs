//! Rows of a message that a consumer gives back: what is answered, what is put, which topics are made.

use mqlab::mq::broker::processor::back::{Door, answer_of, back, door, times_max};
use mqlab::mq::broker::topic::config;
use mqlab::mq::message::property::names;
use mqlab::mq::message::tags_code;
use mqlab::mq::wire::body::TopicConfig;
use mqlab::mq::wire::body::group::GroupConfig;
use mqlab::mq::wire::codec::class::{HeaderClass, Scalar};
use mqlab::mq::wire::header::SendBackHeader;
use serde_json::{Value, json};

use super::transaction::{BROKER, host, shown, status, stored};
use super::{Answer, same};

/// Permission bits by the texts that the rows use.
const PERMS: [(&str, i32); 2] = [("RW-", 6), ("R--", 4)];

pub(super) fn send_message_back(input: &Value, expected: &Value) -> Answer {
    let header = header(input["header"].as_object()?)?;
    let broker = host(BROKER)?;
    let number = |value: &Value| value.as_i64().map(|number| number as i32);
    let group = match &input["groupConfig"] {
        Value::Null => input["autoCreateSubscriptionGroup"].as_bool()?.then(|| GroupConfig::new(header.group.clone())),
        given => {
            let mut group = GroupConfig::new(header.group.clone());
            group.retry_max_times = number(&given["retryMaxTimes"])?;
            group.retry_queue_nums = number(&given["retryQueueNums"])?;
            Some(group)
        }
    };
    let preset = match input["retryTopicPreset"].as_str() {
        None => None,
        Some(text) => Some(preset(text, &header)?),
    };
    let (mut puts, mut topics, mut thrown) = (Vec::new(), Vec::new(), Value::Null);
    let answer =
        |code: i32, remark: Option<&str>| json!({ "code": code, "remark": remark, "flag": 1, "extFields": null });
    let response =
        match door(group.as_ref(), (number(&input["brokerPermission"])?, broker.ip), &header, preset.as_ref()) {
            Door::Refused(code, remark) => answer(code, Some(&remark)),
            Door::Dropped => answer(0, None),
            Door::Open(retry) => {
                if preset.is_none() {
                    topics.push(retry.to_string());
                }
                let max = times_max(number(&input["requestVersion"])?, group.as_ref()?, header.max_reconsume_times);
                match (&input["storedMessage"], max) {
                    (Value::Null, _) => answer(1, Some(&format!("look message by offset failed, {}", header.offset))),
                    (_, None) => {
                        thrown = json!("java.lang.NullPointerException");
                        Value::Null
                    }
                    (message, Some(max)) => {
                        let back = back(stored(message)?, &header, max, (broker, 0));
                        topics.extend(back.dead.map(|dead| dead.to_string()));
                        let mut put = shown(&back.message, false);
                        let map = back.message.map.as_ref()?;
                        put["tagsCodeInMessage"] = map.get(names::TAGS).map_or(0, |tags| tags_code(tags)).into();
                        puts.push(put);
                        // A store that gives nothing back is one that this engine has not.
                        let (code, remark) =
                            status(&input["putStatus"]).map_or((1, Some("putMessageResult is null")), answer_of);
                        answer(code, remark)
                    }
                }
            }
        };
    topics.sort();
    let got = json!({ "response": response, "thrown": thrown, "putMessages": puts, "topicsCreated": topics });
    same(&got, expected)
}

fn header(fields: &serde_json::Map<String, Value>) -> Option<SendBackHeader> {
    let class = HeaderClass::of("ConsumerSendMsgBackRequestHeader")?;
    let values = class.take(Some(&super::wire::ext_fields(fields))).ok()?;
    let [Some(Scalar::Long(offset)), Some(Scalar::Text(group)), Some(Scalar::Int(level)), id, topic, unit, max] =
        &values[..]
    else {
        return None;
    };
    let text = |scalar: &Option<Scalar>| scalar.as_ref().map(|text| text.to_string().into());
    Some(SendBackHeader {
        offset: *offset,
        group: group.clone(),
        delay_level: *level,
        origin_msg_id: text(id),
        origin_topic: text(topic),
        unit_mode: matches!(unit, Some(Scalar::Bool(true))),
        max_reconsume_times: match max {
            Some(Scalar::Int(max)) => Some(*max),
            _ => None,
        },
    })
}

/// The group's retry topic as a row prints it.
fn preset(text: &str, header: &SendBackHeader) -> Option<TopicConfig> {
    let topic = mqlab::mq::message::names::retry_topic(&header.group);
    let made = PERMS.iter().map(|(_, perm)| config(topic.clone(), 1, *perm));
    made.into_iter().find(|made| made.to_string() == text)
}
