//! Two readings of one format: what the engine encodes, its decoder and the oracle read alike, whatever the message.

use bytes::Bytes;
use mqlab::lab::oracle::record::{self, Found};
use mqlab::lab::oracle::window::{self, Window};
use mqlab::lab::oracle::{layout::Layout, properties};
use mqlab::mq::message::Host;
use mqlab::mq::message::record::{Reading, decode_with};
use mqlab::mq::store::record::{EncodeBuffer, NewMessage, Place};
use mqlab::mq::time::Millis;
use proptest::prelude::*;

use super::oracle::Folder;

fn message() -> impl Strategy<Value = NewMessage> {
    let host = || (any::<u32>(), any::<i32>()).prop_map(|(ip, port)| Host { ip, port });
    let names = ("[a-zA-Z0-9_%-]{1,40}", "([^\u{1}\u{2}]{0,20}\u{1}[^\u{1}\u{2}]{0,20}\u{2}){0,6}");
    let numbers = (any::<i32>(), any::<i32>(), any::<i32>(), any::<i64>(), any::<i64>(), 0..4i32);
    (names, numbers, (host(), host()), prop::collection::vec(any::<u8>(), 0..600)).prop_map(
        |((topic, properties), (queue, flag, reconsumed, born, prepared, kind), (born_host, store_host), body)| {
            NewMessage {
                topic: topic.as_str().into(),
                queue_id: queue,
                flag,
                // Transaction bits; a random body is no zlib stream, so the bit of compression stays out.
                sys_flag: kind << 2,
                born_timestamp: Millis(born),
                born_host,
                store_host,
                reconsume_times: reconsumed,
                prepared_transaction_offset: prepared,
                body: body.into(),
                properties: properties.as_str().into(),
                map: None,
            }
        },
    )
}

/// As many as `PROPTEST_CASES` says; a million take half a minute.
#[expect(clippy::disallowed_methods, reason = "how long the test looks is not part of a seed")]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(512)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_engine_writes_both_read_alike(message in message(), at in 0u32..1 << 30, number in any::<i64>(), stored in any::<i64>()) {
        let place = Place { queue_offset: number, physical_offset: i64::from(at), store_timestamp: Millis(stored) };
        let bytes = EncodeBuffer::default().record(&message, &place).to_vec();
        let path = format!("commitlog/{at:020}");
        let folder = Folder([(path.clone(), bytes.clone())].into());
        prop_assert!(Layout::of(&folder).is_store());
        let mut window = Window::new(&folder, &path, bytes.len() as u64, window::LOG);
        let found = record::read(&mut window, u64::from(at), 0);
        let Found::Record(ours) = found else { return Err(TestCaseError::fail(format!("{found:?}"))) };
        let (theirs, size) = decode_with(&Bytes::from(bytes.clone()), 0, Reading::WHOLE).expect("the engine reads itself");
        prop_assert_eq!((size, i64::from(ours.size())), (bytes.len(), bytes.len() as i64));
        prop_assert_eq!((&*theirs.message.topic, &*theirs.message.body), (&*message.topic, &*message.body));
        prop_assert_eq!((ours.topic, ours.body), (message.topic.as_bytes(), &*message.body));
        let own = properties::all(ours.properties);
        let told: Vec<(String, String)> =
            theirs.message.properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        prop_assert_eq!(own.into_iter().collect::<Vec<_>>(), {
            let mut told = told;
            told.sort();
            told
        });
        prop_assert_eq!([ours.queue(), ours.flag(), ours.reconsumed()], [message.queue_id, message.flag, message.reconsume_times]);
        prop_assert_eq!([ours.crc(), ours.sys_flag()], [theirs.body_crc, message.sys_flag]);
        prop_assert_eq!(
            [ours.queue_offset(), ours.declared(), ours.born(), ours.stored(), ours.prepared()],
            [number, i64::from(at), message.born_timestamp.0, stored, message.prepared_transaction_offset]
        );
        prop_assert_eq!(
            [theirs.queue_offset.0, theirs.commit_log_offset.0, theirs.born_timestamp.0, theirs.store_timestamp.0],
            [ours.queue_offset(), ours.declared(), ours.born(), ours.stored()]
        );
        let host = |(ip, port): (std::net::Ipv4Addr, i32)| Host { ip: u32::from(ip), port };
        prop_assert_eq!([host(ours.born_host()), host(ours.store_host())], [theirs.born_host, theirs.store_host]);
    }
}
