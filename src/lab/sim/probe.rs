//! A question put to a node at a moment of a run, as over a wire that takes no time; the run does not notice.

use crate::lab::sim::machine::Mood;
use crate::lab::sim::world::World;
use crate::lab::trace::record::NodeId;
use crate::mq::node::{Addr, Effect, Event, Frame, Out, Step};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// Where questions come from, an address that no machine has.
const ASKER: Addr = Addr::new(10, 255, 255, 254, 40_000);

impl World {
    /// What the node's process answers to a request; `None` if it does not run, or does not answer at once.
    ///
    /// A copy of the machine is asked: nothing of the run changes.
    pub fn ask(&self, node: NodeId, code: i32, header: Header) -> Option<Box<Command>> {
        let machine = self.machines.get(usize::from(node.0))?;
        if machine.mood != Mood::Running {
            return None;
        }
        let mut machine = machine.fork();
        let mut process = machine.node.take()?;
        let (wall, mono) = (machine.wall(self.setup().start, self.now()), machine.mono(self.now()));
        machine.disk.set_clock(wall, self.now());
        let conn = machine.accept();
        let port = machine.setup.ports.first().copied()?;
        let command = Command::request(code, Opaque(0), header);
        let mut out = Out::default();
        for event in
            [Event::Accepted { conn, port, peer: ASKER }, Event::Received { conn, frame: Frame::Command(command) }]
        {
            let mut step = Step {
                wall,
                mono,
                disk: &mut *machine.disk,
                dice: &mut machine.dice,
                costs: &machine.costs,
                out: &mut out,
            };
            process.on(event, &mut step);
        }
        out.drain().find_map(|effect| match effect {
            Effect::Send { conn: to, frame: Frame::Command(answer) } if to == conn => Some(answer),
            _ => None,
        })
    }
}
