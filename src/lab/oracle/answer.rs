//! What a broker answered to a send, read from the frame's bytes.

use crate::lab::oracle::json::Json;

/// The ids in an answer to a send, as they stand there: of a batch several, with commas between.
///
/// A frame is its length, the length of its header with the header's kind in the first byte, a header in JSON and a body.
pub fn ids(frame: &[u8]) -> Option<String> {
    let marked = u32::from_be_bytes(frame.get(4..8)?.try_into().ok()?);
    let header = frame.get(8..)?.get(..(marked & 0xFF_FFFF) as usize).filter(|_| marked >> 24 == 0)?;
    match Json::parse(header).ok()?.get("extFields")?.get("msgId")? {
        Json::Text(ids) => Some(ids.clone()),
        _ => None,
    }
}

/// The place in the broker's log that ids name; of several, the first.
///
/// An id is host and place in hex: eight digits of address, eight of port, sixteen of the place.
pub fn place(ids: &str) -> Option<u64> {
    u64::from_str_radix(ids.split(',').next()?.get(16..32)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(header: &str) -> Vec<u8> {
        let mut frame = (4 + header.len() as u32).to_be_bytes().to_vec();
        frame.extend((header.len() as u32).to_be_bytes());
        frame.extend(header.as_bytes());
        frame
    }

    fn at(frame: &[u8]) -> Option<u64> {
        place(&ids(frame)?)
    }

    #[test]
    fn the_place_stands_in_the_id() {
        let one =
            r#"{"code":0,"extFields":{"queueId":"2","msgId":"C0A8647800002A9F000000000001175B","queueOffset":"7"}}"#;
        assert_eq!(at(&frame(one)), Some(71_515));
        let two = one.replace("5B\"", "5B,C0A8647800002A9F0000000000011800\"");
        assert_eq!(at(&frame(&two)), Some(71_515));
        for bad in ["", "{}", r#"{"extFields":{"msgId":"C0A8"}}"#, r#"{"extFields":{"msgId":7}}"#] {
            assert_eq!(at(&frame(bad)), None, "{bad}");
        }
        assert_eq!(ids(&frame(one)[..40]), None);
        assert_eq!(ids(&[]), None);
    }
}
