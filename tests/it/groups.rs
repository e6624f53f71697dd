//! X6: subscription groups made, changed and deleted by an operator, while they are in use.

use std::collections::BTreeSet;

use mqlab::lab::check;
use mqlab::mq::app::AdminAnswer;
use mqlab::mq::fact::Fact;

use crate::admin::{billed, heard, orders, plan, run, said, script, terminal};

const DELETE: &str = "[[operator.delete_group]]\nwait = \"5s\"\ngroup = \"billing\"\n";

/// Brokers that make no group by themselves.
fn strict(text: &str) -> String {
    text.replace(
        "[[broker]]\nname = \"broker-a\"\n",
        "[[broker]]\nname = \"broker-a\"\nproperties = \"autoCreateSubscriptionGroup=false\"\n",
    )
}

fn refusals(trace: &mqlab::lab::trace::log::Trace, code_: i32, text: &str) -> Vec<u64> {
    said(
        trace,
        |fact| matches!(fact, Fact::RequestRefused { code, remark, .. } if *code == code_ && remark.starts_with(text)),
    )
}

#[test]
fn a_group_that_is_deleted_is_back_with_its_next_pull_and_goes_on_where_it_was() {
    let rows = format!("[[operator.update_group]]\nwait = \"1s\"\ngroup = \"billing\"\nretries = 3\n{DELETE}");
    let trace = run(&script(&["broker-a"], &orders(120), &rows));
    let heard = heard(&trace);
    assert!(matches!(&heard[0], Ok(AdminAnswer::DoneBy(by)) if by.len() == 1), "{heard:?}");
    let Ok(AdminAnswer::GroupGone { by, topics }) = &heard[1] else { panic!("{heard:?}") };
    assert_eq!((by.len(), topics.len()), (1, 2));
    let is_billing = |group: &str| group == "billing";
    let changed = |fact: &Fact| matches!(fact, Fact::GroupUpdated { group, retries: 3, known: 1, consume: 1 } if is_billing(group));
    assert_eq!(said(&trace, changed), [36]);
    assert_eq!(said(&trace, |fact| matches!(fact, Fact::GroupDeleted { group, known: 1 } if is_billing(group))), [40]);
    let made = said(&trace, |fact| matches!(fact, Fact::GroupCreated { group } if is_billing(group)));
    assert!(
        matches!(made[..], [first, 40..=70] if first < 40),
        "made at first, and again by whoever names it: {made:?}"
    );
    // Its retry topic goes with it, and every order is billed once.
    let gone = |fact: &Fact| matches!(fact, Fact::TopicDeleted { topic, known: 1, .. } if *topic == "%RETRY%billing");
    assert_eq!(said(&trace, gone), [40]);
    let billed = billed(&trace, 0);
    assert_eq!((billed.len(), billed.iter().collect::<BTreeSet<_>>().len()), (120, 120));
    let lines = terminal(&trace);
    assert!(lines[0].starts_with("create subscription group to ") && lines[0].ends_with(" success."), "{lines:?}");
    assert_eq!(
        lines[1],
        "SubscriptionGroupConfig [groupName=billing, consumeEnable=true, consumeFromMinEnable=false, \
         consumeBroadcastEnable=false, retryQueueNums=1, retryMaxTimes=3, brokerId=0, whichBrokerWhenConsumeSlowly=1, \
         notifyConsumerIdsChangedEnable=true]"
    );
    assert!(lines[2].starts_with("delete subscription group [billing] from broker ["), "{lines:?}");
    assert_eq!(
        lines[3..],
        [
            "delete topic [%RETRY%billing] from cluster [DefaultCluster] success.",
            "delete topic [%RETRY%billing] from NameServer success.",
            "delete topic [%DLQ%billing] from cluster [DefaultCluster] success.",
            "delete topic [%DLQ%billing] from NameServer success.",
        ]
    );
}

#[test]
fn where_brokers_make_no_groups_one_consumes_only_while_an_operator_lets_it_be() {
    let rows = format!(
        "[[operator.update_group]]\nwait = \"1s\"\ngroup = \"billing\"\n{}\
         [[operator.update_group]]\nwait = \"65s\"\ngroup = \"billing\"\n",
        DELETE.replace("5s", "25s")
    );
    let trace = run(&strict(&script(&["broker-a"], &orders(120), &rows)));
    let before: Vec<String> = billed(&trace, 0);
    assert_eq!(before.len(), 120, "nothing is lost");
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 120, "and nothing is billed twice");
    let text = "subscription group [billing] does not exist, ";
    let refused = refusals(&trace, 26, text);
    let (early, late): (Vec<u64>, Vec<u64>) = refused.iter().partition(|at| **at < 40);
    assert!(!early.is_empty() && early.iter().all(|at| *at <= 36), "{early:?}");
    assert!(!late.is_empty() && late.iter().all(|at| (60..=100).contains(at)), "{late:?}");
    let at = |from: u64, to: u64| billed(&trace, from).len() - billed(&trace, to).len();
    assert_eq!((at(0, 35), at(62, 99)), (0, 0));
    assert!(0 < at(36, 60) && 0 < at(100, 130));
    assert_eq!(said(&trace, |fact| matches!(fact, Fact::GroupCreated { group } if *group == "billing")), [0; 0]);
}

#[test]
fn a_group_whose_consuming_is_switched_off_waits_and_one_that_is_changed_may_broadcast_no_more() {
    let off = "[[operator.update_group]]\nwait = \"5s\"\ngroup = \"billing\"\nconsume = false\n\
               [[operator.update_group]]\nwait = \"65s\"\ngroup = \"billing\"\n";
    let trace = run(&script(&["broker-a"], &orders(120), off));
    let refused = refusals(&trace, 16, "subscription group no permission, billing");
    assert!(!refused.is_empty() && refused.iter().all(|at| (40..=100).contains(at)), "{refused:?}");
    assert_eq!(billed(&trace, 62).len() - billed(&trace, 99).len(), 0);
    assert_eq!(billed(&trace, 0).len(), 120);
    // The tool starts from a group that may not broadcast, whatever the group was.
    let change = "[[operator.update_group]]\nwait = \"5s\"\ngroup = \"billing\"\n";
    let broadcasting = |rest: &str| {
        script(&["broker-a"], &orders(60), rest)
            .replace("group = \"billing\"\nsubscribe", "group = \"billing\"\nmodel = \"broadcasting\"\nsubscribe")
    };
    let text = "the consumer group[billing] can not consume by broadcast way";
    assert!(!refusals(&run(&broadcasting(change)), 16, text).is_empty());
    let kept = format!("{change}broadcast = true\n");
    assert_eq!(refusals(&run(&broadcasting(&kept)), 16, text), [0; 0]);
}

#[test]
fn a_deleted_group_is_gone_from_the_file_and_a_stranger_is_deleted_without_a_word() {
    let stranger = DELETE.replace("billing", "strangers");
    let trace = run(&script(&["broker-a"], &orders(3), &format!("{stranger}{}", DELETE.replace("5s", "9s"))));
    assert_eq!(said(&trace, |fact| matches!(fact, Fact::GroupDeleted { known: 0, .. })), [40]);
    // A stranger's deletion writes no file; whoever names a group that is gone has it written again.
    let written = |fact: &Fact| matches!(fact, Fact::ConfigPersisted { file: "subscriptionGroup.json" });
    let times: Vec<u64> = said(&trace, written).into_iter().filter(|at| 40 <= *at).collect();
    assert_eq!(times.first(), Some(&44), "{times:?}");
    // Nobody knows the cluster: nothing is asked of any broker.
    let elsewhere = format!("{DELETE}cluster = \"elsewhere\"\n");
    let trace = run(&script(&["broker-a"], &orders(3), &elsewhere));
    assert!(matches!(&heard(&trace)[0], Ok(AdminAnswer::GroupGone { by, .. }) if by.is_empty()));
    assert_eq!(said(&trace, |fact| matches!(fact, Fact::GroupDeleted { .. })), [0; 0]);
}

#[test]
fn retries_after_a_group_s_end_number_their_queue_anew_and_no_log_is_called_broken_for_that() {
    // Every order fails once: its second copy is consumed.
    let failing = "subscribe = { orders = \"*\" }\n[[consumer.on]]\nreply = [\"fail\", \"ok\"]\n";
    let text = script(&["broker-a"], &orders(120), DELETE)
        .replace("subscribe = { orders = \"*\" }\nstart = \"100ms\"\n", &format!("start = \"100ms\"\n{failing}"));
    let text = format!("{text}\n[[expect]]\nid = \"log\"\ncheck = \"log-well-formed\"\noutcome = \"holds\"\n");
    let trace = run(&text);
    let retried =
        |fact: &Fact| matches!(fact, Fact::Appended { topic, queue_offset: 0, .. } if *topic == "%RETRY%billing");
    assert_eq!(said(&trace, retried).len(), 2, "the queue begins anew");
    let findings = check::run(&trace, &plan(&text));
    let log = findings.iter().find(|finding| finding.id == "log").expect("it was asked for");
    assert!(log.is_as_expected(), "{log:?}");
}
