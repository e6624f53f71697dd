//! One plan of requests, two drivers: the store that it leaves is the same, byte for byte, apart from who and when.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use mqlab::host::serve::{Config, Server};
use mqlab::lab::fault::episode::Trigger;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::lab::sim::machine::{DiskSetup, MachineSetup};
use mqlab::lab::sim::world::Setup;
use mqlab::lab::trace::log::Role;
use mqlab::mq::broker::{Broker, BrokerConfig};
use mqlab::mq::message::Name;
use mqlab::mq::node::{Addr, ConnId, Event, Node, Step};
use mqlab::mq::time::{Span, Time};
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::Header;

use super::client::{Client, create_topic, message};
use super::conversation::pull_until;

/// What is asked, one after the other.
fn requests() -> Vec<Command> {
    let mut all = vec![*create_topic("orders", 4), *create_topic("bills", 1)];
    for number in 0..61 {
        let topic = if number % 3 == 0 { "bills" } else { "orders" };
        let mut command = message(topic, &vec![b'a' + (number % 26) as u8; 10 + number * 37]);
        if let (Header::Send(header), "orders") = (&mut command.header, topic) {
            header.queue_id = (number % 4) as i32;
            header.properties = Some(Name::from(format!("KEYS\u{1}order-{number}\u{2}TAGS\u{1}t{}", number % 5)));
        }
        all.push(*command);
    }
    all
}

/// A client that asks them all, the next when the one before is answered.
#[derive(Clone)]
struct Script {
    to: Addr,
    left: Vec<Command>,
}

impl Script {
    fn say(&mut self, step: &mut Step<'_>) {
        if let Some(mut command) = self.left.pop() {
            command.opaque = Opaque(self.left.len() as i32);
            step.out.send(ConnId(1), Box::new(command));
        }
    }
}

impl Node for Script {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Fired { .. } => step.out.connect(ConnId(1), self.to),
            Event::Connected { .. } | Event::Received { .. } => self.say(step),
            _ => {}
        }
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const LOG: &str = "commitlog/00000000000000000000";
const QUEUES: [&str; 5] = ["orders/0", "orders/1", "orders/2", "orders/3", "bills/0"];

fn queue(name: &str) -> String {
    format!("consumequeue/{name}/00000000000000000000")
}

/// The files of interest under the simulator.
fn simulated(files: &[String]) -> Vec<Vec<u8>> {
    let addr = Addr::new(10, 0, 2, 1, 10_911);
    let config = BrokerConfig::new("broker-a", addr);
    let mut setup = Setup::new(1);
    setup.until = Time::ZERO + Span::from_secs(60);
    let broker = setup.add_machine(
        MachineSetup {
            name: "broker-a".into(),
            role: Role::Broker,
            ip: addr.ip,
            ports: Broker::ports(&config).to_vec(),
            boot: Arc::new(move |step| match Broker::boot(config.clone(), step) {
                Ok(broker) => Ok(Box::new(broker) as Box<dyn Node>),
                Err(error) => Err(Name::from(error.to_string())),
            }),
            apps: None,
            disk: Some(DiskSetup {
                fsync_min: Span::from_millis(2),
                fsync_max: Span::from_millis(9),
                make: Arc::new(|| Box::new(SimDisk::new(&DiskPlan::default()))),
            }),
        },
        Trigger::At(Time::ZERO),
    );
    let left = requests().into_iter().rev().collect();
    setup.add_node("script", Addr::new(10, 0, 3, 1, 1), Box::new(Script { to: addr, left }));
    let mut world = setup.world();
    world.run(u64::MAX);
    assert!(world.panics().is_empty(), "{:?}", world.panics());
    let image = world.disk(broker).cached_image();
    files.iter().map(|name| image.files[name.as_str()].read(0..LOOKED_AT)).collect()
}

/// The same behind real sockets.
fn served(files: &[String]) -> Vec<Vec<u8>> {
    let data = tempfile::tempdir().unwrap();
    let config = Config { data: Some(data.path().to_owned()), ..Config::free_ports() };
    let server = Server::start(config).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    for request in requests() {
        client.ask(Box::new(request)).unwrap();
    }
    // All are in their queues before it stops.
    pull_until(&mut client, "bills", 21);
    server.stop().unwrap();
    let read = |name: &String| head(&data.path().join("broker-a").join(name));
    files.iter().map(read).collect()
}

fn head(path: &Path) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).unwrap().take(LOOKED_AT).read_to_end(&mut bytes).unwrap();
    bytes
}

/// More than all that is written.
const LOOKED_AT: u64 = 200_000;

/// A log without who sent and stored each record and when that was: at 48 the sender's host, at 56 the store's time and host.
fn without_who_and_when(mut log: Vec<u8>) -> (Vec<u8>, usize) {
    let (mut at, mut records) = (0, 0);
    while let Some(size) =
        log[at..].first_chunk().map(|word| u32::from_be_bytes(*word) as usize).filter(|size| 0 < *size)
    {
        log[at + 48..at + 72].fill(0);
        (at, records) = (at + size, records + 1);
    }
    (log, records)
}

#[test]
fn the_same_requests_leave_the_same_store_under_both_drivers() {
    let files: Vec<String> = [LOG.to_owned()].into_iter().chain(QUEUES.iter().map(|name| queue(name))).collect();
    let (mut ours, mut theirs) = (simulated(&files).into_iter(), served(&files).into_iter());
    let (ours_log, records) = without_who_and_when(ours.next().unwrap());
    let (theirs_log, as_many) = without_who_and_when(theirs.next().unwrap());
    assert_eq!((records, as_many), (61, 61));
    assert!(ours_log == theirs_log, "the logs differ");
    for ((ours, theirs), name) in ours.zip(theirs).zip(QUEUES) {
        assert!(ours == theirs, "{name} differs");
        assert!(ours.iter().any(|byte| *byte != 0), "{name} has something in it");
    }
}
