//! Load over loopback: connections that keep so many requests under way each, and the bare limit, a server that gives back
//! whatever it is sent.
//!
//! The frames are the same for both: sends of one body to one queue. Answers are counted by their length words; that all
//! was stored is asked at the end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::thread::{Builder, JoinHandle};

use bytes::{Buf, Bytes, BytesMut};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::mq::message::property::{Properties, names};
use crate::mq::message::{Name, Topic};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::codec::{Decoder, encode, typed_response};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::{Header, QueueHeader, SendHeader};

/// How much is sent, and how.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections.
    pub connections: usize,
    /// Requests under way on each.
    pub window: usize,
    /// Messages in all; a multiple of the connections.
    pub messages: usize,
    /// Bytes of each body.
    pub body: usize,
}

/// Where all goes.
const TOPIC: &str = "orders";
const EVENTS: usize = 64;
const SCRATCH: usize = 256 << 10;
/// Bytes of a frame's length word.
const LENGTH_WORD: usize = 4;

/// One connection of the load.
struct Sender {
    socket: TcpStream,
    to_send: usize,
    to_hear: usize,
    output: BytesMut,
    /// What is left of a frame that came in part: its bytes, or of its length word the bytes that came.
    left: usize,
    word: Vec<u8>,
}

impl Load {
    /// The frame of every message.
    fn frame(&self) -> Bytes {
        let mut properties = Properties::new();
        properties.put(names::UNIQ_KEY, "0A0000010001135FBAA40000000000");
        properties.put(names::WAIT, "true");
        let header = SendHeader {
            producer_group: "load".into(),
            topic: TOPIC.into(),
            default_topic: "TBW102".into(),
            default_topic_queue_nums: 4,
            queue_id: 0,
            sys_flag: 0,
            born_timestamp: 1_541_865_600_000,
            flag: 0,
            properties: Some(Name::from(properties.encode())),
            reconsume_times: Some(0),
            unit_mode: false,
            max_reconsume_times: None,
            batch: false,
        };
        let command = Command::request(request::SEND_MESSAGE_V2, Opaque(1), Header::Send(Box::new(header)));
        encode(&command.with_body(Bytes::from(vec![b'x'; self.body])))
    }

    /// Sends all of it and waits for as many answers.
    ///
    /// Errors: the server is not there, or goes.
    pub fn drive(&self, addr: SocketAddrV4) -> io::Result<()> {
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(EVENTS));
        let frame = self.frame();
        let each = self.messages / self.connections;
        let mut senders = Vec::with_capacity(self.connections);
        for number in 0..self.connections {
            let mut socket = TcpStream::from_std({
                let socket = std::net::TcpStream::connect(SocketAddr::V4(addr))?;
                socket.set_nonblocking(true)?;
                socket.set_nodelay(true)?;
                socket
            });
            poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
            senders.push(Sender {
                socket,
                to_send: each,
                to_hear: each,
                output: BytesMut::new(),
                left: 0,
                word: Vec::new(),
            });
        }
        let mut scratch = vec![0; SCRATCH];
        let mut open = senders.len();
        for sender in &mut senders {
            sender.queue(self.window, &frame);
            sender.write()?;
        }
        while 0 < open {
            poll.poll(&mut events, None)?;
            for event in &events {
                let Some(sender) = senders.get_mut(event.token().0) else { continue };
                let before = sender.to_hear;
                let heard = sender.read(&mut scratch)?;
                sender.queue(heard, &frame);
                sender.write()?;
                open -= usize::from(0 < before && sender.to_hear == 0);
            }
        }
        Ok(())
    }

    /// How many messages the server has of it.
    ///
    /// Errors: it does not answer, or not with a number.
    pub fn stored(&self, addr: SocketAddrV4) -> io::Result<i64> {
        let mut socket = std::net::TcpStream::connect(addr)?;
        let header = QueueHeader { topic: Topic::from(TOPIC), queue_id: 0 };
        let asked = Command::request(request::GET_MAX_OFFSET, Opaque(1), Header::Queue(Box::new(header)));
        socket.write_all(&encode(&asked))?;
        let (mut decoder, mut bytes) = (Decoder::new(), [0; 4096]);
        loop {
            if let Some(answer) = decoder.next().map_err(io::Error::other)? {
                let answer = typed_response(answer, request::GET_MAX_OFFSET).map_err(io::Error::other)?;
                return match answer.header {
                    Header::Offset(offset) if answer.code == response::SUCCESS => Ok(offset),
                    _ => Err(io::Error::other("the broker answers no offset")),
                };
            }
            match socket.read(&mut bytes)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => decoder.push(&bytes[..read]),
            }
        }
    }
}

impl Sender {
    /// So many more requests, as far as there are any left.
    fn queue(&mut self, count: usize, frame: &[u8]) {
        let count = count.min(self.to_send);
        self.to_send -= count;
        for _ in 0..count {
            self.output.extend_from_slice(frame);
        }
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.socket.write(&self.output) {
                Ok(written) => self.output.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what there is; gives how many whole frames that completed.
    fn read(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        let mut heard = 0;
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => heard += self.count(&scratch[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.to_hear = self.to_hear.saturating_sub(heard);
        Ok(heard)
    }

    fn count(&mut self, mut bytes: &[u8]) -> usize {
        let mut whole = 0;
        while !bytes.is_empty() {
            if 0 < self.left {
                let taken = self.left.min(bytes.len());
                (self.left, bytes) = (self.left - taken, &bytes[taken..]);
                whole += usize::from(self.left == 0);
                continue;
            }
            let taken = (LENGTH_WORD - self.word.len()).min(bytes.len());
            self.word.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let Ok(word) = <[u8; LENGTH_WORD]>::try_from(self.word.as_slice()) {
                self.left = u32::from_be_bytes(word) as usize;
                self.word.clear();
                whole += usize::from(self.left == 0);
            }
        }
        whole
    }
}

/// A server that gives back what it is sent, until nobody is connected any more.
pub struct Echo {
    /// Where it is.
    pub addr: SocketAddrV4,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Echo {
    /// Starts one for so many connections.
    ///
    /// Errors: there is no port, or no thread.
    pub fn start(connections: usize) -> io::Result<Echo> {
        let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let SocketAddr::V4(addr) = listener.local_addr()? else { return Err(ErrorKind::AddrNotAvailable.into()) };
        let thread = Builder::new().name("mqlab-echo".to_owned()).spawn(move || echo(&listener, connections))?;
        Ok(Echo { addr, thread: Some(thread) })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn echo(listener: &TcpListener, connections: usize) -> io::Result<()> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(EVENTS));
    let mut sockets = Vec::with_capacity(connections);
    for number in 0..connections {
        let (socket, _) = listener.accept()?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        sockets.push((socket, BytesMut::new(), true));
    }
    let mut scratch = vec![0; SCRATCH];
    let mut open = sockets.len();
    while 0 < open {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Some((socket, output, is_open)) = sockets.get_mut(event.token().0) else { continue };
            if *is_open && !give_back(socket, output, &mut scratch) {
                *is_open = false;
                open -= 1;
            }
        }
    }
    Ok(())
}

/// Reads what there is and writes it back; false when the other side has gone.
fn give_back(socket: &mut TcpStream, output: &mut BytesMut, scratch: &mut [u8]) -> bool {
    loop {
        match socket.read(scratch) {
            Ok(0) => return false,
            Ok(read) => output.extend_from_slice(&scratch[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    while !output.is_empty() {
        match socket.write(output) {
            Ok(written) => output.advance(written),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}
