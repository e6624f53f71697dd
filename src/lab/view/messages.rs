//! View 2, messages: every message of the run, how far each has come, and the trip of the one that is looked at.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::locale::{Lang, Words, views, words};
use crate::lab::trace::record::Record;
use crate::lab::view::life::{Life, Place, Stage};
use crate::lab::view::lines;
use crate::lab::view::scene::{At, Pick, Scene};
use crate::lab::view::sheet::{Body, Cell, Column, Pane, Sheet, Tone};
use crate::mq::message::property::names;

/// What the version of the data is called: `mqlab.view.messages/1`.
pub const SCHEMA: &str = "mqlab.view.messages/1";

/// The messages at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Messages {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// How many of them are in which state, in the order of a life: `state` of [`Message`] and how many.
    pub states: Vec<(&'static str, usize)>,
    /// What a message must have in its name, topic, tag, body or state to be listed; empty for all.
    pub filter: String,
    /// How many have that.
    pub found: usize,
    /// The messages, in the order of their sends: all that have it, or those around the one that is looked at.
    pub messages: Vec<Message>,
    /// How many there are before those.
    pub before: usize,
    /// How many there are behind them.
    pub behind: usize,
    /// Which of them is looked at, counted from the first that is here.
    pub chosen: Option<usize>,
    /// The stages of that one's life, in their order.
    pub life: Vec<Reached>,
    /// Its records, in the order in which they were written.
    pub records: Vec<Copy>,
    /// Its trip.
    pub trip: Vec<Step>,
    #[serde(skip)]
    picks: Vec<Pick>,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Message {
    /// As people call it: `m1 order-1`.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// Its tag.
    pub tag: String,
    /// Its body as text.
    pub body: String,
    /// Its unique key, once a result named it.
    pub uid: Option<String>,
    /// How far it has come: `not-sent`, `in-flight`, `failed`, `stored`, `acked`, `durable`, `in-hand`, `consumed`, `lost`.
    pub state: &'static str,
    /// Its last record: `orders/1 #0`.
    pub queue: Option<String>,
    /// The broker's node that has it.
    pub broker: Option<String>,
    /// Where it begins in the log.
    pub log_at: Option<i64>,
    /// Records of it that were written, copies included.
    pub copies: usize,
    /// How often a listener was called with it.
    pub deliveries: usize,
    /// How often it has come back to be tried again.
    pub retries: i32,
    #[serde(skip)]
    word: Words,
}

/// A stage of a life.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Reached {
    /// Which: `sent`, `stored`, `flushed`, `acked`, `failed`, `delivered`, `consumed`, `lost`.
    pub stage: &'static str,
    /// When it was reached first, for people; `null` if it was not.
    pub time: Option<String>,
    #[serde(skip)]
    label: Words,
}

/// A record of the message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Copy {
    /// When it was written.
    pub at: At,
    /// The broker's node.
    pub broker: String,
    /// Where it stands: `%RETRY%billing/0 #0`.
    pub queue: String,
    /// Where it begins in the log.
    pub log_at: i64,
}

/// Something that happened to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Step {
    /// When.
    pub at: At,
    /// Who.
    pub actor: String,
    /// What, in a sentence.
    pub text: String,
}

/// States in the order of a life, by their words.
const STATES: [(&str, Words); 9] = [
    ("not-sent", words::NOT_SENT),
    ("in-flight", words::IN_FLIGHT),
    ("failed", words::SEND_FAILED),
    ("stored", words::STORED_NOT_ACKED),
    ("acked", words::ACKED_NOT_DURABLE),
    ("durable", words::ACKED_DURABLE),
    ("in-hand", words::IN_HAND),
    ("consumed", words::CONSUMED),
    ("lost", words::LOST),
];

/// The messages at a scene's moment.
pub fn of(scene: &Scene<'_>) -> Messages {
    let lives = &scene.index.lives;
    let looked = scene.focus.message;
    let state_of = |life: &Life| {
        let word = life.state(scene.step);
        STATES.into_iter().find(|(_, own)| *own == word).unwrap_or(("not-sent", word))
    };
    let mut states: Vec<(&'static str, usize)> = STATES.iter().map(|(name, _)| (*name, 0)).collect();
    for life in lives {
        let (name, _) = state_of(life);
        states.iter_mut().filter(|(own, _)| *own == name).for_each(|(_, count)| *count += 1);
    }
    states.retain(|(_, count)| 0 < *count);
    let listed: Vec<usize> = (0..lives.len()).filter(|number| has(scene, *number, state_of(&lives[*number]))).collect();
    let place = listed.partition_point(|number| *number < looked).min(listed.len().saturating_sub(1));
    let window = scene.window(listed.len(), place);
    let message = |number: usize| message(scene, number, state_of(&lives[number]));
    let life = lives.get(looked);
    Messages {
        schema: SCHEMA,
        at: scene.at(),
        states,
        filter: scene.focus.filter.clone(),
        found: listed.len(),
        messages: listed[window.clone()].iter().copied().map(message).collect(),
        before: window.start,
        behind: listed.len() - window.end,
        chosen: listed[window.clone()].iter().position(|number| *number == looked),
        life: life.map_or_else(Vec::new, |life| reached(scene, life)),
        records: copies(scene, looked),
        trip: trip(scene, looked),
        picks: listed[window].iter().copied().map(Pick::Message).collect(),
    }
}

/// Whether a message has what it must have to be listed.
fn has(scene: &Scene<'_>, number: usize, (state, word): (&str, Words)) -> bool {
    let wanted = scene.focus.filter.to_lowercase();
    let (_, sent) = &scene.handles.messages[number];
    let tag = sent.properties.get(names::TAGS).map_or("", |tag| tag.as_str());
    let body = String::from_utf8_lossy(&sent.body);
    let own = [&scene.message(number), sent.topic.as_str(), tag, &body, state, word.text(scene.lang)];
    wanted.is_empty() || own.into_iter().any(|text| text.to_lowercase().contains(&wanted))
}

fn message(scene: &Scene<'_>, number: usize, (state, word): (&'static str, Words)) -> Message {
    let (life, step) = (&scene.index.lives[number], scene.step);
    let (_, sent) = &scene.handles.messages[number];
    let property = |name| sent.properties.get(name).map(ToString::to_string).unwrap_or_default();
    let place: Option<&Place> = life.place(step);
    let copies = || scene.index.ledger.of_message(number, step).filter(|letter| !scene.is_slave(letter.node));
    let last = copies().next_back();
    Message {
        name: scene.message(number),
        topic: sent.topic.to_string(),
        tag: property(names::TAGS),
        body: String::from_utf8_lossy(&sent.body).into_owned(),
        uid: life.uid(step).map(ToString::to_string),
        state,
        queue: last.map(|last| last.place()).or_else(|| place.map(|place| place.queue.clone())),
        broker: last.map(|last| scene.name(last.node)).or_else(|| place.map(|place| place.broker.to_string())),
        log_at: last.map(|last| last.at).or_else(|| place.map(|place| place.at)),
        copies: copies().count(),
        deliveries: life.count(Stage::Delivered, step),
        retries: copies().map(|letter| letter.times).max().unwrap_or(0),
        word,
    }
}

fn reached(scene: &Scene<'_>, life: &Life) -> Vec<Reached> {
    let stages = [
        ("sent", Stage::Sent),
        ("stored", Stage::Stored),
        ("flushed", Stage::Flushed),
        ("acked", Stage::Acked),
        ("failed", Stage::Failed),
        ("delivered", Stage::Delivered),
        ("consumed", Stage::Consumed),
        ("lost", Stage::Lost),
    ];
    let reached = |(name, stage): (&'static str, Stage)| {
        let time = life.first(stage, scene.step).map(|at| at.to_string());
        // An end that was not met is nobody's wish.
        let is_told = time.is_some() || !matches!(stage, Stage::Failed | Stage::Lost);
        is_told.then(|| Reached { stage: name, time, label: stage.name() })
    };
    stages.into_iter().filter_map(reached).collect()
}

fn copies(scene: &Scene<'_>, message: usize) -> Vec<Copy> {
    let copy = |letter: &crate::lab::view::ledger::Letter| Copy {
        at: At::of(letter.step, letter.time),
        broker: scene.name(letter.node),
        queue: letter.place(),
        log_at: letter.at,
    };
    scene.index.ledger.of_message(message, scene.step).map(copy).collect()
}

fn trip(scene: &Scene<'_>, message: usize) -> Vec<Step> {
    let own = scene.index.owners.trip(scene.trace, message).filter(|record| record.step < scene.step);
    let step = |record: &Record| {
        let line = lines::line(scene.trace, scene.handles, record, scene.lang)?;
        Some(Step { at: At::of(record.step, record.at), actor: line.actor, text: line.text })
    };
    own.filter(|record| !matches!(record.what.kind(), "route-answered" | "route-learned")).filter_map(step).collect()
}

impl Messages {
    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        let step = |step: &Step| (format!("#{} {}: {}", step.at.step, step.actor, step.text), Tone::Plain);
        // What happened last is what one wants to see first.
        let trip = self.trip.iter().rev().map(step).collect();
        Sheet { panes: vec![self.list(lang), self.life_pane(lang), Pane::text(views::TRIP.text(lang), trip)] }
    }

    fn list(&self, lang: Lang) -> Pane {
        let word = |name: &str| STATES.iter().find(|(own, _)| *own == name).map_or("", |(_, word)| word.text(lang));
        let states: Vec<String> = self.states.iter().map(|(name, count)| format!("{count} {}", word(name))).collect();
        let mut title = format!("{}  {}", views::MESSAGES.text(lang), states.join("  "));
        if !self.filter.is_empty() {
            title = format!("{} /{}: {}  {}", views::MESSAGES.text(lang), self.filter, self.found, states.join("  "));
        }
        if self.messages.is_empty() {
            let none = if self.filter.is_empty() { views::NO_MESSAGES } else { views::NO_SUCH_MESSAGE };
            return Pane::text(title, vec![(none.text(lang).to_owned(), Tone::Dim)]);
        }
        let heads = vec![
            Column::words(views::MESSAGE.text(lang), 8),
            Column::words(views::TAG.text(lang), 4),
            Column::words(views::QUEUE.text(lang), 10),
            Column::words(views::BROKER.text(lang), 6),
            Column::number(views::RETRIES.text(lang)),
            Column::number(views::DELIVERIES.text(lang)),
            Column::words(views::STATE.text(lang), 8),
        ];
        let row = |message: &Message| {
            let cells = vec![
                Cell::of(&message.name),
                Cell::of(&message.tag),
                Cell::of(message.queue.as_ref().unwrap_or(&message.topic)),
                Cell::or_dash(message.broker.as_ref()),
                Cell::of(message.retries),
                Cell::of(message.deliveries),
                Cell::of(message.word.text(lang)),
            ];
            let tone = match message.state {
                "consumed" => Tone::Good,
                "lost" | "failed" => Tone::Bad,
                "not-sent" => Tone::Dim,
                _ => Tone::Open,
            };
            (cells, tone)
        };
        let body = Body::Table(heads, self.messages.iter().map(row).collect());
        Pane { title, body, chosen: self.chosen, picks: self.picks.clone() }
    }

    fn life_pane(&self, lang: Lang) -> Pane {
        let mut rows: Vec<(Vec<Cell>, Tone)> = Vec::new();
        let mut row = |cells: [String; 2], tone: Tone| rows.push((cells.map(Cell::Text).into(), tone));
        for reached in &self.life {
            let tone = match (&reached.time, reached.stage) {
                (None, _) => Tone::Dim,
                (Some(_), "failed" | "lost") => Tone::Bad,
                (Some(_), _) => Tone::Good,
            };
            let time = reached.time.clone().unwrap_or_else(|| "--".to_owned());
            row([reached.label.text(lang).to_owned(), time], tone);
        }
        if let Some(message) = self.chosen.and_then(|at| self.messages.get(at)) {
            row([views::BODY.text(lang).to_owned(), message.body.clone()], Tone::Plain);
            row(["UNIQ_KEY".to_owned(), message.uid.clone().unwrap_or_else(|| "--".to_owned())], Tone::Plain);
        }
        for copy in &self.records {
            row([copy.at.time.clone(), format!("{} {} @{}", copy.broker, copy.queue, copy.log_at)], Tone::Plain);
        }
        let heads = vec![Column::words("", usize::MAX), Column::words("", 8)];
        Pane { title: views::LIFE.text(lang).to_owned(), body: Body::Table(heads, rows), ..Pane::default() }
    }
}
