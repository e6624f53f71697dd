//! A broker tells every nameserver what it has: at start, 10 s later, then every 30 s, and when a topic is born.
//!
//! Each nameserver has a connection of its own; what cannot be sent now waits for it or is dropped with it.
//! Source: `BrokerController.registerBrokerAll`, `BrokerOuterAPI`. Differs: rounds are not waited for, since nothing here
//! blocks: of a round's answers the first is used as soon as it comes.

use crate::mq::message::Name;
use crate::mq::node::{Addr, ConnId, Out};
use crate::mq::wire::command::{Command, Opaque};

/// The nameservers and the connections to them.
#[derive(Clone, Debug)]
pub struct Registration {
    nameservers: Vec<Nameserver>,
    /// The two-way round that nobody has answered yet.
    unanswered: Option<Opaque>,
}

#[derive(Clone, Debug)]
struct Nameserver {
    addr: Addr,
    name: Name,
    state: Link,
}

#[derive(Clone, Debug)]
enum Link {
    Down,
    /// Asked for; what waits for it.
    Opening(ConnId, Vec<Command>),
    Up(ConnId),
}

impl Registration {
    /// No connection yet.
    pub fn new(nameservers: &[Addr]) -> Registration {
        let nameservers =
            nameservers.iter().map(|addr| Nameserver { addr: *addr, name: addr.to_string().into(), state: Link::Down });
        Registration { nameservers: nameservers.collect(), unanswered: None }
    }

    /// Sends a command to every nameserver, connecting where needed. `next_conn` gives connections never used before.
    pub fn send_all(&mut self, command: &Command, next_conn: &mut impl FnMut() -> ConnId, out: &mut Out) {
        for nameserver in &mut self.nameservers {
            match &mut nameserver.state {
                Link::Up(conn) => out.send(*conn, Box::new(command.clone())),
                Link::Opening(_, waiting) => waiting.push(command.clone()),
                Link::Down => {
                    let conn = next_conn();
                    out.connect(conn, nameserver.addr);
                    nameserver.state = Link::Opening(conn, vec![command.clone()]);
                }
            }
        }
    }

    /// A round begins whose first answer counts.
    pub fn begin_round(&mut self, opaque: Opaque) {
        self.unanswered = Some(opaque);
    }

    /// Whether this is the first answer to the round under way.
    pub fn is_first_answer(&mut self, response: &Command) -> bool {
        self.unanswered.take_if(|opaque| *opaque == response.opaque && response.code == 0).is_some()
    }

    /// A connection stands: what waited for it goes out. Whether it was one of these.
    pub fn connected(&mut self, conn: ConnId, out: &mut Out) -> bool {
        for nameserver in &mut self.nameservers {
            if let Link::Opening(opening, waiting) = &mut nameserver.state
                && *opening == conn
            {
                for command in waiting.drain(..) {
                    out.send(conn, Box::new(command));
                }
                nameserver.state = Link::Up(conn);
                return true;
            }
        }
        false
    }

    /// A connection failed or went: what waited for it is dropped, the next round tries again.
    pub fn gone(&mut self, conn: ConnId) -> bool {
        let found = self.nameservers.iter_mut().find(|nameserver| match &nameserver.state {
            Link::Down => false,
            Link::Opening(found, _) | Link::Up(found) => *found == conn,
        });
        found.map(|nameserver| nameserver.state = Link::Down).is_some()
    }

    /// The nameserver behind a connection.
    pub fn name_of(&self, conn: ConnId) -> Option<&Name> {
        let found = self.nameservers.iter().find(|nameserver| matches!(nameserver.state, Link::Up(up) if up == conn));
        found.map(|nameserver| &nameserver.name)
    }
}
