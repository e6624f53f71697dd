//! Bodies as upstream prints them, and the short text of a topic's config.

use std::fmt;

use crate::mq::message::java::{parse_int, split};
use crate::mq::wire::body::{DataVersion, TopicConfig};

impl TopicConfig {
    /// The short text: name, queues, permission and filter type; the unit bits and the order are lost.
    ///
    /// Source: `TopicConfig.encode`.
    pub fn to_text(&self) -> String {
        let TopicConfig { topic_name, read_queue_nums, write_queue_nums, perm, topic_filter_type, .. } = self;
        format!("{topic_name} {read_queue_nums} {write_queue_nums} {perm} {topic_filter_type}")
    }

    /// Reads the short text; `None` unless it has exactly five parts. Source: `TopicConfig.decode`.
    /// Differs: upstream throws where a number or the filter type is none.
    pub fn from_text(text: &str) -> Option<TopicConfig> {
        let [topic_name, read, write, perm, kind] = split(text, ' ')[..] else { return None };
        matches!(kind, "SINGLE_TAG" | "MULTI_TAG").then_some(TopicConfig {
            topic_name: topic_name.into(),
            read_queue_nums: parse_int(read)?,
            write_queue_nums: parse_int(write)?,
            perm: parse_int(perm)?,
            topic_filter_type: kind.into(),
            topic_sys_flag: 0,
            order: false,
        })
    }
}

/// `TopicConfig [topicName=…, …]`. Source: `TopicConfig.toString`, `PermName.perm2String`.
impl fmt::Display for TopicConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType={}, \
             topicSysFlag={}, order={}]",
            self.topic_name,
            self.read_queue_nums,
            self.write_queue_nums,
            perm_text(self.perm),
            self.topic_filter_type,
            self.topic_sys_flag,
            self.order
        )
    }
}

/// `RWX` with a dash for each bit that is absent. Source: `PermName.perm2String`.
pub fn perm_text(perm: i32) -> String {
    [(4, 'R'), (2, 'W'), (1, 'X')].into_iter().map(|(bit, letter)| if perm & bit == 0 { '-' } else { letter }).collect()
}

impl DataVersion {
    /// The version after a change at `now`, ms. Source: `DataVersion.nextVersion`.
    pub fn next(self, now: i64) -> DataVersion {
        DataVersion { timestamp: now, counter: self.counter.wrapping_add(1) }
    }
}

/// `DataVersion[timestamp=…, counter=…]`. Source: `DataVersion.toString`.
impl fmt::Display for DataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataVersion[timestamp={}, counter={}]", self.timestamp, self.counter)
    }
}
