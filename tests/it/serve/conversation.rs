//! What a client says, and what it is answered, over a real socket.

use mqlab::host::serve::{Config, Server};
use mqlab::mq::wire::body::{JsonBody, RouteData};
use mqlab::mq::wire::code::{request, response};
use mqlab::mq::wire::codec::raw::SerializeType;
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::Header;

use super::client::{Client, Gone, create_topic, message, pull, route};

#[test]
fn a_topic_is_made_filled_and_read_and_a_clean_stop_leaves_no_abort_file() {
    let data = tempfile::tempdir().unwrap();
    let config = Config { data: Some(data.path().to_owned()), ..Config::free_ports() };
    let server = Server::start(config).unwrap();
    let (nameserver, broker) = (server.addr(), server.brokers()[0].addr);
    let mut map = Client::to(nameserver);
    let unknown = map.ask(route("orders")).unwrap();
    assert_eq!(unknown.code, response::TOPIC_NOT_EXIST);
    assert!(unknown.remark.unwrap().starts_with("No topic route info in name server for the topic: orders"));
    let mut client = Client::to(broker);
    assert_eq!(client.ask(create_topic("orders", 2)).unwrap().code, response::SUCCESS);
    let body = map.ask(route("orders")).unwrap().body.unwrap();
    let known = RouteData::decode(&body).unwrap();
    assert_eq!(&*known.broker_datas[0].broker_addrs[&0], broker.to_string());
    let sent: Vec<Vec<u8>> = (0..100).map(|number| format!("order-{number}").into_bytes()).collect();
    for (number, body) in (0..).zip(&sent) {
        assert_eq!(client.send("orders", body), Ok(number));
    }
    let pulled = pull_until(&mut client, "orders", sent.len());
    assert_eq!(pulled, sent);
    assert!(server.stop().unwrap().cleanly);
    let store = data.path().join("broker-a");
    assert!(
        store.join("commitlog").is_dir() && !store.join("abort").exists(),
        "a clean stop takes the abort file away"
    );
    assert_eq!(client.hear().unwrap_err(), Gone::Fin);
}

/// Reads until so many have come: what was stored a moment ago may not be in the queue yet.
pub fn pull_until(client: &mut Client, topic: &str, count: usize) -> Vec<Vec<u8>> {
    loop {
        let all = client.pull_all(topic);
        if count <= all.len() {
            return all;
        }
    }
}

#[test]
fn both_header_types_are_read_whatever_the_answer_is_written_in() {
    let server = Server::start(Config::free_ports()).unwrap();
    let mut client = Client::to(server.brokers()[0].addr);
    for header in [SerializeType::Json, SerializeType::RocketMq] {
        client.header = header;
        client.send("orders", b"x").unwrap();
    }
    assert_eq!(pull_until(&mut client, "orders", 2).len(), 2);
}

#[test]
fn a_vip_port_takes_sends_and_a_oneway_request_has_no_answer() {
    let server = Server::start(Config::free_ports()).unwrap();
    let mut vip = server.brokers()[0].addr;
    vip.set_port(vip.port() - 2);
    let mut client = Client::to(vip);
    let mut oneway = message("orders", b"first");
    oneway.flag |= 2;
    client.say(oneway);
    assert_eq!(client.send("orders", b"second"), Ok(1), "the one-way message came first, and was not answered");
    assert_eq!(pull_until(&mut Client::to(server.brokers()[0].addr), "orders", 2)[0], b"first");
}

#[test]
fn a_pull_is_held_until_there_is_something_and_then_answered_on_its_channel() {
    let server = Server::start(Config::free_ports()).unwrap();
    let (mut waiting, mut sending) = (Client::to(server.brokers()[0].addr), Client::to(server.brokers()[0].addr));
    sending.send("orders", b"first").unwrap();
    assert_eq!(pull_until(&mut waiting, "orders", 1).len(), 1);
    let mut held = pull("orders", 1);
    if let Header::Pull(header) = &mut held.header {
        (header.sys_flag, header.suspend_timeout_millis) = (header.sys_flag | 2, 15_000);
    }
    let number = waiting.say(held);
    sending.send("orders", b"second").unwrap();
    let answer = waiting.hear().unwrap();
    assert_eq!((answer.opaque, answer.code), (number, response::SUCCESS));
}

#[test]
fn a_field_that_is_missing_is_answered_and_an_unknown_code_is_not() {
    let server = Server::start(Config::free_ports()).unwrap();
    let mut client = Client::to(server.addr());
    let bare = Command::request(request::GET_ROUTEINTO_BY_TOPIC, Opaque(0), Header::None);
    let answer = client.ask(bare).unwrap();
    assert_eq!(answer.code, response::TOPIC_NOT_EXIST);
    assert!(answer.remark.unwrap().contains("for the topic: null"));
    client.say(Command::request(399, Opaque(0), Header::None));
    assert_eq!(client.ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST, "and the connection lives");
}
