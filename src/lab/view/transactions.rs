//! View 5, transactions: half messages, what was decided of each, how often brokers have asked, and what still stands in the way.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::locale::{Lang, Words, views, words};
use crate::lab::trace::record::{App, NodeId, Record, Seq, What};
use crate::lab::view::backstage::Backstage;
use crate::lab::view::ledger::Letter;
use crate::lab::view::lines;
use crate::lab::view::scene::{At, Pick, Scene};
use crate::lab::view::sheet::{Body, Cell, Column, Pane, Sheet, Tone};
use crate::lab::view::why_not::{self, Wanted, WhyNot};
use crate::mq::app::{Call, LocalOutcome, Return};
use crate::mq::fact::Fact;
use crate::mq::message::names::{TRANS_HALF_TOPIC, TRANS_OP_TOPIC};
use crate::mq::node::Timer;

/// What the version of the data is called: `mqlab.view.transactions/1`.
pub const SCHEMA: &str = "mqlab.view.transactions/1";

/// The transactions at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Transactions {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// Each transaction once, in the order of their half messages.
    pub halves: Vec<Half>,
    /// Which of them is looked at.
    pub chosen: Option<usize>,
    /// What happened to that one.
    pub path: Vec<Step>,
    /// Why consumers do not see it, in sentences; empty if they do, or never will.
    pub why_not: Vec<String>,
    /// What applications wrote down on their machines.
    pub notes: Vec<Note>,
}

/// A transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Half {
    /// The message: `m3 transfer-3`; its unique key if the producer never heard of it.
    pub message: String,
    /// Its key.
    pub key: String,
    /// The broker's node.
    pub broker: String,
    /// The half message's place in its topic; the last copy's, if the broker has written it again.
    pub half: i64,
    /// The place of the note that settles it, if there is one.
    pub op: Option<i64>,
    /// `half`, `unknown`, `committed`, `rolled-back`, `given-up`.
    pub state: &'static str,
    /// How long ago it was stored first, for people.
    pub age: String,
    /// How often the broker has asked.
    pub checks: i32,
    /// How often it asks at most, unless its broker is set otherwise.
    pub checks_max: i32,
    /// What the local transaction came to, if it has: `COMMIT_MESSAGE`, `ROLLBACK_MESSAGE`, `UNKNOW`, `null`, or an exception.
    pub local: Option<String>,
    /// When the broker looks next, for people; `null` where nothing is open.
    pub next_check: Option<String>,
    /// For picking.
    #[serde(skip)]
    pick: Option<Pick>,
}

/// Something that happened to a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Step {
    /// When.
    pub at: At,
    /// Who.
    pub actor: String,
    /// What, in a sentence.
    pub text: String,
}

/// An entry of a machine's ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Note {
    /// The node.
    pub node: String,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A half message is asked for so often. Source: `BrokerConfig.transactionCheckMax`.
const CHECKS_MAX: i32 = 15;

/// What nodes and applications have said of transactions before a moment.
#[derive(Default)]
struct Heard {
    /// What ended, by broker and half message's place: how, and when.
    ended: BTreeMap<(NodeId, i64), (&'static str, u64)>,
    /// How often each copy was asked for.
    asked: BTreeMap<(NodeId, i64), i32>,
    /// What was given up.
    given_up: BTreeMap<(NodeId, i64), &'static str>,
    /// What local transactions came to, by unique key.
    local: BTreeMap<String, String>,
}

impl Heard {
    fn of(scene: &Scene<'_>) -> Heard {
        let mut heard = Heard::default();
        let mut tasks: BTreeMap<(Option<NodeId>, u32, u64), String> = BTreeMap::new();
        for record in scene.trace.before(scene.step) {
            match (&record.what, record.node) {
                (What::Fact(fact), Some(node)) => heard.fact(node, record.step, fact),
                (What::App(App::Returned(answer)), _) => {
                    let (task, uid) = match &**answer {
                        Return::Execute { task, message, .. } => (task, message.properties.get("UNIQ_KEY")),
                        Return::Check { task, message, .. } => (task, message.message.properties.get("UNIQ_KEY")),
                        _ => continue,
                    };
                    let uid = uid.map(ToString::to_string).unwrap_or_default();
                    tasks.insert((record.node, record.incarnation, task.0), uid);
                }
                (What::App(App::Called(call)), _) => {
                    if let Call::Decided { task, outcome } = &**call
                        && let Some(uid) = tasks.remove(&(record.node, record.incarnation, task.0))
                    {
                        heard.local.insert(uid, decided(outcome));
                    }
                }
                _ => {}
            }
        }
        heard
    }

    fn fact(&mut self, node: NodeId, step: u64, fact: &Fact) {
        match fact {
            Fact::TransactionEnded { state, half, .. } => drop(self.ended.insert((node, *half), (state, step))),
            Fact::HalfChecked { half, times, .. } | Fact::HalfPutBack { half, times, .. } => {
                self.asked.insert((node, *half), *times);
            }
            Fact::HalfDiscarded { half, why } => drop(self.given_up.insert((node, *half), why)),
            _ => {}
        }
    }
}

fn decided(outcome: &LocalOutcome) -> String {
    match outcome {
        LocalOutcome::State(state) => state.as_str().to_owned(),
        LocalOutcome::Null => "null".to_owned(),
        LocalOutcome::Threw(text) => text.to_string(),
    }
}

/// The transactions at a scene's moment.
pub fn of(scene: &Scene<'_>) -> Transactions {
    let (heard, backstage) = (Heard::of(scene), scene.backstage());
    let letters = || scene.index.ledger.letters.iter().filter(|letter| letter.step < scene.step);
    let mut copies: Vec<(&str, Vec<&Letter>)> = Vec::new();
    for letter in letters().filter(|letter| letter.topic == TRANS_HALF_TOPIC && !scene.is_slave(letter.node)) {
        match copies.iter_mut().find(|(uid, _)| *uid == letter.uid) {
            Some((_, own)) => own.push(letter),
            None => copies.push((&letter.uid, vec![letter])),
        }
    }
    let notes: BTreeMap<(NodeId, i64), i64> = letters()
        .filter(|letter| letter.topic == TRANS_OP_TOPIC)
        .filter_map(|letter| Some(((letter.node, letter.note.parse().ok()?), letter.queue_offset)))
        .collect();
    let halves: Vec<Half> =
        copies.iter().filter_map(|(_, copies)| half(scene, (&heard, &backstage, &notes), copies)).collect();
    let is_own = |half: &Half| match half.pick {
        Some(Pick::Message(number)) => number == scene.focus.message,
        _ => half.pick.is_some() && half.pick == scene.focus.pick,
    };
    let chosen = halves.iter().position(is_own);
    let is_message = |at: &usize| matches!(halves[*at].pick, Some(Pick::Message(_)));
    let message = chosen.filter(is_message).map(|_| scene.focus.message);
    Transactions {
        schema: SCHEMA,
        at: scene.at(),
        path: message.map_or_else(Vec::new, |message| path(scene, message)),
        why_not: message.map_or_else(Vec::new, |message| why_not(scene, message)),
        notes: noted(scene, &backstage),
        halves,
        chosen,
    }
}

/// One transaction, from the copies of its half message.
fn half(
    scene: &Scene<'_>,
    (heard, backstage, notes): (&Heard, &Backstage, &BTreeMap<(NodeId, i64), i64>),
    copies: &[&Letter],
) -> Option<Half> {
    let (first, last) = (copies.first()?, copies.last()?);
    let place = |letter: &&Letter| (letter.node, letter.queue_offset);
    let ended = copies.iter().rev().find_map(|copy| heard.ended.get(&place(copy)));
    let checks = copies.iter().filter_map(|copy| heard.asked.get(&place(copy))).copied().max().unwrap_or(0);
    let given_up =
        copies.iter().any(|copy| heard.given_up.get(&place(copy)).is_some_and(|why| *why != "expired-meanwhile"));
    let local = heard.local.get(&first.uid).cloned();
    let state = match ended {
        Some(("commit", _)) => "committed",
        Some(_) => "rolled-back",
        None if given_up => "given-up",
        None if 0 < checks || local.is_some() => "unknown",
        None => "half",
    };
    let due =
        backstage.timers.iter().find(|((node, key), _)| *node == last.node && key.name == Timer::TransactionCheck);
    let next_check = due.filter(|_| ended.is_none() && !given_up).map(|(_, at)| at.to_string());
    Some(Half {
        message: first.message.map_or_else(|| first.uid.clone(), |number| scene.message(number)),
        key: first.key.clone(),
        broker: scene.name(last.node),
        half: last.queue_offset,
        op: copies.iter().rev().find_map(|copy| notes.get(&place(copy))).copied(),
        state,
        age: span(scene.now().since(first.time).as_millis()),
        checks,
        checks_max: CHECKS_MAX,
        local,
        next_check,
        pick: first.message.map(Pick::Message).or(Some(Pick::Record { node: last.node, at: last.at })),
    })
}

/// What happened to a transaction's message, short of route answers; what its broker asked and was told, too.
fn path(scene: &Scene<'_>, message: usize) -> Vec<Step> {
    let copies = scene.index.ledger.of_message(message, scene.step).filter(|copy| copy.topic == TRANS_HALF_TOPIC);
    let halves: BTreeSet<(NodeId, i64)> = copies.map(|copy| (copy.node, copy.queue_offset)).collect();
    let is_asked = |record: &&Record| match &record.what {
        What::Fact(
            Fact::HalfChecked { half, .. } | Fact::HalfPutBack { half, .. } | Fact::HalfDiscarded { half, .. },
        ) => record.node.is_some_and(|node| halves.contains(&(node, *half))),
        What::App(App::Returned(answer)) => match &**answer {
            Return::Check { message: asked, .. } => scene.handles.of_stored(asked) == Some(message),
            _ => false,
        },
        _ => false,
    };
    let trip = scene.index.owners.trip(scene.trace, message).filter(|record| record.step < scene.step);
    let asked = scene.trace.before(scene.step).iter().filter(is_asked);
    let own: BTreeMap<Seq, &Record> = trip.chain(asked).map(|record| (record.seq, record)).collect();
    let step = |record: &Record| {
        let line = lines::line(scene.trace, scene.handles, record, scene.lang)?;
        Some(Step { at: At::of(record.step, record.at), actor: line.actor, text: line.text })
    };
    let is_told = |record: &&Record| !matches!(record.what.kind(), "route-answered" | "route-learned");
    own.into_values().filter(is_told).filter_map(step).collect()
}

fn why_not(scene: &Scene<'_>, message: usize) -> Vec<String> {
    let context = (scene.trace, scene.handles, scene.pictures);
    match why_not::of(context, message, Wanted::Delivered, scene.step) {
        WhyNot::Has(..) => Vec::new(),
        WhyNot::Waits(unmet) => unmet.iter().map(|one| one.text.text(scene.lang).to_owned()).collect(),
    }
}

fn noted(scene: &Scene<'_>, backstage: &Backstage) -> Vec<Note> {
    let note = |((node, key), value): (&(NodeId, _), _)| {
        let key: &crate::mq::message::Name = key;
        let value: &crate::mq::message::Name = value;
        Note { node: scene.name(*node), key: key.to_string(), value: words::reason(value, scene.lang).to_owned() }
    };
    backstage.notes.iter().map(note).collect()
}

fn span(millis: u64) -> String {
    format!("{}.{}s", millis / 1_000, millis / 100 % 10)
}

impl Half {
    fn word(&self) -> (Words, Tone) {
        match self.state {
            "committed" => (views::IS_COMMITTED, Tone::Good),
            "rolled-back" => (views::IS_ROLLED_BACK, Tone::Dim),
            "given-up" => (views::IS_GIVEN_UP, Tone::Bad),
            "unknown" => (views::IS_UNKNOWN, Tone::Open),
            _ => (views::IS_HALF, Tone::Open),
        }
    }
}

impl Transactions {
    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        let path = |step: &Step| (format!("#{} {}: {}", step.at.step, step.actor, step.text), Tone::Plain);
        let mut path: Vec<(String, Tone)> = self.path.iter().map(path).collect();
        // What happened last is what one wants to see first.
        path.reverse();
        let why: Vec<(String, Tone)> = self.why_not.iter().map(|text| (text.clone(), Tone::Open)).collect();
        let note = |note: &Note| (vec![Cell::of(&note.node), Cell::of(&note.key), Cell::of(&note.value)], Tone::Plain);
        let heads = vec![Column::words("", 8), Column::words("", 8), Column::words("", 8)];
        let notes = Body::Table(heads, self.notes.iter().map(note).collect());
        Sheet {
            panes: vec![
                self.list(lang),
                Pane::text(views::PATH.text(lang), path),
                Pane::text(views::WHY_NOT_VISIBLE.text(lang), why),
                Pane { title: views::NOTES.text(lang).to_owned(), body: notes, ..Pane::default() },
            ],
        }
    }

    fn list(&self, lang: Lang) -> Pane {
        let title = views::HALVES.text(lang);
        if self.halves.is_empty() {
            return Pane::text(title, vec![(views::NO_HALVES.text(lang).to_owned(), Tone::Dim)]);
        }
        let heads = vec![
            Column::words(views::MESSAGE.text(lang), 6),
            Column::words(views::BROKER.text(lang), 6),
            Column::number(views::HALF_AT.text(lang)),
            Column::number(views::OP_AT.text(lang)),
            Column::words(views::STATE.text(lang), usize::MAX),
            Column::number(views::AGE.text(lang)),
            Column::number(views::ASKED.text(lang)),
            Column::words(views::LOCAL.text(lang), 6),
            Column::words(views::NEXT_CHECK.text(lang), usize::MAX),
        ];
        let row = |half: &Half| {
            let (word, tone) = half.word();
            let cells = vec![
                Cell::of(&half.message),
                Cell::of(&half.broker),
                Cell::Text(format!("#{}", half.half)),
                Cell::or_dash(half.op.map(|op| format!("#{op}"))),
                Cell::of(word.text(lang)),
                Cell::of(&half.age),
                Cell::Text(format!("{}/{}", half.checks, half.checks_max)),
                Cell::or_dash(half.local.as_ref()),
                Cell::or_dash(half.next_check.as_ref()),
            ];
            (cells, tone)
        };
        Pane {
            title: title.to_owned(),
            body: Body::Table(heads, self.halves.iter().map(row).collect()),
            chosen: self.chosen,
            picks: self.halves.iter().filter_map(|half| half.pick.clone()).collect(),
        }
    }
}
