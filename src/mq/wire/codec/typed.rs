//! Which header belongs to which conversation.

use crate::mq::message::Name;
use crate::mq::wire::code::request;
use crate::mq::wire::codec::CodecError;
use crate::mq::wire::codec::class::{self, HeaderClass, One, Typed};
use crate::mq::wire::codec::raw::ExtFields;
use crate::mq::wire::header::{Header, TRACED, UNIQUE_MSG_QUERY_FLAG};

/// Reads a header of one class.
pub(super) type Take = fn(&ExtFields) -> Result<Header, CodecError>;

/// The ext fields of a command's header. A send's class is its code's.
pub(super) fn put(code: i32, header: &Header) -> Option<ExtFields> {
    Some(match header {
        Header::None => return None,
        Header::Send(send) if code == request::SEND_MESSAGE => class::put::<class::SendMessageRequestHeader>(send),
        Header::Send(send) => class::put::<class::SendMessageRequestHeaderV2>(send),
        Header::Sent(sent) => {
            let mut fields = class::put::<class::SendMessageResponseHeader>(sent);
            for (name, value) in TRACED {
                fields.put(name.into(), Some(value.into()));
            }
            fields
        }
        Header::Pull(pull) => class::put::<class::PullMessageRequestHeader>(pull),
        Header::Pulled(pulled) => class::put::<class::PullMessageResponseHeader>(pulled),
        Header::QueryOffset(query) => class::put::<class::QueryConsumerOffsetRequestHeader>(query),
        Header::UpdateOffset(update) => class::put::<class::UpdateConsumerOffsetRequestHeader>(update),
        Header::Offset(offset) => class::put::<class::QueryConsumerOffsetResponseHeader>(&One(*offset)),
        Header::ConsumerList(group) => class::put::<class::GetConsumerListByGroupRequestHeader>(&One(group.clone())),
        Header::IdsChanged(group) => class::put::<class::NotifyConsumerIdsChangedRequestHeader>(&One(group.clone())),
        Header::Route(topic) => class::put::<class::GetRouteInfoRequestHeader>(&One(topic.clone())),
        Header::RegisterBroker(register) => class::put::<class::RegisterBrokerRequestHeader>(register),
        Header::Registered(registered) => class::put::<class::RegisterBrokerResponseHeader>(registered),
        Header::UnregisterBroker(unregister) => class::put::<class::UnRegisterBrokerRequestHeader>(unregister),
        Header::UnregisterClient(unregister) => class::put::<class::UnregisterClientRequestHeader>(unregister),
        Header::CreateTopic(create) => class::put::<class::CreateTopicRequestHeader>(create),
        // The highest and the lowest offset are asked for with the same fields.
        Header::Queue(queue) => class::put::<class::GetMaxOffsetRequestHeader>(queue),
        Header::SearchOffset(search) => class::put::<class::SearchOffsetRequestHeader>(search),
        Header::SendBack(back) => class::put::<class::ConsumerSendMsgBackRequestHeader>(back),
        Header::EndTransaction(end) => class::put::<class::EndTransactionRequestHeader>(end),
        Header::CheckTransaction(check) => class::put::<class::CheckTransactionStateRequestHeader>(check),
        Header::ResetOffset(reset) => class::put::<class::ResetOffsetRequestHeader>(reset),
        Header::DeleteTopic(topic) => class::put::<class::DeleteTopicRequestHeader>(&One(topic.clone())),
        Header::WipeWritePerm(broker) => class::put::<class::WipeWritePermOfBrokerRequestHeader>(&One(broker.clone())),
        Header::Wiped(count) => class::put::<class::WipeWritePermOfBrokerResponseHeader>(&One(*count)),
        Header::PutKv(put) => class::put::<class::PutKVConfigRequestHeader>(put),
        // A key is asked for and deleted with the same fields.
        Header::KvKey(key) => class::put::<class::GetKVConfigRequestHeader>(key),
        Header::KvValue(value) => class::put::<class::GetKVConfigResponseHeader>(&One(value.clone())),
        Header::KvNamespace(namespace) => {
            class::put::<class::GetKVListByNamespaceRequestHeader>(&One(namespace.clone()))
        }
        Header::DeleteGroup(group) => class::put::<class::DeleteSubscriptionGroupRequestHeader>(&One(group.clone())),
        Header::ViewMessage(offset) => class::put::<class::ViewMessageRequestHeader>(&One(*offset)),
        Header::QueryMessage(query, is_unique) => {
            let mut fields = class::put::<class::QueryMessageRequestHeader>(query);
            if let Some(is_unique) = is_unique {
                fields.put(UNIQUE_MSG_QUERY_FLAG.into(), Some(Name::from(is_unique.to_string())));
            }
            fields
        }
        Header::Queried(queried) => class::put::<class::QueryMessageResponseHeader>(queried),
        Header::Other(pairs) => pairs.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
    })
}

/// How a request's header is read; `None` for a code whose header is not typed.
pub(super) fn request(code: i32) -> Option<Take> {
    let take: Take = match code {
        request::SEND_MESSAGE => |ext| boxed::<class::SendMessageRequestHeader>(ext, Header::Send),
        request::SEND_MESSAGE_V2 | request::SEND_BATCH_MESSAGE => {
            |ext| boxed::<class::SendMessageRequestHeaderV2>(ext, Header::Send)
        }
        request::PULL_MESSAGE => |ext| boxed::<class::PullMessageRequestHeader>(ext, Header::Pull),
        request::QUERY_CONSUMER_OFFSET => {
            |ext| boxed::<class::QueryConsumerOffsetRequestHeader>(ext, Header::QueryOffset)
        }
        request::UPDATE_CONSUMER_OFFSET => {
            |ext| boxed::<class::UpdateConsumerOffsetRequestHeader>(ext, Header::UpdateOffset)
        }
        request::UPDATE_AND_CREATE_TOPIC => |ext| boxed::<class::CreateTopicRequestHeader>(ext, Header::CreateTopic),
        request::SEARCH_OFFSET_BY_TIMESTAMP => {
            |ext| boxed::<class::SearchOffsetRequestHeader>(ext, Header::SearchOffset)
        }
        request::GET_MAX_OFFSET => |ext| boxed::<class::GetMaxOffsetRequestHeader>(ext, Header::Queue),
        request::GET_MIN_OFFSET => |ext| boxed::<class::GetMinOffsetRequestHeader>(ext, Header::Queue),
        request::UNREGISTER_CLIENT => {
            |ext| boxed::<class::UnregisterClientRequestHeader>(ext, Header::UnregisterClient)
        }
        request::CONSUMER_SEND_MSG_BACK => {
            |ext| boxed::<class::ConsumerSendMsgBackRequestHeader>(ext, Header::SendBack)
        }
        request::END_TRANSACTION => |ext| boxed::<class::EndTransactionRequestHeader>(ext, Header::EndTransaction),
        request::CHECK_TRANSACTION_STATE => {
            |ext| boxed::<class::CheckTransactionStateRequestHeader>(ext, Header::CheckTransaction)
        }
        request::INVOKE_BROKER_TO_RESET_OFFSET | request::RESET_CONSUMER_CLIENT_OFFSET => {
            |ext| boxed::<class::ResetOffsetRequestHeader>(ext, Header::ResetOffset)
        }
        request::GET_CONSUMER_LIST_BY_GROUP => {
            |ext| one::<class::GetConsumerListByGroupRequestHeader>(ext, Header::ConsumerList)
        }
        request::NOTIFY_CONSUMER_IDS_CHANGED => {
            |ext| one::<class::NotifyConsumerIdsChangedRequestHeader>(ext, Header::IdsChanged)
        }
        request::DELETE_TOPIC_IN_BROKER | request::DELETE_TOPIC_IN_NAMESRV => {
            |ext| one::<class::DeleteTopicRequestHeader>(ext, Header::DeleteTopic)
        }
        request::WIPE_WRITE_PERM_OF_BROKER => {
            |ext| one::<class::WipeWritePermOfBrokerRequestHeader>(ext, Header::WipeWritePerm)
        }
        request::PUT_KV_CONFIG => |ext| boxed::<class::PutKVConfigRequestHeader>(ext, Header::PutKv),
        request::GET_KV_CONFIG | request::DELETE_KV_CONFIG => {
            |ext| boxed::<class::GetKVConfigRequestHeader>(ext, Header::KvKey)
        }
        request::GET_KVLIST_BY_NAMESPACE => {
            |ext| one::<class::GetKVListByNamespaceRequestHeader>(ext, Header::KvNamespace)
        }
        request::DELETE_SUBSCRIPTIONGROUP => {
            |ext| one::<class::DeleteSubscriptionGroupRequestHeader>(ext, Header::DeleteGroup)
        }
        request::VIEW_MESSAGE_BY_ID => {
            |ext| plain::<class::ViewMessageRequestHeader>(ext, |offset| Header::ViewMessage(offset.0))
        }
        request::QUERY_MESSAGE => |ext| {
            let flag = ext.get(UNIQUE_MSG_QUERY_FLAG).and_then(Option::as_ref);
            let is_unique = flag.map(|flag| *flag == "true");
            let query = class::take::<class::QueryMessageRequestHeader>(ext)?;
            Ok(Header::QueryMessage(Box::new(query), is_unique))
        },
        request::REGISTER_BROKER => |ext| boxed::<class::RegisterBrokerRequestHeader>(ext, Header::RegisterBroker),
        request::UNREGISTER_BROKER => {
            |ext| boxed::<class::UnRegisterBrokerRequestHeader>(ext, Header::UnregisterBroker)
        }
        request::GET_ROUTEINTO_BY_TOPIC => |ext| one::<class::GetRouteInfoRequestHeader>(ext, Header::Route),
        _ => return None,
    };
    Some(take)
}

/// How the answer to a request is read, with its class; `None` for an answer without fields of its own.
pub(super) fn response(request_code: i32) -> Option<(&'static HeaderClass, Take)> {
    match request_code {
        request::SEND_MESSAGE | request::SEND_MESSAGE_V2 | request::SEND_BATCH_MESSAGE => {
            answer::<class::SendMessageResponseHeader>(|ext| {
                plain::<class::SendMessageResponseHeader>(ext, Header::Sent)
            })
        }
        request::PULL_MESSAGE => answer::<class::PullMessageResponseHeader>(|ext| {
            plain::<class::PullMessageResponseHeader>(ext, Header::Pulled)
        }),
        request::QUERY_CONSUMER_OFFSET
        | request::SEARCH_OFFSET_BY_TIMESTAMP
        | request::GET_MAX_OFFSET
        | request::GET_MIN_OFFSET => answer::<class::QueryConsumerOffsetResponseHeader>(|ext| {
            plain::<class::QueryConsumerOffsetResponseHeader>(ext, |offset| Header::Offset(offset.0))
        }),
        request::WIPE_WRITE_PERM_OF_BROKER => answer::<class::WipeWritePermOfBrokerResponseHeader>(|ext| {
            plain::<class::WipeWritePermOfBrokerResponseHeader>(ext, |count| Header::Wiped(count.0))
        }),
        request::GET_KV_CONFIG => answer::<class::GetKVConfigResponseHeader>(|ext| {
            plain::<class::GetKVConfigResponseHeader>(ext, |value| Header::KvValue(value.0))
        }),
        request::QUERY_MESSAGE => answer::<class::QueryMessageResponseHeader>(|ext| {
            plain::<class::QueryMessageResponseHeader>(ext, Header::Queried)
        }),
        request::REGISTER_BROKER => answer::<class::RegisterBrokerResponseHeader>(|ext| {
            boxed::<class::RegisterBrokerResponseHeader>(ext, Header::Registered)
        }),
        _ => None,
    }
}

/// The fields as they came, nulls left out; no fields at all and none in a class are told apart, as in JSON.
pub(super) fn other(fields: Option<ExtFields>) -> Header {
    let Some(fields) = fields else { return Header::None };
    let pairs = fields.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    Header::Other(pairs.collect())
}

fn answer<C: Typed>(take: Take) -> Option<(&'static HeaderClass, Take)> {
    Some((const { &C::CLASS }, take))
}

fn plain<C: Typed>(ext: &ExtFields, wrap: fn(C::Header) -> Header) -> Result<Header, CodecError> {
    class::take::<C>(ext).map(wrap)
}

fn boxed<C: Typed>(ext: &ExtFields, wrap: fn(Box<C::Header>) -> Header) -> Result<Header, CodecError> {
    class::take::<C>(ext).map(|header| wrap(Box::new(header)))
}

fn one<C: Typed<Header = One<Name>>>(ext: &ExtFields, wrap: fn(Name) -> Header) -> Result<Header, CodecError> {
    class::take::<C>(ext).map(|header| wrap(header.0))
}
