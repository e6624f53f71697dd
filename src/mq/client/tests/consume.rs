//! Consumers.

use super::*;
use crate::mq::app::MessageSelector;
use crate::mq::wire::body::CheckClientBody;
use crate::mq::wire::header::ResetOffsetHeader;

#[test]
fn a_consumer_takes_its_queues_pulls_and_reports() {
    let mut given = false;
    let mut stage = Stage::new(
        consumer(),
        one_queue(move |topic, offset| match topic == "T" && offset == 3 && !given {
            true => {
                given = true;
                Some(pulled(response::SUCCESS, 6, &[(3, "TagA"), (4, "Other"), (5, "TagB")]))
            }
            false => None,
        }),
    );
    stage.until(1000);
    let owned: Vec<String> = stage.client.owned().iter().map(|owned| owned.queue.to_string()).collect();
    assert_eq!(owned.len(), 2, "{owned:?}");
    let listens: Vec<_> = stage
        .returned
        .iter()
        .filter_map(|(_, answer)| match answer {
            Return::Listen { task, messages, .. } => Some((*task, messages[0].queue_offset.0, messages.clone())),
            _ => None,
        })
        .collect();
    // The tag that only the hash could have let through is dropped here.
    assert_eq!(listens.iter().map(|(_, offset, _)| *offset).collect::<Vec<_>>(), [3, 5]);
    let names: Vec<&str> = listens[0].2[0].message.properties.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["MIN_OFFSET", "MAX_OFFSET", "CONSUME_START_TIME", "UNIQ_KEY", "TAGS"]);
    // The higher one is done first: the lower one holds the offset.
    for (task, expected) in [(listens[1].0, 3), (listens[0].0, 6)] {
        let outcome = ConsumeOutcome::Success { ack_index: i32::MAX };
        stage.on(Event::App(Box::new(Call::Listened { task, outcome })));
        let owned = stage.client.owned();
        let queue = owned.iter().find(|owned| owned.queue.topic == "T").unwrap();
        assert_eq!((queue.next_offset, queue.consumed), (6, expected));
    }
    stage.until(15_500);
    let reports: Vec<(u64, i64)> = stage
        .asked
        .iter()
        .filter_map(|(at, _, command)| match &command.header {
            Header::UpdateOffset(header) if header.topic == "T" => Some((*at, header.commit_offset)),
            _ => None,
        })
        .collect();
    assert_eq!(reports, [(10_000, 6), (15_000, 6)]);
    assert_eq!((stage.kinds("assigned"), stage.kinds("received")), (2, 1));
}

#[test]
fn a_held_pull_that_ends_empty_is_asked_again() {
    let mut stage = Stage::new(
        consumer(),
        one_queue(|_, offset| Some(pulled(response::PULL_NOT_FOUND, offset, &[])).filter(|_| false)),
    );
    stage.until(200);
    let pulls = stage.asked_with(request::PULL_MESSAGE).len();
    assert_eq!(pulls, 2, "one outstanding pull a queue");
    let conn = stage.conn_to(BROKER_A);
    let opaques: Vec<Opaque> = stage
        .asked
        .iter()
        .filter(|(_, _, command)| command.code == request::PULL_MESSAGE)
        .map(|(_, _, command)| command.opaque)
        .collect();
    let mut answer = pulled(response::PULL_NOT_FOUND, 3, &[]);
    answer.opaque = opaques[0];
    stage.on(Event::Received { conn, frame: Frame::Command(answer) });
    assert_eq!(stage.asked_with(request::PULL_MESSAGE).len(), 3);
    // Nobody answers the others: noticed by the scan, a second or two after 30 s, then 3 s later once more.
    stage.until(40_000);
    let at: Vec<u64> = stage.asked_with(request::PULL_MESSAGE).iter().map(|(at, _)| *at).collect();
    assert_eq!(at[3..], [35_000, 35_000]);
}

#[test]
fn a_reset_fails_the_held_pull_and_a_fin_does_not() {
    for (why, again) in [(ClosedWhy::Reset, 4_000), (ClosedWhy::Fin, 35_000)] {
        let mut stage = Stage::new(consumer(), one_queue(|_, _| None));
        stage.until(1_000);
        let first = stage.asked_with(request::PULL_MESSAGE).len();
        let conn = stage.conn_to(BROKER_A);
        stage.on(Event::Closed { conn, why });
        stage.until(40_000);
        let pulls = stage.asked_with(request::PULL_MESSAGE);
        let next = pulls[first].0;
        assert!(next.abs_diff(again) <= 3, "{why:?}: pulled again at {next}");
    }
}

#[test]
fn a_notification_brings_a_rebalance_and_many_bring_one_more() {
    let mut stage = Stage::new(consumer(), one_queue(|_, _| None));
    stage.until(1_000);
    let before = stage.asked_with(request::GET_CONSUMER_LIST_BY_GROUP).len();
    let conn = stage.conn_to(BROKER_A);
    for _ in 0..5 {
        let command = Command::oneway(request::NOTIFY_CONSUMER_IDS_CHANGED, Opaque(9), Header::IdsChanged("CG".into()));
        stage.on(Event::Received { conn, frame: Frame::Command(command) });
    }
    stage.until(2_000);
    let after = stage.asked_with(request::GET_CONSUMER_LIST_BY_GROUP).len();
    // Two topics, two runs.
    assert_eq!(after - before, 4);
    stage.until(22_500);
    assert_eq!(stage.asked_with(request::GET_CONSUMER_LIST_BY_GROUP).len(), after + 2);
}

#[test]
fn a_queue_that_another_member_gets_is_reported_and_given_up() {
    let members = std::rc::Rc::new(std::cell::RefCell::new(vec![Name::from("10.0.4.1@8")]));
    let seen = members.clone();
    let mut inner = one_queue(|_, _| None);
    let mut stage = Stage::new(consumer(), move |addr, command| match command.code {
        request::GET_CONSUMER_LIST_BY_GROUP => {
            Some(ok(Header::None).with_body(ConsumerIdList(seen.borrow().clone()).encode()))
        }
        _ => inner(addr, command),
    });
    stage.until(1_000);
    assert_eq!(stage.client.owned().len(), 2);
    members.borrow_mut().insert(0, "10.0.3.9@1".into());
    stage.until(25_000);
    assert!(stage.client.owned().is_empty());
    assert_eq!(stage.kinds("revoked"), 2);
}

/// What the broker does with a message that is given back, and with the copy that the client sends instead.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Back,
    Copy,
    Nothing,
}

/// A consumer whose listener gave this answer to its first message, 7 s after the start.
fn gave(takes: Takes, outcome: ConsumeOutcome) -> Stage {
    let mut given = false;
    let mut inner = one_queue(move |topic, offset| match topic == "T" && offset == 3 && !given {
        true => {
            given = true;
            Some(pulled(response::SUCCESS, 4, &[(3, "TagA")]))
        }
        false => None,
    });
    let mut stage = Stage::new(consumer(), move |addr, command| match command.code {
        request::CONSUMER_SEND_MSG_BACK if takes != Takes::Back => Some(code(response::SYSTEM_ERROR, "no")),
        request::SEND_MESSAGE_V2 if takes == Takes::Nothing => Some(code(response::MESSAGE_ILLEGAL, "no")),
        request::SEND_MESSAGE_V2 => {
            let sent = SentHeader { msg_id: "ID".into(), queue_id: 0, queue_offset: 0, transaction_id: None };
            Some(ok(Header::Sent(sent)))
        }
        _ => inner(addr, command),
    });
    stage.until(1_000);
    let task = listened(&stage)[0].1;
    stage.on(Event::App(Box::new(Call::Listened { task, outcome })));
    stage.until(7_000);
    stage
}

/// When listeners were called, their tasks, and how often the first message had been tried again.
fn listened(stage: &Stage) -> Vec<(u64, crate::mq::app::TaskId, i32)> {
    let all = stage.returned.iter();
    all.filter_map(|(at, answer)| match answer {
        Return::Listen { task, messages, .. } => Some((*at, *task, messages[0].reconsume_times)),
        _ => None,
    })
    .collect()
}

fn copies(stage: &Stage) -> Vec<SendHeader> {
    let all = stage.asked.iter();
    all.filter_map(|(_, _, command)| match &command.header {
        Header::Send(header) => Some((**header).clone()),
        _ => None,
    })
    .collect()
}

#[test]
fn a_message_that_fails_is_given_back_whatever_way_it_failed() {
    for outcome in [ConsumeOutcome::Later, ConsumeOutcome::Threw, ConsumeOutcome::Null] {
        let stage = gave(Takes::Back, outcome);
        let backs = stage.asked.iter().filter_map(|(_, _, command)| match &command.header {
            Header::SendBack(header) => Some((header.offset, header.delay_level, header.max_reconsume_times)),
            _ => None,
        });
        assert_eq!(backs.collect::<Vec<_>>(), [(300, 0, Some(16))], "{outcome:?}");
        let owned = stage.client.owned();
        let queue = owned.iter().find(|owned| owned.queue.topic == "T").unwrap();
        assert_eq!((queue.consumed, listened(&stage).len(), copies(&stage).len()), (4, 1, 0));
    }
}

#[test]
fn a_broker_that_refuses_gets_a_copy_from_the_inner_producer() {
    let stage = gave(Takes::Copy, ConsumeOutcome::Later);
    let [copy] = &copies(&stage)[..] else { panic!("one copy") };
    assert_eq!((&*copy.producer_group, &*copy.topic), ("CLIENT_INNER_PRODUCER", "%RETRY%CG"));
    assert_eq!((copy.reconsume_times, copy.max_reconsume_times), (Some(1), Some(16)));
    let properties = Properties::decode(copy.properties.as_ref().unwrap());
    let value = |name| properties.get(name).map(Name::as_str);
    assert_eq!((value("DELAY"), value("RETRY_TOPIC"), value("RECONSUME_TIME")), (Some("3"), Some("T"), Some("1")));
    assert_eq!(
        (value("UNIQ_KEY"), value("MAX_RECONSUME_TIMES"), value("ORIGIN_MESSAGE_ID")),
        (Some("K"), Some("16"), None)
    );
    assert!(value("CONSUME_START_TIME").is_some(), "the properties are those that the listener saw");
    let owned = stage.client.owned();
    let queue = owned.iter().find(|owned| owned.queue.topic == "T").unwrap();
    assert_eq!((queue.consumed, listened(&stage).len()), (4, 1));
    assert_eq!((stage.kinds("send-back-failed"), stage.kinds("consume-delayed")), (1, 0));
    // Nobody of the application called: it hears nothing.
    assert!(stage.returned.iter().all(|(_, answer)| !matches!(answer, Return::Sent { .. } | Return::Failed { .. })));
}

#[test]
fn what_nobody_takes_is_consumed_again_after_five_seconds() {
    let stage = gave(Takes::Nothing, ConsumeOutcome::Later);
    let owned = stage.client.owned();
    let queue = owned.iter().find(|owned| owned.queue.topic == "T").unwrap();
    // It pins the offset and comes again, one failure older.
    assert_eq!((queue.consumed, queue.cached), (3, 1));
    assert_eq!((stage.kinds("send-back-failed"), stage.kinds("consume-delayed")), (2, 1));
    let all = listened(&stage);
    assert_eq!((all.len(), all[1].2), (2, 1));
    assert!(all[1].0.abs_diff(6_002) <= 2, "{}", all[1].0);
}

#[test]
fn a_copy_s_second_attempt_has_lost_how_often_it_failed() {
    let mut refused = false;
    let mut given = false;
    let mut inner = one_queue(move |topic, offset| match topic == "T" && offset == 3 && !given {
        true => {
            given = true;
            Some(pulled(response::SUCCESS, 4, &[(3, "TagA")]))
        }
        false => None,
    });
    let mut stage = Stage::new(consumer(), move |addr, command| match command.code {
        request::CONSUMER_SEND_MSG_BACK => Some(code(response::SYSTEM_ERROR, "no")),
        request::SEND_MESSAGE_V2 if !refused => {
            refused = true;
            Some(code(response::SYSTEM_ERROR, "busy"))
        }
        _ => inner(addr, command),
    });
    stage.until(1_000);
    let task = listened(&stage)[0].1;
    stage.on(Event::App(Box::new(Call::Listened { task, outcome: ConsumeOutcome::Later })));
    stage.until(2_000);
    let times: Vec<_> = copies(&stage).iter().map(|copy| (copy.reconsume_times, copy.max_reconsume_times)).collect();
    assert_eq!(times, [(Some(1), Some(16)), (Some(0), None)]);
}

#[test]
fn an_illegal_offset_is_set_right_after_ten_seconds() {
    let mut stage = Stage::new(
        consumer(),
        one_queue(|topic, offset| match topic == "T" && offset == 3 {
            true => Some(pulled(response::PULL_OFFSET_MOVED, 1, &[])),
            false => None,
        }),
    );
    stage.until(5_000);
    assert_eq!(stage.client.owned().len(), 1);
    stage.until(11_000);
    let reports: Vec<i64> = stage
        .asked
        .iter()
        .filter_map(|(_, _, command)| match &command.header {
            Header::UpdateOffset(header) if header.topic == "T" => Some(header.commit_offset),
            _ => None,
        })
        .collect();
    // The timetable's own report goes out while the queue is still in hand, then two of the repair.
    assert_eq!(reports.iter().filter(|offset| **offset == 1).count(), 2, "{reports:?}");
}

#[test]
fn too_much_in_hand_makes_a_pull_wait() {
    let mut config = consumer();
    config.consumers[0].pull_threshold_for_queue = 1;
    let mut stage = Stage::new(
        config,
        one_queue(|topic, offset| match topic == "T" && offset < 9 {
            true => Some(pulled(response::SUCCESS, offset + 2, &[(offset, "TagA"), (offset + 1, "TagA")])),
            false => None,
        }),
    );
    stage.until(1_000);
    let flow = |fact: &&Fact| matches!(fact, Fact::FlowControlled { why: "cached-messages", millis: 50, .. });
    assert!(15 < stage.facts.iter().filter(flow).count());
    let owned = stage.client.owned();
    assert_eq!(owned.iter().find(|owned| owned.queue.topic == "T").unwrap().cached, 2);
}

/// How often a consumer waited for room: the limits that were passed, and how much was in hand at most.
fn waited(stage: &Stage) -> Vec<(&'static str, i64, i32, usize)> {
    let mut waited: Vec<(&'static str, i64, i32, usize)> = Vec::new();
    for fact in &stage.facts {
        let Fact::FlowControlled { why, found, most, millis: 50, .. } = fact else { continue };
        match waited.iter_mut().find(|(limit, ..)| limit == why) {
            Some((_, high, _, times)) => (*high, *times) = ((*high).max(*found), *times + 1),
            None => waited.push((why, *found, *most, 1)),
        }
    }
    waited
}

/// A stage whose broker answers every pull of T with so many messages of so many bytes, at offsets so far apart.
fn flooded(config: ClientConfig, count: i64, size: usize, apart: i64) -> Stage {
    let mut stage = Stage::new(
        config,
        one_queue(move |topic, offset| {
            let at: Vec<(i64, &str)> = (0..count).map(|number| (offset + number * apart, "TagA")).collect();
            (topic == "T").then(|| pulled_of(offset + count * apart, &at, size))
        }),
    );
    stage.until(1_000);
    stage
}

#[test]
fn a_window_is_full_by_messages_by_bytes_or_by_its_span() {
    // Each limit alone, as the release has it: what is more than the limit, not what reaches it, makes the next pull wait.
    let mut few = consumer();
    few.consumers[0].consume_concurrently_max_span = i64::MAX;
    let stage = flooded(few, 250, 5, 1);
    assert_eq!(
        waited(&stage).iter().map(|(why, found, most, _)| (*why, *found, *most)).collect::<Vec<_>>(),
        [("cached-messages", 1250, 1000)]
    );
    let stage = flooded(consumer(), 2, 6 << 20, 1);
    let by_size = waited(&stage);
    assert_eq!((by_size[0].0, by_size[0].1, by_size[0].2), ("cached-mib", 108, 100), "{by_size:?}");
    let stage = flooded(consumer(), 2, 5, 2001);
    let by_span = waited(&stage);
    assert_eq!((by_span[0].0, by_span[0].1, by_span[0].2), ("cached-span", 2001, 2000), "{by_span:?}");
    assert!(15 < by_span[0].3 && by_span[0].3 < 21, "every 50 ms: {by_span:?}");
    assert!(waited(&flooded(consumer(), 2, 5, 1000)).iter().all(|(_, found, ..)| 2000 < *found), "2000 is not more");
}

#[test]
fn a_topics_limits_are_shared_out_among_all_queues_in_hand() {
    let mut config = consumer();
    config.consumers[0].pull_threshold_for_topic = 5;
    config.consumers[0].pull_threshold_size_for_topic = 1;
    let stage = flooded(config, 3, 5, 1);
    // One queue of T and the retry queue: 5 of two are 2 each, 1 MiB of two is still one.
    let shared: Vec<(i64, i64, i64)> = stage
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::LimitsShared { queues, messages, mib, .. } => Some((*queues, *messages, *mib)),
            _ => None,
        })
        .collect();
    assert_eq!(shared.last(), Some(&(2, 2, 1)), "{shared:?}");
    let by_count = waited(&stage);
    assert_eq!((by_count[0].0, by_count[0].1, by_count[0].2), ("cached-messages", 3, 2), "{by_count:?}");
}

#[test]
fn a_clean_stop_reports_unregisters_and_exits() {
    let mut stage = Stage::new(consumer(), one_queue(|_, _| None));
    stage.until(1_000);
    stage.on(Event::Stop);
    stage.until(2_000);
    assert!(stage.exited);
    let left: Vec<(Option<Name>, Option<Name>)> = stage
        .asked
        .iter()
        .filter_map(|(_, _, command)| match &command.header {
            Header::UnregisterClient(header) => Some((header.producer_group.clone(), header.consumer_group.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(left, [(None, Some("CG".into())), (Some("CLIENT_INNER_PRODUCER".into()), None)]);
    assert_eq!(stage.asked_with(request::UPDATE_CONSUMER_OFFSET).len(), 2);
    assert_eq!(stage.facts.last(), Some(&Fact::Stopped {}));
}

#[test]
fn a_listener_that_takes_too_long_loses_its_message() {
    let mut given = false;
    let mut stage = Stage::new(
        consumer(),
        one_queue(move |topic, offset| match topic == "T" && offset == 3 && !given {
            true => {
                given = true;
                Some(pulled(response::SUCCESS, 4, &[(3, "TagA")]))
            }
            false => None,
        }),
    );
    let cached = |stage: &Stage| stage.client.owned().iter().map(|owned| owned.cached).sum::<i64>();
    // The first look, at 15 minutes, finds it a moment too young.
    stage.until(901_000);
    assert_eq!(cached(&stage), 1);
    stage.until(1_801_000);
    assert_eq!(cached(&stage), 0);
    let level = |command: &Command| match &command.header {
        Header::SendBack(header) => Some(header.delay_level),
        _ => None,
    };
    assert_eq!(stage.asked.iter().filter_map(|(_, _, command)| level(command)).collect::<Vec<_>>(), [3]);
}

fn sql_consumer() -> ClientConfig {
    let mut config = consumer();
    config.consumers[0].subscriptions = vec![("T".into(), MessageSelector::Sql("a > 5".into()))];
    config
}

/// The broker of `one_queue`, which answers requests of this code so and holds pulls.
fn that_says(asked: i32, code_and_remark: (i32, &'static str)) -> impl FnMut(Addr, &Command) -> Option<Box<Command>> {
    let mut others = one_queue(|_, _| None);
    move |addr, command| match command.code == asked {
        true => Some(code(code_and_remark.0, code_and_remark.1)),
        false => others(addr, command),
    }
}

#[test]
fn a_condition_is_shown_to_a_broker_before_the_first_heartbeat_and_a_no_ends_the_start() {
    let text = "The broker does not support consumer to filter message by SQL92";
    let mut stage = Stage::new(sql_consumer(), that_says(request::CHECK_CLIENT_CONFIG, (1, text)));
    stage.until(900);
    let [(at, addr)] = stage.asked_with(request::CHECK_CLIENT_CONFIG)[..] else { panic!("asked once") };
    assert!(at < 100 && addr == BROKER_A.with_port(10_909), "{at} {addr}");
    let check = stage.asked.iter().find(|(_, _, command)| command.code == request::CHECK_CLIENT_CONFIG);
    let body = CheckClientBody::decode(check.unwrap().2.body.as_deref().unwrap()).unwrap();
    let data = body.subscription_data.unwrap();
    assert_eq!((&*body.client_id, &*body.group), ("10.0.4.1@8", "CG"));
    assert_eq!((&*data.topic, &*data.sub_string, &*data.expression_type), ("T", "a > 5", "SQL92"));
    let thrown: Vec<&str> = stage
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::StartThrew { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let faq = "\nFor more information, please visit the url, http://rocketmq.apache.org/docs/faq/";
    assert_eq!(thrown, [format!("CODE: 1  DESC: {text}{faq}")]);
    // The rest of the start is not run, and the timetable is: one heartbeat a second later.
    assert_eq!(stage.asked_with(request::HEART_BEAT).len(), 0);
    stage.until(1_100);
    let beats: Vec<u64> = stage.asked_with(request::HEART_BEAT).iter().map(|(at, _)| *at).collect();
    assert_eq!(beats, [1_001], "a connection is made first");
}

#[test]
fn tags_are_shown_to_nobody() {
    let mut stage = Stage::new(consumer(), one_queue(|_, _| None));
    stage.until(1_000);
    assert_eq!(stage.asked_with(request::CHECK_CLIENT_CONFIG).len(), 0);
}

#[test]
fn a_broker_whose_version_is_not_known_is_not_asked_by_condition() {
    let pulls = |peers: Peers| {
        let mut stage = Stage::new(sql_consumer(), peers);
        stage.until(1_000);
        let topics = stage.asked.iter().filter_map(|(_, _, command)| match &command.header {
            Header::Pull(header) => Some(header.topic.to_string()),
            _ => None,
        });
        topics.collect::<Vec<_>>()
    };
    assert_eq!(pulls(Box::new(one_queue(|_, _| None))), ["%RETRY%CG", "T"]);
    // Only an answer to a heartbeat tells a version; tags need none.
    assert_eq!(pulls(Box::new(that_says(request::HEART_BEAT, (1, "no")))), ["%RETRY%CG"]);
}

#[test]
fn listeners_hold_their_threads_and_the_twenty_first_message_waits_for_one() {
    // Nobody answers: twenty listeners are called, and none after them until one of them is done.
    let mut stage = flooded(consumer(), 25, 5, 1);
    stage.until(600_000);
    assert_eq!(listened(&stage).len(), 20);
    let first = listened(&stage)[0].1;
    let outcome = ConsumeOutcome::Success { ack_index: i32::MAX };
    stage.on(Event::App(Box::new(Call::Listened { task: first, outcome })));
    stage.until(600_100);
    assert_eq!(listened(&stage).len(), 21);
}

#[test]
fn a_group_that_is_being_moved_shares_nothing_out_for_ten_seconds() {
    let mut stage = Stage::new(consumer(), one_queue(|_, _| None));
    stage.until(1_000);
    let asked = |stage: &Stage| stage.asked_with(request::GET_CONSUMER_LIST_BY_GROUP).len();
    let before = asked(&stage);
    let conn = stage.conn_to(BROKER_A);
    let header = ResetOffsetHeader { topic: "T".into(), group: "CG".into(), timestamp: -1, is_force: true };
    let reset = Header::ResetOffset(Box::new(header));
    let command = Command::oneway(request::RESET_CONSUMER_CLIENT_OFFSET, Opaque(9), reset);
    stage.on(Event::Received { conn, frame: Frame::Command(command) });
    stage.until(2_000);
    let changed = Command::oneway(request::NOTIFY_CONSUMER_IDS_CHANGED, Opaque(10), Header::IdsChanged("CG".into()));
    stage.on(Event::Received { conn, frame: Frame::Command(changed) });
    stage.until(10_900);
    assert_eq!(asked(&stage), before);
    // Its topic and its retry topic, once it goes on.
    stage.until(11_500);
    assert_eq!(asked(&stage), before + 2);
}
