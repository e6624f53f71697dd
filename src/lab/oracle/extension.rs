//! The extension of a consume queue: the tag's hash with a bitmap of who wants the message.
//!
//! ```text
//!   unit     size 2 · hash of the tag 8 · stored 8 · bitmap's length 2 · bitmap n          -1 as size: the file is full
//! ```

use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::{Files, i16_at, i64_at};

/// One unit of an extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// The hash of the tag.
    pub tag: i64,
    /// When the message was stored, ms.
    pub stored: i64,
    /// The bitmap.
    pub bits: Vec<u8>,
}

impl Extension {
    /// The unit at an address; `None` if there is none.
    pub fn read(files: &dyn Files, segments: &[Segment], address: u64) -> Option<Extension> {
        let segment = segments.iter().find(|segment| (segment.start..segment.end()).contains(&address))?;
        let bytes = files.read(&segment.path, address - segment.start, i16::MAX as usize);
        let size = usize::try_from(i16_at(&bytes, 0)).ok()?;
        let bitmap = usize::try_from(i16_at(&bytes, 18)).ok()?;
        if size < FIXED || size != FIXED + bitmap || bytes.len() < size {
            return None;
        }
        Some(Extension { tag: i64_at(&bytes, 2), stored: i64_at(&bytes, 10), bits: bytes[FIXED..size].to_vec() })
    }
}

/// Bytes of a unit without its bitmap.
const FIXED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::layout::Layout;

    #[test]
    fn a_unit_is_read_at_its_address_and_nothing_else_is() {
        let mut bytes = vec![0, 22];
        bytes.extend(7i64.to_be_bytes());
        bytes.extend(1_000i64.to_be_bytes());
        bytes.extend([0, 2, 0xAB, 0xCD, 0xFF, 0xFF, 0, 0, 0]);
        let folder = Folder([("consumequeue_ext/T/0/00000000000000000100".to_owned(), bytes)].into());
        let layout = Layout::of(&folder);
        let read = |address| Extension::read(&folder, &layout.extensions[&("T".to_owned(), 0)], address);
        assert_eq!(read(100), Some(Extension { tag: 7, stored: 1_000, bits: vec![0xAB, 0xCD] }));
        assert_eq!([read(99), read(101), read(122), read(124), read(1000)], [None, None, None, None, None]);
    }
}
