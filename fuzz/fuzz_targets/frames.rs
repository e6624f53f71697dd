//! Frames of the remoting protocol, cut anywhere: an error or a command, never a panic; and what was read is written alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqlab::mq::wire::codec::raw::SerializeType;
use mqlab::mq::wire::codec::{Decoder, encode_as};

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (cut, binary, bytes) = input;
    let (first, rest) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let mut decoder = Decoder::new();
    for part in [first, rest] {
        decoder.push(part);
        while let Ok(Some(command)) = decoder.next() {
            let kind = if binary { SerializeType::RocketMq } else { SerializeType::Json };
            let frame = encode_as(&command, kind);
            let mut again = Decoder::new();
            again.push(&frame);
            // A second writing is the first: what reading adds or drops, it adds or drops once.
            if let Ok(Some(read)) = again.next() {
                assert_eq!(encode_as(&read, kind), frame);
            }
        }
    }
});
