//! Ordered consumers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::mq::message::MessageQueue;

/// What the broker does here: whom it tells of, whether it leases, whether it takes copies.
#[derive(Clone)]
struct Broker {
    leases: Rc<Cell<bool>>,
    takes: Rc<Cell<bool>>,
    members: Rc<RefCell<Vec<Name>>>,
    /// How many messages queue T has from 3 on.
    messages: Rc<Cell<i64>>,
}

impl Broker {
    fn with(messages: i64) -> Broker {
        Broker {
            leases: Rc::new(Cell::new(true)),
            takes: Rc::new(Cell::new(true)),
            members: Rc::new(RefCell::new(vec!["10.0.4.1@8".into()])),
            messages: Rc::new(Cell::new(messages)),
        }
    }

    fn stage(&self, change: impl FnOnce(&mut ConsumerConfig)) -> Stage {
        let broker = self.clone();
        let messages = self.messages.clone();
        let mut inner = one_queue(move |topic, offset| {
            let end = 3 + messages.get();
            (topic == "T" && offset < end).then(|| {
                let all: Vec<(i64, &str)> = (offset..end).map(|offset| (offset, "TagA")).collect();
                pulled(response::SUCCESS, end, &all)
            })
        });
        let mut config = consumer();
        config.consumers[0].consume_orderly = true;
        change(&mut config.consumers[0]);
        Stage::new(config, move |addr, command| match command.code {
            request::LOCK_BATCH_MQ => {
                let asked = LockBatchRequestBody::decode(command.body.as_deref().unwrap()).unwrap();
                assert_eq!((&*asked.consumer_group, &*asked.client_id), ("CG", "10.0.4.1@8"));
                let lock_ok_mq_set = if broker.leases.get() { asked.mq_set } else { Vec::new() };
                Some(ok(Header::None).with_body(LockBatchResponseBody { lock_ok_mq_set }.encode()))
            }
            request::GET_CONSUMER_LIST_BY_GROUP => {
                Some(ok(Header::None).with_body(ConsumerIdList(broker.members.borrow().clone()).encode()))
            }
            request::SEND_MESSAGE_V2 if !broker.takes.get() => Some(code(response::MESSAGE_ILLEGAL, "no")),
            request::SEND_MESSAGE_V2 => Some(stored(0)),
            _ => inner(addr, command),
        })
    }
}

/// Calls of the listener: when, the task, the first offset, how often it had failed, how many messages.
fn listens(stage: &Stage) -> Vec<(u64, TaskId, i64, i32, usize)> {
    let all = stage.returned.iter();
    all.filter_map(|(at, answer)| match answer {
        Return::Listen { task, messages, .. } => {
            Some((*at, *task, messages[0].queue_offset.0, messages[0].reconsume_times, messages.len()))
        }
        _ => None,
    })
    .collect()
}

fn offsets(stage: &Stage) -> Vec<i64> {
    listens(stage).iter().map(|(_, _, offset, ..)| *offset).collect()
}

fn answer(stage: &mut Stage, outcome: ConsumeOutcome) {
    let task = listens(stage).last().unwrap().1;
    stage.on(Event::App(Box::new(Call::Listened { task, outcome })));
}

fn ordered(status: OrderlyStatus) -> ConsumeOutcome {
    ConsumeOutcome::Ordered(Ordered::new(status))
}

/// Bodies of requests about locks: when, and of which topics.
fn locks(stage: &Stage, code: i32) -> Vec<(u64, Vec<String>)> {
    let all = stage.asked.iter().filter(|(_, _, command)| command.code == code);
    all.map(|(at, _, command)| {
        let body = LockBatchRequestBody::decode(command.body.as_deref().unwrap()).unwrap();
        (*at, body.mq_set.iter().map(|queue: &MessageQueue| queue.topic.to_string()).collect())
    })
    .collect()
}

fn consumed(stage: &Stage) -> i64 {
    stage.client.owned().iter().find(|owned| owned.queue.topic == "T").unwrap().consumed
}

#[test]
fn a_queue_is_locked_before_it_is_taken_and_pulled_when_the_flag_is_set() {
    let mut stage = Broker::with(2).stage(|_| {});
    stage.until(45_000);
    let mut rounds = locks(&stage, request::LOCK_BATCH_MQ);
    let both = rounds.split_off(2);
    assert_eq!(rounds.iter().map(|(_, topics)| topics.len()).collect::<Vec<_>>(), [1, 1], "one by one to take them");
    assert!(both.iter().all(|(_, topics)| topics.len() == 2), "{both:?}");
    assert_eq!(both.iter().map(|(at, _)| at / 1000).collect::<Vec<_>>(), [1, 21, 41]);
    // Taken at once, locked by the timer after a second, pulled when the pull that was put off comes again.
    let (at, _, offset, ..) = listens(&stage)[0];
    assert_eq!((at / 1000, offset), (3, 3));
    let not_locked = |fact: &&Fact| matches!(fact, Fact::PullDelayed { why: "not-locked", millis: 3000, .. });
    assert_eq!(stage.facts.iter().filter(not_locked).count(), 2);
    // The place is asked for once more, under the lock.
    assert_eq!(stage.asked_with(request::QUERY_CONSUMER_OFFSET).len(), 4);
    let names: Vec<String> = match &stage.returned[0].1 {
        Return::Listen { messages, .. } => {
            messages[0].message.properties.iter().map(|(name, _)| name.as_str().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    };
    assert!(!names.contains(&"CONSUME_START_TIME".to_owned()), "{names:?}");
}

#[test]
fn a_queue_that_is_not_leased_is_not_taken() {
    let broker = Broker::with(1);
    broker.leases.set(false);
    let mut stage = broker.stage(|_| {});
    stage.until(15_000);
    assert_eq!((stage.client.owned().len(), stage.kinds("assigned")), (0, 0));
    broker.leases.set(true);
    stage.until(60_000);
    assert_eq!((stage.client.owned().len(), offsets(&stage).len()), (2, 1));
}

#[test]
fn one_batch_at_a_time_and_what_suspends_comes_first_again() {
    for (own, asked, expected) in [(1_000, -1, 1_000), (5, -1, 10), (1_000, 100_000, 30_000), (1_000, 250, 250)] {
        let mut stage = Broker::with(3).stage(|config| config.suspend_current_queue_time = Span::from_millis(own));
        stage.until(4_000);
        assert_eq!(offsets(&stage), [3], "one at a time");
        answer(&mut stage, ordered(OrderlyStatus::Success));
        assert_eq!((offsets(&stage), consumed(&stage)), (vec![3, 4], 4));
        let outcome = Ordered { suspend_millis: asked, ..Ordered::new(OrderlyStatus::Suspend) };
        answer(&mut stage, ConsumeOutcome::Ordered(outcome));
        stage.until(4_000 + expected - 1);
        assert_eq!(offsets(&stage), [3, 4]);
        stage.until(4_000 + expected);
        let (_, _, offset, times, _) = listens(&stage)[2];
        assert_eq!((offset, times, consumed(&stage)), (4, 1, 4));
        let rest = stage.facts.iter().find_map(|fact| match fact {
            Fact::Suspended { queue_offset, millis, .. } => Some((*queue_offset, *millis as u64)),
            _ => None,
        });
        assert_eq!(rest, Some((4, expected)));
    }
}

#[test]
fn throwing_and_null_suspend_without_end_by_default() {
    for outcome in [ConsumeOutcome::Threw, ConsumeOutcome::Null, ConsumeOutcome::Later] {
        let mut stage = Broker::with(2).stage(|_| {});
        stage.until(3_500);
        for nth in 1..40 {
            answer(&mut stage, outcome);
            stage.until(3_500 + nth * 1_000);
        }
        let seen = listens(&stage);
        assert!(seen.iter().all(|(_, _, offset, ..)| *offset == 3));
        assert_eq!(seen.last().unwrap().3, 39);
        assert_eq!(stage.asked_with(request::SEND_MESSAGE_V2).len(), 0);
    }
}

#[test]
fn what_fails_too_often_goes_to_the_retry_topic_and_the_queue_goes_on() {
    let broker = Broker::with(2);
    let mut stage = broker.stage(|config| config.max_reconsume_times = 1);
    stage.until(3_500);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(4_600);
    assert_eq!(listens(&stage).len(), 2);
    // Nobody takes the copy: it is one more failure.
    broker.takes.set(false);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(9_000);
    let (_, _, offset, times, _) = *listens(&stage).last().unwrap();
    assert_eq!((offset, times, consumed(&stage)), (3, 2, 3));
    broker.takes.set(true);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(9_500);
    assert_eq!((*offsets(&stage).last().unwrap(), consumed(&stage)), (4, 4));
    let copies: Vec<SendHeader> = stage
        .asked
        .iter()
        .filter_map(|(_, _, command)| match &command.header {
            Header::Send(header) => Some((**header).clone()),
            _ => None,
        })
        .collect();
    let last = copies.last().unwrap();
    assert_eq!((&*last.topic, last.reconsume_times, last.max_reconsume_times), ("%RETRY%CG", Some(2), Some(1)));
    let text = last.properties.clone().unwrap().to_string();
    assert!(text.contains("DELAY\u{1}5\u{2}") && text.contains("RETRY_TOPIC\u{1}T\u{2}"), "{text:?}");
}

#[test]
fn a_lease_that_is_not_renewed_stops_the_listener_after_thirty_seconds() {
    let broker = Broker::with(3);
    let mut stage = broker.stage(|_| {});
    stage.until(3_500);
    // Renewals fail: the flags stay, but they grow old. The last grant was at 1 s.
    stage.peers = Box::new(|_, _| None);
    stage.until(30_900);
    answer(&mut stage, ordered(OrderlyStatus::Success));
    assert_eq!(offsets(&stage), [3, 4], "not yet old enough");
    stage.until(31_100);
    answer(&mut stage, ordered(OrderlyStatus::Success));
    assert_eq!(offsets(&stage), [3, 4]);
    let awaits = |fact: &&Fact| matches!(fact, Fact::ConsumeAwaitsLock { why: "lock-expired", millis: 10, .. });
    assert_eq!(stage.facts.iter().filter(awaits).count(), 1);
    // Asked for in 10 ms, not answered in a second, then again 3 s later: until the lock is there.
    stage.until(36_000);
    assert_eq!(offsets(&stage), [3, 4]);
    let asked = locks(&stage, request::LOCK_BATCH_MQ);
    let asked: Vec<u64> = asked.iter().map(|(at, _)| *at).filter(|at| 31_000 <= *at).collect();
    assert_eq!(asked, [31_110, 35_211], "100 ms before the second: its task finds no fresh lock at its beginning");
}

#[test]
fn a_lock_that_another_holds_stops_the_listener_at_once() {
    let broker = Broker::with(3);
    let mut stage = broker.stage(|_| {});
    stage.until(3_500);
    broker.leases.set(false);
    stage.until(21_500);
    assert_eq!(stage.kinds("queue-lock-lost"), 2);
    answer(&mut stage, ordered(OrderlyStatus::Success));
    stage.until(22_000);
    assert_eq!((offsets(&stage), consumed(&stage)), (vec![3], 4));
    broker.leases.set(true);
    stage.until(26_000);
    assert_eq!(offsets(&stage), [3, 4], "the lock is asked for every few seconds");
}

#[test]
fn a_busy_queue_is_not_given_up_and_a_cached_one_keeps_its_lock_for_a_while() {
    let broker = Broker::with(2);
    let mut stage = broker.stage(|_| {});
    stage.until(4_000);
    broker.members.borrow_mut().insert(0, "10.0.3.9@1".into());
    stage.until(26_000);
    // The listener has run since 3 s: a second is waited, then the queue stays, dropped and locked.
    assert_eq!((stage.kinds("still-consuming"), stage.client.owned().len()), (1, 0));
    let unlocked = |stage: &Stage| {
        let all = locks(stage, request::UNLOCK_BATCH_MQ).into_iter();
        all.map(|(at, topics)| (at / 1000, topics[0].clone())).collect::<Vec<_>>()
    };
    assert_eq!(unlocked(&stage).len(), 1, "the retry queue");
    answer(&mut stage, ordered(OrderlyStatus::Success));
    assert_eq!(offsets(&stage), [3], "a dropped queue is not consumed on");
    // The next rebalance gives it up; message 4 is cached, so its lock is kept for 20 s.
    stage.until(46_000);
    assert_eq!((stage.kinds("unlock-delayed"), unlocked(&stage).len()), (1, 1));
    stage.until(66_000);
    let last = unlocked(&stage).pop().unwrap();
    assert_eq!((last.1.as_str(), unlocked(&stage).len()), ("T", 2));
}

#[test]
fn a_listener_that_ends_in_time_lets_its_queue_go_at_once() {
    let broker = Broker::with(1);
    let mut stage = broker.stage(|_| {});
    stage.until(4_000);
    broker.members.borrow_mut().insert(0, "10.0.3.9@1".into());
    stage.until(20_000);
    let conn = stage.conn_to(BROKER_A);
    let command = Command::oneway(request::NOTIFY_CONSUMER_IDS_CHANGED, Opaque(9), Header::IdsChanged("CG".into()));
    stage.on(Event::Received { conn, frame: Frame::Command(command) });
    stage.until(20_500);
    answer(&mut stage, ordered(OrderlyStatus::Success));
    stage.until(20_600);
    assert_eq!((stage.kinds("still-consuming"), stage.kinds("unlock-delayed")), (0, 0));
    assert_eq!(locks(&stage, request::UNLOCK_BATCH_MQ).len(), 2);
}

#[test]
fn a_queue_taken_again_waits_for_the_old_listener() {
    let broker = Broker::with(1);
    let mut stage = broker.stage(|_| {});
    stage.until(4_000);
    // The broker has no such offset any more: the queue is given up under its listener and taken anew.
    let mut inner = broker.stage(|_| {}).peers;
    let mut moved = false;
    stage.peers = Box::new(move |addr, command| match &command.header {
        Header::Pull(header) if header.topic == "T" && header.queue_offset == 4 && !moved => {
            moved = true;
            Some(pulled(response::PULL_OFFSET_MOVED, 3, &[]))
        }
        _ => inner(addr, command),
    });
    let conn = stage.conn_to(BROKER_A);
    stage.on(Event::Closed { conn, why: ClosedWhy::Reset });
    stage.until(60_000);
    assert_eq!(stage.kinds("assigned"), 3, "T twice");
    assert_eq!(offsets(&stage), [3], "its task waits in front of the monitor");
    answer(&mut stage, ordered(OrderlyStatus::Success));
    assert_eq!(offsets(&stage), [3, 3]);
}

#[test]
fn a_minute_without_a_break_ends_a_task() {
    let mut stage = Broker::with(100).stage(|_| {});
    stage.until(3_500);
    for second in 0..62 {
        answer(&mut stage, ordered(OrderlyStatus::Success));
        stage.until(3_500 + (second + 1) * 1_000);
    }
    assert_eq!(stage.kinds("consume-yielded"), 1);
    assert_eq!(offsets(&stage).len(), 63, "it goes on 10 ms later");
}

#[test]
fn without_auto_commit_nothing_is_done_until_it_is_committed() {
    let manual = |status| ConsumeOutcome::Ordered(Ordered { status, auto_commit: false, suspend_millis: -1 });
    let mut stage = Broker::with(6).stage(|_| {});
    stage.until(3_500);
    answer(&mut stage, manual(OrderlyStatus::Success));
    answer(&mut stage, manual(OrderlyStatus::Success));
    assert_eq!((offsets(&stage), consumed(&stage)), (vec![3, 4, 5], 3));
    answer(&mut stage, manual(OrderlyStatus::Commit));
    assert_eq!((offsets(&stage), consumed(&stage)), (vec![3, 4, 5, 6], 6));
    answer(&mut stage, manual(OrderlyStatus::Success));
    answer(&mut stage, manual(OrderlyStatus::Rollback));
    assert_eq!((offsets(&stage), consumed(&stage)), (vec![3, 4, 5, 6, 7], 6));
    stage.until(4_500);
    assert_eq!((offsets(&stage).pop(), consumed(&stage)), (Some(6), 6), "all that was not committed comes again");
    // With it, both are taken for success.
    answer(&mut stage, ordered(OrderlyStatus::Rollback));
    answer(&mut stage, ordered(OrderlyStatus::Commit));
    assert_eq!((offsets(&stage).pop(), consumed(&stage)), (Some(8), 8));
}

#[test]
fn a_clean_stop_unlocks_first() {
    let mut stage = Broker::with(1).stage(|_| {});
    stage.until(4_000);
    stage.on(Event::Stop);
    stage.until(6_000);
    assert!(stage.exited);
    let last: Vec<i32> = stage.asked.iter().filter(|(at, ..)| 4_000 <= *at).map(|(_, _, asked)| asked.code).collect();
    assert_eq!(last[0], request::UNLOCK_BATCH_MQ);
    assert!(last.contains(&request::UNREGISTER_CLIENT));
    assert_eq!(locks(&stage, request::UNLOCK_BATCH_MQ)[0].1.len(), 2);
}

#[test]
fn batches_keep_their_order_and_fail_as_one() {
    let mut stage = Broker::with(5).stage(|config| config.consume_message_batch_max_size = 2);
    stage.until(3_500);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(4_600);
    answer(&mut stage, ordered(OrderlyStatus::Success));
    let seen: Vec<(i64, i32, usize)> = listens(&stage).iter().map(|seen| (seen.2, seen.3, seen.4)).collect();
    assert_eq!(seen, [(3, 0, 2), (3, 1, 2), (5, 0, 2)]);
    assert_eq!(consumed(&stage), 5);
}

#[test]
fn a_batch_of_old_and_new_failures_consumes_a_dead_letter_again() {
    let broker = Broker::with(1);
    let mut stage = broker.stage(|config| {
        config.consume_message_batch_max_size = 2;
        config.max_reconsume_times = 1;
    });
    stage.until(3_500);
    // The next message comes while the first one's listener runs; the pull that nobody answered is made anew.
    broker.messages.set(2);
    stage.until(45_000);
    assert_eq!(offsets(&stage), [3]);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(46_100);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(47_200);
    let seen: Vec<(i64, i32, usize)> = listens(&stage).iter().map(|seen| (seen.2, seen.3, seen.4)).collect();
    // Both go back, the one that was given up as well (K15).
    assert_eq!(seen, [(3, 0, 1), (3, 1, 2), (3, 1, 2)]);
    assert_eq!(stage.asked_with(request::SEND_MESSAGE_V2).len(), 1);
    answer(&mut stage, ordered(OrderlyStatus::Suspend));
    stage.until(48_200);
    assert_eq!((stage.asked_with(request::SEND_MESSAGE_V2).len(), consumed(&stage)), (3, 5));
}

#[test]
fn a_lost_answer_to_the_second_query_sends_the_pull_nowhere() {
    let broker = Broker::with(1);
    let mut stage = broker.stage(|_| {});
    stage.until(2_000);
    let mut inner = broker.stage(|_| {}).peers;
    stage.peers = Box::new(move |addr, command| match command.code {
        request::QUERY_CONSUMER_OFFSET => None,
        _ => inner(addr, command),
    });
    stage.until(30_000);
    let pulls = stage.asked.iter().filter_map(|(_, _, command)| match &command.header {
        Header::Pull(header) if header.topic == "T" => Some(header.queue_offset),
        _ => None,
    });
    assert_eq!(pulls.collect::<Vec<_>>()[0], -1, "no broker has it: the queue begins at its lowest offset");
}
