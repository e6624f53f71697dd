//! One connection: its socket, what came in and is no whole frame yet, what has not gone out.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use mio::net::TcpStream;

use crate::mq::node::ConnId;
use crate::mq::wire::codec::{self, CodecError, FRAME_MAX};
use crate::mq::wire::command::Command;

/// A connection of one machine.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) socket: TcpStream,
    /// Counted over the driver's life: tells it from whoever had its place before.
    pub(super) link: u32,
    pub(super) machine: usize,
    /// As the node names it.
    pub(super) id: ConnId,
    pub(super) peer: SocketAddr,
    pub(super) state: State,
    /// Whether it carries a byte stream; until a node has said so by sending one, what it opened carries commands.
    pub(super) is_stream: bool,
    pub(super) input: Input,
    /// How many of its bytes the driver has counted as unread.
    pub(super) counted: usize,
    pub(super) output: Output,
    /// Whether it stands in the list of those with something to write.
    pub(super) is_dirty: bool,
    /// Codes of requests that have come and are not answered, while somebody wants to know.
    pub(super) asked: BTreeMap<i32, i32>,
    /// Codes of requests that have gone out and are not answered: only they say what an answer's fields are.
    pub(super) asking: BTreeMap<i32, i32>,
}

impl Conn {
    /// A request goes out. Of very many that nobody answers the oldest are forgotten.
    pub(super) fn asks(&mut self, command: &Command) {
        if command.is_response() || command.is_oneway() {
            return;
        }
        if self.asking.len() == ASKING_MAX {
            self.asking.pop_first();
        }
        self.asking.insert(command.opaque.0, command.code);
    }

    /// An answer as its asker reads it; one that is not of its class stays as it is.
    pub(super) fn typed(&mut self, command: Command) -> Command {
        match self.asking.remove(&command.opaque.0) {
            Some(code) => codec::typed_response(command.clone(), code).unwrap_or(command),
            None => command,
        }
    }
}

/// Where a connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Asked for by the node.
    Opening,
    /// Both sides can speak.
    Open,
    /// The node has closed it, and what it said before is on its way out.
    Closing,
}

/// What a connection reads.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: BytesMut,
}

impl Input {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that are no whole frame yet.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next frame without its length word, if all of it is here.
    ///
    /// Errors: the length word is negative or above the limit. Source: `NettyDecoder`.
    pub(super) fn frame(&mut self) -> Result<Option<Bytes>, CodecError> {
        let Some(word) = self.bytes.first_chunk::<LENGTH_WORD>() else { return Ok(None) };
        let claimed = i32::from_be_bytes(*word);
        let Ok(length) = usize::try_from(claimed) else { return Err(CodecError::FrameNegative { claimed }) };
        let whole = i64::from(claimed) + LENGTH_WORD as i64;
        if FRAME_MAX < whole {
            return Err(CodecError::FrameTooLong { claimed: whole });
        }
        if self.bytes.len() < LENGTH_WORD + length {
            return Ok(None);
        }
        self.bytes.advance(LENGTH_WORD);
        let frame = self.bytes.split_to(length).freeze();
        if self.bytes.is_empty() && KEPT < self.bytes.capacity() {
            self.bytes = BytesMut::new();
        }
        Ok(Some(frame))
    }

    /// All there is, of a byte stream.
    pub(super) fn all(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

/// What a connection has to write.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: BytesMut,
    /// The sender waits to hear that there is room.
    pub(super) is_full: bool,
}

impl Output {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.is_full |= ROOM < self.bytes.len();
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes what the socket takes. Errors: the connection is gone.
    pub(super) fn write(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        while !self.bytes.is_empty() {
            match socket.write(&self.bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.bytes.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if KEPT < self.bytes.capacity() {
            self.bytes = BytesMut::new();
        }
        Ok(())
    }

    /// Whether the sender may hear that there is room again.
    pub(super) fn drained(&mut self) -> bool {
        let is_drained = self.is_full && self.bytes.len() <= ROOM / 2;
        self.is_full &= !is_drained;
        is_drained
    }
}

/// Bytes of the length word, which does not count itself.
const LENGTH_WORD: usize = 4;
/// Requests under way of one connection that are remembered. Source: `NettySystemConfig.CLIENT_ASYNC_SEMAPHORE_VALUE`.
const ASKING_MAX: usize = 65_535;
/// What waits to be written before a sender is told to hold on: as `lab::sim`'s roads have it.
const ROOM: usize = 1 << 20;
/// A buffer that is empty and larger is given back.
const KEPT: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_however_they_are_cut_and_lengths_that_cannot_be_are_told() {
        let mut input = Input::default();
        for byte in [0, 0, 0, 3, b'a', b'b'] {
            input.push(&[byte]);
            assert_eq!(input.frame(), Ok(None));
        }
        input.push(&[b'c', 0, 0, 0, 0]);
        assert_eq!(input.frame(), Ok(Some(Bytes::from_static(b"abc"))));
        assert_eq!((input.frame(), input.len()), (Ok(Some(Bytes::new())), 0));
        input.push(&[0xff, 0, 0, 0]);
        assert!(matches!(input.frame(), Err(CodecError::FrameNegative { .. })));
        let mut input = Input::default();
        input.push(&(FRAME_MAX as i32 - 3).to_be_bytes());
        assert_eq!(input.frame(), Err(CodecError::FrameTooLong { claimed: FRAME_MAX + 1 }));
        let mut input = Input::default();
        input.push(&(FRAME_MAX as i32 - 4).to_be_bytes());
        assert_eq!(input.frame(), Ok(None));
    }
}
