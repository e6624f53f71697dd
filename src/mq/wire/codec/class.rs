//! The classes of headers: their fields in upstream's order, once, for typed headers and for any other reader.
//!
//! A header travels as ext fields: upstream walks over the declared fields of its class and puts each that is not null
//! into a `HashMap`, whose order is the frame's. Source: `RemotingCommand.makeCustomHeaderToNet`,
//! `decodeCommandCustomHeader`, and the classes of `common.protocol.header`.

use std::fmt;

use crate::mq::message::Name;
use crate::mq::message::java::{parse_int, parse_long};
use crate::mq::wire::codec::CodecError;
use crate::mq::wire::codec::member::Member;
use crate::mq::wire::codec::raw::ExtFields;
use crate::mq::wire::header::{
    CheckTransactionHeader, CreateTopicHeader, EndTransactionHeader, GroupQueueHeader, KvKeyHeader, PullHeader,
    PulledHeader, PutKvHeader, QueriedHeader, QueryMessageHeader, QueueHeader, RegisterBrokerHeader, RegisteredHeader,
    ResetOffsetHeader, SearchOffsetHeader, SendBackHeader, SendHeader, SentHeader, UnregisterBrokerHeader,
    UnregisterClientHeader, UpdateOffsetHeader,
};

/// A class of headers.
#[derive(Debug)]
pub struct HeaderClass {
    /// Upstream's name of it.
    pub name: &'static str,
    /// Its fields as declared.
    pub fields: &'static [Field],
    /// What must hold between them. Source: `CommandCustomHeader.checkFields`.
    check: fn(&[Option<Scalar>]) -> Result<(), CodecError>,
}

/// A field of a header.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Whether it has `@CFNotNull`.
    pub required: bool,
    /// Whether it starts as zero or false, as a Java primitive, and not as null.
    pub primitive: bool,
    /// The member of the typed header, empty if the class has none.
    pub member: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// A truth value.
    Bool,
}

/// A field's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scalar {
    /// A text.
    Text(Name),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// A truth value.
    Bool(bool),
}

/// As Java's `toString` writes it into an ext field.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(text),
            Scalar::Int(number) => number.fmt(f),
            Scalar::Long(number) => number.fmt(f),
            Scalar::Bool(value) => value.fmt(f),
        }
    }
}

impl HeaderClass {
    /// The class of this name.
    pub fn of(name: &str) -> Option<&'static HeaderClass> {
        CLASSES.iter().copied().find(|class| class.name == name)
    }

    /// The ext fields of a header with these values, in the order of [`HeaderClass::fields`].
    pub fn put(&self, values: &[Option<Scalar>]) -> ExtFields {
        assert_eq!(values.len(), self.fields.len(), "a value for each field");
        let pairs = self.fields.iter().zip(values);
        pairs
            .filter_map(|(field, value)| Some((field.name.into(), Some(Name::from(value.as_ref()?.to_string())))))
            .collect()
    }

    /// The values of a header as upstream reads them: what is missing or cannot be read stays as it starts.
    ///
    /// Errors: the fields are not allowed together; nothing is checked where a frame has no ext fields at all.
    pub fn take(&self, fields: Option<&ExtFields>) -> Result<Vec<Option<Scalar>>, CodecError> {
        let values: Vec<Option<Scalar>> =
            self.fields.iter().map(|field| self.value(field, fields).unwrap_or_else(|_| field.start())).collect();
        if fields.is_some() {
            (self.check)(&values)?;
        }
        Ok(values)
    }

    /// Whether a header of this class cannot do without fields.
    pub fn needs_fields(&self) -> bool {
        self.fields.iter().any(|field| field.required)
    }

    /// One value. Errors: required and not there, or not of its type.
    fn value(&self, field: &'static Field, fields: Option<&ExtFields>) -> Result<Option<Scalar>, CodecError> {
        let Some(text) = fields.and_then(|fields| fields.get(field.name)).and_then(Option::as_ref) else {
            return match field.start() {
                None if field.required => Err(CodecError::Missing { class: self.name, field: field.name }),
                start => Ok(start),
            };
        };
        let value = match field.kind {
            Kind::Text => Some(Scalar::Text(text.clone())),
            Kind::Int => parse_int(text).map(Scalar::Int),
            Kind::Long => parse_long(text).map(Scalar::Long),
            Kind::Bool => Some(Scalar::Bool(text.eq_ignore_ascii_case("true"))),
        };
        let unparsable = || CodecError::Unparsable {
            class: self.name,
            field: field.name,
            found: text.to_string(),
            wanted: field.kind.wanted(),
        };
        value.map(Some).ok_or_else(unparsable)
    }
}

impl Field {
    fn start(&self) -> Option<Scalar> {
        self.primitive.then(|| match self.kind {
            Kind::Text => Scalar::Text(Name::default()),
            Kind::Int => Scalar::Int(0),
            Kind::Long => Scalar::Long(0),
            Kind::Bool => Scalar::Bool(false),
        })
    }
}

impl Kind {
    fn wanted(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Int => "a number of 32 bits",
            Kind::Long => "a number of 64 bits",
            Kind::Bool => "`true` or `false`",
        }
    }
}

/// A class whose headers are typed here.
pub(super) trait Typed {
    /// The type.
    type Header;
    /// The class.
    const CLASS: HeaderClass;

    /// A header's values, in the order of the class.
    fn values(header: &Self::Header) -> Vec<Option<Scalar>>;

    /// A header of values that come in the order of the class.
    fn header(values: &mut Values<'_>) -> Result<Self::Header, CodecError>;
}

/// The ext fields of a header of type `C`.
pub(super) fn put<C: Typed>(header: &C::Header) -> ExtFields {
    C::CLASS.put(&C::values(header))
}

/// The header of type `C`. Errors: a required field is missing, one is not of its type, or they do not go together.
pub(super) fn take<C: Typed>(fields: &ExtFields) -> Result<C::Header, CodecError> {
    let class = const { &C::CLASS };
    let header = C::header(&mut Values { class, fields, next: 0 })?;
    (class.check)(&C::values(&header))?;
    Ok(header)
}

/// The values of a frame's header, one after the other.
pub(super) struct Values<'a> {
    class: &'static HeaderClass,
    fields: &'a ExtFields,
    next: usize,
}

impl Values<'_> {
    fn next<T: Member>(&mut self) -> Result<T, CodecError> {
        let field = &self.class.fields[self.next];
        self.next += 1;
        let value = self.class.value(field, Some(self.fields))?;
        T::take(value).ok_or(CodecError::Missing { class: self.class.name, field: field.name })
    }
}

/// A header of one field.
pub(super) struct One<T>(pub(super) T);
type OneName = One<Name>;
type OneNullable = One<Option<Name>>;
type OneInt = One<i32>;
type OneLong = One<i64>;

/// Declares classes as upstream's source does: wire name, Java type, `required` for `@CFNotNull`; behind `=` the member of
/// the typed header, behind `->` the check over all fields. A boxed `Boolean` that upstream starts as `false` is written `boolean`: on the wire it is one.
macro_rules! header_classes {
    (@kind String) => { (Kind::Text, false) };
    (@kind Integer) => { (Kind::Int, false) };
    (@kind Long) => { (Kind::Long, false) };
    (@kind int) => { (Kind::Int, true) };
    (@kind long) => { (Kind::Long, true) };
    (@kind boolean) => { (Kind::Bool, true) };
    (@check) => { unchecked };
    (@check $check:ident) => { $check };
    (@field $field:literal $kind:ident [$($required:ident)?] $member:expr) => {
        Field {
            name: $field,
            kind: header_classes!(@kind $kind).0,
            required: !stringify!($($required)?).is_empty(),
            primitive: header_classes!(@kind $kind).1,
            member: $member,
        }
    };
    (
        typed { $($class:ident => $header:ident {
            $($field:literal: $kind:ident $($required:ident)? = $member:tt,)*
        } $(-> $check:ident)?)* }
    ) => {
        $(pub(super) struct $class;

        impl Typed for $class {
            type Header = $header;
            const CLASS: HeaderClass = HeaderClass {
                name: stringify!($class),
                fields: &[$(header_classes!(@field $field $kind [$($required)?] stringify!($member)),)*],
                check: header_classes!(@check $($check)?),
            };

            fn values(header: &$header) -> Vec<Option<Scalar>> {
                vec![$(header.$member.put(),)*]
            }

            fn header(values: &mut Values<'_>) -> Result<$header, CodecError> {
                Ok($header { $($member: values.next()?,)* })
            }
        })*

        /// Every class known here.
        pub static CLASSES: &[&HeaderClass] = &[
            $(&<$class as Typed>::CLASS,)*
        ];
    };
}

header_classes! {
    typed {
        SendMessageRequestHeader => SendHeader {
            "producerGroup": String required = producer_group,
            "topic": String required = topic,
            "defaultTopic": String required = default_topic,
            "defaultTopicQueueNums": Integer required = default_topic_queue_nums,
            "queueId": Integer required = queue_id,
            "sysFlag": Integer required = sys_flag,
            "bornTimestamp": Long required = born_timestamp,
            "flag": Integer required = flag,
            "properties": String = properties,
            "reconsumeTimes": Integer = reconsume_times,
            "unitMode": boolean = unit_mode,
            "batch": boolean = batch,
            "maxReconsumeTimes": Integer = max_reconsume_times,
        }
        SendMessageRequestHeaderV2 => SendHeader {
            "a": String required = producer_group,
            "b": String required = topic,
            "c": String required = default_topic,
            "d": Integer required = default_topic_queue_nums,
            "e": Integer required = queue_id,
            "f": Integer required = sys_flag,
            "g": Long required = born_timestamp,
            "h": Integer required = flag,
            "i": String = properties,
            "j": Integer = reconsume_times,
            "k": boolean = unit_mode,
            "l": Integer = max_reconsume_times,
            "m": boolean = batch,
        }
        SendMessageResponseHeader => SentHeader {
            "msgId": String required = msg_id,
            "queueId": Integer required = queue_id,
            "queueOffset": Long required = queue_offset,
            "transactionId": String = transaction_id,
        }
        PullMessageRequestHeader => PullHeader {
            "consumerGroup": String required = consumer_group,
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
            "queueOffset": Long required = queue_offset,
            "maxMsgNums": Integer required = max_msg_nums,
            "sysFlag": Integer required = sys_flag,
            "commitOffset": Long required = commit_offset,
            "suspendTimeoutMillis": Long required = suspend_timeout_millis,
            "subscription": String = subscription,
            "subVersion": Long required = sub_version,
            "expressionType": String = expression_type,
        }
        PullMessageResponseHeader => PulledHeader {
            "suggestWhichBrokerId": Long required = suggest_which_broker_id,
            "nextBeginOffset": Long required = next_begin_offset,
            "minOffset": Long required = min_offset,
            "maxOffset": Long required = max_offset,
        }
        QueryConsumerOffsetRequestHeader => GroupQueueHeader {
            "consumerGroup": String required = consumer_group,
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
        }
        QueryConsumerOffsetResponseHeader => OneLong {
            "offset": Long required = 0,
        }
        UpdateConsumerOffsetRequestHeader => UpdateOffsetHeader {
            "consumerGroup": String required = consumer_group,
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
            "commitOffset": Long required = commit_offset,
        }
        GetConsumerListByGroupRequestHeader => OneName {
            "consumerGroup": String required = 0,
        }
        NotifyConsumerIdsChangedRequestHeader => OneName {
            "consumerGroup": String required = 0,
        }
        GetRouteInfoRequestHeader => OneName {
            "topic": String required = 0,
        }
        RegisterBrokerRequestHeader => RegisterBrokerHeader {
            "brokerName": String required = broker_name,
            "brokerAddr": String required = broker_addr,
            "clusterName": String required = cluster_name,
            "haServerAddr": String required = ha_server_addr,
            "brokerId": Long required = broker_id,
            "compressed": boolean = compressed,
            "bodyCrc32": int = body_crc32,
        }
        RegisterBrokerResponseHeader => RegisteredHeader {
            "haServerAddr": String = ha_server_addr,
            "masterAddr": String = master_addr,
        }
        UnRegisterBrokerRequestHeader => UnregisterBrokerHeader {
            "brokerName": String required = broker_name,
            "brokerAddr": String required = broker_addr,
            "clusterName": String required = cluster_name,
            "brokerId": Long required = broker_id,
        }
        UnregisterClientRequestHeader => UnregisterClientHeader {
            "clientID": String required = client_id,
            "producerGroup": String = producer_group,
            "consumerGroup": String = consumer_group,
        }
        CreateTopicRequestHeader => CreateTopicHeader {
            "topic": String required = topic,
            "defaultTopic": String required = default_topic,
            "readQueueNums": Integer required = read_queue_nums,
            "writeQueueNums": Integer required = write_queue_nums,
            "perm": Integer required = perm,
            "topicFilterType": String required = topic_filter_type,
            "topicSysFlag": Integer = topic_sys_flag,
            "order": boolean required = order,
        } -> topic_filter_type
        GetMaxOffsetRequestHeader => QueueHeader {
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
        }
        GetMinOffsetRequestHeader => QueueHeader {
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
        }
        SearchOffsetRequestHeader => SearchOffsetHeader {
            "topic": String required = topic,
            "queueId": Integer required = queue_id,
            "timestamp": Long required = timestamp,
        }
        ConsumerSendMsgBackRequestHeader => SendBackHeader {
            "offset": Long required = offset,
            "group": String required = group,
            "delayLevel": Integer required = delay_level,
            "originMsgId": String = origin_msg_id,
            "originTopic": String = origin_topic,
            "unitMode": boolean = unit_mode,
            "maxReconsumeTimes": Integer = max_reconsume_times,
        }
        EndTransactionRequestHeader => EndTransactionHeader {
            "producerGroup": String required = producer_group,
            "tranStateTableOffset": Long required = tran_state_table_offset,
            "commitLogOffset": Long required = commit_log_offset,
            "commitOrRollback": Integer required = commit_or_rollback,
            "fromTransactionCheck": boolean = from_transaction_check,
            "msgId": String required = msg_id,
            "transactionId": String = transaction_id,
        } -> commit_or_rollback
        CheckTransactionStateRequestHeader => CheckTransactionHeader {
            "tranStateTableOffset": Long required = tran_state_table_offset,
            "commitLogOffset": Long required = commit_log_offset,
            "msgId": String = msg_id,
            "transactionId": String = transaction_id,
            "offsetMsgId": String = offset_msg_id,
        }
        ResetOffsetRequestHeader => ResetOffsetHeader {
            "topic": String required = topic,
            "group": String required = group,
            "timestamp": long required = timestamp,
            "isForce": boolean required = is_force,
        }
        DeleteTopicRequestHeader => OneName {
            "topic": String required = 0,
        }
        WipeWritePermOfBrokerRequestHeader => OneName {
            "brokerName": String required = 0,
        }
        WipeWritePermOfBrokerResponseHeader => OneInt {
            "wipeTopicCount": Integer required = 0,
        }
        PutKVConfigRequestHeader => PutKvHeader {
            "namespace": String required = namespace,
            "key": String required = key,
            "value": String required = value,
        }
        GetKVConfigRequestHeader => KvKeyHeader {
            "namespace": String required = namespace,
            "key": String required = key,
        }
        GetKVConfigResponseHeader => OneNullable {
            "value": String = 0,
        }
        GetKVListByNamespaceRequestHeader => OneName {
            "namespace": String required = 0,
        }
        DeleteSubscriptionGroupRequestHeader => OneName {
            "groupName": String required = 0,
        }
        ViewMessageRequestHeader => OneLong {
            "offset": Long required = 0,
        }
        QueryMessageRequestHeader => QueryMessageHeader {
            "topic": String required = topic,
            "key": String required = key,
            "maxNum": Integer required = max_num,
            "beginTimestamp": Long required = begin_timestamp,
            "endTimestamp": Long required = end_timestamp,
        }
        QueryMessageResponseHeader => QueriedHeader {
            "indexLastUpdateTimestamp": Long required = index_last_update_timestamp,
            "indexLastUpdatePhyoffset": Long required = index_last_update_phyoffset,
        }
    }
}

fn unchecked(_: &[Option<Scalar>]) -> Result<(), CodecError> {
    Ok(())
}

/// Source: `CreateTopicRequestHeader.checkFields`.
fn topic_filter_type(values: &[Option<Scalar>]) -> Result<(), CodecError> {
    let [.., kind, _, _] = values else { return Ok(()) };
    match kind {
        Some(Scalar::Text(kind)) if matches!(kind.as_str(), "SINGLE_TAG" | "MULTI_TAG") => Ok(()),
        kind => {
            let found = kind.as_ref().map_or("null".to_owned(), Scalar::to_string);
            Err(CodecError::Refused(format!("topicFilterType = [{found}] value invalid")))
        }
    }
}

/// Source: `EndTransactionRequestHeader.checkFields`. Differs: a null is an error of its own, upstream's an exception of Java's.
fn commit_or_rollback(values: &[Option<Scalar>]) -> Result<(), CodecError> {
    match values {
        [_, _, _, Some(Scalar::Int(0 | 8 | 12)), ..] => Ok(()),
        [_, _, _, None, ..] => {
            Err(CodecError::Missing { class: "EndTransactionRequestHeader", field: "commitOrRollback" })
        }
        _ => Err(CodecError::Refused("commitOrRollback field wrong".to_owned())),
    }
}
