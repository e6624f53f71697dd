//! Which machines a server is: their ports, their addresses, their folders.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use crate::host::serve::ports::{self, Bound};
use crate::host::serve::{BrokerSetup, Config, ServeError, Served, files};
use crate::host::tcp::{Machine, Port};
use crate::lab::trace::log::Role;
use crate::mq::broker::{Broker, BrokerConfig};
use crate::mq::message::Name;
use crate::mq::namesrv::{Namesrv, NamesrvConfig, kv_config};
use crate::mq::node::{Addr, Node};

/// The machines, nameservers first.
pub(super) struct Planned {
    pub(super) machines: Vec<Machine>,
    pub(super) names: Vec<Name>,
    pub(super) nameservers: Vec<Served>,
    pub(super) brokers: Vec<Served>,
    pub(super) scratch: Option<PathBuf>,
}

/// A broker's sockets: its own, the VIP channel's two below, and that of replication, one above. Source: `Broker::ports`.
const BROKER_PORTS: [i32; 3] = [0, -2, 1];
/// From one broker's port to the next one's.
const BROKERS_APART: u16 = 10;

/// Decides every number, binds every port, makes every folder.
///
/// Errors: what cannot be had.
pub(super) fn plan(config: &Config) -> Result<Planned, ServeError> {
    if !config.listen.is_loopback() && !config.expose {
        return Err(ServeError::Exposed(config.listen));
    }
    let names: Vec<Name> =
        config.nameservers.iter().chain(config.brokers.iter().map(|broker| &broker.node)).cloned().collect();
    let distinct: BTreeSet<&Name> = names.iter().collect();
    if let Some(name) = names.iter().find(|name| !is_folder(name) || distinct.len() < names.len()) {
        return Err(ServeError::Name(name.clone()));
    }
    let mut machines = Vec::new();
    let mut nameservers = Vec::new();
    let mut brokers = Vec::new();
    let bound = bind_all(config)?;
    let (root, scratch) = root(config)?;
    // Nodes of one process reach each other on this machine, wherever clients are told to go.
    let inside = if config.listen.is_unspecified() { Ipv4Addr::LOCALHOST } else { config.listen };
    let outside = config.advertise.unwrap_or(inside);
    let (of_nameservers, of_brokers) = bound;
    for (name, bound) in config.nameservers.iter().zip(of_nameservers) {
        let served = served(name, (outside, bound.port), &root)?;
        machines.push(nameserver(config, served.clone(), (inside, bound)));
        nameservers.push(served);
    }
    let addrs: Vec<(Name, Addr)> = nameservers
        .iter()
        .map(|served| (served.node.clone(), Addr { ip: u32::from(inside), port: served.addr.port() }))
        .collect();
    for (setup, bound) in config.brokers.iter().zip(of_brokers) {
        let served = served(&setup.node, (outside, bound.port), &root)?;
        let broker = broker_config(setup, ((inside, outside), bound.port), &addrs);
        machines.push(broker_machine(config, served.clone(), (broker, bound)));
        brokers.push(served);
    }
    Ok(Planned { machines, names, nameservers, brokers, scratch })
}

/// Whether a folder can be called so.
fn is_folder(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':'])
}

fn bind_all(config: &Config) -> Result<(Vec<Bound>, Vec<Bound>), ServeError> {
    let bind = |node: &Name, (first, number, apart): (u16, usize, u16), distances: &[i32]| {
        if first == 0 {
            return ports::free(config.listen, distances).ok_or(ServeError::NoPorts { node: node.clone() });
        }
        let port = u16::try_from(number).ok().and_then(|number| first.checked_add(number.checked_mul(apart)?));
        let port = port.ok_or(ServeError::NoPorts { node: node.clone() })?;
        let failed = |(port, source)| ServeError::Port { node: node.clone(), listen: config.listen, port, source };
        ports::at(config.listen, port, distances).map_err(failed)
    };
    let nameservers = config.nameservers.iter().enumerate();
    let nameservers = nameservers.map(|(number, node)| bind(node, (config.nameserver_port, number, 1), &[0]));
    let nameservers = nameservers.collect::<Result<Vec<_>, _>>()?;
    let brokers = config.brokers.iter().enumerate();
    let brokers =
        brokers.map(|(number, broker)| bind(&broker.node, (config.broker_port, number, BROKERS_APART), &BROKER_PORTS));
    Ok((nameservers, brokers.collect::<Result<Vec<_>, _>>()?))
}

/// Below which folder everything lies, and whether that goes with the server.
fn root(config: &Config) -> Result<(PathBuf, Option<PathBuf>), ServeError> {
    match &config.data {
        Some(path) => Ok((path.clone(), None)),
        None => {
            let path = files::scratch()?;
            Ok((path.clone(), Some(path)))
        }
    }
}

fn served(node: &Name, (ip, port): (Ipv4Addr, u16), root: &Path) -> Result<Served, ServeError> {
    let folder = root.join(node.as_str());
    fs::create_dir_all(&folder).map_err(|source| ServeError::Folder { path: folder.clone(), source })?;
    Ok(Served { node: node.clone(), addr: SocketAddrV4::new(ip, port), folder })
}

fn ports_of(bound: Bound, distances: &[i32]) -> Vec<Port> {
    let Bound { port, sockets } = bound;
    let port_of = |(socket, distance): (std::net::TcpListener, &i32)| Port {
        number: (i32::from(port) + distance) as u16,
        is_stream: *distance == 1,
        bound: Some(socket),
    };
    sockets.into_iter().zip(distances).map(port_of).collect()
}

fn nameserver(config: &Config, served: Served, (ip, bound): (Ipv4Addr, Bound)) -> Machine {
    let settings = NamesrvConfig::new(Addr { ip: u32::from(ip), port: bound.port });
    Machine {
        name: served.node,
        role: Role::Nameserver,
        listen: config.listen,
        ports: ports_of(bound, &[0]),
        boot: Box::new(move |step| match kv_config::readable(step.disk) {
            Ok(()) => Ok(Box::new(Namesrv::boot(settings.clone(), step)) as Box<dyn Node>),
            Err(error) => Err(Name::from(error.to_string())),
        }),
        folder: served.folder,
        application: None,
    }
}

/// A broker's settings with the addresses that it has here.
fn broker_config(
    setup: &BrokerSetup,
    ((inside, outside), port): ((Ipv4Addr, Ipv4Addr), u16),
    nameservers: &[(Name, Addr)],
) -> BrokerConfig {
    let is_its_own = |name: &Name| setup.nameservers.is_empty() || setup.nameservers.contains(name);
    BrokerConfig {
        addr: Addr { ip: u32::from(inside), port },
        broker_ip1: u32::from(outside),
        broker_ip2: u32::from(inside),
        nameservers: nameservers.iter().filter(|(name, _)| is_its_own(name)).map(|(_, addr)| *addr).collect(),
        ..setup.config.clone()
    }
}

fn broker_machine(config: &Config, served: Served, (settings, bound): (BrokerConfig, Bound)) -> Machine {
    Machine {
        name: served.node,
        role: Role::Broker,
        listen: config.listen,
        ports: ports_of(bound, &BROKER_PORTS),
        boot: Box::new(move |step| match Broker::boot(settings.clone(), step) {
            Ok(broker) => Ok(Box::new(broker) as Box<dyn Node>),
            Err(error) => Err(Name::from(error.to_string())),
        }),
        folder: served.folder,
        application: None,
    }
}
