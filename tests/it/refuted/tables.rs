//! Histories that a check must reject, and near misses that it must accept, told in one table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::image::{DiskImage, FileImage, PAGE};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, DiskEvent, Level, Machine, Record, Road, What};
use mqlab::mq::app::{Call, Return};
use mqlab::mq::message::StoredMessage;
use mqlab::mq::message::property::names;

/// A shop that sends orders, and a billing service.
pub fn shop(until: &str, send: &str, consumer: &str, rest: &str) -> (Trace, Plan) {
    of(&shop_text(until, send, consumer, rest))
}

/// The same where the broker forces each message before it answers.
pub fn synced(until: &str, send: &str, consumer: &str, rest: &str) -> (Trace, Plan) {
    of(&shop_text(until, send, consumer, rest)
        .replace("name = \"broker-a\"\n", "name = \"broker-a\"\nflush = \"sync\"\n"))
}

pub fn shop_text(until: &str, send: &str, consumer: &str, rest: &str) -> String {
    format!(
        r#"
format = 1
id = "t"
seed = 7
until = "{until}"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 2
on = ["broker-a"]
[[producer]]
name = "shop"
group = "shops"
start = "5s"
[[producer.send]]
topic = "orders"
every = "500ms"
key = "order-{{n}}"
body = "order {{n}}"
{send}
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
{consumer}
{rest}
"#
    )
}

/// A fault of one node that begins at this second and ends so many seconds later.
pub fn fault(name: &str, at: u32, lasts: u32, what: &str) -> String {
    format!("[[fault]]\nname = \"{name}\"\nat = \"{at}s\"\nlasts = \"{lasts}s\"\n{what}\n")
}

/// The run of a scenario; those who ask for the same text share it.
pub fn of(text: &str) -> (Trace, Plan) {
    type Runs = BTreeMap<String, Arc<OnceLock<(Trace, Plan)>>>;
    static RUNS: Mutex<Runs> = Mutex::new(BTreeMap::new());
    let own = RUNS.lock().unwrap().entry(text.to_owned()).or_default().clone();
    own.get_or_init(|| {
        let plan = load("t", text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}")).plan;
        let result = Session::run(&plan, Level::History);
        assert!(result.panics.is_empty(), "{:?}", result.panics);
        (result.trace, plan)
    })
    .clone()
}

pub fn verdict(trace: &Trace, plan: &Plan, check: Check) -> (Verdict, String) {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    let finding = check::run(trace, &Plan { expects, ..plan.clone() }).remove(0);
    (finding.verdict, finding.summary.en)
}

/// The rows of one check; everything that is wrong is told at once.
pub struct Table {
    guarantee: &'static str,
    check: Option<Check>,
    wrong: Vec<String>,
    rejected: usize,
    accepted: usize,
}

impl Table {
    /// For a check of whole runs, or for one of bare disks that [`Table::says`] is told of.
    pub fn of(guarantee: &'static str, check: Option<Check>) -> Table {
        Table { guarantee, check, wrong: Vec::new(), rejected: 0, accepted: 0 }
    }

    fn judge(&self, trace: &Trace, plan: &Plan) -> (String, String) {
        let (verdict, said) = verdict(trace, plan, self.check.clone().expect("it judges runs"));
        let found = match &verdict {
            Verdict::Violation { clause, .. } => (*clause).to_owned(),
            Verdict::Known { weakness, clause, .. } => format!("K{weakness:02} {clause}"),
            other => other.as_str().to_owned(),
        };
        (found, said)
    }

    fn row(&mut self, name: &str, wanted: &str, (found, said): (String, String)) {
        if found != wanted {
            self.wrong.push(format!("{name}: `{found}` for `{wanted}`: {said}"));
        }
    }

    /// The undamaged twin, which shows nothing by itself and is not counted.
    pub fn holds(&mut self, (trace, plan): (&Trace, &Plan)) {
        let found = self.judge(trace, plan);
        self.row("the undamaged twin", "pass", found);
    }

    /// A damaged history, and the clause that says so; a registered weakness as `K04 reused`.
    pub fn rejects(&mut self, name: &str, clause: &str, (trace, plan): (&Trace, &Plan)) {
        self.rejected += 1;
        let found = self.judge(trace, plan);
        self.row(name, clause, found);
    }

    /// A near miss: it passes.
    pub fn accepts(&mut self, name: &str, (trace, plan): (&Trace, &Plan)) {
        self.accepted += 1;
        let found = self.judge(trace, plan);
        self.row(name, "pass", found);
    }

    /// A near miss of which nothing can be said.
    pub fn leaves_open(&mut self, name: &str, (trace, plan): (&Trace, &Plan)) {
        self.accepted += 1;
        let found = self.judge(trace, plan);
        self.row(name, "inconclusive", found);
    }

    /// What a check of bare disks found, each breach by its clause; nothing is wanted of a near miss.
    pub fn says(&mut self, name: &str, wanted: &str, found: &str) {
        let is_near_miss = wanted.is_empty();
        (self.accepted, self.rejected) =
            (self.accepted + usize::from(is_near_miss), self.rejected + usize::from(!is_near_miss));
        self.row(name, wanted, (found.to_owned(), String::new()));
    }

    #[track_caller]
    pub fn ends(self) {
        let Table { guarantee, wrong, rejected, accepted, .. } = self;
        println!("{guarantee}: {rejected} rejected, {accepted} near misses");
        assert!(wrong.is_empty(), "{guarantee}:\n{}", wrong.join("\n"));
        assert!(3 <= rejected && 3 <= accepted, "{guarantee}: {rejected} rejected, {accepted} near misses");
    }
}

/// The trace with each record changed, or left out.
pub fn damaged(trace: &Trace, mut change: impl FnMut(Record) -> Option<Record>) -> Trace {
    let mut twin = Trace::new(trace.header.clone());
    trace.records().iter().cloned().filter_map(&mut change).for_each(|record| twin.push(record));
    twin
}

/// The trace with the callbacks of messages of one key changed, or left out; the callbacks are counted from 0.
pub fn with_listen(trace: &Trace, key: &str, mut change: impl FnMut(usize, &mut Record) -> bool) -> Trace {
    let mut number = 0;
    damaged(trace, |mut record| {
        if key_of(&record).as_deref() != Some(key) {
            return Some(record);
        }
        number += 1;
        change(number - 1, &mut record).then_some(record)
    })
}

pub fn key_of(record: &Record) -> Option<String> {
    let What::App(App::Returned(answer)) = &record.what else { return None };
    let Return::Listen { messages, .. } = &**answer else { return None };
    messages.first()?.message.properties.get(names::KEYS).map(|key| key.to_string())
}

/// Changes the first message of a callback.
pub fn message(record: &mut Record, change: impl FnOnce(&mut StoredMessage)) {
    if let What::App(App::Returned(answer)) = &mut record.what
        && let Return::Listen { messages, .. } = Arc::make_mut(answer)
    {
        change(&mut messages[0]);
    }
}

/// The trace without the answers to the callbacks of one key; each counted from 0.
pub fn unanswered(trace: &Trace, key: &str, which: impl Fn(usize) -> bool) -> Trace {
    let (mut number, mut tasks) = (0, Vec::new());
    damaged(trace, |record| {
        if key_of(&record).as_deref() == Some(key) {
            if let What::App(App::Returned(answer)) = &record.what
                && let Return::Listen { task, .. } = &**answer
                && which(number)
            {
                tasks.push((record.node, record.incarnation, *task));
            }
            number += 1;
        }
        let is_answer = matches!(&record.what, What::App(App::Called(call))
            if matches!(&**call, Call::Listened { task, .. } if tasks.contains(&(record.node, record.incarnation, *task))));
        (!is_answer).then_some(record)
    })
}

/// Whether a record is a frame of this code that a broker took in.
pub fn is_frame(record: &Record, label: &str) -> bool {
    matches!(&record.what, What::Road(Road::Arrived { frame, .. }) if frame.label == label && frame.flag & 1 == 0)
}

/// A field of a frame's JSON header.
pub fn field(record: &Record, name: &str) -> Option<String> {
    let What::Road(Road::Arrived { frame, .. }) = &record.what else { return None };
    let text = String::from_utf8_lossy(&frame.wire.as_ref()?.bytes()).into_owned();
    let from = text.find(&format!("\"{name}\":\""))? + name.len() + 4;
    Some(text[from..].split('"').next()?.to_owned())
}

/// Gives a field of a frame's JSON header another value.
pub fn set_field(record: &mut Record, name: &str, value: &str) {
    let before = field(record, name).unwrap_or_else(|| panic!("no {name}"));
    let What::Road(Road::Arrived { frame, .. }) = &mut record.what else { return };
    let wire = frame.wire.take().expect("kept").bytes();
    let length = (u32::from_be_bytes(wire[4..8].try_into().unwrap()) & 0x00ff_ffff) as usize;
    let header = String::from_utf8(wire[8..8 + length].to_vec()).expect("JSON");
    let header = header.replace(&format!("\"{name}\":\"{before}\""), &format!("\"{name}\":\"{value}\""));
    let mut bytes = ((4 + header.len() + wire.len() - 8 - length) as u32).to_be_bytes().to_vec();
    bytes.extend((header.len() as u32).to_be_bytes());
    bytes.extend(header.bytes());
    bytes.extend(&wire[8 + length..]);
    frame.wire = Some(Bytes::from(bytes).into());
}

/// The trace with every disk image changed.
pub fn with_image(trace: &Trace, mut change: impl FnMut(&mut DiskImage)) -> Trace {
    damaged(trace, |mut record| {
        if let What::Disk(DiskEvent::Image { cached, .. }) = &mut record.what
            && cached.files.keys().any(|path| path.starts_with("commitlog/"))
        {
            change(Arc::make_mut(cached));
        }
        Some(record)
    })
}

/// Puts a small file in the place of another.
pub fn put_file(image: &mut DiskImage, path: &str, text: &str) {
    let file = image.files.get_mut(path).unwrap_or_else(|| panic!("no {path}"));
    let mut page = [0; PAGE];
    page[..text.len()].copy_from_slice(text.as_bytes());
    file.pages.clear();
    file.pages.insert(0, Arc::new(page));
    file.len = text.len() as u64;
}

fn log(image: &mut DiskImage) -> &mut FileImage {
    image.files.iter_mut().find(|(path, _)| path.starts_with("commitlog/")).expect("a log").1
}

/// Cuts the log behind its first records.
pub fn cut(image: &mut DiskImage, records: usize) {
    let log = log(image);
    log.pages.retain(|page, _| *page == 0);
    let page = Arc::make_mut(log.pages.get_mut(&0).unwrap());
    let mut at = 0;
    for _ in 0..records {
        at += i32::from_be_bytes(page[at..at + 4].try_into().unwrap()) as usize;
    }
    page[at..].fill(0);
}

/// Gives the last piece of such text in the log another text of the same length; a piece on two pages is not seen.
pub fn rewrite(image: &mut DiskImage, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    for page in log(image).pages.values_mut().rev() {
        if let Some(at) = page.windows(from.len()).rposition(|piece| piece == from.as_bytes()) {
            Arc::make_mut(page)[at..at + from.len()].copy_from_slice(to.as_bytes());
            return;
        }
    }
    panic!("no {from}");
}

/// Sets the bytes of the first file whose path begins so to zero, from some page on.
pub fn wipe(image: &mut DiskImage, file: &str, from: u64) {
    let file = image.files.iter_mut().find(|(path, _)| path.starts_with(file)).expect("the file is there").1;
    file.pages.retain(|page, _| *page < from);
}

/// Changes one bit of the first page of the first file whose path begins so.
pub fn flip(image: &mut DiskImage, file: &str, at: usize) {
    let found = image.files.iter_mut().find(|(path, _)| path.starts_with(file));
    let page = found.unwrap_or_else(|| panic!("no `{file}`")).1.pages.get_mut(&0).expect("a page");
    Arc::make_mut(page)[at] ^= 1;
}

/// Where the record of this number in the log begins, within the first page.
pub fn record_at(image: &mut DiskImage, number: usize) -> usize {
    let page = log(image).pages.get(&0).expect("a page").clone();
    (0..number).fold(0, |at, _| at + i32::from_be_bytes(page[at..at + 4].try_into().unwrap()) as usize)
}

/// The trace with every return to applications changed.
pub fn with_return(trace: &Trace, mut change: impl FnMut(&mut Return)) -> Trace {
    damaged(trace, |mut record| {
        if let What::App(App::Returned(answer)) = &mut record.what {
            change(Arc::make_mut(answer));
        }
        Some(record)
    })
}

/// The trace with a power loss of the broker at this second, from which it comes back at once.
pub fn with_loss(trace: &Trace, second: u64) -> Trace {
    with_machine(trace, "broker-a", second, &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }, Machine::Booted])
}

/// The trace in which something happens to a node at this second.
pub fn with_machine(trace: &Trace, node: &str, second: u64, events: &[Machine]) -> Trace {
    let node = trace.node(node);
    let (mut twin, mut done) = (Trace::new(trace.header.clone()), false);
    for record in trace.records() {
        if !done && second * 1_000_000_000 <= record.at.0 {
            done = true;
            for machine in events {
                twin.push(Record { node, what: What::Machine(machine.clone()), ..record.clone() });
            }
        }
        twin.push(record.clone());
    }
    twin
}

/// The trace in which one callback, changed, comes once more so many seconds before the end.
pub fn called_again(trace: &Trace, key: &str, before_end: u64, change: impl FnOnce(&mut Record)) -> Trace {
    let mut again = trace.records().iter().find(|record| key_of(record).as_deref() == Some(key)).expect(key).clone();
    let end = trace.records().last().expect("it has records").at.0 - before_end * 1_000_000_000;
    let (mut twin, mut change) = (Trace::new(trace.header.clone()), Some(change));
    for record in trace.records() {
        if end <= record.at.0
            && let Some(change) = change.take()
        {
            (again.at, again.step, again.seq) = (record.at, record.step, record.seq);
            (again.wall, again.mono) = (record.wall, record.mono);
            change(&mut again);
            twin.push(again.clone());
        }
        twin.push(record.clone());
    }
    twin
}
