//! What the nodes here say has the shape of what the real ones say: the same fields in the same order, bodies alike.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{Level, Road, What};
use mqlab::mq::fastjson::Json;
use mqlab::mq::wire::code::{request, response};
use mqlab::mq::wire::codec::raw::{RawCommand, SerializeType};

use super::{conversations, frames, raw};

/// A conversation's half: the request's code, and what is answered to it, if it is an answer.
type Half = (i32, Option<i32>);

/// What is alike in all frames of one half: flags, the fields' names in order, and the body without its values.
type Shape = (i32, Option<Vec<String>>, String);

/// Collects shapes by half.
#[derive(Default)]
struct Shapes {
    seen: BTreeMap<Half, BTreeSet<Shape>>,
    asked: BTreeMap<(u64, i32), i32>,
}

impl Shapes {
    /// Takes a frame in; a connection's direction has a number of its own, and `asking` is the other one's.
    fn add(&mut self, raw: &RawCommand, direction: u64, asking: u64) {
        let opaque = raw.opaque.unwrap();
        let half = match raw.is_response() {
            true => (self.asked[&(asking, opaque)], Some(raw.code)),
            false => {
                self.asked.insert((direction, opaque), raw.code);
                (raw.code, None)
            }
        };
        // A binary header does not tell no fields from an empty map of them.
        if raw.serialize_type != SerializeType::Json {
            return;
        }
        let fields = raw.ext_fields.as_ref().map(|fields| fields.iter().map(|(name, _)| name.to_string()).collect());
        self.seen.entry(half).or_default().insert((raw.flag, fields, body(half, raw.body.as_ref())));
    }
}

/// A JSON body with its values taken out; anything else is just there.
fn body(half: Half, body: Option<&Bytes>) -> String {
    let Some(body) = body else { return "none".to_owned() };
    let json = matches!(
        half,
        (request::HEART_BEAT | request::REGISTER_BROKER, None)
            | (request::GET_ROUTEINTO_BY_TOPIC | request::GET_CONSUMER_LIST_BY_GROUP, Some(_))
    );
    match Json::parse(body) {
        Ok(parsed) if json => skeleton(&parsed),
        _ => "bytes".to_owned(),
    }
}

/// Keys in order where they are a bean's; of lists and maps, what their members look like.
fn skeleton(json: &Json) -> String {
    let bean = |pairs: &[(Json, Json)]| {
        let small =
            |key: &Json| key.as_str().is_some_and(|key| key.starts_with(|first: char| first.is_ascii_lowercase()));
        pairs.iter().all(|(key, _)| small(key))
    };
    let members = |members: BTreeSet<String>| members.into_iter().collect::<Vec<_>>().join("|");
    match json {
        Json::Object(pairs) if bean(pairs) && !pairs.iter().any(|(_, value)| is_config(value)) => {
            let fields: Vec<String> =
                pairs.iter().map(|(key, value)| format!("{}:{}", key.compact(), skeleton(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Json::Object(pairs) => format!("map<{}>", members(pairs.iter().map(|(_, value)| skeleton(value)).collect())),
        Json::Array(items) => format!("[{}]", members(items.iter().map(skeleton).collect())),
        Json::Text(_) => "text".to_owned(),
        Json::Int(_) => "int".to_owned(),
        other => other.compact(),
    }
}

/// A topic's name may look like a field's: its value tells them apart.
fn is_config(json: &Json) -> bool {
    json.get("topicFilterType").is_some()
}

/// What no recorded conversation has: `CHECK_TRANSACTION_STATE`, whose header is held to the real class by
/// `remoting_headers.json`, a group's place that a broker does not know, since all of them begin in young queues, and what
/// only a slave asks for: all of them are of a master by itself.
const UNHEARD: [Half; 12] = [
    (39, None),
    (request::QUERY_CONSUMER_OFFSET, Some(22)),
    (request::GET_ALL_TOPIC_CONFIG, None),
    (request::GET_ALL_TOPIC_CONFIG, Some(0)),
    (request::GET_ALL_CONSUMER_OFFSET, None),
    (request::GET_ALL_CONSUMER_OFFSET, Some(0)),
    (request::GET_ALL_DELAY_OFFSET, None),
    (request::GET_ALL_DELAY_OFFSET, Some(0)),
    (request::GET_ALL_SUBSCRIPTIONGROUP_CONFIG, None),
    (request::GET_ALL_SUBSCRIPTIONGROUP_CONFIG, Some(0)),
    (request::SEND_MESSAGE_V2, Some(response::SLAVE_NOT_AVAILABLE)),
    (request::SEND_MESSAGE_V2, Some(response::FLUSH_SLAVE_TIMEOUT)),
];

/// The flags of a request that wants no answer.
const ONEWAY: i32 = 2;

#[test]
fn nodes_here_speak_as_the_real_ones_do() {
    let mut real = Shapes::default();
    for (number, (_, said)) in conversations().into_iter().enumerate() {
        for (conn, frame) in frames(&said) {
            let way = |client: bool| (number as u64) << 40 | u64::from(conn) << 1 | u64::from(client);
            let raw = raw(frame);
            real.add(&raw, way(frame.from_client), way(!frame.from_client));
        }
    }
    let mut ours = Shapes::default();
    for (number, (name, text)) in library::ALL.iter().enumerate() {
        let scenario = load(name, text.as_bytes(), &Default::default()).unwrap();
        let trace = Session::run(&scenario.plan, Level::Full).trace;
        for record in trace.records() {
            let (What::Road(Road::Sent { link, to, frame }), Some(from)) = (&record.what, record.node) else {
                continue;
            };
            if frame.label == "BYTES" {
                continue;
            }
            let way = |node: u16| (number as u64) << 48 | u64::from(link.0) << 16 | u64::from(node);
            let raw = RawCommand::decode(&frame.wire.as_ref().unwrap().bytes().slice(4..)).unwrap();
            ours.add(&raw, way(from.0), way(to.0));
        }
    }
    let (mut compared, mut wrong) = (0, String::new());
    for (half, shapes) in ours.seen.iter().filter(|(half, _)| !UNHEARD.contains(half)) {
        let known = real.seen.get(half).cloned().unwrap_or_default();
        // The answer to a check names its transaction, which the end of a send leaves null; no conversation has a check.
        let answers_check = |shape: &Shape| {
            half.0 == request::END_TRANSACTION
                && shape.0 == ONEWAY
                && shape.1.as_ref().is_some_and(|names| names.iter().any(|name| *name == *"transactionId"))
        };
        // A pull consumer without a registered topic subscribes to nothing; the recorded one has registered its topic.
        let of_unregistered =
            |shape: &Shape| half.0 == request::HEART_BEAT && shape.2.contains("\"subscriptionDataSet\":[]");
        // A slave is told where its master is.
        let answers_slave = |shape: &Shape| {
            *half == (request::REGISTER_BROKER, Some(0))
                && shape.1.as_ref().is_some_and(|names| names.iter().any(|name| *name == *"masterAddr"))
        };
        // The recorded nameserver hands no order configuration out, as it was not told to; and no recorded broker makes a topic
        // when it has an ordered one.
        let is_ordered = |shape: &Shape| match *half {
            (request::GET_ROUTEINTO_BY_TOPIC, Some(0)) => shape.2.contains("\"orderTopicConf\":text"),
            (request::REGISTER_BROKER, None) => shape.0 == ONEWAY && shape.2.contains("\"order\":true"),
            _ => false,
        };
        let is_left_out =
            |shape: &Shape| answers_check(shape) || of_unregistered(shape) || answers_slave(shape) || is_ordered(shape);
        for shape in shapes.iter().filter(|shape| !is_left_out(shape)) {
            compared += 1;
            if !known.contains(shape) {
                wrong.push_str(&format!("{half:?}: {shape:?}\n  is none of {known:?}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(15 < compared, "{compared} shapes");
}
