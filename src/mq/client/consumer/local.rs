//! Where a broadcasting consumer has got to: in memory, and in a file of its own host.
//!
//! ```text
//!  .rocketmq_offsets/<ip@DEFAULT>/<group>/offsets.json       written every 5 s if a queue is in hand, never forced
//!                                         offsets.json.bak   the text before; read when the file is missing or broken
//! ```
//!
//! The file is read anew for every queue that becomes the consumer's own. A queue appears in it when something of it was
//! consumed or a long poll ended empty; one without an entry begins where `consumeFromWhere` says.
//! Source: `org.apache.rocketmq.client.consumer.store.LocalFileOffsetStore`.

use std::collections::BTreeMap;

use crate::mq::app::MessageModel;
use crate::mq::client::Client;
use crate::mq::client::config::{ClientConfig, ConsumerConfig};
use crate::mq::client::route::{java_order, queue_hash};
use crate::mq::disk::{Disk, replace};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Name};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::wire::body::{JsonBody, QueueOffsets};

/// A consumer's own offset file.
#[derive(Clone, Debug)]
pub(crate) struct LocalOffsets {
    file: Name,
    /// What is known of queues that are not in hand; those in hand know it themselves.
    table: BTreeMap<MessageQueue, i64>,
}

/// A file that cannot be read, nor can the one before it. Upstream's `start()` throws this.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("readLocalOffset Exception, maybe fastjson version too low: mend `{file}.bak`, or move it away to begin anew")]
pub struct LocalOffsetError {
    /// The file.
    pub file: Name,
}

/// Whether every broadcasting consumer of a process can read its offset file, or has none: else it cannot start.
///
/// Source: `DefaultMQPushConsumerImpl.start`, `LocalFileOffsetStore.load`.
pub fn readable(config: &ClientConfig, disk: &mut dyn Disk) -> Result<(), LocalOffsetError> {
    let broadcasting = config.consumers.iter().filter(|one| one.message_model == MessageModel::Broadcasting);
    for consumer in broadcasting {
        read(disk, &file_of(config, consumer))?;
    }
    Ok(())
}

/// Source: `LocalFileOffsetStore.storePath`; `user.home` is the root of the machine's disk.
fn file_of(config: &ClientConfig, consumer: &ConsumerConfig) -> Name {
    Name::from(format!(".rocketmq_offsets/{}/{}/offsets.json", config.default_client_id(), consumer.group))
}

/// What the file says, or its `.bak` if it is missing, empty or broken; `None` if there is neither.
///
/// Source: `LocalFileOffsetStore.readLocalOffset`, `readLocalOffsetBak`.
fn read(disk: &mut dyn Disk, file: &Name) -> Result<Option<QueueOffsets>, LocalOffsetError> {
    let mut text = |name: &str| disk.get(name).ok().filter(|bytes| !bytes.is_empty());
    if let Some(Ok(offsets)) = text(file).map(|bytes| QueueOffsets::decode(&bytes)) {
        return Ok(Some(offsets));
    }
    match text(&format!("{file}.bak")).map(|bytes| QueueOffsets::decode(&bytes)) {
        None => Ok(None),
        Some(Ok(offsets)) => Ok(Some(offsets)),
        Some(Err(_)) => Err(LocalOffsetError { file: file.clone() }),
    }
}

impl LocalOffsets {
    /// The offsets of a consumer that broadcasts; `None` for one that does not.
    pub(in crate::mq::client) fn of(
        config: &ClientConfig,
        consumer: &ConsumerConfig,
        disk: &mut dyn Disk,
    ) -> Option<LocalOffsets> {
        let shares = config.profile.plants(Mistake::BroadcastShares);
        if consumer.message_model != MessageModel::Broadcasting || shares {
            return None;
        }
        let file = file_of(config, consumer);
        let table = read(disk, &file).ok().flatten().unwrap_or_default().0.into_iter().collect();
        Some(LocalOffsets { file, table })
    }

    /// What the file says of a queue now. Source: `readOffset(mq, READ_FROM_STORE)`.
    pub(super) fn stored(&self, queue: &MessageQueue, disk: &mut dyn Disk) -> Option<i64> {
        read(disk, &self.file).ok().flatten()?.get(queue).filter(|offset| 0 <= *offset)
    }

    /// What is remembered of a queue that comes into hand.
    pub(super) fn remembered(&self, queue: &MessageQueue) -> Option<i64> {
        self.table.get(queue).copied()
    }

    /// Remembers a queue that is given up. Source: `removeOffset`, which does nothing.
    pub(super) fn remember(&mut self, queue: MessageQueue, offset: i64) {
        self.table.insert(queue, offset);
    }
}

impl Client {
    /// Writes the offset files of all broadcasting consumers. Source: `MQClientInstance.persistAllConsumerOffset`.
    pub(in crate::mq::client) fn save_offsets(&mut self, step: &mut Step<'_>) {
        for at in 0..self.consumers.len() {
            self.save_offsets_of(at, step);
        }
    }

    /// Writes the offsets of the queues in hand; nothing if there are none.
    ///
    /// Source: `LocalFileOffsetStore.persistAll`.
    pub(in crate::mq::client) fn save_offsets_of(&mut self, at: usize, step: &mut Step<'_>) {
        let consumer = &self.consumers[at];
        let Some(local) = consumer.local.as_ref().filter(|_| !consumer.assigned.is_empty()) else { return };
        let known = consumer.assigned.values().filter_map(|own| Some((own.queue.clone(), own.consumed?)));
        let mut offsets: Vec<(MessageQueue, i64)> = known.collect();
        java_order(&mut offsets, |(queue, _)| queue_hash(queue));
        let (group, queues) = (consumer.config.group.clone(), offsets.len() as i64);
        step.out.say(match replace(step.disk, &local.file, &QueueOffsets(offsets).to_json().pretty()) {
            Ok(()) => Fact::OffsetsSaved { group, queues },
            Err(why) => Fact::OffsetsNotSaved { group, why: why.to_string().into() },
        });
    }
}
