//! A slave makes sure that its log is its master's (K02), before it takes more of it.
//!
//! It asks for its master's log not from its end on but from where its last file begins, and compares what comes. Where the
//! two part it cuts its own log and goes on from there; if not even the first record of the file is the same, it drops the
//! file and begins again with the one before. A master that has nothing more says so by two signs of life in a row: what the
//! slave has beyond is not its master's.
//!
//! Differs: the release compares nothing. What travels is what travelled before, so either end may be an unrepaired one: a
//! master is asked for an earlier place, no more. Place 0 would be taken for that of a slave that has nothing, so a first
//! file is compared from its second byte on; the first of a log is always 0.

use crate::mq::broker::Broker;
use crate::mq::broker::replica::stream::Head;
use crate::mq::fact::Fact;
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;

/// What is left to compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Comparing {
    /// Where the file begins.
    file: i64,
    /// Up to where the two are the same.
    pub(super) same_to: i64,
    /// Signs of life since something came.
    signs: u32,
}

impl Comparing {
    /// From the beginning of that file on.
    fn from(file: i64) -> Comparing {
        Comparing { file, same_to: file.max(1), signs: 0 }
    }
}

impl Broker {
    /// What a new connection has to compare.
    pub(super) fn to_compare(&self) -> Option<Comparing> {
        let compares = self.config.profile.fix_k02 && !self.config.profile.plants(Mistake::DivergedSlaveGoesOn);
        compares.then(|| self.store.last_file_begins()).flatten().map(Comparing::from)
    }

    /// How far the slave vouches for its log: it is its master's, as far as it knows.
    pub(super) fn vouched_for(&self) -> i64 {
        let comparing = self.replica.following.as_ref().and_then(|following| following.comparing);
        comparing.map_or(self.store.log_end().0, |comparing| comparing.same_to)
    }

    /// Compares a piece of the master's log. Gives how many bytes of it are behind the log's end, which is the master's now,
    /// or `None` if there is more to compare.
    ///
    /// Errors: nothing in the file is the same, and the file is gone; the conversation begins anew.
    pub(super) fn compare(
        &mut self,
        mut comparing: Comparing,
        (head, data): (Head, &[u8]),
        step: &mut Step<'_>,
    ) -> Result<Option<usize>, &'static str> {
        let own = self.store.log_end().0;
        if data.is_empty() {
            comparing.signs += 1;
            if comparing.signs < 2 {
                self.note_compared(Some(comparing));
                return Ok(None);
            }
            return self.cut(comparing, (own, head), step).map(|()| Some(0));
        }
        let same = self.store.agrees_for(step.disk, comparing.same_to, data);
        comparing.same_to += same as i64;
        comparing.signs = 0;
        if comparing.same_to == own {
            self.note_compared(None);
            return Ok(Some(data.len() - same));
        }
        if same == data.len() {
            self.note_compared(Some(comparing));
            return Ok(None);
        }
        self.cut(comparing, (own, head), step).map(|()| Some(data.len() - same))
    }

    fn cut(&mut self, comparing: Comparing, (own, head): (i64, Head), step: &mut Step<'_>) -> Result<(), &'static str> {
        step.out.say(Fact::ReplicaDiverged { own, pushed: head.at });
        let is_sure = self.store.has_whole_record(step.disk, comparing.file, comparing.same_to);
        let to = if is_sure { comparing.same_to } else { comparing.file };
        self.store.cut_log(step.disk, to);
        self.note_compared(None);
        if is_sure { Ok(()) } else { Err("diverged") }
    }

    fn note_compared(&mut self, comparing: Option<Comparing>) {
        if let Some(following) = &mut self.replica.following {
            following.comparing = comparing;
        }
    }
}
