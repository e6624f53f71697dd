//! A machine: one process, its disk, its dice, its timers, its ports and its connections.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use crate::host::mmap::MmapDisk;
use crate::host::tcp::dice::NodeDice;
use crate::host::tcp::disk::ServedDisk;
use crate::host::tcp::timers::Timers;
use crate::lab::trace::log::Role;
use crate::mq::app::{Call, Return};
use crate::mq::disk::FileId;
use crate::mq::message::Name;
use crate::mq::node::{ConnId, Costs, Node, Step};

/// Makes a process: the node's own constructor. What it cannot do it says in a sentence.
pub type Boot = Box<dyn Fn(&mut Step<'_>) -> Result<Box<dyn Node>, Name> + Send>;

/// Hears what a client process returns, or calls back with, and may call it.
pub type Application = Box<dyn FnMut(&Return, &mut Vec<Call>) + Send>;

/// What a machine is before it runs.
pub struct Machine {
    /// Its name, unique here.
    pub name: Name,
    /// What its process is.
    pub role: Role,
    /// The address that its ports are opened on.
    pub listen: Ipv4Addr,
    /// Its ports; none of a client.
    pub ports: Vec<Port>,
    /// Its process.
    pub boot: Boot,
    /// The folder of its files.
    pub folder: PathBuf,
    /// Its application, if its process is a client.
    pub application: Option<Application>,
}

/// A port that a process listens on while it lives.
#[derive(Debug)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// Whether it speaks a byte stream, as the replication port does.
    pub is_stream: bool,
    /// The socket, if it is bound already; the first process takes it.
    pub bound: Option<TcpListener>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { name, role, listen, ports, folder, .. } = self;
        f.debug_struct("Machine")
            .field("name", name)
            .field("role", role)
            .field("listen", listen)
            .field("ports", ports)
            .field("folder", folder)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// Its sockets, bound.
    ///
    /// Errors: the port that cannot be had, and why.
    pub(super) fn sockets(&mut self) -> Result<Vec<TcpListener>, (u16, std::io::Error)> {
        let listen = self.listen;
        let bind = |port: &mut Port| match port.bound.take() {
            Some(bound) => Ok(bound),
            None => TcpListener::bind(SocketAddrV4::new(listen, port.number)).map_err(|error| (port.number, error)),
        };
        self.ports.iter_mut().map(bind).collect()
    }
}

/// A machine under the driver.
pub(super) struct Running {
    pub(super) setup: Machine,
    /// Boots so far.
    pub(super) incarnation: u32,
    /// The process, while it lives.
    pub(super) node: Option<Box<dyn Node>>,
    pub(super) disk: Option<ServedDisk>,
    pub(super) dice: NodeDice,
    pub(super) costs: Costs,
    pub(super) timers: Timers,
    /// The places of its connections.
    pub(super) conns: BTreeMap<ConnId, usize>,
    /// The places of its listeners.
    pub(super) listeners: Vec<usize>,
    /// Its last process did not come to its own end: its store is as after a crash.
    pub(super) has_crashed: bool,
    next_accept: u32,
}

impl Running {
    pub(super) fn new(setup: Machine, seed: u64, number: usize) -> Running {
        Running {
            setup,
            incarnation: 0,
            node: None,
            disk: None,
            dice: NodeDice::new(seed, number),
            costs: Costs::default(),
            timers: Timers::default(),
            conns: BTreeMap::new(),
            listeners: Vec::new(),
            has_crashed: false,
            next_accept: 2,
        }
    }

    /// Opens its folder.
    pub(super) fn mount(&mut self, is_full: bool) -> std::io::Result<()> {
        self.disk = Some(ServedDisk { files: MmapDisk::new(&self.setup.folder)?, is_full });
        Ok(())
    }

    /// The name for a connection that the driver accepts for the process.
    pub(super) fn accept(&mut self) -> ConnId {
        let conn = ConnId(self.next_accept);
        self.next_accept = self.next_accept.wrapping_add(2).max(2);
        conn
    }

    /// Forgets everything that lives in the process.
    pub(super) fn bury(&mut self) {
        self.node = None;
        self.disk = None;
        self.timers = Timers::default();
        self.conns.clear();
        self.listeners.clear();
        self.next_accept = 2;
    }

    /// The name of one of its open files.
    pub(super) fn file(&self, file: FileId) -> Name {
        let name = self.disk.as_ref().and_then(|disk| disk.files.name_of(file));
        Name::new(name.unwrap_or("?"))
    }
}

/// What a process returned, shared with a trace.
pub(super) type Answer = Arc<Return>;
