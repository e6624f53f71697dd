//! Pull consumers.

use super::*;
use crate::mq::app::pull::{PullAnswer, PullCall, PullStatus, PullWanted, SendBack};
use crate::mq::client::config::PullConfig;
use crate::mq::message::MessageQueue;

/// A process with a pull consumer of `PG` that has these topics registered.
fn puller(topics: &[&str]) -> ClientConfig {
    let mut config = ClientConfig::new("c", 0x0A00_0401, 8, vec![NAMESRV]);
    let mut consumer = ConsumerConfig::pull("PG");
    consumer.subscriptions = topics.iter().map(|topic| (Name::from(*topic), "*".into())).collect();
    consumer.pull = Some(PullConfig { has_queue_listener: true, ..PullConfig::default() });
    config.consumers.push(consumer);
    config
}

fn queue(queue_id: i32) -> MessageQueue {
    MessageQueue { topic: "T".into(), broker: "a".into(), queue_id }
}

fn wanted(offset: i64) -> PullWanted {
    let (expression, timeout) = (None, None);
    PullWanted { queue: queue(0), expression, offset, max_nums: 32, timeout, blocks: false, is_async: false }
}

impl Stage {
    fn ask(&mut self, op: u64, what: PullCall) {
        self.on(Event::App(Box::new(Call::Pull { op: OpId(op), group: "PG".into(), what: Box::new(what) })));
    }

    /// What a call was told.
    #[track_caller]
    fn told(&self, op: u64) -> &PullAnswer {
        match self.answer(op).1 {
            Return::Told { what, .. } => what,
            other => panic!("{op} ended with {other:?}"),
        }
    }

    #[track_caller]
    fn text_of(&self, op: u64) -> String {
        let text = self.failure(op).2;
        text.split('\n').next().unwrap().to_owned()
    }

    fn reports(&self) -> Vec<(u64, i32, i64)> {
        let each = self.asked.iter().filter_map(|(at, _, command)| match &command.header {
            Header::UpdateOffset(header) => Some((*at, header.queue_id, header.commit_offset)),
            _ => None,
        });
        each.collect()
    }
}

#[test]
fn a_pull_carries_its_own_subscription_and_commits_nothing() {
    let mut stage =
        Stage::new(puller(&[]), one_queue(|_, _| Some(pulled(response::SUCCESS, 6, &[(3, "A"), (4, "B")]))));
    stage.until(100);
    stage.ask(1, PullCall::Pull(PullWanted { expression: Some("A".into()), ..wanted(3) }));
    stage.ask(2, PullCall::Pull(PullWanted { blocks: true, ..wanted(3) }));
    stage.until(200);
    let PullAnswer::Pulled(result) = stage.told(1) else { panic!("a pull result") };
    let text = "PullResult [pullStatus=FOUND, nextBeginOffset=6, minOffset=0, maxOffset=6, msgFoundList=1]";
    assert_eq!(result.to_string(), text, "the tag itself decides once more");
    let names: Vec<&str> = result.messages[0].message.properties.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["MIN_OFFSET", "MAX_OFFSET", "UNIQ_KEY", "TAGS"]);
    let headers: Vec<_> = stage
        .asked
        .iter()
        .filter_map(|(_, addr, command)| match &command.header {
            Header::Pull(header) => Some((*addr, header.sys_flag, header.subscription.clone(), header.commit_offset)),
            _ => None,
        })
        .collect();
    assert_eq!(headers, [(BROKER_A, 4, Some("A".into()), 0), (BROKER_A, 6, Some("*".into()), 0)]);
    stage.until(40_000);
    assert_eq!(stage.asked_with(request::PULL_MESSAGE).len(), 2, "nobody pulls but the application");
    assert!(stage.reports().is_empty());
}

#[test]
fn each_code_is_a_status_or_an_exception() {
    let codes = [
        (response::SUCCESS, PullStatus::Found),
        (response::PULL_NOT_FOUND, PullStatus::NoNewMsg),
        (response::PULL_RETRY_IMMEDIATELY, PullStatus::NoMatchedMsg),
        (response::PULL_OFFSET_MOVED, PullStatus::OffsetIllegal),
    ];
    for (answered, status) in codes {
        let mut stage = Stage::new(puller(&[]), one_queue(move |_, _| Some(pulled(answered, 9, &[(3, "A")]))));
        stage.ask(1, PullCall::Pull(wanted(3)));
        stage.until(100);
        let PullAnswer::Pulled(result) = stage.told(1) else { panic!("a pull result") };
        let messages = usize::from(status == PullStatus::Found);
        assert_eq!((result.status, result.next_begin_offset, result.messages.len()), (status, 9, messages));
    }
    let mut stage = Stage::new(puller(&[]), one_queue(|_, _| Some(code(response::NO_PERMISSION, "no"))));
    stage.ask(1, PullCall::Pull(wanted(3)));
    stage.until(100);
    assert_eq!((stage.failure(1).1, stage.text_of(1)), (ErrorKind::Broker, "CODE: 16  DESC: no".to_owned()));
}

#[test]
fn what_cannot_be_pulled_is_said_in_upstreams_words() {
    let mut stage = Stage::new(puller(&[]), one_queue(|_, _| None));
    stage.until(100);
    let other = MessageQueue { broker: "z".into(), ..queue(0) };
    stage.ask(1, PullCall::Pull(wanted(-1)));
    stage.ask(2, PullCall::Pull(PullWanted { max_nums: 0, ..wanted(0) }));
    stage.ask(3, PullCall::Pull(PullWanted { expression: Some("||".into()), ..wanted(0) }));
    stage.ask(4, PullCall::Pull(PullWanted { queue: other.clone(), ..wanted(0) }));
    stage.ask(5, PullCall::Queues("U".into()));
    stage.ask(6, PullCall::MaxOffset(other.clone()));
    stage.ask(7, PullCall::FetchOffset { queue: other, from_store: false });
    stage.until(200);
    let texts: Vec<String> = (1..=6).map(|op| stage.text_of(op)).collect();
    let expected = [
        "offset < 0",
        "maxNums <= 0",
        "parse subscription error",
        "The broker[z] not exist",
        "Can not find Message Queue for this topic, U",
        "The broker[z] not exist",
    ];
    assert_eq!(texts, expected);
    assert_eq!(*stage.told(7), PullAnswer::Offset(-2), "where the broker cannot be asked");
}

#[test]
fn silence_is_waited_for_ten_seconds_thirty_or_by_the_scan() {
    let mut stage = Stage::new(puller(&[]), one_queue(|_, _| None));
    stage.until(100);
    stage.ask(1, PullCall::Pull(wanted(0)));
    stage.ask(2, PullCall::Pull(PullWanted { blocks: true, ..wanted(0) }));
    stage.ask(3, PullCall::Pull(PullWanted { is_async: true, ..wanted(0) }));
    stage.ask(4, PullCall::Pull(PullWanted { timeout: Some(Span::from_millis(500)), ..wanted(0) }));
    stage.until(40_000);
    let ends: Vec<(u64, ErrorKind)> = (1..=4).map(|op| (stage.failure(op).0, stage.failure(op).1)).collect();
    let timeout = ErrorKind::Timeout;
    assert_eq!(ends, [(10_102, timeout), (30_103, timeout), (12_000, ErrorKind::Client), (605, timeout)]);
    assert_eq!(stage.text_of(1), "wait response on the channel <10.0.2.1:10911> timeout, 9999(ms)");
    assert_eq!(stage.text_of(3), "wait response from 10.0.2.1:10911 timeout :10000ms. Request: ");
}

#[test]
fn queues_come_in_the_order_of_a_hash_set_and_a_moment_or_an_end_from_the_broker() {
    let mut inner = one_queue(|_, _| None);
    let mut stage = Stage::new(puller(&[]), move |addr, command| match (command.code, &command.header) {
        (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic)) if *topic == "T" => {
            Some(route(&[("a", BROKER_A), ("b", BROKER_B)], 2))
        }
        (request::SEARCH_OFFSET_BY_TIMESTAMP, _) => Some(ok(Header::Offset(7))),
        (request::GET_MIN_OFFSET, _) => Some(ok(Header::Offset(2))),
        (request::GET_MAX_OFFSET, _) => Some(code(response::SYSTEM_ERROR, "no")),
        _ => inner(addr, command),
    });
    stage.ask(1, PullCall::Queues("T".into()));
    stage.until(100);
    let PullAnswer::Queues(queues) = stage.told(1) else { panic!("queues") };
    let mut hashes: Vec<i32> =
        queues.iter().map(MessageQueue::hash_code).map(|hash| (hash ^ hash >> 16) & 15).collect();
    assert_eq!(queues.len(), 4);
    let given = hashes.clone();
    hashes.sort_unstable();
    assert_eq!(given, hashes, "bucket by bucket");
    stage.ask(2, PullCall::SearchOffset { queue: queue(0), timestamp: 5 });
    stage.ask(3, PullCall::MinOffset(queue(0)));
    stage.ask(4, PullCall::MaxOffset(queue(0)));
    stage.until(200);
    assert_eq!((stage.told(2), stage.told(3)), (&PullAnswer::Offset(7), &PullAnswer::Offset(2)));
    assert_eq!(stage.text_of(4), "Invoke Broker[10.0.2.1:10911] exception");
}

#[test]
fn only_offsets_of_queues_in_hand_are_reported_and_the_others_are_forgotten() {
    let mut stage = Stage::new(puller(&["T"]), one_queue(|_, _| None));
    // Before the share is known an offset is only noted; taking the queue in hand forgets it.
    stage.ask(1, PullCall::UpdateOffset { queue: queue(0), offset: 5 });
    stage.until(2_000);
    let changed: Vec<(&Name, &[MessageQueue])> = stage
        .returned
        .iter()
        .filter_map(|(_, answer)| match answer {
            Return::QueuesChanged { topic, mine, .. } => Some((topic, &mine[..])),
            _ => None,
        })
        .collect();
    assert!(changed.is_empty(), "nothing hurries the first share");
    stage.until(21_000);
    let changed = stage.returned.iter().filter(|(_, answer)| matches!(answer, Return::QueuesChanged { .. })).count();
    assert_eq!(changed, 1);
    stage.ask(2, PullCall::InBalance("T".into()));
    assert_eq!(*stage.told(2), PullAnswer::Queues(vec![queue(0)]));
    stage.ask(3, PullCall::FetchOffset { queue: queue(0), from_store: false });
    stage.until(21_100);
    assert_eq!(*stage.told(3), PullAnswer::Offset(3), "the broker's");
    stage.ask(4, PullCall::UpdateOffset { queue: queue(0), offset: 8 });
    stage.ask(5, PullCall::UpdateOffset { queue: queue(1), offset: 9 });
    stage.ask(6, PullCall::FetchOffset { queue: queue(1), from_store: false });
    assert_eq!(*stage.told(6), PullAnswer::Offset(9), "remembered");
    stage.until(25_100);
    assert_eq!(stage.reports(), [(25_000, 0, 8)]);
    stage.ask(7, PullCall::FetchOffset { queue: queue(1), from_store: false });
    stage.until(25_200);
    assert_eq!(*stage.told(7), PullAnswer::Offset(3), "forgotten, and asked for");
    stage.ask(8, PullCall::UpdateOffsetToBroker { queue: queue(1), offset: 10, is_oneway: false });
    stage.until(25_300);
    assert_eq!(stage.reports().last(), Some(&(25_200, 1, 10)));
    assert!(matches!(stage.answer(8).1, Return::Done { .. }));
    stage.until(60_000);
    assert_eq!(stage.asked_with(request::PULL_MESSAGE), [], "a share is only told of");
}

#[test]
fn a_heartbeat_says_that_it_consumes_actively_and_what_is_registered() {
    let mut stage = Stage::new(puller(&["T"]), one_queue(|_, _| None));
    stage.ask(1, PullCall::Pull(PullWanted { queue: MessageQueue { topic: "U".into(), ..queue(0) }, ..wanted(0) }));
    stage.until(40_000);
    let beats: Vec<String> = stage
        .asked
        .iter()
        .filter(|(_, _, command)| command.code == request::HEART_BEAT)
        .map(|(_, _, command)| String::from_utf8(command.body.as_ref().unwrap().to_vec()).unwrap())
        .collect();
    assert!(beats.len() > 1);
    for beat in beats {
        assert!(beat.contains("\"consumeType\":\"CONSUME_ACTIVELY\""), "{beat}");
        assert!(beat.contains("\"consumeFromWhere\":\"CONSUME_FROM_LAST_OFFSET\""), "{beat}");
        assert!(beat.contains("\"topic\":\"T\"") && beat.contains("\"subVersion\":0"), "{beat}");
        assert!(!beat.contains("%RETRY%") && !beat.contains("\"topic\":\"U\""), "{beat}");
    }
}

#[test]
fn a_consumer_that_did_not_start_or_has_stopped_says_so() {
    let mut config = puller(&[]);
    let wrong = PullConfig { consumer_timeout_when_suspend: Span::from_secs(19), ..PullConfig::default() };
    config.consumers[0].pull = Some(wrong);
    let mut stage = Stage::new(config, one_queue(|_, _| None));
    let thrown = stage.facts.iter().find_map(|fact| match fact {
        Fact::StartThrew { text, .. } => Some(text.to_string()),
        _ => None,
    });
    assert!(
        thrown.unwrap().starts_with("Long polling mode, the consumer consumerTimeoutMillisWhenSuspend must greater")
    );
    stage.ask(1, PullCall::Pull(wanted(0)));
    assert_eq!(stage.text_of(1), "The consumer service state not OK, START_FAILED");
    let what = Box::new(PullCall::Pull(wanted(0)));
    stage.on(Event::App(Box::new(Call::Pull { op: OpId(2), group: "other".into(), what })));
    assert_eq!(stage.text_of(2), "The consumer service state not OK, CREATE_JUST");
    let mut stage = Stage::new(puller(&[]), one_queue(|_, _| None));
    stage.until(2_000);
    stage.on(Event::Stop);
    stage.ask(1, PullCall::Pull(wanted(0)));
    assert_eq!(stage.text_of(1), "The consumer service state not OK, SHUTDOWN_ALREADY");
}

#[test]
fn a_message_given_back_goes_to_its_broker_or_is_sent_as_a_copy() {
    for taken in [true, false] {
        let mut inner = one_queue(|_, _| Some(pulled(response::SUCCESS, 4, &[(3, "A")])));
        let mut stage = Stage::new(puller(&[]), move |addr, command| match command.code {
            request::CONSUMER_SEND_MSG_BACK if !taken => Some(code(response::SYSTEM_ERROR, "no")),
            request::SEND_MESSAGE_V2 => Some(stored(0)),
            _ => inner(addr, command),
        });
        stage.ask(1, PullCall::Pull(wanted(3)));
        stage.until(100);
        let PullAnswer::Pulled(result) = stage.told(1) else { panic!("a pull result") };
        let message = result.messages[0].clone();
        let back = SendBack { message, delay_level: 0, broker: Some("a".into()), group: None };
        stage.ask(2, PullCall::SendBack(Box::new(back)));
        stage.until(300);
        assert!(matches!(stage.answer(2).1, Return::Done { .. }));
        let sent = stage.asked.iter().find_map(|(_, _, command)| match &command.header {
            Header::SendBack(header) => Some((**header).clone()),
            _ => None,
        });
        let sent = sent.unwrap();
        assert_eq!((&*sent.group, sent.offset, sent.max_reconsume_times), ("PG", 300, Some(16)));
        assert_eq!(sent.origin_topic.as_deref(), Some("T"));
        let copies: Vec<(Name, String)> = stage
            .asked
            .iter()
            .filter_map(|(_, _, command)| match &command.header {
                Header::Send(header) => Some((header.topic.clone(), header.properties.clone()?.to_string())),
                _ => None,
            })
            .collect();
        assert_eq!(copies.len(), usize::from(!taken));
        if let Some((topic, properties)) = copies.first() {
            assert_eq!(&**topic, "%RETRY%PG");
            assert!(properties.contains("DELAY\u{1}3") && properties.contains("RETRY_TOPIC\u{1}T"), "{properties}");
            assert!(!properties.contains("CONSUME_START_TIME"), "{properties}");
        }
    }
}
