//! G65: a slave's log against its master's.

use crate::lab::check::storage::boot::{Image, first_difference};
use crate::lab::check::storage::log::place;
use crate::lab::check::storage::told::said;
use crate::lab::check::storage::{Breach, G65};
use crate::lab::locale::Phrase;

pub(super) fn is_prefix(master: &Image<'_>, slave: &Image<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut breach = |clause, at, sentence: Phrase| {
        let (file, offset) = place(&slave.layout, at);
        breaches.push(Breach { guarantee: G65, clause, file, offset, sentence });
    };
    let (ours, theirs) = ((slave.seen.files, &slave.layout), (master.seen.files, &master.layout));
    let range = (master.begin.max(slave.begin), master.end.min(slave.end));
    if let Some(at) = first_difference(ours, theirs, range) {
        let sentence = said(
            format!("the slave's log has another byte at {at} than its master's"),
            format!("从节点的日志在 {at} 处的字节与主节点不同"),
        );
        breach("bytes", at, sentence);
    }
    if master.end < slave.end {
        let (end, most) = (slave.end, master.end);
        let sentence = said(
            format!("the slave's log ends at {end}, its master's at {most}"),
            format!("从节点的日志到 {end} 为止，主节点的到 {most} 为止"),
        );
        breach("ahead", most, sentence);
    }
    breaches
}
