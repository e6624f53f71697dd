//! Faults on a server that clients use, and what of them stands in its trace.

use mqlab::host::serve::{BrokerSetup, Config, Server};
use mqlab::host::tcp::{Done, Notice};
use mqlab::mq::broker::BrokerConfig;
use mqlab::mq::node::Addr;
use mqlab::mq::store::config::Role;
use mqlab::mq::wire::code::response;

use super::client::{Client, Gone, message, route};
use super::conversation::pull_until;

/// Lines of a trace that contain a text.
fn lines(trace: &std::path::Path, text: &str) -> usize {
    std::fs::read_to_string(trace).unwrap().lines().filter(|line| line.contains(text)).count()
}

#[test]
fn a_reply_that_is_dropped_leaves_the_message_there_and_each_loss_in_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.jsonl");
    let server = Server::start(Config { trace: Some(trace.clone()), seed: 7, ..Config::free_ports() }).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    client.send("orders", b"before").unwrap();
    assert_eq!(server.fault("drop reply send-message 1 in 3 on broker-a"), Ok(Done::Began { number: 1 }));
    let sent: Vec<_> = (0..30).map(|_| client.say(message("orders", b"x"))).collect();
    assert_eq!(server.fault("heal 1"), Ok(Done::Healed { count: 1 }));
    // The last is answered, and so everything before it that was not lost.
    let last = client.say(message("orders", b"last"));
    let mut answered = Vec::new();
    while answered.last() != Some(&last) {
        answered.push(client.hear().unwrap().opaque);
    }
    assert_eq!(pull_until(&mut client, "orders", 32).len(), 32, "all were stored");
    server.stop().unwrap();
    let lost = sent.len() + 1 - answered.len();
    assert_eq!(lines(&trace, r#""kind":"dropped""#), lost);
    assert_eq!(lines(&trace, r#""kind":"fault-begun""#), 1);
    assert_eq!(lines(&trace, r#""kind":"fault-ended""#), 1);
    assert!(lines(&trace, r#""kind":"appended""#) == 32 && lines(&trace, r#""kind":"started""#) == 2);
}

#[test]
fn a_connection_is_closed_or_reset_when_the_request_comes_and_the_next_one_works() {
    let server = Server::start(Config::free_ports()).unwrap();
    for (order, gone) in [("close get-routeinto-by-topic", Gone::Fin), ("reset get-routeinto-by-topic", Gone::Reset)] {
        server.fault(order).unwrap();
        assert_eq!(Client::to(server.addr()).ask(route("orders")).unwrap_err(), gone, "{order}");
        server.fault("heal").unwrap();
        assert_eq!(Client::to(server.addr()).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
    }
}

#[test]
fn a_late_reply_is_overtaken_by_those_behind_it() {
    let server = Server::start(Config::free_ports()).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    client.send("orders", b"first").unwrap();
    server.fault("delay reply send-message 300ms").unwrap();
    let slow = client.say(message("orders", b"slow"));
    // A pull is no send: its answer is not held back.
    let quick = client.say(super::client::pull("orders", 0));
    assert_eq!([client.hear().unwrap().opaque, client.hear().unwrap().opaque], [quick, slow]);
}

#[test]
fn a_slow_disk_holds_back_who_waits_for_it() {
    let mut config = Config::free_ports();
    config.brokers[0].config.store.sync_flush = true;
    let server = Server::start(config).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    client.send("orders", b"first").unwrap();
    server.fault("slow-disk 400ms").unwrap();
    let slow = client.say(message("orders", b"slow"));
    let quick = client.say(super::client::pull("orders", 0));
    assert_eq!([client.hear().unwrap().opaque, client.hear().unwrap().opaque], [quick, slow]);
}

#[test]
fn a_full_disk_has_no_room_for_the_next_file_until_it_is_healed() {
    let mut config = Config::free_ports();
    config.brokers[0].config.store.commit_log_file_size = 16 << 10;
    let server = Server::start(config).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    client.send("orders", b"first").unwrap();
    server.fault("full-disk on broker-a").unwrap();
    let mut answers = (0..100).map(|_| client.ask(message("orders", &[b'x'; 1_000])).unwrap().code);
    let refused = answers.find(|code| *code != response::SUCCESS);
    assert!(matches!(refused, Some(response::SYSTEM_ERROR | response::SERVICE_NOT_AVAILABLE)), "{refused:?}");
    server.fault("heal").unwrap();
    let mut answers = (0..100).map(|_| client.ask(message("orders", b"again")).unwrap().code);
    assert!(answers.any(|code| code == response::SUCCESS));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_the_address_is_the_same() {
    let server = Server::start(Config::free_ports()).unwrap();
    let addr = server.brokers()[0].addr;
    let mut client = Client::to(addr);
    for number in 0..50 {
        client.send("orders", format!("order-{number}").as_bytes()).unwrap();
    }
    assert_eq!(server.fault("kill broker-a"), Ok(Done::Killed));
    assert!(client.hear().is_err());
    assert_eq!(server.fault("restart broker-a"), Ok(Done::Restarted));
    let all = pull_until(&mut Client::to(addr), "orders", 50);
    assert_eq!(all.len(), 50);
    assert_eq!(all[49], b"order-49");
    server.fault("kill broker-a").unwrap();
    assert!(!server.stop().unwrap().cleanly, "its store is as the kill left it");
}

#[test]
fn a_broker_whose_port_is_taken_meanwhile_says_so_and_comes_back_when_it_is_free() {
    let mut server = Server::start(Config::free_ports()).unwrap();
    let notices = server.notices().unwrap();
    let addr = server.brokers()[0].addr;
    server.fault("kill broker-a").unwrap();
    let taken = std::net::TcpListener::bind(addr).unwrap();
    let refused = server.fault("restart broker-a");
    assert!(matches!(&refused, Ok(Done::BootFailed { why }) if why.contains(&addr.port().to_string())), "{refused:?}");
    drop(taken);
    assert_eq!(server.fault("restart broker-a"), Ok(Done::Restarted));
    Client::to(addr).send("orders", b"x").unwrap();
    let told: Vec<Notice> = notices.try_iter().collect();
    assert!(
        matches!(&told[..], [Notice::Killed { .. }, Notice::BootFailed { .. }, Notice::Booted { .. }]),
        "each is told once: {told:?}"
    );
}

#[test]
fn an_order_that_cannot_be_read_changes_nothing_and_says_what_could_stand_there() {
    let server = Server::start(Config::free_ports()).unwrap();
    let told = server.fault("drop reply send-mesage").unwrap_err().to_string();
    assert!(told.contains("`send-mesage` at column 12") && told.contains("did you mean `send-message`?"), "{told}");
    let told = server.fault("kill broker-b").unwrap_err().to_string();
    assert!(told.contains("did you mean `broker-a`?"), "{told}");
    assert_eq!(server.fault("list"), Ok(Done::Faults(Vec::new())));
}

#[test]
fn a_slave_takes_what_its_master_sends_over_the_replication_port() {
    let mut config = Config::free_ports();
    config.brokers[0].config.store.role = Role::SyncMaster;
    let mut slave = BrokerConfig::new("broker-a", Addr::new(127, 0, 0, 1, 0));
    (slave.broker_id, slave.store.role) = (1, Role::Slave);
    config.brokers.push(BrokerSetup { node: "broker-a-s".into(), config: slave, nameservers: Vec::new() });
    let server = Server::start(config).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    let mut send = || {
        let answer = client.ask(message("orders", b"x")).unwrap().code;
        client.rest();
        answer
    };
    assert_eq!(send(), response::SLAVE_NOT_AVAILABLE, "a slave has nothing to say for its first seconds");
    // A synchronous master says yes when its slave has said that it has the message.
    while send() != response::SUCCESS {}
}
