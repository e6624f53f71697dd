//! What an operator's terminal shows, column by column as `mqadmin` prints it, and in a few words for a line.
//!
//! Source: the commands of `tools`. Differs: no body is written to a file, so that its path stays out.

use crate::mq::app::{AdminAnswer, AdminCall, OrderConfAct, Rollback, TopicAt};
use crate::mq::message::property::names;
use crate::mq::message::{Host, MessageQueue, Name, StoredMessage, id, text};
use crate::mq::time::{Calendar, Millis};

/// An answer in a few words, or in as many as it takes to name what was found.
pub fn short(answer: &AdminAnswer) -> String {
    let queue = |queue: &MessageQueue| format!("{}/{}", queue.broker, queue.queue_id);
    let each: Vec<String> = match answer {
        AdminAnswer::Offsets(offsets) => {
            offsets.iter().map(|(at, offset)| format!("{} = {offset}", queue(at))).collect()
        }
        AdminAnswer::Rollback(rows) => rows
            .iter()
            .map(|row| format!("{} {} -> {}", queue(&row.queue), row.consumer_offset, row.rollback_offset))
            .collect(),
        AdminAnswer::DoneBy(addrs) => addrs.iter().map(ToString::to_string).collect(),
        AdminAnswer::Wiped(wiped) => wiped
            .iter()
            .map(|(addr, count)| format!("{addr} {}", count.map_or("Failed".to_owned(), |count| count.to_string())))
            .collect(),
        AdminAnswer::Ordered { by, conf } => by.iter().chain([conf]).map(ToString::to_string).collect(),
        AdminAnswer::GroupGone { by, topics } => by.iter().chain(topics).map(ToString::to_string).collect(),
        AdminAnswer::Value(value) => vec![value.to_string()],
        AdminAnswer::Messages(found) => found
            .iter()
            .map(|found| format!("{}/{} #{}", found.message.topic, found.queue_id, found.queue_offset.0))
            .collect(),
    };
    match each.is_empty() {
        true => "-".to_owned(),
        false => each.join(", "),
    }
}

/// What the command prints.
pub fn printed(call: &AdminCall, answer: &AdminAnswer) -> Vec<String> {
    match (call, answer) {
        (AdminCall::ResetOffset { .. }, AdminAnswer::Offsets(offsets)) => {
            let mut lines = vec![format!("{:<40}  {:<40}  {:<40}", "#brokerName", "#queueId", "#offset")];
            let row = |(queue, offset): &(MessageQueue, i64)| {
                format!("{:<40}  {:<40}  {offset:<40}", front(&queue.broker), queue.queue_id)
            };
            lines.extend(offsets.iter().map(row));
            lines
        }
        (AdminCall::ResetOffset { .. }, AdminAnswer::Rollback(rows)) => {
            let mut lines = vec![format!(
                "{:<20}  {:<20}  {:<20}  {:<20}  {:<20}  {:<20}",
                "#brokerName", "#queueId", "#brokerOffset", "#consumerOffset", "#timestampOffset", "#rollbackOffset"
            )];
            lines.extend(rows.iter().map(rollback));
            lines
        }
        (AdminCall::UpdateTopic { .. } | AdminCall::DeleteTopic { .. }, AdminAnswer::DoneBy(addrs))
            if addrs.is_empty() =>
        {
            vec![NO_CLUSTER.to_owned()]
        }
        (AdminCall::UpdateTopic { .. }, AdminAnswer::DoneBy(addrs)) => made(addrs, &topic_config(call)),
        (AdminCall::UpdateTopic { at: TopicAt::Broker(_), .. }, AdminAnswer::Ordered { by, conf }) => {
            // The tool ends no line behind the configuration.
            let set = format!("set broker orderConf. isOrder=true, orderConf=[{conf}]");
            let mut lines = made(by, &topic_config(call));
            lines[0].insert_str(0, &set);
            lines
        }
        (AdminCall::UpdateTopic { .. }, AdminAnswer::Ordered { by, conf }) => {
            let set = format!("set cluster orderConf. isOrder=true, orderConf=[{conf}]{}", topic_config(call));
            made(by, &set)
        }
        (AdminCall::OrderConf { topic, act }, answer) => order_conf(topic, act, answer).into_iter().collect(),
        (AdminCall::UpdateGroup { settings, .. }, AdminAnswer::DoneBy(addrs)) => {
            let line = |addr: &Name| format!("create subscription group to {addr} success.");
            addrs.iter().map(line).chain([settings.to_string()]).collect()
        }
        (AdminCall::DeleteGroup { group, cluster }, AdminAnswer::GroupGone { by, topics }) => {
            group_gone(group, cluster, (by, topics))
        }
        (AdminCall::DeleteTopic { topic, cluster }, AdminAnswer::DoneBy(_)) => vec![
            format!("delete topic [{topic}] from cluster [{cluster}] success."),
            format!("delete topic [{topic}] from NameServer success."),
        ],
        (AdminCall::WipeWritePerm { broker }, AdminAnswer::Wiped(wiped)) => {
            let line = |(addr, count): &(Name, Option<i32>)| {
                let begin = format!("wipe write perm of broker[{broker}] in name server[{addr}]");
                count.map_or_else(|| format!("{begin} Failed"), |count| format!("{begin} OK, {count}"))
            };
            wiped.iter().map(line).collect()
        }
        (AdminCall::QueryByKey { .. }, AdminAnswer::Messages(found)) => by_key(found),
        (AdminCall::ViewMessage { .. }, AdminAnswer::Messages(found)) => {
            found.iter().flat_map(|found| details(found, true)).collect()
        }
        (_, AdminAnswer::Messages(found)) => found.iter().flat_map(|found| details(found, false)).collect(),
        _ => Vec::new(),
    }
}

/// What brokers made, one line each, and what it is.
fn made(addrs: &[Name], what: &str) -> Vec<String> {
    let line = |addr: &Name| format!("create topic to {addr} success.");
    addrs.iter().map(line).chain([what.to_owned()]).collect()
}

/// Source: `TopicConfig.toString`.
fn topic_config(call: &AdminCall) -> String {
    let AdminCall::UpdateTopic { topic, read, write, perm, order, .. } = call else { return String::new() };
    format!(
        "TopicConfig [topicName={topic}, readQueueNums={read}, writeQueueNums={write}, perm={}, \
         topicFilterType=SINGLE_TAG, topicSysFlag=0, order={order}]",
        perm_text(*perm)
    )
}

/// Source: `UpdateOrderConfCommand`.
fn order_conf(topic: &Name, act: &OrderConfAct, answer: &AdminAnswer) -> Option<String> {
    Some(match (act, answer) {
        (OrderConfAct::Put(conf), _) => format!("update orderConf success. topic=[{topic}], orderConf=[{conf}]"),
        (OrderConfAct::Get, AdminAnswer::Value(conf)) => {
            format!("get orderConf success. topic=[{topic}], orderConf=[{conf}] ")
        }
        (OrderConfAct::Get, _) => return None,
        (OrderConfAct::Delete, _) => format!("delete orderConf success. topic=[{topic}]"),
    })
}

/// Source: `DeleteSubscriptionGroupCommand`, `DeleteTopicSubCommand.deleteTopic`.
fn group_gone(group: &Name, cluster: &Name, (by, topics): (&[Name], &[Name])) -> Vec<String> {
    let broker = |addr: &Name| {
        format!("delete subscription group [{group}] from broker [{addr}] in cluster [{cluster}] success.")
    };
    let topics = topics.iter().flat_map(|topic| {
        [
            format!("delete topic [{topic}] from cluster [{cluster}] success."),
            format!("delete topic [{topic}] from NameServer success."),
        ]
    });
    by.iter().map(broker).chain(topics).collect()
}

/// Source: `ResetOffsetByTimeOldCommand.resetOffset`.
fn rollback(row: &Rollback) -> String {
    let Rollback { queue, broker_offset, consumer_offset, timestamp_offset, rollback_offset } = row;
    format!(
        "{:<20}  {:<20}  {broker_offset:<20}  {consumer_offset:<20}  {timestamp_offset:<20}  {rollback_offset:<20}",
        front(&queue.broker),
        queue.queue_id
    )
}

/// Source: `QueryMsgByKeySubCommand.queryByKey`.
pub fn by_key(found: &[StoredMessage]) -> Vec<String> {
    let mut lines = vec![format!("{:<50} {:>4} {:>40}", "#Message ID", "#QID", "#Offset")];
    let row =
        |found: &StoredMessage| format!("{:<50} {:>4} {:>40}", message_id(found), found.queue_id, found.queue_offset.0);
    lines.extend(found.iter().map(row));
    lines
}

/// A message line by line; the id of its place stands twice, as upstream prints it.
///
/// Source: `QueryMsgByIdSubCommand.printMsg`, `QueryMsgByUniqueKeySubCommand.queryById`.
pub fn details(found: &StoredMessage, with_id: bool) -> Vec<String> {
    let row = |name: &str, value: String| format!("{name:<20} {value}");
    let property = |name: &str| format!("[{}]", found.message.properties.get(name).map_or("null", |text| text));
    let place = id::offset_msg_id(found.store_host, found.commit_log_offset).to_string();
    let host = |host: Host| format!("{}:{}", id_host(host.ip), host.port);
    let mut lines = match with_id {
        true => vec![row("OffsetID:", place.clone()), row("OffsetID:", place)],
        false => Vec::new(),
    };
    lines.extend([
        row("Topic:", found.message.topic.to_string()),
        row("Tags:", property(names::TAGS)),
        row("Keys:", property(names::KEYS)),
        row("Queue ID:", found.queue_id.to_string()),
        row("Queue Offset:", found.queue_offset.0.to_string()),
        row("CommitLog Offset:", found.commit_log_offset.0.to_string()),
        row("Reconsume Times:", found.reconsume_times.to_string()),
        row("Born Timestamp:", to_the_milli(found.born_timestamp)),
        row("Store Timestamp:", to_the_milli(found.store_timestamp)),
        row("Born Host:", host(found.born_host)),
        row("Store Host:", host(found.store_host)),
        row("System Flag:", found.sys_flag.to_string()),
        row("Properties:", text::properties(&found.message.properties)),
    ]);
    lines
}

/// The unique key, or the id of its place without one.
pub fn message_id(found: &StoredMessage) -> Name {
    let own = found.message.properties.get(names::UNIQ_KEY).cloned();
    own.unwrap_or_else(|| id::offset_msg_id(found.store_host, found.commit_log_offset))
}

fn id_host(ip: u32) -> String {
    let [a, b, c, d] = ip.to_be_bytes();
    format!("{a}.{b}.{c}.{d}")
}

/// `yyyy-MM-dd HH:mm:ss,SSS` of UTC. Source: `UtilAll.timeMillisToHumanString2`.
fn to_the_milli(at: Millis) -> String {
    let Calendar { year, month, day, hour, minute, second, milli } = Calendar::of(at, 0);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03}")
}

/// Source: `UtilAll.frontStringAtLeast`, with 32.
fn front(text: &str) -> String {
    text.chars().take(32).collect()
}

/// Source: `PermName.perm2String`.
fn perm_text(perm: i32) -> String {
    let bit = |bit: i32, letter: char| if perm & bit != 0 { letter } else { '-' };
    [bit(4, 'R'), bit(2, 'W'), bit(1, 'X')].iter().collect()
}

/// Source: `CommandUtil.ERROR_MESSAGE`.
const NO_CLUSTER: &str =
    "[error] Make sure the specified clusterName exists or the name server connected to is correct.";
