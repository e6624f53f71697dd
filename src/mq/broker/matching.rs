//! What a pull wants, asked in two stages: of the queue's unit, then of the record.
//!
//! Source: `ExpressionMessageFilter`, `ExpressionForRetryMessageFilter`, `CommitLogDispatcherCalcBitMap`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mq::broker::filter::{FilterData, Filters};
use crate::mq::broker::members::Subscription;
use crate::mq::filter::sql::Sql;
use crate::mq::filter::{bloom, is_tag_type};
use crate::mq::message::property::{self, names};
use crate::mq::message::{Topic, record};
use crate::mq::store::consume_queue_ext::ExtUnit;
use crate::mq::store::get::MessageFilter;
use crate::mq::store::reput::BitMaps;

/// A pull's filter.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The subscription.
    pub subscription: Subscription,
    /// Its filter, if it is not by tag; without one everything passes.
    pub filter: Option<Arc<FilterData>>,
    /// Of a retry topic, where `filterSupportRetry` is on: the group's filters, by the topics that messages came from.
    ///
    /// Differs: as they were when the pull came; upstream looks them up for each message.
    pub retried: Option<BTreeMap<Topic, Arc<FilterData>>>,
    /// A condition whose answer is null counts as true: a planted mistake, false everywhere else.
    pub null_passes: bool,
}

impl Wanted {
    /// Whether the record has to be read to know.
    pub fn reads_records(&self) -> bool {
        self.retried.is_some() || !is_tag_type(Some(&self.subscription.expression_type))
    }

    /// Whether a message with these properties passes. Source: `isMatchedByCommitLog`.
    pub fn is_matched_by_properties(&self, properties: Option<&str>) -> bool {
        let text = properties.unwrap_or_default();
        let sql = match &self.retried {
            Some(retried) => property::find(text, names::RETRY_TOPIC).and_then(|topic| retried.get(topic)),
            None if is_tag_type(Some(&self.subscription.expression_type)) => return true,
            None => self.filter.as_ref(),
        };
        let passes = |sql: &Sql| match self.null_passes {
            false => passes(sql, text),
            true => sql.answer(&|name| property::find(text, name)) != Ok(Some(false)),
        };
        sql.and_then(|filter| filter.compiled.as_ref()).is_none_or(|sql| passes(sql))
    }
}

impl MessageFilter for Wanted {
    fn is_matched_by_consume_queue(&self, tags_code: Option<i64>, beside: Option<&ExtUnit>) -> bool {
        if is_tag_type(Some(&self.subscription.expression_type)) {
            return tags_code.is_none_or(|code| self.subscription.passes(code));
        }
        // A message that is older than the filter was not asked about when it came.
        match (&self.filter, beside) {
            (Some(filter), Some(beside)) if filter.compiled.is_some() && filter.born_time < beside.store_time => {
                let is_known = !filter.bloom.0.is_empty() && beside.bit_map.len() * 8 == filter.bloom.1 as usize;
                !is_known || bloom::is_hit(&beside.bit_map, &filter.bloom.0)
            }
            _ => true,
        }
    }

    fn is_matched_by_commit_log(&self, record: &[u8]) -> bool {
        !self.reads_records() || self.is_matched_by_properties(record::properties_of(record).as_deref())
    }
}

fn passes(sql: &Sql, properties: &str) -> bool {
    sql.passes(&|name| property::find(properties, name))
}

/// All filters of a broker as they were at a time: which of them a new record passes, a few bits each.
///
/// Source: `CommitLogDispatcherCalcBitMap`.
#[derive(Clone, Debug)]
pub struct Snapshot(pub Filters);

impl BitMaps for Snapshot {
    fn bit_map(&self, topic: &str, record: &[u8]) -> Vec<u8> {
        let mut filters = self.0.of_topic(topic).peekable();
        if filters.peek().is_none() {
            return Vec::new();
        }
        let properties = record::properties_of(record).unwrap_or_default();
        let mut map = self.0.shape.empty();
        for (_, filter) in filters {
            if filter.compiled.as_ref().is_some_and(|sql| passes(sql, &properties)) {
                bloom::set(&mut map, &filter.bloom.0);
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::time::Millis;
    use crate::mq::wire::body::SubscriptionData;

    fn data(topic: &str, sql: &str) -> SubscriptionData {
        SubscriptionData {
            class_filter_mode: false,
            topic: topic.into(),
            sub_string: sql.into(),
            tags_set: Vec::new(),
            code_set: Vec::new(),
            sub_version: 1,
            expression_type: "SQL92".into(),
        }
    }

    fn wanted(filters: &Filters, group: &str) -> Wanted {
        let subscription = Subscription::of(&data("people", "age > 18"));
        Wanted { subscription, filter: filters.get("people", group).cloned(), retried: None, null_passes: false }
    }

    /// A record with nothing but properties.
    fn record(properties: &str) -> Vec<u8> {
        let mut bytes = vec![0; 89];
        bytes.extend_from_slice(&(properties.len() as u16).to_be_bytes());
        bytes.extend_from_slice(properties.as_bytes());
        bytes
    }

    #[test]
    fn a_bit_map_spares_the_log_for_what_came_behind_the_filter() {
        let mut filters = Filters::default();
        filters.register(&"bars".into(), &[data("people", "age > 18")], Millis(1_000));
        filters.register(&"schools".into(), &[data("people", "age <= 18")], Millis(1_000));
        let map = Snapshot(filters.clone()).bit_map("people", &record("age\u{1}20\u{2}"));
        let beside = |store_time| Some(ExtUnit { tags_code: 0, store_time, bit_map: map.clone() });
        let (bar, school) = (wanted(&filters, "bars"), wanted(&filters, "schools"));
        assert!(bar.is_matched_by_consume_queue(Some(0), beside(2_000).as_ref()));
        assert!(!school.is_matched_by_consume_queue(Some(0), beside(2_000).as_ref()));
        // What is not behind the filter, has no map or one of another length says nothing.
        assert!(school.is_matched_by_consume_queue(Some(0), beside(1_000).as_ref()));
        assert!(school.is_matched_by_consume_queue(Some(0), None));
        for bit_map in [Vec::new(), vec![0; 8]] {
            let unit = ExtUnit { tags_code: 0, store_time: 2_000, bit_map };
            assert!(school.is_matched_by_consume_queue(Some(0), Some(&unit)));
        }
        assert_eq!(Snapshot(filters).bit_map("others", &record("")), [0; 0]);
    }

    #[test]
    fn a_record_is_asked_by_its_properties() {
        let mut filters = Filters::default();
        filters.register(&"bars".into(), &[data("people", "age > 18")], Millis(1));
        let bar = wanted(&filters, "bars");
        assert!(bar.is_matched_by_commit_log(&record("age\u{1}20\u{2}")));
        for properties in ["age\u{1}18\u{2}", "age\u{1}old\u{2}", "name\u{1}x\u{2}", ""] {
            assert!(!bar.is_matched_by_commit_log(&record(properties)), "{properties}");
        }
        assert!(!bar.is_matched_by_commit_log(&[1, 2]), "foreign bytes have no age");
        assert!(Wanted { filter: None, ..bar }.is_matched_by_commit_log(&record("")), "an assertion that is off");
    }

    #[test]
    fn a_retried_message_is_filtered_again_only_where_that_is_supported() {
        let mut filters = Filters::default();
        filters.register(&"bars".into(), &[data("people", "age > 18")], Millis(1));
        let tags = SubscriptionData { expression_type: "TAG".into(), ..data("%RETRY%bars", "*") };
        let plain = Wanted { subscription: Subscription::of(&tags), filter: None, retried: None, null_passes: false };
        let of_group = filters.of_group("bars").map(|(topic, filter)| (topic.clone(), filter.clone())).collect();
        let again = Wanted { retried: Some(of_group), ..plain.clone() };
        let child = record("RETRY_TOPIC\u{1}people\u{2}age\u{1}9\u{2}");
        assert!(plain.is_matched_by_commit_log(&child));
        assert!(!again.is_matched_by_commit_log(&child));
        assert!(again.is_matched_by_commit_log(&record("RETRY_TOPIC\u{1}dogs\u{2}age\u{1}9\u{2}")));
    }
}
