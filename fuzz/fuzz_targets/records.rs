//! Records as a consumer gets them, batches, properties and ids: whatever the bytes, the decoders answer.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use mqlab::lab::oracle;
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::record::{Reading, decode_all, decode_with};
use mqlab::mq::message::{batch, id};
use mqlab::mq::store::consume_queue::Unit;
use mqlab::mq::store::index_file::Header;
use mqlab::mq::time::Millis;

fuzz_target!(|bytes: &[u8]| {
    let shared = Bytes::copy_from_slice(bytes);
    let _ = decode_all(&shared);
    if let Some((_, size)) = decode_with(&shared, 0, Reading::WHOLE) {
        assert!(0 < size && size <= bytes.len());
    }
    for entry in batch::entries(bytes) {
        if entry.is_err() {
            break;
        }
    }
    if let Some(head) = bytes.first_chunk::<20>() {
        assert_eq!(Unit::decode(head).encode(), *head);
    }
    if let Some(head) = bytes.first_chunk::<40>() {
        // An entry count below one is read as one, as `IndexHeader.load` does; the rest is kept.
        let header = Header::decode(head).encode();
        assert_eq!(header[..36], head[..36]);
        assert_eq!(Header::decode(&header).encode(), header);
    }
    let text = String::from_utf8_lossy(bytes);
    let properties = Properties::decode(&text);
    // What was read is written and read alike.
    assert_eq!(Properties::decode(&properties.encode()), properties);
    let _ = oracle::properties::all(bytes);
    let _ = (id::parse_offset_msg_id(&text), id::nearly_time(&text, Millis(0)), id::maker(&text));
});
