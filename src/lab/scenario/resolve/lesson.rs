//! The words of a scenario: complete in both languages, each step at a moment that can come.

use toml::Spanned;

use super::{Resolver, head};
use crate::lab::fault::episode::Trigger;
use crate::lab::locale::Phrase;
use crate::lab::scenario::bilingual::Bilingual;
use crate::lab::scenario::lesson::{Lesson, Predict, Step};
use crate::lab::scenario::plan::Expect;
use crate::lab::scenario::script::PredictScript;
use crate::lab::scenario::table::Table;
use crate::mq::message::Name;
use crate::mq::time::Time;

const PANES: &[(&str, &str)] = &[
    ("timeline", "timeline"),
    ("cluster", "cluster"),
    ("message", "message"),
    ("messages", "messages"),
    ("queues", "queues"),
    ("storage", "storage"),
    ("transactions", "transactions"),
    ("checks", "checks"),
];

impl Resolver<'_> {
    pub(super) fn lesson(&mut self, expects: &[Expect]) -> Lesson {
        let script = self.script;
        let title = self.phrase(&script.title);
        let question = self.phrase(&script.question);
        let mut steps = Vec::new();
        for step in &script.step {
            let table = step.get_ref();
            if table.when.is_none() {
                let help = "write `when = \"first:send-ok\"`, or another moment";
                self.wrong("missing", Some(head(step.span())), "this step does not say when".into(), help);
            }
            let when = self.moment(&table.when, Trigger::At(Time::ZERO));
            let pane = table.focus.pane.as_ref().map(|_| Name::from(self.word(&table.focus.pane, "pane", PANES)));
            let message = table.focus.message.as_ref().map(|text| Name::from(text.get_ref().as_str()));
            let say = self.phrase(&table.say);
            let predict = table.predict.as_ref().map(|predict| self.predict(predict));
            if say.is_empty() && predict.is_none() {
                let help = "write `say.en` and `say.zh`, or a [step.predict]";
                self.wrong("missing", Some(head(step.span())), "this step says nothing".into(), help);
            }
            steps.push(Step { when, pane, message, say, predict });
        }
        let exercise = self.exercise(expects);
        let card = self.card();
        Lesson { title, question, steps, exercise, card }
    }

    fn predict(&mut self, predict: &Spanned<Table<PredictScript>>) -> Predict {
        let table = predict.get_ref();
        let ask = self.phrase(&table.ask);
        if ask.is_empty() {
            let help = "write `ask.en` and `ask.zh`";
            self.wrong("missing", Some(head(predict.span())), "this prediction asks nothing".into(), help);
        }
        if !(2..=5).contains(&table.choices.len()) {
            let help = "give two to five `choices`";
            self.wrong("missing", Some(head(predict.span())), "a prediction needs choices".into(), help);
        }
        let choices: Vec<Phrase> = table.choices.iter().map(|choice| self.phrase(&Some(choice.clone()))).collect();
        let answer = self.answer(predict, choices.len() as i64);
        Predict { ask, choices, answer, why: self.phrase(&table.why) }
    }

    /// The right choice, from 0.
    fn answer(&mut self, predict: &Spanned<Table<PredictScript>>, choices: i64) -> usize {
        let help = "write `answer = { choice = 1 }`, counted from 1";
        let Some(answer) = &predict.get_ref().answer else {
            self.wrong("missing", Some(head(predict.span())), "this prediction has no answer".into(), help);
            return 0;
        };
        if let Some(eval) = &answer.get_ref().eval {
            let message = "an answer by expression is not built yet".to_owned();
            self.wrong("unsupported", Some(eval.span()), message, help);
        } else if answer.get_ref().choice.is_none() {
            self.wrong("missing", Some(answer.span()), "this answer says nothing".into(), help);
        }
        self.number(&answer.get_ref().choice, 1, 1..=choices.max(1), "choice") as usize - 1
    }

    pub(super) fn phrase(&mut self, given: &Option<Spanned<Bilingual>>) -> Phrase {
        let Some(text) = given else { return Phrase::default() };
        let missing = match text.get_ref() {
            Bilingual { en: Some(_), zh: Some(_) } => None,
            Bilingual { en: None, .. } => Some("English (`en`)"),
            Bilingual { zh: None, .. } => Some("Chinese (`zh`)"),
        };
        if let Some(language) = missing {
            let message = format!("this text has no {language}");
            let help = "write both languages, or one plain text that stands for both";
            self.wrong("missing_language", Some(text.span()), message, help);
        }
        text.get_ref().phrase()
    }
}
