//! The two ways in which an application pulls: round after round, or queue by queue on a timetable.

use std::collections::BTreeMap;

use crate::lab::workload::apps::AppAction;
use crate::lab::workload::ops::{How, Puller};
use crate::lab::workload::pull::PullLoop;
use crate::lab::workload::schedule::Schedule;
use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{OpId, Return};
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

/// One pulling application of a process.
#[derive(Clone, Debug)]
pub(super) struct Pulls {
    group: Name,
    topic: Name,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Rounds(PullLoop),
    Scheduled(Schedule),
}

impl Pulls {
    pub(super) fn new(puller: Puller, base: u64, token: u64) -> Pulls {
        let (group, topic) = (puller.group.clone(), puller.topic.clone());
        let way = match puller.how {
            How::Scheduled => Way::Scheduled(Schedule::new(puller, base, token)),
            How::Pull | How::Block => Way::Rounds(PullLoop::new(puller, base, token)),
        };
        Pulls { group, topic, way }
    }

    /// What wakes it.
    pub(super) fn token(&self) -> u64 {
        match &self.way {
            Way::Rounds(own) => own.token,
            Way::Scheduled(own) => own.token,
        }
    }

    /// Reads the ledger of its machine, if its table is there.
    pub(super) fn recall(&mut self, ledger: &BTreeMap<Name, Name>) {
        if let Way::Rounds(own) = &mut self.way {
            own.recall(ledger);
        }
    }

    /// The process has booted; who pulls on a timetable begins with its queues.
    pub(super) fn boot(&self, now: Time) -> Option<AppAction> {
        match &self.way {
            Way::Rounds(own) => Some(own.boot(now)),
            Way::Scheduled(_) => None,
        }
    }

    /// A moment that it asked for has come.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<AppAction>) {
        match &mut self.way {
            Way::Rounds(own) => own.wake(now, out),
            Way::Scheduled(own) => own.wake(now, out),
        }
    }

    /// Takes what the process returned, if it is for this application. `draw` says how long work takes, from least to most.
    pub(super) fn takes(
        &mut self,
        now: Time,
        (answer, mask): (&Return, u64),
        draw: &mut dyn FnMut(Span, Span) -> Span,
        out: &mut Vec<AppAction>,
    ) -> bool {
        match answer {
            Return::QueuesChanged { group, topic, all, mine } if *group == self.group && *topic == self.topic => {
                if let Way::Scheduled(own) = &mut self.way {
                    own.queues_changed(now, (all, mine), out);
                }
                true
            }
            Return::Told { op, what, .. } if self.owns(*op, mask) => {
                let (least, most) = self.work();
                let has_work = matches!(&**what, PullAnswer::Pulled(result) if !result.messages.is_empty());
                let takes = if has_work { draw(least, most) } else { Span::ZERO };
                match &mut self.way {
                    Way::Rounds(own) => own.told(now, what, takes, out),
                    Way::Scheduled(own) => own.told(now, *op, what, takes, out),
                }
                true
            }
            Return::Failed { op, .. } if self.owns(*op, mask) => {
                match &mut self.way {
                    Way::Rounds(own) => own.failed(now, out),
                    Way::Scheduled(own) => own.failed(now, *op, out),
                }
                true
            }
            Return::Done { op } if self.owns(*op, mask) => {
                match &mut self.way {
                    Way::Rounds(own) => own.done(now, out),
                    Way::Scheduled(own) => own.done(now, *op, out),
                }
                true
            }
            _ => false,
        }
    }

    fn owns(&self, op: OpId, mask: u64) -> bool {
        match &self.way {
            Way::Rounds(own) => own.owns(op, mask),
            Way::Scheduled(own) => own.owns(op, mask),
        }
    }

    fn work(&self) -> (Span, Span) {
        match &self.way {
            Way::Rounds(own) => own.takes(),
            Way::Scheduled(own) => own.takes(),
        }
    }
}
