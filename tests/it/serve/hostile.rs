//! Strangers who mean no good: none of them is worth a panic, a file or an honest client's answer.

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};

use mqlab::host::serve::{Config, Server};
use mqlab::host::tcp::{Limits, Notice};
use mqlab::mq::wire::code::response;
use mqlab::mq::wire::codec::encode;

use super::binary::{Served, addr};
use super::client::{Client, message, route};

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// What a process has of the system: files and threads; none where the system does not say.
fn holdings(pid: u32) -> [usize; 2] {
    ["fd", "task"].map(|kind| std::fs::read_dir(format!("/proc/{pid}/{kind}")).map_or(0, |entries| entries.count()))
}

/// One stranger: what it says, and whether it goes at once.
fn attack(addr: SocketAddrV4, noise: &mut Noise) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(addr).ok()?;
    let whole = encode(&message("orders", b"half"));
    let kind = noise.next() % 6;
    let bytes = match kind {
        0 => noise.bytes(64),
        1 => whole[..1 + noise.next() as usize % (whole.len() - 1)].to_vec(),
        2 => 0x7fff_ffff_u32.to_be_bytes().to_vec(),
        3 => [&(FRAME_MAX - 4).to_be_bytes()[..], &noise.bytes(32)].concat(),
        4 => [&[0, 0, 0, 60, 0, 0, 0, 50][..], &noise.bytes(56)].concat(),
        _ => Vec::new(),
    };
    // Who is closed while he speaks is closed as he should be.
    let _ = socket.write_all(&bytes);
    (kind % 2 == 1).then_some(socket)
}

const FRAME_MAX: u32 = 16_777_216;

#[test]
fn strangers_cost_no_panic_and_no_file_and_an_honest_client_is_answered_meanwhile() {
    let mut served = Served::with(&[]);
    let ready = served.next("ready");
    let [map, broker, vip, replication] =
        ["/namesrv_addr", "/brokers/0/addr", "/brokers/0/vip_addr", "/brokers/0/ha_addr"]
            .map(|place| addr(ready.pointer(place).unwrap()));
    let mut honest = Client::to(broker);
    honest.send("orders", b"order-first").unwrap();
    let before = holdings(served.child.id());
    let (mut noise, mut lingering) = (Noise(0x1234_5678), Vec::new());
    for round in 0..ROUNDS {
        for addr in [map, broker, vip, replication] {
            lingering.extend(attack(addr, &mut noise));
        }
        // Slow ones: a byte more, and again.
        let slow = noise.next() as usize % lingering.len().max(1);
        if let Some(socket) = lingering.get_mut(slow) {
            let _ = socket.write_all(&[0]);
        }
        if round % 10 == 0 {
            honest.send("orders", format!("order-{round}").as_bytes()).unwrap();
            assert_eq!(Client::to(map).ask(route("none")).unwrap().code, response::TOPIC_NOT_EXIST);
        }
    }
    drop(lingering);
    // A half of a send that a slow stranger completes is one, too.
    let orders =
        |client: &mut Client| client.pull_all("orders").iter().filter(|body| body.starts_with(b"order-")).count();
    while orders(&mut honest) <= ROUNDS / 10 {}
    assert_eq!(orders(&mut honest), 1 + ROUNDS / 10);
    served.next("bad-frame");
    let mut tries = 0;
    while holdings(served.child.id()) != before {
        assert!(tries < TRIES, "files and threads before and after: {before:?}, {:?}", holdings(served.child.id()));
        tries += 1;
        honest.rest();
    }
    served.say("stop");
    assert_eq!(served.next("stopped")["cleanly"], true);
    assert!(served.child.wait().unwrap().success(), "a panic would be exit code 70");
}

/// Moments after which whoever has gone is forgotten.
const TRIES: usize = 50;
/// How many times each port is knocked at: a few seconds' worth. `MQLAB_` variables are not read by tests: a minute of it is
/// `mqlab serve` with the same strangers in a loop.
const ROUNDS: usize = 500;

#[test]
fn beyond_the_limit_nobody_is_taken_and_room_is_given_back() {
    let limits = Limits { connections: 20, ..Limits::default() };
    let server = Server::start(Config { limits, ..Config::free_ports() }).unwrap();
    // The broker's own connection to the nameserver is two: one at each end.
    let mut waiting: Vec<Client> = (0..18).map(|_| Client::to(server.addr())).collect();
    for client in &mut waiting {
        assert_eq!(client.ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
    }
    let mut late = TcpStream::connect(server.addr()).unwrap();
    assert_eq!(late.read(&mut [0]).unwrap_or(0), 0, "closed at once");
    drop(waiting);
    loop {
        let mut client = Client::to(server.addr());
        if client.ask_if_heard(route("orders")) {
            break;
        }
    }
}

#[test]
fn a_slave_that_reports_what_cannot_be_is_no_danger_to_its_master() {
    let mut server = Server::start(Config::free_ports()).unwrap();
    let notices = server.notices().unwrap();
    let broker = server.brokers()[0].addr;
    let mut replication = broker;
    replication.set_port(broker.port() + 1);
    for reports in [[i64::MIN + 1, i64::MAX], [i64::MAX, i64::MIN], [-1, i64::MAX], [7, 5]] {
        let mut slave = Client::to(replication);
        for report in reports {
            slave.socket.write_all(&report.to_be_bytes()).unwrap();
            // Its master looks at what it has for it within ten milliseconds.
            slave.pass();
        }
    }
    assert_eq!(Client::to(broker).send("orders", b"x"), Ok(0));
    let told: Vec<Notice> = notices.try_iter().collect();
    assert!(!told.iter().any(|notice| matches!(notice, Notice::Panicked { .. })), "{told:?}");
}

#[test]
fn two_thousand_connections_are_kept_at_a_time() {
    let server = Server::start(Config::free_ports()).unwrap();
    let many: Vec<TcpStream> = (0..MANY).map_while(|_| TcpStream::connect(server.addr()).ok()).collect();
    assert_eq!(many.len(), MANY);
    assert_eq!(Client::to(server.addr()).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
    assert_eq!(Client::to(server.brokers()[0].addr).send("orders", b"x"), Ok(0));
}

const MANY: usize = 2_000;

#[test]
fn unfinished_frames_have_a_limit_together() {
    let limits = Limits { unread: 1 << 20, ..Limits::default() };
    let mut server = Server::start(Config { limits, ..Config::free_ports() }).unwrap();
    let notices = server.notices().unwrap();
    let mut greedy = TcpStream::connect(server.addr()).unwrap();
    let _ = greedy.write_all(&[&(8_u32 << 20).to_be_bytes()[..], &vec![0; 2 << 20]].concat());
    assert!(matches!(greedy.read(&mut [0]), Ok(0) | Err(_)));
    assert!(notices.try_iter().any(|notice| matches!(notice, Notice::TooMuch { .. })));
    assert_eq!(Client::to(server.addr()).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
}
