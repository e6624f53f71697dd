//! A client process over real sockets: its producers and consumers are the system's own, its application is this process.
//!
//! What it returns, or calls back with, waits here until somebody takes it; what is called is carried out in order. It stops
//! as a client does: offsets are reported, groups leave.

use std::io;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::host::tcp::{Driver, Ended, Handle, Limits, Machine, Witness};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::What;
use crate::mq::app::{Call, Return};
use crate::mq::client::config::ClientConfig;
use crate::mq::client::consumer::local;
use crate::mq::client::validators;
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::node::{Addr, Node};
use crate::mq::time::Millis;
use crate::mq::wire::codec::{Decoder, encode};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

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
    /// A producer's or a consumer's `start()` throws this `MQClientException`.
    #[error("{0}")]
    Threw(Name),
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
    heard: Receiver<Heard>,
    thread: Option<JoinHandle<Ended>>,
    /// Removed at the end.
    scratch: Option<PathBuf>,
}

/// What a client process has to say.
#[derive(Clone, PartialEq, Debug)]
pub enum Heard {
    /// A call returned, or the process calls back.
    Returned(Return),
    /// A consumer's `start()` threw this: its process goes on without it.
    StartThrew(Name),
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
        check(&config)?;
        let (folder, scratch) = match folder {
            Some(folder) => (folder, None),
            None => {
                let path = scratch();
                (path.clone(), Some(path))
            }
        };
        std::fs::create_dir_all(&folder).map_err(|source| ClientError::Folder { path: folder.clone(), source })?;
        let (returned, heard) = channel();
        let threw = (!config.consumers.is_empty()).then(|| start_threw(returned.clone()));
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
                let _ = returned.send(Heard::Returned(answer.clone()));
            })),
        };
        let started = Client::drive(machine, threw);
        match started {
            Ok((handle, thread)) => Ok(Client { handle, heard, thread: Some(thread), scratch }),
            Err(error) => {
                remove(scratch);
                Err(error)
            }
        }
    }

    fn drive(machine: Machine, threw: Option<Witness>) -> Result<(Handle, JoinHandle<Ended>), ClientError> {
        let (mut driver, handle, _) = Driver::new(vec![machine], (1, Limits::default()), threw)?;
        driver.boot_all().map_err(|(_, why)| ClientError::Boot(why))?;
        let thread = Builder::new().name("mqlab-client".to_owned()).spawn(move || driver.run())?;
        Ok((handle, thread))
    }

    /// Its application calls.
    pub fn call(&self, call: Call) {
        self.handle.call(0, call);
    }

    /// What it says next; `None` when it has ended.
    pub fn hear(&self) -> Option<Heard> {
        self.heard.recv().ok()
    }

    /// What it has said already, if anything.
    pub fn heard(&self) -> Option<Heard> {
        self.heard.try_recv().ok()
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

impl Drop for Client {
    fn drop(&mut self) {
        // Who drops it asks for no answer.
        let _ = self.end();
    }
}

/// What producers and consumers look at before anything else.
///
/// Source: `DefaultMQProducerImpl.checkConfig`, `DefaultMQPushConsumerImpl.checkConfig`, which looks at more: the command line
/// gives nothing else that could be wrong.
fn check(config: &ClientConfig) -> Result<(), ClientError> {
    let producers = config.producers.iter().map(|producer| &producer.group);
    let consumers = config.consumers.iter().map(|consumer| &consumer.group);
    for group in producers.chain(consumers) {
        validators::check_group(group).map_err(|thrown| ClientError::Threw(thrown.to_string().into()))?;
    }
    Ok(())
}

/// Whether a nameserver can be reached.
pub fn is_there(nameservers: &str) -> bool {
    let addrs = self::nameservers(nameservers).unwrap_or_default();
    addrs.iter().any(|addr| {
        let addr = SocketAddr::from((Ipv4Addr::from(addr.ip), addr.port));
        TcpStream::connect_timeout(&addr, PATIENCE).is_ok()
    })
}

/// Tells of starts that threw, which a process says of itself and returns to nobody.
fn start_threw(told: Sender<Heard>) -> Witness {
    Box::new(move |record| {
        if let What::Fact(Fact::StartThrew { text, .. }) = &record.what {
            let _ = told.send(Heard::StartThrew(text.clone()));
        }
    })
}

/// Asks a server one thing, and waits for the answer.
///
/// Errors: it is not there, does not answer in time, or not with a frame.
pub fn ask(addr: SocketAddrV4, code: i32, header: Header) -> io::Result<Box<Command>> {
    let mut socket = TcpStream::connect_timeout(&SocketAddr::V4(addr), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(&encode(&Command::request(code, Opaque(1), header)))?;
    let (mut decoder, mut bytes) = (Decoder::new(), [0; 16 << 10]);
    loop {
        if let Some(answer) = decoder.next().map_err(io::Error::other)? {
            return Ok(Box::new(answer));
        }
        match socket.read(&mut bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => decoder.push(&bytes[..read]),
        }
    }
}

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The machine's own clock.
#[expect(clippy::disallowed_types, reason = "how old what a real server has is, a person asks")]
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis(since.as_millis() as i64)
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
