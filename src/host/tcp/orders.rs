//! What somebody asks of a driver while it runs: faults, kills, restarts.

use crate::host::fault::{Fault, Order};
use crate::host::tcp::active::Active;
use crate::host::tcp::driver::{Driver, Later};
use crate::host::tcp::log::Stamp;
use crate::host::tcp::perform::Death;
use crate::host::tcp::{Done, Notice};
use crate::lab::trace::record::{Fault as FaultNote, Seq, What};
use crate::mq::message::Name;
use crate::mq::node::Event;

impl Driver {
    /// Carries an order out.
    pub(super) fn order(&mut self, order: Order) -> Done {
        match order {
            Order::Begin(fault) => self.begin_fault(fault),
            Order::Heal(number) => {
                let before = self.faults.all.len();
                self.heal(number);
                Done::Healed { count: before - self.faults.all.len() }
            }
            Order::Kill(node) => {
                if let Some(machine) = self.named(&node) {
                    self.kill(machine, "kill");
                }
                Done::Killed
            }
            Order::Restart(node) => {
                let Some(machine) = self.named(&node) else { return Done::Killed };
                self.kill(machine, "restart");
                match self.boot(machine) {
                    Ok(()) => Done::Restarted,
                    Err(why) => Done::BootFailed { why },
                }
            }
            Order::List => {
                Done::Faults(self.faults.all.iter().map(|active| (active.number, active.fault.text.clone())).collect())
            }
            Order::Stop => {
                self.stop();
                Done::Stopping
            }
        }
    }

    fn named(&self, node: &Name) -> Option<usize> {
        self.machines.iter().position(|machine| machine.setup.name == *node)
    }

    fn kill(&mut self, machine: usize, verb: &str) {
        if self.machines[machine].node.is_none() {
            return;
        }
        let name = self.machines[machine].setup.name.clone();
        let what = Name::from(format!("{verb} {name}"));
        let seq = self.note_fault(FaultNote::Begun { name: what.clone(), what });
        self.die(machine, Death::Killed, seq);
    }

    fn begin_fault(&mut self, fault: Fault) -> Done {
        let (text, lasts) = (fault.text.clone(), fault.lasts);
        let number = self.faults.begin(fault);
        let seq = self.note_fault(FaultNote::Begun { name: fault_name(number), what: text.clone() });
        if let Some(active) = self.faults.all.last_mut() {
            active.seq = seq;
        }
        if let Some(span) = lasts {
            self.after(span, Later::Heal(number));
        }
        self.look_at_the_disks(seq);
        self.tell(Notice::Fault { number, text, begins: true });
        Done::Began { number }
    }

    /// Ends one fault, or all.
    pub(super) fn heal(&mut self, number: Option<u32>) {
        for Active { number, fault, .. } in self.faults.heal(number) {
            let seq = self.note_fault(FaultNote::Ended { name: fault_name(number) });
            self.look_at_the_disks(seq);
            self.tell(Notice::Fault { number, text: fault.text, begins: false });
        }
    }

    /// Who has more room than before, or less, is told to look.
    fn look_at_the_disks(&mut self, cause: Option<Seq>) {
        for machine in 0..self.machines.len() {
            let is_full = self.faults.full_disk(&self.machines[machine].setup.name);
            let running = &mut self.machines[machine];
            let Some(disk) = running.disk.as_mut().filter(|disk| disk.is_full != is_full) else { continue };
            disk.is_full = is_full;
            let incarnation = running.incarnation;
            self.pending.push_back((machine, incarnation, Event::SpaceChanged, cause));
        }
    }

    fn note_fault(&mut self, fault: FaultNote) -> Option<Seq> {
        self.log.begin();
        let stamp = Stamp { node: None, wall: self.clock.wall(), mono: self.clock.mono() };
        self.log.note(stamp, None, || What::Fault(fault))
    }
}

fn fault_name(number: u32) -> Name {
    Name::from(format!("fault-{number}"))
}
