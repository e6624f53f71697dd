//! Calls of producers.

use super::*;

#[test]
fn a_send_asks_for_the_route_and_comes_back_with_its_place() {
    let mut stage = Stage::new(producer(), two_masters);
    stage.until(5);
    stage.send(1);
    stage.until(100);
    let (at, answer) = stage.answer(1);
    let Return::Sent { result, .. } = answer else { panic!("{answer:?}") };
    // Connect and ask the nameserver, connect and ask the broker: four milliseconds.
    assert_eq!((at, result.status), (9, SendStatus::SendOk));
    assert_eq!(result.queue.to_string(), "MessageQueue [topic=T, brokerName=a, queueId=1]");
    assert_eq!(result.queue_offset, QueueOffset(5));
    assert!(result.msg_id.starts_with("0A000301000718B4AAC2"));
    assert_eq!(stage.kinds("queue-picked"), 1);
    stage.send(2);
    stage.until(200);
    // The other broker has to be connected first; then everything stands.
    assert_eq!(stage.answer(2).0, 102);
    stage.send(3);
    stage.until(300);
    assert_eq!(stage.answer(3).0, 201);
}

#[test]
fn a_refused_broker_is_left_for_another() {
    let vip = BROKER_A.with_port(10909);
    let mut stage = Stage::new(producer(), two_masters).door(vip, Door::Refuses);
    stage.send(1);
    stage.until(100);
    let Return::Sent { result, .. } = stage.answer(1).1 else { panic!() };
    assert_eq!(result.queue.broker, "b");
    let whys: Vec<_> = stage
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::AttemptFailed { attempt, why, .. } => Some((*attempt, why.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(whys, [(1, "connect to <10.0.2.1:10909> failed")]);
}

#[test]
fn all_refused_ends_in_upstreams_text() {
    let mut stage = Stage::new(producer(), two_masters)
        .door(BROKER_A.with_port(10909), Door::Refuses)
        .door(BROKER_B.with_port(10909), Door::Refuses);
    stage.send(1);
    stage.until(100);
    let (_, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((kind, attempts, not_stored), (ErrorKind::Client, 3, true));
    assert_eq!(
        text,
        "Send [3] times, still failed, cost [5]ms, Topic: T, BrokersSent: [a, b, a]\n\
         See http://rocketmq.apache.org/docs/faq/ for further details."
    );
}

#[test]
fn a_timeout_uses_the_whole_budget_and_is_not_retried() {
    let mut stage = Stage::new(producer(), |addr, command| match command.code {
        request::SEND_MESSAGE_V2 => None,
        _ => two_masters(addr, command),
    });
    stage.send(1);
    stage.until(10_000);
    let (at, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((kind, attempts, not_stored), (ErrorKind::TooMuchRequest, 1, false));
    assert_eq!(text, "sendDefaultImpl call timeout");
    assert_eq!(at, 3001);
    assert_eq!(stage.asked_with(request::SEND_MESSAGE_V2).len(), 1);
}

#[test]
fn a_black_hole_costs_the_connect_timeout_whatever_the_budget() {
    let mut stage = Stage::new(producer(), two_masters)
        .door(BROKER_A.with_port(10909), Door::Hole)
        .door(BROKER_B.with_port(10909), Door::Hole);
    stage.send_with(1, "hello", Some(Span::from_millis(1000)));
    stage.until(10_000);
    let (at, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((at, kind, attempts, not_stored), (3002, ErrorKind::TooMuchRequest, 1, true));
    assert_eq!(text, "sendDefaultImpl call timeout");
}

#[test]
fn an_unknown_topic_is_asked_for_twice() {
    let mut stage = Stage::new(producer(), |_, _| Some(code(response::TOPIC_NOT_EXIST, "no")));
    stage.send(1);
    stage.until(8);
    let (_, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((kind, attempts, not_stored), (ErrorKind::Client, 0, true));
    assert_eq!(text, "No route info of this topic, T\nSee http://rocketmq.apache.org/docs/faq/ for further details.");
    assert_eq!(stage.asked_with(request::GET_ROUTEINTO_BY_TOPIC).len(), 2);
}

#[test]
fn the_template_lends_a_new_topic_four_queues() {
    let mut stage = Stage::new(producer(), |addr, command| match (command.code, &command.header) {
        (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic)) if *topic == "TBW102" => {
            Some(route(&[("a", BROKER_A)], 8))
        }
        (request::GET_ROUTEINTO_BY_TOPIC, _) => Some(code(response::TOPIC_NOT_EXIST, "no")),
        _ => two_masters(addr, command),
    });
    for op in 0..5 {
        stage.send(op);
        stage.until(100 * (op + 1));
    }
    let ids: Vec<i32> = (0..5)
        .map(|op| match stage.answer(op).1 {
            Return::Sent { result, .. } => result.queue.queue_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 2, 3, 0, 1]);
}

#[test]
fn a_busy_broker_ends_the_call_at_once() {
    let mut stage = Stage::new(producer(), |addr, command| match command.code {
        request::SEND_MESSAGE_V2 => Some(code(response::SYSTEM_BUSY, "[OVERLOAD]system busy")),
        _ => two_masters(addr, command),
    });
    stage.send(1);
    stage.until(100);
    let (_, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((kind, attempts, not_stored), (ErrorKind::Broker, 1, true));
    assert!(text.starts_with("CODE: 2  DESC: [OVERLOAD]system busy\nFor more"), "{text}");
}

#[test]
fn a_system_error_is_tried_again_elsewhere_and_keeps_the_key() {
    let mut stage = Stage::new(producer(), |addr, command| match command.code {
        request::SEND_MESSAGE_V2 if addr.ip == BROKER_A.ip => Some(code(response::SYSTEM_ERROR, "disk")),
        _ => two_masters(addr, command),
    });
    stage.send(1);
    stage.until(100);
    assert!(matches!(stage.answer(1).1, Return::Sent { result, .. } if result.queue.broker == "b"));
    let texts: Vec<Name> = stage
        .asked
        .iter()
        .filter_map(|(_, _, command)| match &command.header {
            Header::Send(header) => header.properties.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn what_does_not_look_right_never_leaves() {
    let mut stage = Stage::new(producer(), two_masters);
    stage.send_with(1, "", None);
    let (_, kind, text, attempts, not_stored) = stage.failure(1);
    assert_eq!((kind, attempts, not_stored), (ErrorKind::Client, 0, true));
    assert!(text.starts_with("CODE: 13  DESC: the message body length is zero"), "{text}");
    assert!(stage.asked.is_empty());
}

#[test]
fn a_closed_nameserver_is_left_for_the_next() {
    let mut config = producer();
    config.nameservers.push(NAMESRV_2);
    let mut stage = Stage::new(config, two_masters);
    stage.send(1);
    stage.until(100);
    let first = stage.asked_with(request::GET_ROUTEINTO_BY_TOPIC)[0].1;
    let other = if first == NAMESRV { NAMESRV_2 } else { NAMESRV };
    let conn = stage.conn_to(first);
    stage.doors.insert(first, Door::Refuses);
    stage.on(Event::Closed { conn, why: ClosedWhy::Fin });
    stage.until(31_000);
    assert_eq!(stage.asked_with(request::GET_ROUTEINTO_BY_TOPIC).last().unwrap().1, other);
}

#[test]
fn routes_are_polled_on_the_grid_and_heartbeats_follow() {
    let mut stage = Stage::new(producer(), two_masters);
    stage.until(5);
    stage.send(1);
    stage.until(61_500);
    let polls: Vec<u64> = stage.asked_with(request::GET_ROUTEINTO_BY_TOPIC).iter().map(|(at, _)| *at).collect();
    // TBW102 and T at 10 ms, 30,010 ms and 60,010 ms, besides the send's own question.
    assert_eq!(polls, [6, 10, 11, 30_010, 30_011, 60_010, 60_011]);
    let beats: Vec<u64> = stage.asked_with(request::HEART_BEAT).iter().map(|(at, _)| *at).collect();
    assert_eq!(beats, [1_001, 1_003, 31_000, 31_001, 61_000, 61_001]);
    assert_eq!(stage.kinds("route-learned"), 1);
}

#[test]
fn a_topic_is_created_on_every_master() {
    let mut stage = Stage::new(producer(), two_masters);
    let call = Call::CreateTopic { op: OpId(1), group: "PG".into(), key: "T".into(), topic: "N".into(), queues: 8 };
    stage.on(Event::App(Box::new(call)));
    let call = Call::CreateTopic { op: OpId(2), group: "PG".into(), key: "X".into(), topic: "N".into(), queues: 8 };
    stage.on(Event::App(Box::new(call)));
    stage.until(100);
    assert!(matches!(stage.answer(1).1, Return::Done { .. }));
    let asked = stage.asked_with(request::UPDATE_AND_CREATE_TOPIC);
    assert_eq!(asked.len(), 2);
    assert!(stage.failure(2).2.starts_with("create new topic failed\nFor more"));
}

/// A send to where a selector says.
fn select(stage: &mut Stage, op: u64, selector: Selector) {
    let message =
        Message { topic: "T".into(), flag: 0, properties: Properties::new(), body: Bytes::from_static(b"hello") };
    let by = SendBy { mode: SendMode::Sync, to: SendTo::Selected(selector) };
    stage.on(Event::App(Box::new(Call::SendBy { op: OpId(op), group: "PG".into(), message, timeout: None, by })));
}

#[test]
fn a_selector_chooses_by_the_sorted_list() {
    let mut stage = Stage::new(producer(), two_masters);
    let hash = |text: &str| Selector::Hash(text.into());
    // "polygenelubricants" hashes to the lowest number, whose absolute value is itself.
    let cases = [
        (Selector::Modulo(0), "a/0"),
        (Selector::Modulo(7), "b/1"),
        (Selector::Modulo(10), "b/0"),
        (hash("order-1"), "b/0"),
        (hash("order-2"), "a/1"),
        (hash("polygenelubricants"), "a/0"),
        (Selector::Random, "a/0"),
    ];
    for (op, (selector, expected)) in cases.into_iter().enumerate() {
        select(&mut stage, op as u64, selector.clone());
        stage.until(100 * (op as u64 + 1));
        let Return::Sent { result, .. } = stage.answer(op as u64).1 else { panic!("{selector:?}") };
        assert_eq!(format!("{}/{}", result.queue.broker, result.queue.queue_id), expected, "{selector:?}");
    }
}

#[test]
fn what_a_selector_cannot_choose_is_told_and_what_it_chose_is_tried_once() {
    let mut stage = Stage::new(producer(), two_masters).door(BROKER_A.with_port(10909), Door::Refuses);
    select(&mut stage, 1, Selector::MachineRoom);
    select(&mut stage, 2, Selector::Modulo(-1));
    select(&mut stage, 3, Selector::Modulo(0));
    stage.until(1_000);
    let with_url = |text: &str| {
        format!("{text}\nFor more information, please visit the url, http://rocketmq.apache.org/docs/faq/")
    };
    let texts = ["select message queue return null.", "select message queue throwed exception."];
    for (op, text) in (1..).zip(texts) {
        let (_, kind, told, attempts, not_stored) = stage.failure(op);
        assert_eq!((kind, told, attempts, not_stored), (ErrorKind::Client, with_url(text).as_str(), 0, true));
    }
    let (_, kind, text, attempts, _) = stage.failure(3);
    assert_eq!((kind, text, attempts), (ErrorKind::Connect, "connect to <10.0.2.1:10909> failed", 1));
}
