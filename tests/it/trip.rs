//! The client against the real nameserver and broker, in the simulated world: what is sent is consumed, and noted.

use std::sync::Arc;

use bytes::Bytes;
use mqlab::lab::fault::episode::Trigger;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::lab::sim::machine::{Action, Applications, DiskSetup, MachineSetup};
use mqlab::lab::sim::world::{Setup, World};
use mqlab::lab::trace::log::Role;
use mqlab::lab::trace::record::NodeId;
use mqlab::mq::app::{Call, ConsumeFrom, ConsumeOutcome, OpId, Return, SendStatus};
use mqlab::mq::broker::{Broker, BrokerConfig};
use mqlab::mq::client::Client;
use mqlab::mq::client::config::{ClientConfig, ConsumerConfig, ProducerConfig};
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::{Message, Name};
use mqlab::mq::namesrv::{Namesrv, NamesrvConfig};
use mqlab::mq::node::{Addr, Node, Step};
use mqlab::mq::time::{Span, Time};

const NAMESRV: Addr = Addr::new(10, 0, 1, 1, 9876);
const BROKER: Addr = Addr::new(10, 0, 2, 1, 10911);
const MESSAGES: u64 = 200;

/// Sends one message after the other; asks again after a failure, a second later.
#[derive(Clone)]
struct Sender {
    group: Name,
    from: u64,
    next: u64,
    until: u64,
}

impl Sender {
    fn call(&self, out: &mut Vec<Action>) {
        let body = Bytes::from(format!("{:0128}", self.next));
        let message = Message { topic: "T".into(), flag: 0, properties: Properties::new(), body };
        let (op, group) = (OpId(self.next), self.group.clone());
        out.push(Action::Call(Box::new(Call::Send { op, group, message, timeout: None })));
    }
}

impl Applications for Sender {
    fn boot(&mut self, now: Time, out: &mut Vec<Action>) {
        // Late enough for the consumers to stand; brokers register at their start.
        out.push(Action::Wake { at: now + Span::from_secs(15), token: 0 });
    }

    fn on_return(&mut self, now: Time, answer: &Return, _: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        match answer {
            Return::Sent { op, result } => {
                assert_eq!((*op, result.status), (OpId(self.next), SendStatus::SendOk));
                self.next += 1;
                if self.next < self.until {
                    self.call(out);
                }
            }
            _ => out.push(Action::Wake { at: now + Span::from_secs(1), token: 0 }),
        }
    }

    fn on_wake(&mut self, _: Time, _: u64, out: &mut Vec<Action>) {
        assert!(self.from <= self.next);
        self.call(out);
    }

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(self.clone())
    }
}

/// Consumes at once.
#[derive(Clone)]
struct Listener;

impl Applications for Listener {
    fn boot(&mut self, _: Time, _: &mut Vec<Action>) {}

    fn on_return(&mut self, _: Time, answer: &Return, _: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>) {
        if let Return::Listen { task, .. } = answer {
            let outcome = ConsumeOutcome::Success { ack_index: i32::MAX };
            out.push(Action::Call(Box::new(Call::Listened { task: *task, outcome })));
        }
    }

    fn on_wake(&mut self, _: Time, _: u64, _: &mut Vec<Action>) {}

    fn fork(&self) -> Box<dyn Applications> {
        Box::new(self.clone())
    }
}

/// One nameserver, one broker, `producers` and `consumers`; the broker's number comes back too.
fn setup(producers: u8, consumers: u8, messages: u64) -> (Setup, NodeId, Vec<NodeId>) {
    let mut setup = Setup::new(1);
    let boot = Arc::new(|step: &mut Step<'_>| -> Result<Box<dyn Node>, Name> {
        Ok(Box::new(Namesrv::boot(NamesrvConfig::new(NAMESRV), step)))
    });
    setup.add_machine(machine("namesrv", Role::Nameserver, NAMESRV, boot), Trigger::At(Time::ZERO));
    let mut config = BrokerConfig::new("broker-a", BROKER);
    config.nameservers = vec![NAMESRV];
    let boot = Arc::new(move |step: &mut Step<'_>| -> Result<Box<dyn Node>, Name> {
        let broker = Broker::boot(config.clone(), step).map_err(|error| Name::from(error.to_string()))?;
        Ok(Box::new(broker))
    });
    let mut broker = machine("broker-a", Role::Broker, BROKER, boot);
    broker.ports = vec![BROKER.port, BROKER.port - 2];
    broker.disk = Some(disk());
    let broker = setup.add_machine(broker, Trigger::At(Time::ZERO));
    for number in 0..producers {
        let mut config = client(3, number);
        config.producers.push(ProducerConfig::new("PG"));
        let share = messages / u64::from(producers);
        let from = u64::from(number) * share;
        let sender = Sender { group: "PG".into(), from, next: from, until: from + share };
        add_client(&mut setup, config, Arc::new(move || Box::new(sender.clone())));
    }
    let mut numbers = Vec::new();
    for number in 0..consumers {
        let mut config = client(4, number);
        let mut consumer = ConsumerConfig::new("CG");
        consumer.subscriptions.push(("T".into(), "*".into()));
        consumer.consume_from = ConsumeFrom::First;
        config.consumers.push(consumer);
        numbers.push(add_client(&mut setup, config, Arc::new(|| Box::new(Listener))));
    }
    (setup, broker, numbers)
}

fn client(kind: u8, number: u8) -> ClientConfig {
    let ip = u32::from_be_bytes([10, 0, kind, number + 1]);
    ClientConfig::new(format!("client-{kind}-{number}"), ip, 1000 + u16::from(number), vec![NAMESRV])
}

fn add_client(
    setup: &mut Setup,
    config: ClientConfig,
    apps: Arc<dyn Fn() -> Box<dyn Applications> + Send + Sync>,
) -> NodeId {
    let addr = Addr { ip: config.ip, port: 0 };
    let name = config.name.clone();
    let boot = Arc::new(move |step: &mut Step<'_>| -> Result<Box<dyn Node>, Name> {
        Ok(Box::new(Client::boot(config.clone(), step)))
    });
    let mut machine = machine(&name, Role::Client, addr, boot);
    machine.ports = Vec::new();
    machine.apps = Some(apps);
    setup.add_machine(machine, Trigger::At(Time::ZERO + Span::from_secs(1)))
}

fn machine(name: &str, role: Role, addr: Addr, boot: mqlab::lab::sim::machine::Boot) -> MachineSetup {
    MachineSetup { name: name.into(), role, ip: addr.ip, ports: vec![addr.port], boot, apps: None, disk: None }
}

fn disk() -> DiskSetup {
    let (fsync_min, fsync_max) = (Span::from_millis(1), Span::from_millis(4));
    DiskSetup {
        fsync_min,
        fsync_max,
        make: Arc::new(move || {
            let plan = DiskPlan { fsync_min, fsync_max, torn_writes: true, ..DiskPlan::default() };
            Box::new(SimDisk::new(&plan))
        }),
    }
}

fn node<T: 'static>(world: &World, node: NodeId) -> &T {
    world.process(node).expect("it lives").as_any().downcast_ref().expect("it is one of those")
}

#[test]
fn what_is_sent_is_consumed_and_noted_at_the_broker() {
    let (mut setup, broker, consumers) = setup(2, 2, MESSAGES);
    setup.until = Time::ZERO + Span::from_secs(120);
    let mut world = setup.world();
    world.run(u64::MAX);
    assert!(world.panics().is_empty(), "{:?}", world.panics());
    let owned: Vec<_> = consumers.iter().flat_map(|number| node::<Client>(&world, *number).owned()).collect();
    let of_topic: Vec<_> = owned.iter().filter(|owned| owned.queue.topic == "T").collect();
    assert_eq!(of_topic.len(), 4, "{owned:?}");
    assert_eq!(of_topic.iter().map(|owned| owned.consumed).sum::<i64>(), MESSAGES as i64, "{owned:?}");
    assert!(of_topic.iter().all(|owned| owned.cached == 0 && owned.next_offset == owned.consumed));
    let broker = node::<Broker>(&world, broker);
    for owned in of_topic {
        let max = broker.store().max_queue_offset("T", owned.queue.queue_id);
        assert_eq!(max.0, owned.consumed);
    }
}
