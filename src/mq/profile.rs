//! Which weaknesses of the release are kept: one named switch each, read at one place each.
//!
//! `rocketmq-4.3.2` (alias `faithful`) keeps every weakness; `hardened` repairs those that have a switch.
//! A switch is named after its row in the table of registered weaknesses (K01 …) and is set with
//! `--set profile.fix.K01=true`.

use crate::mq::mistake::Mistake;

// ANCHOR: rows
/// The repairs in force. All false is the release as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Profile {
    /// K01: a failed force is remembered, the flushed position does not advance and further puts are refused.
    ///
    /// Source: `MappedFile.flush` logs the exception and moves `flushedPosition` on regardless.
    pub fix_k01: bool,
    /// K02: slaves are given what their master has flushed, and a put that waits for them has it flushed. A slave compares its
    /// last file with its master's when it connects, and cuts its log where they part; what a master does not have counts
    /// for nothing, whoever says so.
    ///
    /// Source: `HAService.notifyTransferSome` takes the highest offset that anybody ever reported, whatever the own log has,
    /// and `HAClient` compares nothing.
    pub fix_k02: bool,
    /// K03: a copy is durable before the cursor behind its original is written down: a delayed message's delivered copy, a half
    /// message that was put back. A message that is given back is durable before its consumer hears that it was taken.
    ///
    /// Source: `ScheduleMessageService.messageTimeup`, `SendMessageProcessor.consumerSendMsgBack` and
    /// `TransactionalMessageServiceImpl.check` set `WAIT` to false, and the cursors are written whatever they are.
    pub fix_k03: bool,
    /// K04: a record is handed to queues and consumers when it has been forced, not before.
    ///
    /// Source: `ReputMessageService` follows the readable position. What a killed process left unforced counts as forced when
    /// it was recovered, unless K06 is repaired, too.
    pub fix_k04: bool,
    /// K05: the checkpoint names only times up to which the consume queues have been forced.
    ///
    /// Source: `IndexService.flush` and `StoreCheckpoint.flush` write a time that dispatch has moved ahead of the forces.
    pub fix_k05: bool,
    /// K06: recovery reads the whole log and makes the consume queues what the log says, whatever timestamps, the `abort`
    /// file and old units say.
    ///
    /// Source: `CommitLog.recoverAbnormally` begins in a file that it chooses by wall-clock times, and
    /// `ConsumeQueue.recover` takes in every unit that has a size.
    pub fix_k06: bool,
    /// K09: a bad record in front of records that were durable is corruption: the store does not open.
    ///
    /// Source: `CommitLog.recoverNormally` cuts the log at the first record that it cannot read.
    pub fix_k09: bool,
    /// K10: a slave that has nothing begins where its master's log begins.
    ///
    /// Source: `HAConnection.WriteSocketService.run` begins at the last file.
    pub fix_k10: bool,
    /// K11: a half message is as old as its first copy in the store, which every further copy names.
    ///
    /// Source: `TransactionalMessageServiceImpl.check` takes the producer's born timestamp for it.
    pub fix_k11: bool,
    /// K12: a due message that cannot be put again stays where it is and is tried again, like one whose put was refused.
    ///
    /// Source: `ScheduleMessageService.DeliverDelayedMessageTimerTask.executeOnTimeup` logs "drop it" and goes on.
    pub fix_k12: bool,
    /// K13: a config file's next text is forced before it takes the file's place, in one step.
    ///
    /// Source: `MixAll.string2File` forces nothing and deletes the old file before it renames the new one.
    pub fix_k13: bool,
    /// K17: a body is checked against its CRC when it is read, and not served if it differs; recovery takes a record of which
    /// a whole sector is missing for torn, in its texts, too.
    ///
    /// Source: `CommitLog.getMessage`, `CommitLog.checkMessageAndReturnSize`. Other damage that the CRC does not cover, in
    /// headers, topic and properties, stays unchecked.
    pub fix_k17: bool,
    /// K18: a record counts only at the place that it declares; the dispatcher stops at a bad record; what recovery cuts off
    /// is wiped, so that it cannot come back.
    ///
    /// Source: `CommitLog.checkMessageAndReturnSize` never looks at the place, `ReputMessageService.doReput` skips the rest
    /// of what is readable, `MappedFileQueue.truncateDirtyFiles` leaves the bytes.
    pub fix_k18: bool,
    /// K19: after a wall clock stepped back a delayed message waits once more at most as long as its level says.
    ///
    /// Source: `DeliverDelayedMessageTimerTask.correctDeliverTimestamp` makes it due at once.
    pub fix_k19: bool,
    /// K20: a delay cursor behind the end of its queue goes back to that end.
    ///
    /// Source: `ScheduleMessageService.load` takes the file's word; a queue that is shorter is never delivered from.
    pub fix_k20: bool,
    /// K21: a half message is parked without its delay level; the commit gives it back, so that the true message is delayed.
    ///
    /// Source: `TransactionalMessageBridge.parseHalfMessageInner` keeps the level, and `CommitLog.putMessage` diverts it.
    pub fix_k21: bool,
    /// K22: a half message or note that cannot be read is passed over, a half message is told; the notes' cursor goes to where
    /// the store says only if it stood at no note itself. A compressed half message that is put back, and was inflated on the
    /// way, does not claim to be compressed any more.
    ///
    /// Source: `TransactionalMessageServiceImpl.check` catches the exception behind all cursors, and `fillOpRemoveMap` takes
    /// the answer to any read for the cursor. What cannot be read is a copy of a compressed half message, mostly.
    pub fix_k22: bool,
    /// K23: the age of a half message that is to be left in peace is looked at once.
    ///
    /// Source: `TransactionalMessageServiceImpl.checkPrepareQueueOffset` reads the clock again, and passes over what is not
    /// to be left in peace any more.
    pub fix_k23: bool,
    /// K24: the delay cursors are written at a clean stop, too.
    ///
    /// Source: `ScheduleMessageService.shutdown` cancels the timer and writes nothing.
    pub fix_k24: bool,
    /// K28: an ordered consumer that could not read the place of its first pull under a lock asks again before it pulls.
    ///
    /// Source: `DefaultMQPushConsumerImpl.pullMessage` takes what `computePullFromWhere` gives, -1 where nobody answered; the
    /// broker moves that to the queue's beginning, and ten seconds later the group has committed it.
    pub fix_k28: bool,
    /// K27: what no log file can hold is refused as illegal, and nothing is written.
    ///
    /// Source: `CommitLog.putMessage` and `putMessages` roll to a new file and do not look at what the append says there: a put
    /// larger than `mapedFileSizeCommitLog` leaves a blank file and is answered with success, under an offset that the next
    /// message gets, too.
    pub fix_k27: bool,
    /// K30: the records of a batch are stamped inside the put lock, like a single one.
    ///
    /// Source: `CommitLog.putMessages` lets `MessageExtBatchEncoder.encode` write `storeTimestamp` in front of the lock, and
    /// `doAppend` puts in places alone: a batch that waits for the lock is older than what is in front of it.
    pub fix_k30: bool,
    /// K31: what a client gives back by a send of its own is not a half message, though it came out of a transaction.
    ///
    /// Source: `DefaultMQPushConsumerImpl.sendMessageBack` copies all properties, `TRAN_MSG` among them, and
    /// `DefaultMQProducerImpl.sendKernelImpl` makes a half message of it: somebody is asked how it ended, and the copy that is
    /// asked for (`TransactionalMessageBridge.renewHalfMessageInner`) has forgotten how often it was tried.
    pub fix_k31: bool,
    /// K32: an answer without messages moves nothing of a queue that was given up, as a reset gives it up.
    ///
    /// Source: `MQClientInstance.resetOffset` clears what waits and sleeps for ten seconds;
    /// `DefaultMQPushConsumerImpl.correctTagsOffset` then finds nothing that waits and moves the offset over it, and the broker
    /// is told. Who dies in these seconds leaves it behind for ever.
    pub fix_k32: bool,
    // ANCHOR_END: rows
    /// A mistake planted to see that it is found; no named profile has one.
    #[cfg(feature = "mutants")]
    pub planted: Option<Mistake>,
}

/// Why a mistake could not be planted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotPlanted {
    /// The build has no mistakes.
    #[error("this build has no mistakes to plant")]
    NotBuilt,
    /// No mistake has that name.
    #[error("no mistake is named `{0}`")]
    Unknown(String),
}

impl NotPlanted {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            NotPlanted::NotBuilt => "build with `cargo build --features mutants`",
            NotPlanted::Unknown(_) => "the names stand in `src/mq/mistake/catalogue.rs`",
        }
    }
}

/// A switch: the row that it repairs, and where it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// `K01` …
    pub row: &'static str,
    /// The switch in a profile.
    pub of: fn(&mut Profile) -> &mut bool,
}

/// Every switch, in the order of the rows.
pub const SWITCHES: [Switch; 24] = [
    Switch { row: "K01", of: |profile| &mut profile.fix_k01 },
    Switch { row: "K02", of: |profile| &mut profile.fix_k02 },
    Switch { row: "K03", of: |profile| &mut profile.fix_k03 },
    Switch { row: "K04", of: |profile| &mut profile.fix_k04 },
    Switch { row: "K05", of: |profile| &mut profile.fix_k05 },
    Switch { row: "K06", of: |profile| &mut profile.fix_k06 },
    Switch { row: "K09", of: |profile| &mut profile.fix_k09 },
    Switch { row: "K10", of: |profile| &mut profile.fix_k10 },
    Switch { row: "K11", of: |profile| &mut profile.fix_k11 },
    Switch { row: "K12", of: |profile| &mut profile.fix_k12 },
    Switch { row: "K13", of: |profile| &mut profile.fix_k13 },
    Switch { row: "K17", of: |profile| &mut profile.fix_k17 },
    Switch { row: "K18", of: |profile| &mut profile.fix_k18 },
    Switch { row: "K19", of: |profile| &mut profile.fix_k19 },
    Switch { row: "K20", of: |profile| &mut profile.fix_k20 },
    Switch { row: "K21", of: |profile| &mut profile.fix_k21 },
    Switch { row: "K22", of: |profile| &mut profile.fix_k22 },
    Switch { row: "K23", of: |profile| &mut profile.fix_k23 },
    Switch { row: "K24", of: |profile| &mut profile.fix_k24 },
    Switch { row: "K28", of: |profile| &mut profile.fix_k28 },
    Switch { row: "K27", of: |profile| &mut profile.fix_k27 },
    Switch { row: "K30", of: |profile| &mut profile.fix_k30 },
    Switch { row: "K31", of: |profile| &mut profile.fix_k31 },
    Switch { row: "K32", of: |profile| &mut profile.fix_k32 },
];

impl Profile {
    /// RocketMQ 4.3.2 with its weaknesses.
    pub const FAITHFUL: Profile = Profile {
        fix_k01: false,
        fix_k02: false,
        fix_k03: false,
        fix_k04: false,
        fix_k05: false,
        fix_k06: false,
        fix_k09: false,
        fix_k10: false,
        fix_k11: false,
        fix_k12: false,
        fix_k13: false,
        fix_k17: false,
        fix_k18: false,
        fix_k19: false,
        fix_k20: false,
        fix_k21: false,
        fix_k22: false,
        fix_k23: false,
        fix_k24: false,
        fix_k28: false,
        fix_k27: false,
        fix_k30: false,
        fix_k31: false,
        fix_k32: false,
        #[cfg(feature = "mutants")]
        planted: None,
    };
    /// The same protocol with every switch on.
    pub const HARDENED: Profile = Profile {
        fix_k01: true,
        fix_k02: true,
        fix_k03: true,
        fix_k04: true,
        fix_k05: true,
        fix_k06: true,
        fix_k09: true,
        fix_k10: true,
        fix_k11: true,
        fix_k12: true,
        fix_k13: true,
        fix_k17: true,
        fix_k18: true,
        fix_k19: true,
        fix_k20: true,
        fix_k21: true,
        fix_k22: true,
        fix_k23: true,
        fix_k24: true,
        fix_k28: true,
        fix_k27: true,
        fix_k30: true,
        fix_k31: true,
        fix_k32: true,
        #[cfg(feature = "mutants")]
        planted: None,
    };

    /// The release with one repair; `None` for a row that has no switch.
    pub fn with_fix(row: &str) -> Option<Profile> {
        let mut profile = Profile::FAITHFUL;
        profile.set(row, true).then_some(profile)
    }

    /// Turns the switch of a row; `false` if the row has none.
    pub fn set(&mut self, row: &str, on: bool) -> bool {
        let switch = SWITCHES.iter().find(|switch| switch.row == row);
        switch.map(|switch| *(switch.of)(self) = on).is_some()
    }

    /// Whether the row is repaired; `false` for one that has no switch.
    pub fn fixes(&self, row: &str) -> bool {
        let mut copy = self.clone();
        SWITCHES.iter().any(|switch| switch.row == row && *(switch.of)(&mut copy))
    }

    /// Whether this mistake is made. A build without the feature `mutants` makes none, and asks nothing while it runs.
    #[cfg(feature = "mutants")]
    pub fn plants(&self, mistake: Mistake) -> bool {
        self.planted == Some(mistake)
    }

    /// Whether this mistake is made: never.
    #[cfg(not(feature = "mutants"))]
    #[inline(always)]
    pub const fn plants(&self, _mistake: Mistake) -> bool {
        false
    }

    /// Plants the mistake of that name. Errors: there is none, or this build has none at all.
    #[cfg(feature = "mutants")]
    pub fn plant(&mut self, name: &str) -> Result<(), NotPlanted> {
        self.planted = Some(Mistake::parse(name).ok_or_else(|| NotPlanted::Unknown(name.to_owned()))?);
        Ok(())
    }

    /// Plants nothing. Errors: always, since this build has no mistakes.
    #[cfg(not(feature = "mutants"))]
    pub fn plant(&mut self, _name: &str) -> Result<(), NotPlanted> {
        Err(NotPlanted::NotBuilt)
    }

    /// Takes the planted mistake out, and says how a profile's name tells of it.
    #[cfg(feature = "mutants")]
    fn pull_out(&mut self) -> String {
        self.planted.take().map_or_else(String::new, |mistake| format!("!{}", mistake.name()))
    }

    #[cfg(not(feature = "mutants"))]
    fn pull_out(&mut self) -> String {
        String::new()
    }

    /// Its name: the release's, `hardened`, or the release's with its repairs; a planted mistake stands behind a `!`.
    pub fn name(&self) -> String {
        let mut copy = self.clone();
        let planted = copy.pull_out();
        let name = if copy == Profile::HARDENED {
            "hardened".to_owned()
        } else {
            let fixed = SWITCHES.iter().filter(|switch| *(switch.of)(&mut copy)).map(|switch| switch.row);
            fixed.fold("rocketmq-4.3.2".to_owned(), |name, row| format!("{name}+{row}"))
        };
        name + &planted
    }

    /// The profile of that name: `rocketmq-4.3.2`, `faithful` or `hardened`.
    pub fn named(name: &str) -> Option<Profile> {
        match name {
            "rocketmq-4.3.2" | "faithful" => Some(Profile::FAITHFUL),
            "hardened" => Some(Profile::HARDENED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_turns_one_thing_and_all_of_them_harden() {
        let mut all = Profile::FAITHFUL;
        for switch in SWITCHES {
            let one = Profile::with_fix(switch.row).expect("it has a switch");
            assert_eq!(one.name(), format!("rocketmq-4.3.2+{}", switch.row));
            assert!(one.fixes(switch.row) && !all.fixes(switch.row));
            assert!(all.set(switch.row, true));
        }
        assert_eq!(all, Profile::HARDENED);
        assert_eq!(all.name(), "hardened");
        #[cfg(feature = "mutants")]
        {
            let planted = Profile { planted: Some(Mistake::KeepsTornTail), ..all.clone() };
            assert_eq!(planted.name(), "hardened!torn-tail-kept");
            assert!(planted.plants(Mistake::KeepsTornTail) && !planted.plants(Mistake::RecoveryCutsOneMore));
            assert!(!all.plants(Mistake::KeepsTornTail));
        }
        assert!(!all.set("K99", true));
    }
}
