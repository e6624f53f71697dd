//! A client that speaks frames over a socket and nothing else.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use mqlab::mq::wire::code::{request, response};
use mqlab::mq::wire::codec::raw::SerializeType;
use mqlab::mq::wire::codec::{Decoder, encode_as, typed_response};
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::{CreateTopicHeader, Header, PullHeader, SendHeader};

/// One connection.
pub struct Client {
    pub socket: TcpStream,
    decoder: Decoder,
    opaque: i32,
    pub header: SerializeType,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    Fin,
    Reset,
    /// It has not: nothing came in time.
    Silent,
}

impl Client {
    pub fn to(addr: SocketAddrV4) -> Client {
        let socket = TcpStream::connect(addr).unwrap_or_else(|error| panic!("{addr}: {error}"));
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket, decoder: Decoder::new(), opaque: 0, header: SerializeType::Json }
    }

    /// Sends a request, and gives its number.
    pub fn say(&mut self, mut command: Box<Command>) -> Opaque {
        self.opaque += 1;
        command.opaque = Opaque(self.opaque);
        self.socket.write_all(&encode_as(&command, self.header)).unwrap();
        command.opaque
    }

    /// The next command that comes, or how the connection ended.
    pub fn hear(&mut self) -> Result<Command, Gone> {
        let mut bytes = [0; 16 << 10];
        loop {
            if let Some(command) = self.decoder.next().expect("the server speaks frames") {
                return Ok(command);
            }
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err(Gone::Fin),
                Ok(read) => self.decoder.push(&bytes[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(Gone::Silent);
                }
                Err(_) => return Err(Gone::Reset),
            }
        }
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, command: Box<Command>) -> Result<Command, Gone> {
        let code = command.code;
        let opaque = self.say(command);
        loop {
            let answer = self.hear()?;
            if answer.is_response() && answer.opaque == opaque {
                return Ok(typed_response(answer, code).unwrap());
            }
        }
    }

    /// Lets a moment pass: nobody says anything.
    pub fn rest(&mut self) {
        self.socket.set_read_timeout(Some(MOMENT)).unwrap();
        assert_eq!(self.hear(), Err(Gone::Silent));
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Lets a moment pass, whatever is said meanwhile and however it ends.
    pub fn pass(&mut self) {
        self.socket.set_read_timeout(Some(MOMENT)).unwrap();
        while matches!(self.socket.read(&mut [0; 4_096]), Ok(1..)) {}
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Asks somebody who may not listen; whether an answer came.
    pub fn ask_if_heard(&mut self, command: Box<Command>) -> bool {
        let _ = self.socket.write_all(&encode_as(&command, self.header));
        self.hear().is_ok()
    }

    /// Sends a message to queue 0 of a topic; gives its place in the queue.
    pub fn send(&mut self, topic: &str, body: &[u8]) -> Result<i64, Gone> {
        let answer = self.ask(message(topic, body))?;
        assert_eq!(answer.code, response::SUCCESS, "{answer:?}");
        let Header::Sent(sent) = answer.header else { panic!("{answer:?}") };
        Ok(sent.queue_offset)
    }

    /// The bodies of queue 0 from a place on, all of them.
    pub fn pull_all(&mut self, topic: &str) -> Vec<Vec<u8>> {
        let (mut all, mut from) = (Vec::new(), 0);
        loop {
            let answer = self.ask(pull(topic, from)).unwrap();
            let Header::Pulled(pulled) = answer.header else { panic!("{answer:?}") };
            if answer.code != response::SUCCESS {
                assert_eq!(answer.code, response::PULL_NOT_FOUND, "{answer:?}");
                return all;
            }
            all.extend(bodies(&answer.body.unwrap_or_default()));
            from = pulled.next_begin_offset;
        }
    }
}

/// No answer takes longer; a test that waits for silence waits less.
const PATIENCE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(200);

pub fn route(topic: &str) -> Box<Command> {
    Command::request(request::GET_ROUTEINTO_BY_TOPIC, Opaque(0), Header::Route(topic.into()))
}

pub fn message(topic: &str, body: &[u8]) -> Box<Command> {
    let header = SendHeader {
        producer_group: "shop".into(),
        topic: topic.into(),
        default_topic: "TBW102".into(),
        default_topic_queue_nums: 4,
        queue_id: 0,
        sys_flag: 0,
        born_timestamp: 1_541_865_600_000,
        flag: 0,
        properties: Some("UNIQ_KEY\u{1}0A000001\u{2}WAIT\u{1}true".into()),
        reconsume_times: Some(0),
        unit_mode: false,
        max_reconsume_times: None,
        batch: false,
    };
    Command::request(request::SEND_MESSAGE_V2, Opaque(0), Header::Send(Box::new(header)))
        .with_body(Bytes::copy_from_slice(body))
}

pub fn pull(topic: &str, from: i64) -> Box<Command> {
    let header = PullHeader {
        consumer_group: "billing".into(),
        topic: topic.into(),
        queue_id: 0,
        queue_offset: from,
        max_msg_nums: 32,
        sys_flag: HAS_SUBSCRIPTION,
        commit_offset: 0,
        suspend_timeout_millis: 0,
        subscription: Some("*".into()),
        sub_version: 0,
        expression_type: Some("TAG".into()),
    };
    Command::request(request::PULL_MESSAGE, Opaque(0), Header::Pull(Box::new(header)))
}

/// `PullSysFlag.FLAG_SUBSCRIPTION`.
const HAS_SUBSCRIPTION: i32 = 1 << 2;

pub fn create_topic(topic: &str, queues: i32) -> Box<Command> {
    let header = CreateTopicHeader {
        topic: topic.into(),
        default_topic: "TBW102".into(),
        read_queue_nums: queues,
        write_queue_nums: queues,
        perm: 6,
        topic_filter_type: "SINGLE_TAG".into(),
        topic_sys_flag: Some(0),
        order: false,
    };
    Command::request(request::UPDATE_AND_CREATE_TOPIC, Opaque(0), Header::CreateTopic(Box::new(header)))
}

/// The bodies of stored records, one behind the other: length, magic, body checksum …, body length at 84.
fn bodies(mut records: &[u8]) -> Vec<Vec<u8>> {
    let int = |bytes: &[u8], at: usize| i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut all = Vec::new();
    while !records.is_empty() {
        let (record, rest) = records.split_at(int(records, 0));
        let len = int(record, BODY);
        all.push(record[BODY + 4..BODY + 4 + len].to_vec());
        records = rest;
    }
    all
}

/// Where a record's body begins: total size, magic, crc, queue id, flag, queue offset, place, sys flag, born time and host,
/// store time and host, reconsume times, place of the half message.
const BODY: usize = 4 + 4 + 4 + 4 + 4 + 8 + 8 + 4 + 8 + 8 + 8 + 8 + 4 + 8;
