//! What the store had to say, and what the broker makes of it.

use crate::mq::broker::{Broker, configs};
use crate::mq::fact::Fact;
use crate::mq::message::PhysicalOffset;
use crate::mq::node::Step;
use crate::mq::store::outcome::News;

impl Broker {
    pub(super) fn hear(&mut self, news: News, step: &mut Step<'_>) {
        match news {
            News::Flush { ticket, file, from, to } => step.out.flush(ticket, file, from, to),
            News::PutDone { request, status } => self.put_done(request, status, step),
            News::Dispatched { at, size } => step.out.say(Fact::Dispatched { at, size }),
            News::Arrived { topic, queue_id, queue_offset, tags_code, at } => {
                if self.config.long_polling_enable {
                    let arrival = Some((tags_code, PhysicalOffset(at)));
                    self.notify_arrival(&topic, queue_id, queue_offset + 1, arrival, step);
                }
            }
            News::Queued { topic, queue_id, queue_offset, at } => {
                step.out.say(Fact::Queued { topic, queue_id, queue_offset, at });
            }
            News::FlushDone { from, to } => step.out.say(Fact::Flushed { from, to }),
            News::FlushFailed { from, to } => step.out.say(Fact::FlushFailed { from, to }),
            News::Rolled { at } => step.out.say(Fact::LogRolled { at }),
            News::Delivered { level, offset, topic, queue_id, landed } => {
                self.wake_checks(&topic);
                self.stats.put(1, i64::from(landed.size), step.mono);
                let (at, size, queue_offset) = (landed.at.0, landed.size, landed.queue_offset.0);
                step.out.say(Fact::Appended { topic: topic.clone(), queue_id, size, at, queue_offset });
                step.out.say(Fact::DelayedDelivered { level, topic, queue_id, offset, at });
            }
            News::DelayedSkipped { level, offset, why } => step.out.say(Fact::DelayedSkipped { level, offset, why }),
            News::DelayedRefused { level, offset, why } => step.out.say(Fact::DelayedRefused { level, offset, why }),
            News::ConfigStaged { file } => self.config_staged(file, step),
            News::ConfigWritten { file } => self.config_written(file, step),
            News::ConfigFailed { file, error } => self.config_failed(file, error, step),
            News::ConfigPassedOver { file, why, has_backup } => {
                step.out.say(configs::passed_over(file, &why, has_backup));
            }
            News::FileDeleted { at, expired } => {
                let why = if expired { "expired" } else { "forced" };
                step.out.say(Fact::FileDeleted { at, why });
            }
            News::DiskFull { percent } => step.out.say(Fact::DiskFull { percent }),
            News::DiskOk { percent } => step.out.say(Fact::DiskOk { percent }),
            News::CheckpointWritten { physic, logics } => step.out.say(Fact::CheckpointWritten { physic, logics }),
            News::DispatchStopped { at } => step.out.say(Fact::DispatchStopped { at }),
            News::Recovered { clean, log_end, records, cut } => {
                step.out.say(Fact::Recovered { clean: i64::from(clean), log_end, records, cut });
            }
            News::QueueRecovered { topic, queue_id, min, max } => {
                step.out.say(Fact::QueueRecovered { topic, queue_id, min, max });
            }
        }
    }
}
