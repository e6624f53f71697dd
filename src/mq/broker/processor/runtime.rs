//! How a broker is doing: the table that `brokerStatus` shows.
//!
//! Source: `AdminBrokerProcessor.prepareRuntimeInfo`, `DefaultMessageStore.getRuntimeInfo`, `StoreStatsService.getRuntimeInfo`.
//! Differs: how long puts and reads took is not measured, no day begins anew, and only sends wait in a queue.

use bytes::Bytes;

use crate::mq::broker::Broker;
use crate::mq::node::Step;
use crate::mq::store::delay::SCHEDULE_TOPIC;
use crate::mq::wire::body::admin::thousandths;
use crate::mq::wire::body::inquiry::runtime_table;
use crate::mq::wire::command::{VERSION, version_desc};

type Row = (String, String);

impl Broker {
    /// All of it, in the order in which upstream puts it together.
    pub(super) fn runtime_info(&self, step: &mut Step<'_>) -> Bytes {
        let rows = self.counter_rows(step).into_iter().chain(self.store_rows(step)).chain(self.broker_rows(step));
        runtime_table(rows.map(|(name, value)| (name.into(), value.into())))
    }

    /// What has been counted since the boot.
    fn counter_rows(&self, step: &Step<'_>) -> Vec<Row> {
        let up = step.mono.since(self.started).as_millis();
        let seconds = up / 1_000;
        let runtime = format!(
            "[ {} days, {} hours, {} minutes, {} seconds ]",
            seconds / 86_400,
            seconds / 3_600 % 24,
            seconds / 60 % 60,
            seconds % 60
        );
        let (puts, bytes) = self.stats.put_total();
        let [found, missed, both] = self.stats.read_tps(step.mono);
        let rows = [
            ("bootTimestamp", (step.wall.0 - up as i64).to_string()),
            ("runtime", runtime),
            ("putMessageEntireTimeMax", "0".to_owned()),
            ("putMessageTimesTotal", puts.max(1).to_string()),
            ("putMessageSizeTotal", bytes.to_string()),
            ("putMessageDistributeTime", distribution(puts)),
            ("putMessageAverageSize", thousandths(bytes * 1_000 / puts.max(1))),
            ("dispatchMaxBuffer", "0".to_owned()),
            ("getMessageEntireTimeMax", "0".to_owned()),
            ("putTps", self.stats.put_tps(step.mono)),
            ("getFoundTps", found),
            ("getMissTps", missed),
            ("getTotalTps", both),
            ("getTransferedTps", self.stats.transferred_tps(step.mono)),
        ];
        rows.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The disk, the delay levels and the log's ends.
    fn store_rows(&self, step: &mut Step<'_>) -> Vec<Row> {
        let space = step.disk.space();
        let parts = u128::from(space.used) * 10_000 / u128::from(space.total.max(1));
        let ratio = format!("{}.{:04}", parts / 10_000, parts % 10_000);
        let mut rows =
            vec![("commitLogDiskRatio".to_owned(), ratio.clone()), ("consumeQueueDiskRatio".to_owned(), ratio)];
        for (level, offset) in &self.store.delay_offsets().table {
            let end = self.store.max_queue_offset(SCHEDULE_TOPIC, level - 1).0;
            rows.push((format!("scheduleMessageOffset_{level}"), format!("{offset},{end}")));
        }
        rows.push(("commitLogMinOffset".to_owned(), self.store.log_begin().0.to_string()));
        rows.push(("commitLogMaxOffset".to_owned(), self.store.log_end().0.to_string()));
        rows
    }

    /// The version, the days, the queues of the pools with the sizes of `BrokerConfig`, and what is left to do.
    fn broker_rows(&self, step: &mut Step<'_>) -> Vec<Row> {
        let zero = || "0".to_owned();
        let oldest = self.sends.oldest().map_or(0, |waiting| step.mono.since(waiting.since).as_millis());
        let unforced = self.store.log_end().0 - self.store.flushed().0;
        let space = step.disk.space();
        let free = space.total.saturating_sub(space.used);
        let rows = [
            ("brokerVersionDesc", version_desc(VERSION).unwrap_or_default().to_string()),
            ("brokerVersion", VERSION.to_string()),
            ("msgPutTotalYesterdayMorning", zero()),
            ("msgPutTotalTodayMorning", zero()),
            ("msgPutTotalTodayNow", self.stats.put_total().0.to_string()),
            ("msgGetTotalYesterdayMorning", zero()),
            ("msgGetTotalTodayMorning", zero()),
            ("msgGetTotalTodayNow", self.stats.transferred_total().to_string()),
            ("sendThreadPoolQueueSize", self.sends.waiting().to_string()),
            ("sendThreadPoolQueueCapacity", self.config.send_queue_capacity.to_string()),
            ("pullThreadPoolQueueSize", zero()),
            ("pullThreadPoolQueueCapacity", "100000".to_owned()),
            ("queryThreadPoolQueueSize", zero()),
            ("queryThreadPoolQueueCapacity", "20000".to_owned()),
            ("EndTransactionQueueSize", zero()),
            ("EndTransactionThreadPoolQueueCapacity", "100000".to_owned()),
            ("dispatchBehindBytes", self.store.behind().to_string()),
            ("pageCacheLockTimeMills", zero()),
            ("sendThreadPoolQueueHeadWaitTimeMills", oldest.to_string()),
            ("pullThreadPoolQueueHeadWaitTimeMills", zero()),
            ("queryThreadPoolQueueHeadWaitTimeMills", zero()),
            ("earliestMessageTimeStamp", self.store.earliest_time(step.disk).to_string()),
            ("startAcceptSendRequestTimeStamp", zero()),
            ("remainTransientStoreBufferNumbs", i32::MAX.to_string()),
            ("remainHowManyDataToFlush", human(unforced.max(0) as u64)),
            ("commitLogDirCapacity", format!("Total : {}, Free : {}.", human(space.total), human(free))),
        ];
        rows.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// Every put took no time. Source: `StoreStatsService.putMessageDistributeTimeToString`.
fn distribution(puts: i64) -> String {
    let rest = ["0~10ms", "10~50ms", "50~100ms", "100~200ms", "200~500ms", "500ms~1s", "1~2s", "2~3s", "3~4s", "4~5s"];
    let spans = rest.into_iter().chain(["5~10s", "10s~"]).map(|span| format!("[{span}]:0 "));
    std::iter::once(format!("[<=0ms]:{puts} ")).chain(spans).collect()
}

/// Source: `MixAll.humanReadableByteCount`, with units of 1024.
fn human(bytes: u64) -> String {
    let (mut unit, mut power) = (0, 1u128);
    while u128::from(bytes) >= power * 1_024 && unit < UNITS.len() {
        power *= 1_024;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => {
            let tenths = (u128::from(bytes) * 10 + power / 2) / power;
            format!("{}.{} {}iB", tenths / 10, tenths % 10, UNITS[unit - 1])
        }
    }
}

const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_written_for_people() {
        assert_eq!([0, 950, 1_023].map(human), ["0 B", "950 B", "1023 B"]);
        assert_eq!([1_024, 1_536, 270_582_939_648].map(human), ["1.0 KiB", "1.5 KiB", "252.0 GiB"]);
        assert_eq!(human(u64::MAX), "16.0 EiB");
    }
}
