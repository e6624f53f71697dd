//! A client process over real sockets: its producers and consumers are the system's own, its application is this process.
//!
//! What it returns, or calls back with, waits here until somebody takes it; what is called is carried out in order. It stops
//! as a client does: offsets are reported, groups leave.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::host::tcp::{Driver, Ended, Handle, Limits, Machine};
use crate::lab::trace::log::Role;
use crate::mq::app::{Call, Return};
use crate::mq::client::config::ClientConfig;
use crate::mq::client::consumer::local;
use crate::mq::message::Name;
use crate::mq::node::{Addr, Node};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A nameserver's address is none.
    #[error("`{text}` is no nameserver's address: {why}")]
    Nameserver {
        /// As it was written.
        text: String,
        /// What is wrong.
        why: io::Error,
    },
    /// A folder cannot be made.
    #[error("{path} cannot be written: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The process does not start.
    #[error("the client does not start: {0}")]
    Boot(Name),
    /// The system gives no thread, or nothing to wait with.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// A client process that runs until it is stopped or dropped.
pub struct Client {
    handle: Handle,
    heard: Receiver<Return>,
    thread: Option<JoinHandle<Ended>>,
    /// Removed at the end.
    scratch: Option<PathBuf>,
}

/// The addresses of `host:port;host:port`, with names looked up.
///
/// Errors: the first that is none.
pub fn nameservers(text: &str) -> Result<Vec<Addr>, ClientError> {
    let one = |text: &str| {
        let failed = |why| ClientError::Nameserver { text: text.to_owned(), why };
        let mut found = text.to_socket_addrs().map_err(failed)?;
        let addr = found.find_map(|addr| match addr {
            SocketAddr::V4(addr) => Some(Addr { ip: u32::from(*addr.ip()), port: addr.port() }),
            SocketAddr::V6(_) => None,
        });
        addr.ok_or_else(|| failed(io::Error::new(io::ErrorKind::AddrNotAvailable, "it has no IPv4 address")))
    };
    text.split(';').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
}

/// This machine's address as it is seen from there; nothing is sent for that.
pub fn own_address(towards: Option<&Addr>) -> u32 {
    let seen = |to: &Addr| -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::from(to.ip), to.port))?;
        socket.local_addr()
    };
    match towards.map(seen) {
        Some(Ok(addr)) => match addr.ip() {
            IpAddr::V4(ip) => u32::from(ip),
            IpAddr::V6(_) => u32::from(Ipv4Addr::LOCALHOST),
        },
        _ => u32::from(Ipv4Addr::LOCALHOST),
    }
}

/// A process id as a client's ids have it: two bytes.
pub fn own_pid() -> u16 {
    std::process::id() as u16
}

impl Client {
    /// Starts a process; its files, the offsets of those that broadcast, lie in the folder, or in one that goes with it.
    ///
    /// Errors: [`ClientError`].
    pub fn start(config: ClientConfig, folder: Option<PathBuf>) -> Result<Client, ClientError> {
        let (folder, scratch) = match folder {
            Some(folder) => (folder, None),
            None => {
                let path = scratch();
                (path.clone(), Some(path))
            }
        };
        std::fs::create_dir_all(&folder).map_err(|source| ClientError::Folder { path: folder.clone(), source })?;
        let (returned, heard) = channel();
        let machine = Machine {
            name: config.name.clone(),
            role: Role::Client,
            listen: Ipv4Addr::UNSPECIFIED,
            ports: Vec::new(),
            boot: Box::new(move |step| match local::readable(&config, step.disk) {
                Ok(()) => Ok(Box::new(crate::mq::client::Client::boot(config.clone(), step)) as Box<dyn Node>),
                Err(error) => Err(Name::from(error.to_string())),
            }),
            folder,
            application: Some(Box::new(move |answer, _| {
                // Who has gone is told nothing.
                let _ = returned.send(answer.clone());
            })),
        };
        let started = Client::drive(machine);
        match started {
            Ok((handle, thread)) => Ok(Client { handle, heard, thread: Some(thread), scratch }),
            Err(error) => {
                remove(scratch);
                Err(error)
            }
        }
    }

    fn drive(machine: Machine) -> Result<(Handle, JoinHandle<Ended>), ClientError> {
        let (mut driver, handle, _) = Driver::new(vec![machine], (1, Limits::default()), None)?;
        driver.boot_all().map_err(|(_, why)| ClientError::Boot(why))?;
        let thread = Builder::new().name("mqlab-client".to_owned()).spawn(move || driver.run())?;
        Ok((handle, thread))
    }

    /// Its application calls.
    pub fn call(&self, call: Call) {
        self.handle.call(0, call);
    }

    /// What it returns next; `None` when it has ended.
    pub fn hear(&self) -> Option<Return> {
        self.heard.recv().ok()
    }

    /// What it has returned already, if anything.
    pub fn heard(&self) -> Option<Return> {
        self.heard.try_recv().ok()
    }

    /// What it returns within a time: `Err` tells whether it has ended.
    ///
    /// Errors: nothing came, or nothing will.
    pub fn hear_within(&self, time: Duration) -> Result<Return, Silence> {
        self.heard.recv_timeout(time).map_err(|error| match error {
            RecvTimeoutError::Timeout => Silence::Yet,
            RecvTimeoutError::Disconnected => Silence::Ended,
        })
    }

    /// For another thread: asks it to stop.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops it, and waits until it has, or would no longer: false if it ended in a panic.
    pub fn stop(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some(thread) = self.thread.take() else { return true };
        self.handle.stop();
        let ended = thread.join();
        remove(self.scratch.take());
        ended.is_ok_and(|ended| !ended.panicked)
    }
}

/// Why nothing was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// There may be something later.
    Yet,
    /// The process has ended.
    Ended,
}

impl Drop for Client {
    fn drop(&mut self) {
        // Who drops it asks for no answer.
        let _ = self.end();
    }
}

/// Lets so much time pass.
pub fn rest(time: Duration) {
    // Nobody speaks on this road: waiting for it is waiting for the time.
    let (_nobody, never) = channel::<()>();
    let _ = never.recv_timeout(time);
}

/// The name of a folder of its own below the system's folder for temporary files.
fn scratch() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("mqlab-client-{}-{number}", std::process::id()))
}

/// Removes a temporary folder; what cannot be removed the system will.
fn remove(scratch: Option<PathBuf>) {
    if let Some(path) = scratch {
        let _ = std::fs::remove_dir_all(path);
    }
}
