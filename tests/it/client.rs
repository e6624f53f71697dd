//! The golden rows of the client's room, one by one: allocation, round robin, latency, validation, routes, the window.
//!
//! Files are read whatever they hold; rows of strategies that the room does not have yet are passed over by name.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use mqlab::mq::client::consumer::allocate::{RoomResolver, Strategy};
use mqlab::mq::client::consumer::process_queue::ProcessQueue;
use mqlab::mq::client::exception::{Exception, broker_text, client_text};
use mqlab::mq::client::producer::pick::{FaultStrategy, TopicPublishInfo, not_available_duration};
use mqlab::mq::client::route::{OrderConfError, master_of, publish_info, subscribe_info};
use mqlab::mq::client::validators::{check_group, check_message, check_topic, check_user_property};
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::{Message, MessageQueue, Name, PhysicalOffset, QueueOffset, StoredMessage};
use mqlab::mq::node::{Choice, Stream};
use mqlab::mq::time::Millis;
use mqlab::mq::wire::body::{JsonBody, RouteData};
use serde_json::{Value, json};

#[test]
fn queues_sort_by_topic_broker_and_number() {
    each("message_queue_order", |input, expected| {
        let mut sorted = queues(&input["queues"]);
        sorted.sort();
        assert_eq!(shown(&sorted), expected["sorted"]);
    });
}

#[test]
fn queues_are_shared_out_as_upstream_does() {
    let mut judged = 0;
    each("allocate", |input, expected| {
        let strategy = match text(&input["strategy"]) {
            "AllocateMessageQueueAveragely" => Strategy::Averagely,
            "AllocateMessageQueueAveragelyByCircle" => Strategy::ByCircle,
            "AllocateMessageQueueByConfig" => {
                Strategy::ByConfig(optional(&input["param"]["messageQueueList"], queues).unwrap_or_default())
            }
            "AllocateMessageQueueByMachineRoom" => {
                let rooms = input["param"]["consumeridcs"].as_array().unwrap();
                Strategy::MachineRoom(rooms.iter().map(|room| Name::from(text(room))).collect())
            }
            "AllocateMessageQueueConsistentHash" => match usize::try_from(int(&input["param"]["virtualNodeCnt"])) {
                Ok(times) => Strategy::ConsistentHash(times),
                // The constructor refuses it: here the type does.
                Err(_) => return,
            },
            "AllocateMachineRoomNearby" => {
                assert_eq!(text(&input["param"]["inner"]), "AllocateMessageQueueAveragely");
                let separator = text(&input["param"]["machineRoomIsTextBefore"]).chars().next().unwrap();
                Strategy::Nearby(Box::new(Strategy::Averagely), RoomResolver::Before(separator))
            }
            other => panic!("no strategy {other}"),
        };
        judged += 1;
        let own = input["currentCID"].as_str().unwrap_or_default();
        let mq_all = optional(&input["mqAll"], queues);
        let cid_all = optional(&input["cidAll"], |ids| {
            ids.as_array().unwrap().iter().map(|id| Name::from(text(id))).collect::<Vec<_>>()
        });
        let result = strategy.allocate(own, &mq_all.unwrap_or_default(), &cid_all.unwrap_or_default());
        assert_eq!(strategy.name(), text(&expected["strategyName"]));
        match result {
            Ok(result) if expected["queues"].is_null() => assert_eq!(result, []),
            Ok(result) => assert_eq!(shown(&result), expected["queues"]),
            Err(error) => assert_eq!(error.to_string(), expected["error"]),
        }
    });
    assert!(0 < judged, "no row of a strategy that the room has");
}

#[test]
fn the_round_robin_walks_as_upstream_does() {
    each("select_queue", |input, expected| {
        let mut info = TopicPublishInfo::new(queues(&input["messageQueueList"]), false, Vec::new());
        info.set_index(int(&input["threadIndexBefore"]) as i32);
        let lasts = input["lastBrokerNames"].as_array().unwrap();
        for (last, selected) in lasts.iter().zip(expected["selected"].as_array().unwrap()) {
            let at = info.select(last.as_str().map(Name::from).as_ref(), &mut Zero);
            assert_eq!(queue_shown(&info.queues[at]), selected["queue"]);
            assert_eq!(info.index().map(i64::from), selected["indexAfter"].as_i64());
        }
    });
}

#[test]
fn a_slow_broker_is_avoided_for_as_long() {
    each("latency_fault", |input, expected| {
        let latency = int(&input["latency"]);
        let away = match text(&input["function"]) {
            "computeNotAvailableDuration" => not_available_duration(latency),
            "updateFaultItem" => {
                let mut strategy = FaultStrategy::new(true);
                strategy.update(&"b".into(), latency, input["isolation"].as_bool().unwrap(), Millis(1_000));
                let item = strategy.item("b").unwrap();
                assert_eq!(item.latency, int(&expected["currentLatencyStored"]));
                item.start.since(Millis(1_000))
            }
            other => panic!("unknown function {other}"),
        };
        assert_eq!(away, int(&expected["notAvailableDuration"]));
    });
}

#[test]
fn the_latency_strategy_picks_and_overwrites_as_upstream_does() {
    each("latency_select", |input, expected| {
        let nums = input["writeQueueNums"].as_array().unwrap();
        let nums = nums.iter().map(|pair| (Name::from(text(&pair[0])), int(&pair[1]) as i32)).collect();
        let mut info = TopicPublishInfo::new(queues(&input["messageQueueList"]), false, nums);
        info.set_index(int(&input["threadIndexBefore"]) as i32);
        let mut strategy = FaultStrategy::new(true);
        strategy.set_worst_index(int(&input["worstIndexBefore"]) as i32);
        // Updates and calls lie far less than the shortest duration apart.
        let now = Millis(1_000_000);
        for update in input["faultUpdates"].as_array().unwrap() {
            let isolation = update["isolation"].as_bool().unwrap();
            strategy.update(&text(&update["broker"]).into(), int(&update["latency"]), isolation, now);
        }
        let lasts = input["lastBrokerNames"].as_array().unwrap();
        let mut selected = Vec::new();
        for last in lasts {
            let last = last.as_str().map(Name::from);
            let at = strategy.select(&mut info, last.as_ref(), now, &mut Zero);
            selected.push(queue_shown(&info.queues[at]));
        }
        assert_eq!(json!(selected), expected["selected"]);
        assert_eq!(info.index().map(i64::from), expected["threadIndexAfter"].as_i64());
        assert_eq!(shown(&info.queues), expected["messageQueueListAfter"]);
    });
}

#[test]
fn names_and_messages_are_refused_in_upstreams_words() {
    each("validators", |input, expected| {
        let name = input["name"].as_str();
        let max = input["maxMessageSize"].as_u64().map(|max| max as usize);
        let shown = |error: Exception| match &error {
            Exception::Client { code, .. } => (error.to_string(), Some(i64::from(*code))),
            other => panic!("a check gives {other:?}"),
        };
        let value = |code: &str| code.parse().unwrap();
        let given = match text(&input["function"]) {
            "checkTopic" => check_topic(name.unwrap_or_default()).map_err(shown),
            "checkGroup" => check_group(name.unwrap_or_default()).map_err(shown),
            "checkMessage" => {
                let body = input["bodyLength"].as_u64().map(|len| len as usize);
                check_message(name.unwrap_or_default(), body, max.unwrap()).map_err(shown)
            }
            "putUserProperty" => {
                check_user_property(name, input["value"].as_str()).map_err(|error| (error.to_string(), None))
            }
            "new MQClientException" => {
                let code = value(text(&input["value"]));
                Err((client_text(code, name.unwrap()), Some(i64::from(code))))
            }
            "new MQBrokerException" => {
                let code = value(text(&input["value"]));
                Err((broker_text(code, name.unwrap()), Some(i64::from(code))))
            }
            // A message is a value here: there is no null.
            "checkMessage null message" => return,
            other => panic!("unknown function {other}"),
        };
        match given {
            Ok(()) => assert_eq!(expected["ok"], true),
            Err((message, code)) => {
                assert_eq!(message, expected["message"]);
                assert_eq!(code, expected["responseCode"].as_i64());
            }
        }
    });
}

#[test]
fn routes_become_queues_as_upstream_does() {
    each("route_info", |input, expected| {
        let topic = Name::from(text(&input["topic"]));
        let route = RouteData::decode(text(&input["routeJson"]).as_bytes()).unwrap();
        match publish_info(&topic, &route) {
            Ok(info) => {
                assert_eq!(expected["publishOk"], true);
                assert_eq!(json!(info.order_topic), expected["orderTopic"]);
                assert_eq!(shown(&info.queues), expected["publishQueues"]);
            }
            Err(error) => {
                let class = match error {
                    OrderConfError::NoCount => "java.lang.ArrayIndexOutOfBoundsException",
                    OrderConfError::BadCount => "java.lang.NumberFormatException",
                };
                assert_eq!(class, expected["publishErrorClass"]);
            }
        }
        assert_eq!(shown(&subscribe_info(&topic, &route)), expected["subscribeQueuesSorted"]);
        for (broker, master) in expected["masterAddrBySelectBrokerAddr"].as_object().unwrap() {
            assert_eq!(master_of(&route, broker).map(Name::as_str), master.as_str());
        }
    });
}

#[test]
fn the_window_counts_as_upstreams_does() {
    each("process_queue", |input, expected| {
        let mut window = ProcessQueue::new(Millis(0));
        let steps = expected["steps"].as_array().unwrap();
        for (operation, expected) in input["operations"].as_array().unwrap().iter().zip(steps) {
            let returned = perform(&mut window, operation);
            assert_eq!(returned, expected["returned"], "{operation}");
            let cached: Vec<i64> = window.cached_offsets().collect();
            let consuming: Vec<i64> = window.consuming_offsets().collect();
            let seen = json!({
                "returned": returned,
                "msgCount": window.msg_count(),
                "msgSize": window.msg_size(),
                "maxSpan": window.max_span(),
                "queueOffsetMax": window.queue_offset_max(),
                "consuming": window.is_consuming(),
                "msgAccCnt": window.msg_acc_cnt(),
                "hasTempMessage": window.has_temp_message(),
                "cached": cached,
                "consumingOffsets": consuming,
                // `fillProcessQueueInfo` leaves it 0 while nothing waits, whatever an ordered listener holds.
                "cachedMsgSizeInMiB": if cached.is_empty() { 0 } else { window.msg_size() / (1024 * 1024) },
                "cachedMsgCount": cached.len(),
                "transactionMsgCount": consuming.len(),
            });
            assert_eq!(seen, *expected, "{operation}");
        }
    });
}

fn perform(window: &mut ProcessQueue, operation: &Value) -> Value {
    let messages: Vec<Arc<StoredMessage>> = match operation["messages"].as_array() {
        Some(messages) => messages.iter().map(message).collect(),
        None => Vec::new(),
    };
    match text(&operation["op"]) {
        "putMessage" => json!(window.put_message(&messages, operation["maxOffsetOfLast"].as_i64())),
        "removeMessage" => json!(window.remove_message(&messages)),
        "takeMessags" => {
            let taken = window.take_messages(int(&operation["n"]) as usize);
            json!(taken.iter().map(|message| message.queue_offset.0).collect::<Vec<_>>())
        }
        "commit" => window.commit().map_or(json!("throws java.util.NoSuchElementException"), |next| json!(next)),
        "rollback" => {
            window.rollback();
            Value::Null
        }
        "makeMessageToCosumeAgain" => {
            window.make_message_to_consume_again(&messages);
            Value::Null
        }
        "clear" => {
            window.clear();
            Value::Null
        }
        other => panic!("unknown operation {other}"),
    }
}

fn message(given: &Value) -> Arc<StoredMessage> {
    let body = Bytes::from(vec![0; int(&given["bodyLength"]) as usize]);
    Arc::new(StoredMessage {
        message: Message { topic: "T".into(), flag: 0, properties: Properties::new(), body },
        broker: None,
        queue_id: 0,
        store_size: 0,
        queue_offset: QueueOffset(int(&given["queueOffset"])),
        sys_flag: 0,
        born_timestamp: Millis(0),
        born_host: Default::default(),
        store_timestamp: Millis(0),
        store_host: Default::default(),
        commit_log_offset: PhysicalOffset(0),
        body_crc: 0,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
    })
}

struct Zero;

impl Choice for Zero {
    fn below(&mut self, _: Stream, _: u64) -> u64 {
        0
    }
}

/// Calls `check` with every row of a golden file; a failing row is named.
fn each(file: &str, mut check: impl FnMut(&Value, &Value)) {
    let path = format!("{}/tests/golden/protocol/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(!rows.is_empty(), "{file} has no rows");
    for (number, row) in rows.iter().enumerate() {
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&row["input"], &row["expected"])));
        assert!(judged.is_ok(), "{file} row {number}: {}", row["input"]);
    }
}

fn queues(list: &Value) -> Vec<MessageQueue> {
    let queue = |queue: &Value| MessageQueue {
        topic: text(&queue[0]).into(),
        broker: text(&queue[1]).into(),
        queue_id: int(&queue[2]) as i32,
    };
    list.as_array().unwrap().iter().map(queue).collect()
}

fn optional<T>(value: &Value, read: impl FnOnce(&Value) -> T) -> Option<T> {
    if value.is_null() { None } else { Some(read(value)) }
}

fn shown(queues: &[MessageQueue]) -> Value {
    json!(queues.iter().map(queue_shown).collect::<Vec<_>>())
}

fn queue_shown(queue: &MessageQueue) -> Value {
    json!([queue.topic.as_str(), queue.broker.as_str(), queue.queue_id])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}
