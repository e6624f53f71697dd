//! What a message says, to tell one from another: all of it but what the road adds.

use crate::lab::oracle::store::LogRecord;
use crate::mq::message::Message;
use crate::mq::message::property::names;

/// What a message is to its sender: topic, body, keys, tag and user properties in the order of their names.
pub type Content<'a> = (&'a str, &'a [u8], Vec<(&'a str, &'a str)>);

/// Whether a property is one that the road adds.
fn is_of_the_road(name: &str) -> bool {
    matches!(
        name,
        names::UNIQ_KEY
            | names::WAIT
            | names::DELAY
            | names::RETRY_TOPIC
            | names::REAL_TOPIC
            | names::REAL_QID
            | names::TRAN_MSG
            | names::PGROUP
            | names::TRANSACTION_CHECK_TIMES
            | names::CHECK_IMMUNITY_TIME_IN_SECONDS
            | names::TRAN_PREPARED_QUEUE_OFFSET
            | names::MIN_OFFSET
            | names::MAX_OFFSET
            | names::CONSUME_START_TIME
            | names::ORIGIN_MESSAGE_ID
            | names::RECONSUME_TIME
            | names::MAX_RECONSUME_TIMES
            | names::MSG_REGION
            | names::TRACE_ON
    )
}

fn content<'a>(topic: &'a str, body: &'a [u8], pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Content<'a> {
    let mut own: Vec<(&str, &str)> = pairs.filter(|(name, _)| !is_of_the_road(name)).collect();
    own.sort_unstable();
    (topic, body, own)
}

/// What a letter says.
pub fn content_of(message: &Message) -> Content<'_> {
    let pairs = message.properties.iter().map(|(name, value)| (&**name, &**value));
    content(&message.topic, &message.body, pairs)
}

/// What a stored copy says.
pub fn content_of_copy(record: &LogRecord) -> Content<'_> {
    content(topic_of_copy(record), &record.body, record.properties.iter())
}

/// Whether a message says exactly what a letter says, and has its flag.
pub fn is_of(message: &Message, letter: &Message) -> bool {
    let pairs = message.properties.iter().map(|(name, value)| (&**name, &**value));
    message.flag == letter.flag && is_said((&message.topic, &message.body), pairs, letter)
}

/// Whether a stored copy does.
pub fn copy_is_of(record: &LogRecord, letter: &Message) -> bool {
    record.flag == letter.flag && is_said((topic_of_copy(record), &record.body), record.properties.iter(), letter)
}

/// As comparing the contents, with nothing made for it.
fn is_said<'a>(
    (topic, body): (&str, &[u8]),
    pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    letter: &'a Message,
) -> bool {
    let mut found = 0;
    let is_own = |(name, _): &(&str, &str)| !is_of_the_road(name);
    let said = letter.properties.iter().map(|(name, value)| (&**name, &**value)).filter(is_own);
    if letter.topic != topic || letter.body != body {
        return false;
    }
    // A map that the road has added to keeps the order of what was there.
    if pairs.clone().filter(is_own).eq(said.clone()) {
        return true;
    }
    for (name, value) in pairs.filter(|(name, _)| !is_of_the_road(name)) {
        if letter.properties.get(name).is_none_or(|own| *own != value) {
            return false;
        }
        found += 1;
    }
    found == said.count()
}

/// The topic that a stored copy is of, wherever it lies.
fn topic_of_copy(record: &LogRecord) -> &str {
    let topic = record.properties.get(names::RETRY_TOPIC).filter(|_| record.topic.starts_with('%'));
    topic.unwrap_or(&record.topic)
}
