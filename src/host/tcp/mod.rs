//! The second driver: the system's nodes over real sockets, real files and real time.
//!
//! One thread owns the nodes and their disks and waits for whatever is next: a socket that can be read or written, a timer
//! that is due, a range that has been forced (on a thread of its own: nobody waits for a device), or somebody who asks
//! something. It does to nodes what `lab::sim` does, and nothing in the system tells the two apart. One invariant to
//! remember: **a node is called from one place, one event at a time** (`perform`), and what happens to it while it is being
//! heard waits in a queue.
//!
//! ```text
//!   sockets ─▶ frames ─▶ Received ┐                    ┌ Send ─▶ bytes ─▶ sockets
//!   timers ────────────▶ Fired    ├─▶ node.on(…) ──────┤ Flush ─▶ flusher ─▶ Flushed
//!   clocks ────────────▶ Wall…    ┘                    └ Arm, Connect, Close, Say, Exit
//! ```
//!
//! What a stranger sends is never trusted: frames and connections have limits, bytes that are no frame close their
//! connection with a notice, a peer that does not read is reset, and a panic of a node ends that node.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use mio::Waker;

use crate::host::fault::{Misread, Order};
use crate::mq::app::Call;
use crate::mq::message::Name;

mod active;
mod clock;
mod conn;
mod dice;
mod disk;
mod driver;
mod flusher;
mod log;
mod machine;
mod orders;
mod perform;
mod sockets;
mod timers;

pub use driver::{Driver, Ended};
pub use log::Witness;
pub use machine::{Application, Boot, Machine, Port};

/// What a driver refuses to exceed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at a time; whoever comes then is closed at once.
    pub connections: usize,
    /// Bytes of frames that are not whole yet, of all connections together; whoever adds to them then is closed.
    pub unread: usize,
    /// Bytes that one peer has not read; it is reset then.
    pub unsent: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 10_000, unread: 256 << 20, unsent: 64 << 20 }
    }
}

/// Something that who runs a server may want to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A node's process runs.
    Booted {
        /// Which.
        node: Name,
    },
    /// It could not boot.
    BootFailed {
        /// Which.
        node: Name,
        /// What it says.
        why: Name,
    },
    /// It ended by itself, as it was asked to.
    Exited {
        /// Which.
        node: Name,
    },
    /// It was killed by an order.
    Killed {
        /// Which.
        node: Name,
    },
    /// It ended in a panic: a fault of mqlab itself.
    Panicked {
        /// Which.
        node: Name,
        /// With which text.
        why: Name,
    },
    /// A connection was closed for what it sent.
    BadFrame {
        /// To which node.
        node: Name,
        /// Who.
        peer: SocketAddr,
        /// What was wrong.
        why: Name,
    },
    /// A connection was not taken, or not kept.
    TooMuch {
        /// Which limit.
        what: Excess,
        /// To which node.
        node: Name,
    },
    /// A fault begins or ends.
    Fault {
        /// Its number.
        number: u32,
        /// As it was written.
        text: Name,
        /// Whether it begins.
        begins: bool,
    },
    /// The driver has ended: nothing follows.
    Ended,
}

/// A limit that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Excess {
    /// As many connections as may be.
    Connections,
    /// The system gives no more files.
    Files,
    /// Too many bytes of unfinished frames.
    Unread,
    /// A peer that does not read.
    Unsent,
}

/// What became of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// A fault has begun.
    Began {
        /// Its number, by which it is healed.
        number: u32,
    },
    /// So many faults have ended.
    Healed {
        /// How many.
        count: usize,
    },
    /// A process is dead.
    Killed,
    /// Another process runs.
    Restarted,
    /// It could not boot.
    BootFailed {
        /// What it says.
        why: Name,
    },
    /// The faults in force.
    Faults(Vec<(u32, Name)>),
    /// It is stopping.
    Stopping,
}

/// Why an order was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It is none.
    #[error(transparent)]
    Misread(#[from] Misread),
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

/// What other threads ask of a driver.
pub(crate) enum Ask {
    /// An order, and where its answer goes.
    Order(Order, Sender<Done>),
    /// A call of a client's application.
    Call(usize, Box<Call>),
    /// A clean stop.
    Stop,
}

/// Talks to a driver from another thread.
#[derive(Clone)]
pub struct Handle {
    asks: Sender<Ask>,
    waker: Arc<Waker>,
    nodes: Arc<[Name]>,
}

impl Handle {
    /// The nodes' names.
    pub fn nodes(&self) -> &[Name] {
        &self.nodes
    }

    /// Carries an order out, as [`fault`](crate::host::fault) reads them, and waits until it is.
    ///
    /// Errors: the line is no order, or the server has ended.
    pub fn order(&self, line: &str) -> Result<Done, Refused> {
        let order = crate::host::fault::parse(line, &self.nodes)?;
        let (told, answer) = channel();
        self.ask(Ask::Order(order, told)).map_err(|_| Refused::Ended)?;
        answer.recv().map_err(|_| Refused::Ended)
    }

    /// Has a client's application call.
    pub fn call(&self, machine: usize, call: Call) {
        // Who calls a process that has ended is told so by its silence, as by a network.
        let _ = self.ask(Ask::Call(machine, Box::new(call)));
    }

    /// Asks for a clean stop, and does not wait.
    pub fn stop(&self) {
        let _ = self.ask(Ask::Stop);
    }

    fn ask(&self, ask: Ask) -> io::Result<()> {
        self.asks.send(ask).map_err(|_| io::ErrorKind::NotConnected)?;
        self.waker.wake()
    }
}

/// Notices that nobody has taken yet; further ones are not kept.
const NOTICES_MAX: usize = 1_024;

/// Both ends of what a driver tells.
pub(crate) fn notices() -> (SyncSender<Notice>, Receiver<Notice>) {
    sync_channel(NOTICES_MAX)
}
