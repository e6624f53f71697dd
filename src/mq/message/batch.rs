//! Many messages in one body, as they travel from a producer to a broker.
//!
//! ```text
//!   0       4   8   12     16       20     …        …            …
//!   ├ total ┼ 0 ┼ 0 ┼ flag ┼ length ┼ body ┼ length ┼ properties ┤     repeated without gaps
//! ```
//!
//! The body's length has 4 bytes, that of the properties 2. A reader looks at neither the total nor the zeros behind it.
//!
//! Source: `MessageDecoder.encodeMessages`, `decodeMessages`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::mq::message::Message;

/// One message of a batch, as it lies in the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// The application's flag.
    pub flag: i32,
    /// The content.
    pub body: &'a [u8],
    /// The property text.
    pub properties: &'a [u8],
}

/// A length in the batch is negative or reaches behind its end; a buffer's exception upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a length in the batch reaches out of it")]
pub struct BadLength;

/// The bytes of a batch. Source: `MessageDecoder.encodeMessages`.
///
/// Differs: a property text of more than 32,767 bytes is cut; it makes upstream throw, and no client sends it.
pub fn encode<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Bytes {
    let mut out = BytesMut::new();
    for message in messages {
        let text = message.properties.encode();
        let properties = &text.as_bytes()[..text.len().min(i16::MAX as usize)];
        out.put_i32((FIXED + message.body.len() + properties.len()) as i32);
        out.put_i64(0);
        out.put_i32(message.flag);
        out.put_i32(message.body.len() as i32);
        out.put_slice(&message.body);
        out.put_i16(properties.len() as i16);
        out.put_slice(properties);
    }
    out.freeze()
}

/// The messages of a batch, one after another; after an error there are none.
///
/// Source: `MessageDecoder.decodeMessages`, `MessageExtBatchEncoder.encode`. Differs: a negative length of properties is an
/// error here like any other bad length; the broker's encoder steps back by it and reads on.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, BadLength>> {
    let mut rest = Rest { bytes };
    std::iter::from_fn(move || {
        let entry = (!rest.bytes.is_empty()).then(|| rest.entry())?;
        if entry.is_err() {
            rest.bytes = &[];
        }
        Some(entry)
    })
}

/// What has not been read.
struct Rest<'a> {
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    fn entry(&mut self) -> Result<Entry<'a>, BadLength> {
        self.take(12)?;
        let flag = i32::from_be_bytes(self.array()?);
        let length = i32::from_be_bytes(self.array()?);
        let body = self.take(usize::try_from(length).map_err(|_| BadLength)?)?;
        let length = i16::from_be_bytes(self.array()?);
        let properties = self.take(usize::try_from(length).map_err(|_| BadLength)?)?;
        Ok(Entry { flag, body, properties })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BadLength> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(BadLength)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadLength> {
        Ok(self.take(N)?.try_into().expect("as many bytes as asked for"))
    }
}

/// Bytes of an entry without body and properties.
const FIXED: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_cut_anywhere_says_so_once() {
        let message = |body: &'static [u8]| Message {
            topic: "t".into(),
            flag: 7,
            properties: Default::default(),
            body: Bytes::from_static(body),
        };
        let bytes = encode(&[message(b"one"), message(b"")]);
        assert_eq!(entries(&bytes).filter(Result::is_ok).count(), 2);
        let whole = FIXED + 3;
        for cut in (1..bytes.len()).filter(|cut| *cut != whole) {
            let read: Vec<_> = entries(&bytes[..cut]).collect();
            assert_eq!(read.last(), Some(&Err(BadLength)), "cut at {cut}");
            assert_eq!(read.len(), 1 + usize::from(whole < cut));
        }
    }
}
