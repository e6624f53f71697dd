//! A nameserver and brokers behind real ports, in this process: what `mqlab serve` runs, and what a test starts.
//!
//! ```no_run
//! use mqlab::host::serve::{Config, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start(Config::free_ports())?;
//! println!("namesrvAddr = {}", server.addr());
//! // … an unmodified RocketMQ client sends and consumes …
//! server.fault("drop reply send-message 1 in 5")?;
//! server.fault("restart broker-a")?;
//! server.stop()?; // or drop it: that stops it, too
//! # Ok(())
//! # }
//! ```
//!
//! Everything listens on loopback unless [`Config::expose`] says otherwise. Files lie below [`Config::data`], a folder for
//! each node, or in a temporary folder that goes when the server does.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::thread::{Builder, JoinHandle};

use crate::host::tcp::{Done, Driver, Handle, Limits, Notice, Refused};
use crate::mq::broker::BrokerConfig;
use crate::mq::message::Name;
use crate::mq::node::Addr;

mod files;
mod machines;
mod ports;
mod trace;

/// What a server is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address that everything listens on.
    pub listen: Ipv4Addr,
    /// Whether that may be an address which others than this machine's users reach.
    pub expose: bool,
    /// The address that brokers tell their clients; `listen` without it, or loopback where that is every address.
    pub advertise: Option<Ipv4Addr>,
    /// The first nameserver's port, 0 for a free one; each further one has the next.
    pub nameserver_port: u16,
    /// The first broker's port, 0 for a free one; each further one is ten above.
    pub broker_port: u16,
    /// The nameservers' names.
    pub nameservers: Vec<Name>,
    /// The brokers.
    pub brokers: Vec<BrokerSetup>,
    /// Where files lie, a folder for each node; a temporary folder without it.
    pub data: Option<PathBuf>,
    /// What chance there is comes from here: which frames a fault strikes.
    pub seed: u64,
    /// Faults from the start, as [`fault`](crate::host::fault) reads them.
    pub faults: Vec<String>,
    /// The file that the trace is written to, as JSON lines.
    pub trace: Option<PathBuf>,
    /// What strangers may take.
    pub limits: Limits,
}

/// A broker of a server.
#[derive(Clone, Debug)]
pub struct BrokerSetup {
    /// The node's name, unique here; a slave's broker name is its master's.
    pub node: Name,
    /// Its settings; address, announced addresses and nameservers are the server's to say.
    pub config: BrokerConfig,
    /// With which nameservers it registers; all of them if none is named.
    pub nameservers: Vec<Name>,
}

impl Default for Config {
    /// A nameserver on 9876 and a master on 10911, both on loopback.
    fn default() -> Config {
        let config = BrokerConfig::new("broker-a", Addr::new(127, 0, 0, 1, 0));
        let broker = BrokerSetup { node: "broker-a".into(), config, nameservers: Vec::new() };
        Config {
            listen: Ipv4Addr::LOCALHOST,
            expose: false,
            advertise: None,
            nameserver_port: 9_876,
            broker_port: 10_911,
            nameservers: vec!["nameserver".into()],
            brokers: vec![broker],
            data: None,
            seed: 1,
            faults: Vec::new(),
            trace: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The same on ports that nobody uses.
    pub fn free_ports() -> Config {
        Config { nameserver_port: 0, broker_port: 0, ..Config::default() }
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Others could reach it, and nobody said that they may.
    #[error("{0} can be reached from other machines, and this broker asks nobody who they are")]
    Exposed(Ipv4Addr),
    /// A port is taken, or may not be had.
    #[error("port {port} of {listen} for {node} cannot be had: {source}")]
    Port {
        /// For whom.
        node: Name,
        /// On which address.
        listen: Ipv4Addr,
        /// Which.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// No room for so many.
    #[error("there are no ports left for {node}")]
    NoPorts {
        /// For whom.
        node: Name,
    },
    /// A folder or file cannot be made.
    #[error("{path} cannot be written: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A node does not boot.
    #[error("{node} does not start: {why}")]
    Boot {
        /// Which.
        node: Name,
        /// What it says.
        why: Name,
    },
    /// A fault of the configuration is none.
    #[error("`{line}`: {misread}")]
    Fault {
        /// As it was written.
        line: String,
        /// What is wrong with it.
        misread: crate::host::fault::Misread,
    },
    /// Two nodes have one name, or one has none that can be a folder's.
    #[error("`{0}` cannot be a node's name here: names are a folder's, and each is another")]
    Name(Name),
    /// The system gives no thread, or nothing to wait with.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// A broker that serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// The node's name.
    pub node: Name,
    /// Where clients reach it.
    pub addr: SocketAddrV4,
    /// Where its files lie.
    pub folder: PathBuf,
}

/// A server that runs until it is stopped or dropped.
pub struct Server {
    nameservers: Vec<Served>,
    brokers: Vec<Served>,
    handle: Handle,
    thread: Option<JoinHandle<crate::host::tcp::Ended>>,
    notices: Option<Receiver<Notice>>,
    /// Removed at the end.
    scratch: Option<PathBuf>,
}

/// How a server ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Whether every store is closed cleanly; one whose broker was killed last is as that left it, and recovers.
    pub cleanly: bool,
}

/// How a server ended otherwise than well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StopError {
    /// A node ended in a panic, or the driver did: a fault of mqlab.
    #[error("a node ended in a panic: this is a fault of mqlab itself")]
    Panicked,
    /// A process did not come to its end in time; its store is as a crash would leave it.
    #[error("a process did not stop in time: its store is as after a crash")]
    Unclean,
}

impl Server {
    /// Starts everything; what it gives has booted and can be asked.
    ///
    /// Errors: [`ServeError`].
    pub fn start(config: Config) -> Result<Server, ServeError> {
        files::raise_limit();
        let plan = machines::plan(&config)?;
        let faults = config.faults.iter().map(|line| {
            crate::host::fault::parse(line, &plan.names)
                .map_err(|misread| ServeError::Fault { line: line.clone(), misread })
        });
        let faults: Vec<_> = faults.collect::<Result<_, _>>()?;
        let witness = match &config.trace {
            None => None,
            Some(path) => {
                let failed = |source| ServeError::Folder { path: path.clone(), source };
                Some(trace::writer(path, &plan, &config).map_err(failed)?)
            }
        };
        let machines::Planned { machines, nameservers, brokers, scratch, .. } = plan;
        let (mut driver, handle, notices) = Driver::new(machines, (config.seed, config.limits), witness)?;
        if let Err((node, why)) = driver.boot_all() {
            files::remove(scratch.as_deref());
            return Err(ServeError::Boot { node, why });
        }
        // That they run is what a server that has started says.
        while notices.try_recv().is_ok() {}
        for order in faults {
            driver.begin(order);
        }
        let thread = Builder::new().name("mqlab-serve".to_owned()).spawn(move || driver.run())?;
        Ok(Server { nameservers, brokers, handle, thread: Some(thread), notices: Some(notices), scratch })
    }

    /// The first nameserver's address: a client's `namesrvAddr`.
    pub fn addr(&self) -> SocketAddrV4 {
        self.nameservers.first().map_or(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), |served| served.addr)
    }

    /// The nameservers, in order.
    pub fn nameservers(&self) -> &[Served] {
        &self.nameservers
    }

    /// The brokers, in order.
    pub fn brokers(&self) -> &[Served] {
        &self.brokers
    }

    /// Does to it what a line says, as [`fault`](crate::host::fault) reads it, and waits until that is done.
    ///
    /// Errors: the line is no order, or the server has ended.
    pub fn fault(&self, line: &str) -> Result<Done, Refused> {
        self.handle.order(line)
    }

    /// For another thread: the same, and a clean stop.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What there is to tell, once; who does not take it misses nothing but that.
    pub fn notices(&mut self) -> Option<Receiver<Notice>> {
        self.notices.take()
    }

    /// Stops cleanly, and waits until that is done.
    ///
    /// Errors: [`StopError`].
    pub fn stop(mut self) -> Result<Stopped, StopError> {
        self.end()
    }

    fn end(&mut self) -> Result<Stopped, StopError> {
        let Some(thread) = self.thread.take() else { return Ok(Stopped { cleanly: true }) };
        self.handle.stop();
        let ended = thread.join();
        files::remove(self.scratch.take().as_deref());
        match ended {
            Err(_) => Err(StopError::Panicked),
            Ok(ended) if ended.panicked => Err(StopError::Panicked),
            Ok(ended) if !ended.in_time => Err(StopError::Unclean),
            Ok(ended) => Ok(Stopped { cleanly: ended.cleanly }),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Who drops it asks for no answer.
        let _ = self.end();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { nameservers, brokers, .. } = self;
        f.debug_struct("Server").field("nameservers", nameservers).field("brokers", brokers).finish_non_exhaustive()
    }
}
