//! A server inside a test: how it starts, what it refuses, what it leaves.

use std::net::Ipv4Addr;

use mqlab::host::serve::{Config, ServeError, Server};
use mqlab::mq::wire::code::response;

use super::client::{Client, route};

#[test]
fn a_server_that_is_dropped_stops_and_its_temporary_files_go() {
    let server = Server::start(Config::free_ports()).unwrap();
    let (addr, folder) = (server.addr(), server.brokers()[0].folder.clone());
    assert!(addr.ip().is_loopback() && folder.is_dir());
    assert_eq!(Client::to(addr).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
    drop(server);
    assert!(!folder.exists() && std::net::TcpStream::connect(addr).is_err());
}

#[test]
fn nobody_else_is_let_in_unless_that_is_said() {
    let open = Config { listen: Ipv4Addr::UNSPECIFIED, ..Config::free_ports() };
    let refused = Server::start(open.clone()).unwrap_err();
    assert!(matches!(refused, ServeError::Exposed(Ipv4Addr::UNSPECIFIED)), "{refused}");
    let server = Server::start(Config { expose: true, advertise: Some(Ipv4Addr::LOCALHOST), ..open }).unwrap();
    assert_eq!(Client::to(server.addr()).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
}

#[test]
fn a_taken_port_a_bad_name_and_a_bad_fault_are_refused_by_name() {
    let server = Server::start(Config::free_ports()).unwrap();
    let taken = Config { nameserver_port: server.addr().port(), ..Config::free_ports() };
    let refused = Server::start(taken).unwrap_err().to_string();
    assert!(refused.contains(&format!("port {}", server.addr().port())) && refused.contains("nameserver"), "{refused}");
    let twice = Config { nameservers: vec!["broker-a".into()], ..Config::free_ports() };
    assert!(matches!(Server::start(twice).unwrap_err(), ServeError::Name(_)));
    let climbing = Config { nameservers: vec!["../up".into()], ..Config::free_ports() };
    assert!(matches!(Server::start(climbing).unwrap_err(), ServeError::Name(_)));
    let fault = Config { faults: vec!["drop everything".to_owned()], ..Config::free_ports() };
    assert!(Server::start(fault).unwrap_err().to_string().contains("`everything` at column 6"));
}

#[test]
fn a_second_server_does_not_take_a_store_that_is_open() {
    let data = tempfile::tempdir().unwrap();
    let config = Config { data: Some(data.path().to_owned()), ..Config::free_ports() };
    let first = Server::start(config.clone()).unwrap();
    let refused = Server::start(config.clone()).unwrap_err();
    assert!(matches!(&refused, ServeError::Boot { node, .. } if *node == "broker-a"), "{refused}");
    first.stop().unwrap();
    Server::start(config).unwrap();
}
