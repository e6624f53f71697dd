//! Properties of the codec: what is written is read back, however it is cut; what is not a frame is an error.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::mq::message::Name;
use crate::mq::message::java::JavaMap;
use crate::mq::wire::code::request;
use crate::mq::wire::header::{
    CreateTopicHeader, GroupQueueHeader, Header, KvKeyHeader, PullHeader, PulledHeader, PutKvHeader, QueueHeader,
    RegisterBrokerHeader, RegisteredHeader, SearchOffsetHeader, SendBackHeader, SendHeader, SentHeader,
    UnregisterBrokerHeader, UnregisterClientHeader, UpdateOffsetHeader,
};

/// A command and, for a response, the code of the request that it answers.
type Exchange = (Command, Option<i32>);

fn name() -> BoxedStrategy<Name> {
    prop_oneof!["[a-zA-Z0-9_%|-]{1,12}", "\\PC{0,8}", any::<String>()].prop_map(Name::from).boxed()
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(of: BoxedStrategy<T>) -> BoxedStrategy<Option<T>> {
    proptest::option::of(of).boxed()
}

fn send() -> BoxedStrategy<Header> {
    let texts = (name(), name(), name(), maybe(name()));
    let numbers = (any::<[i32; 4]>(), any::<i64>(), any::<[Option<i32>; 2]>(), any::<[bool; 2]>());
    (texts, numbers)
        .prop_map(|((producer_group, topic, default_topic, properties), (ints, born_timestamp, maybes, bools))| {
            Header::Send(Box::new(SendHeader {
                producer_group,
                topic,
                default_topic,
                default_topic_queue_nums: ints[0],
                queue_id: ints[1],
                sys_flag: ints[2],
                born_timestamp,
                flag: ints[3],
                properties,
                reconsume_times: maybes[0],
                unit_mode: bools[0],
                max_reconsume_times: maybes[1],
                batch: bools[1],
            }))
        })
        .boxed()
}

fn pull() -> BoxedStrategy<Header> {
    (name(), name(), maybe(name()), maybe(name()), any::<[i32; 3]>(), any::<[i64; 4]>())
        .prop_map(|(consumer_group, topic, subscription, expression_type, ints, longs)| {
            Header::Pull(Box::new(PullHeader {
                consumer_group,
                topic,
                queue_id: ints[0],
                queue_offset: longs[0],
                max_msg_nums: ints[1],
                sys_flag: ints[2],
                commit_offset: longs[1],
                suspend_timeout_millis: longs[2],
                subscription,
                sub_version: longs[3],
                expression_type,
            }))
        })
        .boxed()
}

fn register() -> BoxedStrategy<Header> {
    (name(), name(), name(), name(), any::<i64>(), any::<bool>(), any::<i32>())
        .prop_map(|(broker_name, broker_addr, cluster_name, ha_server_addr, broker_id, compressed, body_crc32)| {
            Header::RegisterBroker(Box::new(RegisterBrokerHeader {
                broker_name,
                broker_addr,
                cluster_name,
                ha_server_addr,
                broker_id,
                compressed,
                body_crc32,
            }))
        })
        .boxed()
}

fn create_topic() -> BoxedStrategy<Header> {
    let kind = prop_oneof![Just("SINGLE_TAG"), Just("MULTI_TAG")];
    (name(), name(), any::<[i32; 3]>(), kind, any::<Option<i32>>(), any::<bool>())
        .prop_map(|(topic, default_topic, ints, kind, topic_sys_flag, order)| {
            Header::CreateTopic(Box::new(CreateTopicHeader {
                topic,
                default_topic,
                read_queue_nums: ints[0],
                write_queue_nums: ints[1],
                perm: ints[2],
                topic_filter_type: kind.into(),
                topic_sys_flag,
                order,
            }))
        })
        .boxed()
}

fn send_back() -> BoxedStrategy<Header> {
    (any::<i64>(), name(), any::<i32>(), maybe(name()), maybe(name()), any::<bool>(), any::<Option<i32>>())
        .prop_map(|(offset, group, delay_level, origin_msg_id, origin_topic, unit_mode, max_reconsume_times)| {
            Header::SendBack(Box::new(SendBackHeader {
                offset,
                group,
                delay_level,
                origin_msg_id,
                origin_topic,
                unit_mode,
                max_reconsume_times,
            }))
        })
        .boxed()
}

/// Any fields, as a frame would bring them: in Java's order, each name once.
fn other() -> BoxedStrategy<Header> {
    proptest::collection::vec((name(), name()), 1..16)
        .prop_map(|pairs| {
            let map: JavaMap<Name> = pairs.into_iter().collect();
            // A map made again out of its own order may be ordered otherwise once more where it has grown.
            let map: JavaMap<Name> = map.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            Header::Other(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        })
        .boxed()
}

/// Requests of a queue or two: code and header.
fn small_requests() -> BoxedStrategy<(i32, Header)> {
    let queue = || (name(), any::<i32>());
    prop_oneof![
        (queue(), name(), any::<i64>(), any::<bool>()).prop_map(|((topic, queue_id), consumer_group, at, query)| {
            match query {
                true => {
                    let header = GroupQueueHeader { consumer_group, topic, queue_id };
                    (request::QUERY_CONSUMER_OFFSET, Header::QueryOffset(Box::new(header)))
                }
                false => {
                    let header = UpdateOffsetHeader { consumer_group, topic, queue_id, commit_offset: at };
                    (request::UPDATE_CONSUMER_OFFSET, Header::UpdateOffset(Box::new(header)))
                }
            }
        }),
        (queue(), any::<bool>()).prop_map(|((topic, queue_id), max)| {
            let code = if max { request::GET_MAX_OFFSET } else { request::GET_MIN_OFFSET };
            (code, Header::Queue(Box::new(QueueHeader { topic, queue_id })))
        }),
        (queue(), any::<i64>()).prop_map(|((topic, queue_id), timestamp)| {
            let header = SearchOffsetHeader { topic, queue_id, timestamp };
            (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(Box::new(header)))
        }),
        (name(), name(), name()).prop_map(|(namespace, key, value)| {
            (request::PUT_KV_CONFIG, Header::PutKv(Box::new(PutKvHeader { namespace, key, value })))
        }),
        (name(), name(), any::<bool>()).prop_map(|(namespace, key, get)| {
            let code = if get { request::GET_KV_CONFIG } else { request::DELETE_KV_CONFIG };
            (code, Header::KvKey(Box::new(KvKeyHeader { namespace, key })))
        }),
        name().prop_map(|namespace| (request::GET_KVLIST_BY_NAMESPACE, Header::KvNamespace(namespace))),
        name().prop_map(|group| (request::DELETE_SUBSCRIPTIONGROUP, Header::DeleteGroup(group))),
        name().prop_map(|group| (request::GET_CONSUMER_LIST_BY_GROUP, Header::ConsumerList(group))),
        name().prop_map(|group| (request::NOTIFY_CONSUMER_IDS_CHANGED, Header::IdsChanged(group))),
        name().prop_map(|topic| (request::GET_ROUTEINTO_BY_TOPIC, Header::Route(topic))),
        (name(), maybe(name()), maybe(name())).prop_map(|(client_id, producer_group, consumer_group)| {
            let header = UnregisterClientHeader { client_id, producer_group, consumer_group };
            (request::UNREGISTER_CLIENT, Header::UnregisterClient(Box::new(header)))
        }),
        (name(), name(), name(), any::<i64>()).prop_map(|(broker_name, broker_addr, cluster_name, broker_id)| {
            let header = UnregisterBrokerHeader { broker_name, broker_addr, cluster_name, broker_id };
            (request::UNREGISTER_BROKER, Header::UnregisterBroker(Box::new(header)))
        }),
        Just((request::HEART_BEAT, Header::None)),
    ]
    .boxed()
}

fn requests() -> BoxedStrategy<(i32, Header)> {
    prop_oneof![
        send().prop_map(|header| (request::SEND_MESSAGE, header)),
        send().prop_map(|header| (request::SEND_MESSAGE_V2, header)),
        pull().prop_map(|header| (request::PULL_MESSAGE, header)),
        register().prop_map(|header| (request::REGISTER_BROKER, header)),
        create_topic().prop_map(|header| (request::UPDATE_AND_CREATE_TOPIC, header)),
        send_back().prop_map(|header| (request::CONSUMER_SEND_MSG_BACK, header)),
        (1_000..i32::from(i16::MAX), other()),
        small_requests(),
    ]
    .boxed()
}

/// Responses: the code of what was asked, and the header.
fn responses() -> BoxedStrategy<(i32, Header)> {
    prop_oneof![
        (name(), any::<i32>(), any::<i64>(), maybe(name())).prop_map(
            |(msg_id, queue_id, queue_offset, transaction_id)| {
                (request::SEND_MESSAGE_V2, Header::Sent(SentHeader { msg_id, queue_id, queue_offset, transaction_id }))
            }
        ),
        any::<[i64; 4]>().prop_map(|longs| {
            let header = PulledHeader {
                suggest_which_broker_id: longs[0],
                next_begin_offset: longs[1],
                min_offset: longs[2],
                max_offset: longs[3],
            };
            (request::PULL_MESSAGE, Header::Pulled(header))
        }),
        any::<i64>().prop_map(|offset| (request::QUERY_CONSUMER_OFFSET, Header::Offset(offset))),
        (maybe(name()), maybe(name())).prop_map(|(ha_server_addr, master_addr)| {
            let header = RegisteredHeader { ha_server_addr, master_addr };
            (request::REGISTER_BROKER, Header::Registered(Box::new(header)))
        }),
        maybe(name()).prop_map(|value| (request::GET_KV_CONFIG, Header::KvValue(value))),
        Just((request::SEND_MESSAGE_V2, Header::None)),
        Just((request::HEART_BEAT, Header::None)),
    ]
    .boxed()
}

fn exchange() -> BoxedStrategy<Exchange> {
    let remark = maybe("\\PC{1,20}".prop_map(Name::from).boxed());
    let body = maybe(proptest::collection::vec(any::<u8>(), 1..200).boxed());
    let what = prop_oneof![
        3 => requests().prop_map(|(code, header)| (code, header, None)),
        2 => responses().prop_map(|(asked, header)| (response::SUCCESS, header, Some(asked))),
    ];
    (what, any::<i32>(), any::<bool>(), remark, body)
        .prop_map(|((code, header, asked), opaque, oneway, remark, body)| {
            let flag = i32::from(asked.is_some()) | i32::from(oneway) << 1;
            let body = body.map(Bytes::from);
            (Command { code, flag, opaque: Opaque(opaque), remark, header, body }, asked)
        })
        .boxed()
}

fn as_asked(command: Command, asked: Option<i32>) -> Command {
    asked.map_or(command.clone(), |code| typed_response(command, code).unwrap())
}

proptest! {
    #[test]
    fn a_command_reads_back_from_either_header((command, asked) in exchange()) {
        for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
            let frame = encode_as(&command, serialize_type);
            let length = i32::from_be_bytes(frame[..4].try_into().unwrap());
            prop_assert_eq!(length as usize + 4, frame.len());
            let raw = RawCommand::decode(&frame.slice(4..)).unwrap();
            prop_assert_eq!(raw.serialize_type, serialize_type);
            prop_assert_eq!(as_asked(from_raw(raw).unwrap(), asked), command.clone());
        }
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_commands(
        exchanges in proptest::collection::vec((exchange(), any::<bool>()), 1..6),
        cuts in proptest::collection::vec(1usize..64, 1..32),
    ) {
        let mut stream = Vec::new();
        for ((command, _), json) in &exchanges {
            let serialize_type = if *json { SerializeType::Json } else { SerializeType::RocketMq };
            stream.extend_from_slice(&encode_as(command, serialize_type));
        }
        let (mut decoder, mut found, mut rest) = (Decoder::new(), Vec::new(), stream.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at(rest.len().min(*cut));
            decoder.push(piece);
            while let Some(command) = decoder.next().unwrap() {
                found.push(command);
            }
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found.len(), exchanges.len());
        for (found, ((command, asked), _)) in found.into_iter().zip(exchanges) {
            prop_assert_eq!(as_asked(found, asked), command);
        }
    }

    #[test]
    fn garbage_is_an_error_or_a_command(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drain(&bytes);
    }

    #[test]
    fn a_mutated_frame_is_an_error_or_a_command(
        (command, _) in exchange(),
        json in any::<bool>(),
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        keep_length in any::<bool>(),
    ) {
        let serialize_type = if json { SerializeType::Json } else { SerializeType::RocketMq };
        let mut frame = encode_as(&command, serialize_type).to_vec();
        let first = if keep_length { 4 } else { 0 };
        for (at, byte) in places {
            let at = first + at % (frame.len() - first);
            frame[at] = byte;
        }
        drain(&frame);
    }
}

/// Decodes until nothing more comes; ends, because every frame takes bytes and a broken stream stays broken.
fn drain(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    for _ in 0..=bytes.len() {
        match decoder.next() {
            Ok(Some(command)) => {
                let _ = encode(&command);
            }
            Ok(None) => return,
            Err(error) if decoder.broken.is_some() => {
                assert_eq!(decoder.next(), Err(error), "broken once, broken for good");
                return;
            }
            Err(error) => assert!(!error.to_string().is_empty(), "a header's error has a text"),
        }
    }
    panic!("frames without bytes");
}

#[track_caller]
fn check(bytes: &[u8], wanted: &str) {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let error = decoder.next().unwrap_err();
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn lengths_out_of_range_are_errors_before_their_bytes_come() {
    check(&[0xff, 0xff, 0xff, 0xff], "frame claims a negative length, -1 bytes");
    check(&[0x7f, 0xff, 0xff, 0xff], "frame claims 2147483651 bytes with its length word, limit is 16777216");
    check(&[0, 0xff, 0xff, 0xfd], "frame claims 16777217 bytes with its length word, limit is 16777216");
    let mut decoder = Decoder::new();
    decoder.push(&[0, 0xff, 0xff, 0xfc]);
    assert_eq!(decoder.next(), Ok(None));
    assert!(decoder.input.capacity() < 1_024);
}

#[test]
fn errors_name_the_thing_and_the_place() {
    check(&[0, 0, 0, 0], "serialize type and header length at byte 0: wants 4 bytes, 0 are left");
    check(&[0, 0, 0, 4, 0, 0, 1, 0], "header at byte 4: wants 256 bytes, 0 are left");
    check(&[0, 0, 0, 4, 7, 0, 0, 0], "frame's serialize type is 7, allowed are 0 (JSON) and 1 (ROCKETMQ)");
    check(&[0, 0, 0, 7, 1, 0, 0, 3, 0, 1, 0], "version at byte 3: wants 2 bytes, 0 are left");
    check(&frame("{\"code\":[]}"), "frame's header: `code` is [], wanted a number of 32 bits");
    check(&frame("{\"code\":105"), "frame's header: json at byte 11: expected `,` or `}`");
    check(&frame("{\"code\":105}"), "`GetRouteInfoRequestHeader`: the custom field <topic> is null");
    let pairs = "{\"code\":30,\"extFields\":{\"topic\":\"T\",\"queueId\":\"x\"}}";
    check(&frame(pairs), "`GetMaxOffsetRequestHeader`: field `queueId` is `x`, wanted a number of 32 bits");
}

#[test]
fn a_header_that_does_not_fit_leaves_the_stream_whole() {
    let mut decoder = Decoder::new();
    decoder.push(&frame("{\"code\":105}"));
    decoder.push(&frame("{\"code\":34,\"opaque\":7}"));
    assert!(decoder.next().is_err());
    assert_eq!(decoder.next().unwrap().unwrap().opaque, Opaque(7));
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn a_refusal_with_fields_of_the_broker_keeps_them_untyped() {
    let pairs = vec![(Name::from("MSG_REGION"), Name::from("DefaultRegion"))];
    let refusal = *Command::response(response::SYSTEM_BUSY, Opaque(1), Header::Other(pairs));
    assert_eq!(typed_response(refusal.clone(), request::SEND_MESSAGE_V2), Ok(refusal));
    let half = vec![(Name::from("queueId"), Name::from("1"))];
    let half = *Command::response(response::SUCCESS, Opaque(1), Header::Other(half));
    let missing = CodecError::Missing { class: "SendMessageResponseHeader", field: "msgId" };
    assert_eq!(typed_response(half, request::SEND_MESSAGE_V2), Err(missing));
}

/// A frame with this JSON header.
fn frame(header: &str) -> Vec<u8> {
    let mut frame = (header.len() as i32 + 4).to_be_bytes().to_vec();
    frame.extend_from_slice(&raw::mark_protocol_type(header.len() as i32, SerializeType::Json));
    frame.extend_from_slice(header.as_bytes());
    frame
}
