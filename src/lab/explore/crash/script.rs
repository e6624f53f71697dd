//! A canonical workload: a few acts on one store, small enough to be gone through completely.

use crate::lab::fault::episode::Keep;
use crate::mq::message::Host;
use crate::mq::message::sys_flag::{TRANSACTION_COMMIT, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK};
use crate::mq::store::config::StoreConfig;
use crate::mq::store::record::NewMessage;
use crate::mq::time::Millis;

/// What is done to one store, from an empty disk on.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name, as `--workload` takes it.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// The store's settings at its first boot.
    pub config: StoreConfig,
    /// What happens after the first boot.
    pub acts: Vec<Act>,
}

/// One act.
#[derive(Clone, Debug)]
pub enum Act {
    /// A message is put.
    Put(Letter),
    /// So many milliseconds pass: every service whose time comes does its work.
    Pass(u64),
    /// Forces are asked for and not answered until [`Act::Release`].
    Hold,
    /// Forces asked for are answered.
    Release,
    /// The store is stopped cleanly and booted again.
    Restart,
    /// The process is killed, the page cache survives, and it is booted again.
    Kill,
    /// The machine loses power and is booted again.
    PowerLoss(Keep),
    /// The settings are others from the next boot on.
    Configure(fn(&mut StoreConfig)),
    /// Bytes are damaged behind the store's back, before the next boot.
    Damage {
        /// Which file.
        file: &'static str,
        /// From where.
        at: u64,
        /// What stands there now.
        bytes: &'static [u8],
    },
    /// The wall clock steps by so many milliseconds.
    StepWall(i64),
}

/// A message to put, in short.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    topic: &'static str,
    queue: i32,
    body: usize,
    keys: usize,
    waits: bool,
    sys_flag: i32,
}

impl Letter {
    /// A message of the topic `t` with one key and a short body.
    pub fn to(queue: i32) -> Letter {
        Letter { topic: "t", queue, body: 24, keys: 1, waits: true, sys_flag: 0 }
    }

    /// The same to another topic.
    pub fn topic(self, topic: &'static str) -> Letter {
        Letter { topic, ..self }
    }

    /// The same with a body of so many bytes.
    pub fn body(self, body: usize) -> Letter {
        Letter { body, ..self }
    }

    /// The same with so many keys.
    pub fn keys(self, keys: usize) -> Letter {
        Letter { keys, ..self }
    }

    /// The same from a sender that does not wait for the disk.
    pub fn unwaited(self) -> Letter {
        Letter { waits: false, ..self }
    }

    /// A half message.
    pub fn half(self) -> Letter {
        Letter { sys_flag: TRANSACTION_PREPARED, ..self }
    }

    /// The final message of a transaction.
    pub fn commit(self) -> Letter {
        Letter { sys_flag: TRANSACTION_COMMIT, ..self }
    }

    /// The record of a rolled back transaction.
    pub fn rollback(self) -> Letter {
        Letter { sys_flag: TRANSACTION_ROLLBACK, ..self }
    }

    /// The message itself; `number` makes it unlike all others of its run.
    pub fn message(&self, number: usize, now: Millis) -> NewMessage {
        let host = Host { ip: 0x0A00_0201, port: 10_911 };
        let mut properties = String::new();
        if 0 < self.keys {
            let keys: Vec<String> = (0..self.keys).map(|key| format!("k{number}-{key}")).collect();
            properties = format!("KEYS\u{1}{}\u{2}", keys.join(" "));
        }
        if !self.waits {
            properties.push_str("WAIT\u{1}false\u{2}");
        }
        let mut body = format!("message {number} ").into_bytes();
        let filler = (body.len()..self.body).map(|at| b'a' + ((at + number) % 26) as u8);
        let filler: Vec<u8> = filler.collect();
        body.extend(filler);
        body.truncate(self.body);
        NewMessage {
            topic: self.topic.into(),
            queue_id: self.queue,
            flag: 0,
            sys_flag: self.sys_flag,
            born_timestamp: now,
            born_host: host,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
            body: body.into(),
            properties: properties.into(),
            map: None,
        }
    }
}
