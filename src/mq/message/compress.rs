//! Bodies of 4 KiB and more travel as zlib streams. Source: `UtilAll.compress`, `UtilAll.uncompress`.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Inflates a zlib stream; `None` if it is none, is cut, or holds more than [`INFLATED_MAX`] bytes.
///
/// Differs: upstream inflates without a limit.
pub fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    // Java's inflater makes nothing of nothing.
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let mut out = Vec::new();
    ZlibDecoder::new(bytes).take(INFLATED_MAX + 1).read_to_end(&mut out).ok()?;
    (out.len() as u64 <= INFLATED_MAX).then_some(out)
}

/// Deflates at level 5, the client's default. The bytes differ from Java's deflater; what they inflate to does not.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(5));
    encoder.write_all(bytes).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}

/// The most bytes a body may inflate to: 64 MiB, sixteen times the largest message.
pub const INFLATED_MAX: u64 = 64 << 20;
