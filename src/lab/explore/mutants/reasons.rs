//! Why a mistake was not found: what is known of it, and otherwise what its runs say.

use std::ops::Range;

use crate::lab::explore::mutants::report::Row;
use crate::lab::explore::mutants::try_out;
use crate::mq::mistake::Mistake;

/// So many seeds are run twice to see whether a mistake changes anything.
const SAMPLE: u64 = 100;

/// Reasons that are known, English and Chinese.
const KNOWN: &[(Mistake, &str, &str)] = &[
    (
        Mistake::DiskFullStopsQueues,
        "a broker looks at its disk a minute after its boot, when a standard run's faults are over; a full disk is beyond",
        "Broker 启动一分钟后才检查磁盘，那时标准长度的故障已结束；磁盘写满也超出承诺范围",
    ),
    (
        Mistake::RetriesSameQueue,
        "a send that fails is told with an exception, and no guarantee says that another broker must be tried",
        "发送失败以异常告知，没有保证要求换一个 Broker 重试",
    ),
];

/// Says why a row was not found.
pub fn look(row: &mut Row, seeds: &Range<u64>) {
    let Some(mistake) = Mistake::parse(&row.id).filter(|_| !row.found) else { return };
    if !row.is_decided {
        let why = ("stopped before every seed was tried".to_owned(), "未试完全部种子即停止".to_owned());
        row.why = Some(why);
        return;
    }
    row.why = Some(match KNOWN.iter().find(|(known, ..)| *known == mistake) {
        Some((_, en, zh)) => ((*en).to_owned(), (*zh).to_owned()),
        None => sampled(mistake, seeds),
    });
}

fn sampled(mistake: Mistake, seeds: &Range<u64>) -> (String, String) {
    let sample = seeds.clone().take(SAMPLE as usize);
    let (tried, changed) =
        sample.fold((0, 0), |(tried, changed), seed| (tried + 1, changed + u64::from(try_out::changes(mistake, seed))));
    match changed {
        0 => (
            format!("its occasion did not come in {tried} seeds that were looked at"),
            format!("在抽查的 {tried} 个种子中，触发它的情形从未出现"),
        ),
        _ => (
            format!("it changed {changed} of {tried} runs that were looked at, and no checker minded"),
            format!("抽查的 {tried} 次运行中有 {changed} 次受其影响，但没有检查器发现"),
        ),
    }
}
