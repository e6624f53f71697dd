//! What is not compared, and what is known to differ, each with its reason; and the table of what came out.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::differ::Half::{Answer, Request};
use super::differ::{Field, Half};

/// A field that two runs of the real cluster do not agree in either.
pub(super) struct Volatile {
    /// The request codes; none for all.
    codes: &'static [i32],
    half: Half,
    /// The field, or the end of its name from a dot on.
    field: &'static str,
    why: &'static str,
}

const fn volatile(codes: &'static [i32], half: Half, field: &'static str, why: &'static str) -> Volatile {
    Volatile { codes, half, field, why }
}

/// What the recording's README calls volatile.
pub(super) const VOLATILE: &[Volatile] = &[
    volatile(&[11, 12, 33], Answer, "storeTimestamp", "clock of the broker"),
    volatile(&[39, 309], Request, "storeTimestamp", "clock of the broker"),
    volatile(&[12], Answer, "ext.indexLastUpdateTimestamp", "index times"),
    volatile(&[29, 32], Answer, "ext.timestamp", "store times"),
    volatile(&[103], Request, "ext.bodyCrc32", "follows the clock in the body"),
    volatile(&[103], Request, "dataVersion.timestamp", "clock of the broker"),
    volatile(&[21, 201], Answer, "dataVersion.timestamp", "clock of the broker"),
    volatile(&[202], Answer, "lastUpdateTimestamp", "store times"),
    volatile(&[208], Answer, "lastTimestamp", "store times"),
    volatile(&[208], Answer, "consumeTps", "statistics"),
    volatile(&[28], Answer, "body.table.*", "statistics"),
    volatile(&[39], Request, "ext.commitLogOffset", "several threads of the broker write in turn"),
    volatile(&[39], Request, "ext.tranStateTableOffset", "several threads of the broker write in turn"),
    volatile(&[39], Request, "ext.offsetMsgId", "several threads of the broker write in turn"),
    volatile(&[39], Request, "body.messages[].commitLogOffset", "several threads of the broker write in turn"),
    volatile(&[39], Request, "body.messages[].queueOffset", "several threads of the broker write in turn"),
    volatile(&[303], Answer, "minTimeStampStr", "store times"),
    volatile(&[303], Answer, "maxTimeStampStr", "store times"),
    volatile(&[303], Answer, "consumeTimeStampStr", "store times"),
    volatile(&[303], Answer, "minTimeStamp", "store times"),
    volatile(&[303], Answer, "maxTimeStamp", "store times"),
    volatile(&[303], Answer, "consumeTimeStamp", "store times"),
    volatile(&[307, 309], Answer, "spentTimeMills", "statistics"),
];

/// A difference that is known.
pub(super) struct Known {
    pub(super) conversation: &'static str,
    pub(super) code: i32,
    pub(super) half: Half,
    pub(super) field: &'static str,
    pub(super) why: &'static str,
}

/// Every difference there is, by conversation, request and field.
pub(super) const KNOWN: &[Known] = &[
    known("02", 105, Answer, "code", NOT_YET),
    known("02", 105, Answer, "remark", NOT_YET),
    known("02", 105, Answer, "body", NOT_YET),
    known("08", 11, Answer, "body.messages[].commitLogOffset", IN_TURN),
    known("08", 310, Answer, "ext.msgId", IN_TURN),
    known("14", 310, Answer, "remark", "how full the machine's disks are"),
    known("16", 11, Answer, "body.messages[].commitLogOffset", IN_TURN),
    known("16", 11, Answer, "body.messages.length", AT_ONCE),
    known("16", 11, Answer, "ext.maxOffset", AT_ONCE),
    known("16", 11, Answer, "ext.nextBeginOffset", AT_ONCE),
    known("16", 12, Answer, "ext.indexLastUpdatePhyoffset", IN_TURN),
    known("16", 320, Answer, "ext.msgId", IN_TURN),
];

const NOT_YET: &str = "the real broker answered before it had registered the topic, and was overtaken";
const IN_TURN: &str =
    "the end of a transaction and the send behind it were done by two threads, and the log has them in the other order";

const AT_ONCE: &str = "a batch's first record woke a pull, whose thread was faster than the dispatch of the second one";

const fn known(conversation: &'static str, code: i32, half: Half, field: &'static str, why: &'static str) -> Known {
    Known { conversation, code, half, field, why }
}

/// Whether a field is the named one: whole, or from a dot on.
fn is_named(field: &str, name: &str) -> bool {
    if let Some(start) = name.strip_suffix('*') {
        return field.starts_with(start) && !field.ends_with(".keys");
    }
    field.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What came of one conversation.
#[derive(Default)]
pub(super) struct Score {
    pub(super) requests: usize,
    pub(super) answers: usize,
    pub(super) own: usize,
    equal: usize,
    volatile: BTreeMap<usize, usize>,
    known: BTreeMap<usize, usize>,
    unknown: BTreeMap<(i32, Half, String), (usize, String)>,
}

impl Score {
    /// Of so many requests of clients.
    pub(super) fn of(requests: usize) -> Score {
        Score { requests, ..Score::default() }
    }

    /// Takes the fields of one pair of commands in.
    pub(super) fn add(&mut self, conversation: &str, (code, half): (i32, Half), ms: u64, fields: Vec<Field>) {
        for field in fields {
            let rule = VOLATILE.iter().position(|rule| {
                (rule.codes.is_empty() || rule.codes.contains(&code))
                    && rule.half == half
                    && is_named(&field.name, rule.field)
            });
            if let Some(rule) = rule {
                *self.volatile.entry(rule).or_insert(0) += 1;
            } else if field.real == field.ours {
                self.equal += 1;
            } else {
                self.differs(conversation, (code, half), ms, field);
            }
        }
    }

    fn differs(&mut self, conversation: &str, (code, half): (i32, Half), ms: u64, field: Field) {
        let known = KNOWN.iter().position(|known| {
            (known.conversation.is_empty() || conversation.starts_with(known.conversation))
                && known.code == code
                && known.half == half
                && is_named(&field.name, known.field)
        });
        match known {
            Some(known) => *self.known.entry(known).or_insert(0) += 1,
            None => {
                let Field { name, real, ours } = field;
                let short = |text: String| text.chars().take(1_500).collect::<String>();
                let shown = format!("at {ms} ms\n      real {}\n      ours {}", short(real), short(ours));
                self.unknown.entry((code, half, name)).or_insert((0, shown)).0 += 1;
            }
        }
    }

    /// A line of the table.
    fn line(&self) -> String {
        let sum = |counts: &BTreeMap<usize, usize>| counts.values().sum::<usize>();
        let unknown: usize = self.unknown.values().map(|(count, _)| count).sum();
        format!(
            "{:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            self.requests,
            self.answers,
            self.own,
            self.equal,
            sum(&self.volatile),
            sum(&self.known) + unknown
        )
    }
}

/// The whole table, and what is wrong with it.
pub(super) fn table(scores: &BTreeMap<String, Score>) -> (String, String) {
    let mut table = format!(
        "{:<26}{:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "conversation", "requests", "answers", "own", "equal", "volatile", "differ"
    );
    let (mut wrong, mut total) = (String::new(), Score::default());
    for (name, score) in scores {
        writeln!(table, "{name:<26}{}", score.line()).unwrap();
        total.requests += score.requests;
        total.answers += score.answers;
        total.own += score.own;
        total.equal += score.equal;
        for (counts, more) in [(&mut total.volatile, &score.volatile), (&mut total.known, &score.known)] {
            for (rule, count) in more {
                *counts.entry(*rule).or_insert(0) += count;
            }
        }
        for ((code, half, field), (count, shown)) in &score.unknown {
            writeln!(wrong, "{name}: {half:?} {code} {field}: {count}, {shown}").unwrap();
        }
    }
    writeln!(table, "{:<26}{}", "all", total.line()).unwrap();
    table.push_str("\nnot compared\n");
    for (at, rule) in VOLATILE.iter().enumerate() {
        let count = total.volatile.get(&at).copied().unwrap_or(0);
        writeln!(table, "{count:>8} {:?} {:?} {}: {}", rule.codes, rule.half, rule.field, rule.why).unwrap();
        if count == 0 {
            writeln!(wrong, "nothing is volatile by {:?} {:?} {}", rule.codes, rule.half, rule.field).unwrap();
        }
    }
    table.push_str("\ndiffering\n");
    for (at, known) in KNOWN.iter().enumerate() {
        let count = total.known.get(&at).copied().unwrap_or(0);
        let Known { conversation, code, half, field, why } = known;
        writeln!(table, "{count:>8} {conversation} {half:?} {code} {field}: {why}").unwrap();
        if count == 0 {
            writeln!(wrong, "{conversation} {half:?} {code} {field} is listed and does not differ").unwrap();
        }
    }
    (table, wrong)
}
