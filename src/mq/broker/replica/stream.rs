//! The bytes of a replication: cut anywhere on their way, whole again here.

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of a header: where, and how many follow. Source: `HAConnection.WriteSocketService.headerSize`.
const HEADER: usize = 8 + 4;
/// Bytes of a report.
const REPORT: usize = 8;

/// A piece of the log as it travels; without data it is a sign of life.
pub(super) fn piece(at: i64, data: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER + data.len());
    bytes.put_i64(at);
    bytes.put_i32(data.len() as i32);
    bytes.put_slice(data);
    bytes.freeze()
}

/// A report as it travels.
pub(super) fn report(offset: i64) -> Bytes {
    Bytes::copy_from_slice(&offset.to_be_bytes())
}

/// What a master has read of a slave's reports.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports {
    /// The beginning of one that is not whole.
    begun: Vec<u8>,
}

impl Reports {
    /// Takes what came; gives the last whole report in it.
    ///
    /// Those before it in the same piece are passed over. Source: `HAConnection.ReadSocketService.processReadEvent`.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<i64> {
        self.begun.extend_from_slice(bytes);
        let whole = self.begun.len() / REPORT * REPORT;
        let last = self.begun[..whole].last_chunk::<REPORT>().map(|last| i64::from_be_bytes(*last));
        self.begun.drain(..whole);
        last
    }
}

/// What a slave has read of its master's log and not yet written. Source: `HAClient.byteBufferRead`.
#[derive(Clone, Debug, Default)]
pub(super) struct Incoming {
    bytes: BytesMut,
}

/// What stands first in what has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Where in the master's log its data begins.
    pub(super) at: i64,
    /// How many bytes of data.
    pub(super) size: i32,
}

impl Incoming {
    /// Something came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The first header, once it is whole.
    pub(super) fn head(&self) -> Option<Head> {
        let header = self.bytes.first_chunk::<HEADER>()?;
        let (at, size) = header.split_at(8);
        Some(Head {
            at: i64::from_be_bytes(at.try_into().expect("eight bytes")),
            size: i32::from_be_bytes(size.try_into().expect("four bytes")),
        })
    }

    /// The data of the first piece, once it is whole.
    pub(super) fn take(&mut self, head: Head) -> Option<Bytes> {
        let whole = HEADER + usize::try_from(head.size).ok()?;
        (whole <= self.bytes.len()).then(|| self.bytes.split_to(whole).freeze().slice(HEADER..))
    }

    /// The connection is gone, and what was not whole with it.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_bytes_of_headers_and_reports() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&report(660)), "0000000000000294");
        assert_eq!(hex(&piece(16_384, &[0; 1_000])[..12]), "0000000000004000000003e8");
        assert_eq!(hex(&piece(21_063, &[])), "000000000000524700000000");
    }

    #[test]
    fn pieces_may_be_cut_anywhere() {
        let stream = [piece(7, b"abc"), piece(10, b""), piece(10, b"defgh")].concat();
        for cut in 0..=stream.len() {
            for other in cut..=stream.len() {
                let mut incoming = Incoming::default();
                let mut heard = Vec::new();
                for part in [&stream[..cut], &stream[cut..other], &stream[other..]] {
                    incoming.push(part);
                    while let Some(head) = incoming.head()
                        && let Some(data) = incoming.take(head)
                    {
                        heard.push((head.at, data));
                    }
                }
                let expected = [(7, "abc"), (10, ""), (10, "defgh")];
                assert_eq!(heard, expected.map(|(at, text)| (at, Bytes::from(text))), "cut at {cut} and {other}");
            }
        }
    }

    #[test]
    fn reports_may_be_cut_anywhere_and_the_last_of_a_piece_counts() {
        let stream = [report(5), report(700), report(1 << 40)].concat();
        for cut in 0..=stream.len() {
            let mut reports = Reports::default();
            let heard = [reports.take(&stream[..cut]), reports.take(&stream[cut..])];
            let first = [None, Some(5), Some(700), Some(1 << 40)][cut / 8];
            assert_eq!(heard[0], first, "cut at {cut}");
            assert_eq!(heard[1], (cut < 24).then_some(1 << 40), "cut at {cut}");
        }
    }

    #[test]
    fn a_size_below_zero_is_never_whole() {
        let mut incoming = Incoming::default();
        incoming.push(&[0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 9]);
        let head = incoming.head().expect("it is whole");
        assert_eq!((head.at, head.size), (1, -1));
        assert_eq!(incoming.take(head), None);
    }
}
