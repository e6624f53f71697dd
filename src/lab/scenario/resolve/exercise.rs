//! An exercise: a task, what may be changed for it, what must come out, ways that pass and ways that do not.

use std::ops::Range;

use toml::{Spanned, Table};

use super::expects::OUTCOMES;
use super::{Resolver, head, place};
use crate::lab::fault::moment::nearest;
use crate::lab::scenario::count::CountRule;
use crate::lab::scenario::exercise::{AttemptScript, ExerciseScript, PassScript};
use crate::lab::scenario::lesson::{Attempt, Exercise, Goal};
use crate::lab::scenario::places::{Pattern, Place, differences};
use crate::lab::scenario::plan::{Check, Expect};
use crate::lab::scenario::script::Text;
use crate::lab::scenario::{overrides, schema, table};
use crate::mq::message::Name;

/// One way to change a scenario, as written.
type Written = Spanned<table::Table<AttemptScript>>;

impl Resolver<'_> {
    pub(super) fn exercise(&mut self, expects: &[Expect]) -> Option<Exercise> {
        let script = self.script.exercise.as_ref()?;
        let (exercise, at) = (script.get_ref(), script.span());
        let document: Table = toml::from_str(self.text).unwrap_or_default();
        let goal = self.phrase(&exercise.goal);
        if goal.is_empty() || exercise.pass.0.is_empty() {
            let help = "write `goal.en`, `goal.zh` and `pass = { expect = \"…\" }`, the id of an [[expect]]";
            let at = place(&exercise.goal).unwrap_or(head(at.clone()));
            self.wrong("missing", Some(at), "the exercise needs a goal and what must come out to pass".into(), help);
        }
        let pass = exercise.pass.0.iter().filter_map(|pass| self.goal(pass, expects, at.clone())).collect();
        let editable = self.editable(exercise, &document, at.clone());
        let hints = self.lines(&exercise.hints, "the exercise", "hint", at);
        let solutions = self.attempts(&exercise.solution, &editable, &document);
        let wrong = self.attempts(&exercise.wrong, &editable, &document);
        Some(Exercise { goal, editable, pass, hints, solutions, wrong })
    }

    /// A condition: an expectation of the file with another outcome or count.
    fn goal(&mut self, pass: &PassScript, expects: &[Expect], table: Range<usize>) -> Option<Goal> {
        let outcome = self.word(&pass.outcome, "outcome", OUTCOMES);
        let seeds = self.number(&pass.seeds, 1, 1..=100_000, "seeds") as u64;
        let count = pass.count.as_ref().map(|_| self.count(&pass.count, CountRule::exactly(1)));
        let found = match (&pass.expect, &pass.check) {
            (Some(id), _) => self.by_id(id, expects)?,
            (None, Some(kind)) => self.by_kind(kind, expects)?,
            (None, None) => {
                let help = "write `pass = { expect = \"…\", outcome = \"holds\", seeds = 20 }`";
                let at = place(&pass.outcome).or(place(&pass.count)).or(place(&pass.seeds)).unwrap_or(head(table));
                self.wrong("missing", Some(at), "this condition does not say what is looked at".into(), help);
                return None;
            }
        };
        let check = match count {
            None => found.check.clone(),
            Some(count) => match found.check.clone().counting(count) {
                Some(check) => check,
                None => {
                    let message = format!("`{}` is a {}, which counts nothing", found.id, found.check.name());
                    let help = "leave `count` out, or name an expectation that has one";
                    self.wrong("wrong_value", place(&pass.count), message, help);
                    return None;
                }
            },
        };
        Some(Goal { expect: Expect { id: found.id.clone(), check, outcome }, seeds })
    }

    fn by_id<'a>(&mut self, id: &Text, expects: &'a [Expect]) -> Option<&'a Expect> {
        let found = expects.iter().find(|expect| expect.id.as_str() == id.get_ref());
        if found.is_none() {
            let ids: Vec<Name> = expects.iter().map(|expect| expect.id.clone()).collect();
            self.unknown("expectation", "Expectations", id, &ids);
        }
        found
    }

    fn by_kind<'a>(&mut self, kind: &Text, expects: &'a [Expect]) -> Option<&'a Expect> {
        let checks: Vec<(&str, ())> = Check::NAMES.iter().map(|name| (*name, ())).collect();
        let before = self.problems.len();
        self.word(&Some(kind.clone()), "check", &checks);
        if self.problems.len() > before {
            return None;
        }
        let all: Vec<&Expect> = expects.iter().filter(|one| one.check.name() == kind.get_ref()).collect();
        if let [one] = all[..] {
            return Some(one);
        }
        let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
        let (message, help) = match ids[..] {
            [] => (
                format!("no expectation is a `{}`", kind.get_ref()),
                "write an [[expect]] with that check, and `pass = { expect = \"ID\" }`".to_owned(),
            ),
            _ => (
                format!("{} expectations are a `{}`", ids.len(), kind.get_ref()),
                format!("say which: `pass = {{ expect = \"ID\" }}`, one of {}", ids.join(", ")),
            ),
        };
        self.wrong("unclear", Some(kind.span()), message, &help);
        None
    }

    /// Paths that lead to something that could be set in this file.
    fn editable(&mut self, exercise: &ExerciseScript, document: &Table, table: Range<usize>) -> Vec<Pattern> {
        if exercise.editable.is_empty() {
            let help = "write `editable = [\"broker.*.flush\"]`: the paths of --set that count, `*` is any name";
            self.wrong("missing", Some(head(table)), "the exercise does not say what may be changed".into(), help);
        }
        let mut patterns = Vec::new();
        for text in &exercise.editable {
            let pattern = Pattern::new(text.get_ref());
            let nowhere = overrides::leads_nowhere(document, pattern.parts(), text.get_ref());
            if let Some(problem) = nowhere {
                let message = format!("nothing in this file is `{}`: {}", text.get_ref(), problem.message);
                self.wrong("unknown_path", Some(text.span()), message, &problem.help);
            } else if let Some((part, known)) = schema::unknown_part(pattern.parts()) {
                let help = match nearest(&part, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "nothing lies below the part before it".to_owned(),
                    None => format!("known here: {}", known.join(", ")),
                };
                let message = format!("`{part}` in `{}` is no key of a scenario", text.get_ref());
                self.wrong("unknown_path", Some(text.span()), message, &help);
            }
            patterns.push(pattern);
        }
        patterns
    }

    fn attempts(&mut self, all: &[Written], editable: &[Pattern], document: &Table) -> Vec<Attempt> {
        all.iter().map(|attempt| self.attempt(attempt, editable, document)).collect()
    }

    /// A change that is a change, of what may be changed, with its reason.
    fn attempt(&mut self, attempt: &Written, editable: &[Pattern], document: &Table) -> Attempt {
        let table = attempt.get_ref();
        let why = self.phrase(&table.why);
        if why.is_empty() {
            let help = "write `why.en` and `why.zh`: why it passes, or what happens instead";
            self.wrong("missing", Some(head(attempt.span())), "this way is not explained".into(), help);
        }
        if table.set.is_empty() && table.edit.is_empty() {
            let help = "write `set = [\"broker.*.flush=sync\"]`, or `edit = [\"-outage\"]`";
            self.wrong("missing", Some(head(attempt.span())), "this way changes nothing".into(), help);
        }
        let plain = |list: &[Text]| list.iter().map(|text| text.get_ref().clone()).collect::<Vec<_>>();
        let (sets, edits) = (plain(&table.set), plain(&table.edit));
        // One after the other, so that what is said of one stands there.
        for (text, is_set) in
            table.set.iter().map(|text| (text, true)).chain(table.edit.iter().map(|text| (text, false)))
        {
            let one = [text.get_ref().clone()];
            let (set, edit): (&[String], &[String]) = if is_set { (&one, &[]) } else { (&[], &one) };
            match overrides::changed(document, set, edit) {
                Err(problem) => self.wrong(problem.code, Some(text.span()), problem.message, &problem.help),
                Ok(changed) => {
                    let covered = |place: &Place| editable.iter().any(|pattern| pattern.covers(place, document));
                    if let Some(other) = differences(document, &changed).iter().find(|place| !covered(place)) {
                        let paths: Vec<String> = editable.iter().map(Pattern::to_string).collect();
                        let message = format!("`{}` is not editable in this exercise", other.path(&changed));
                        let help = format!("add it to `editable`, or change one of: {}", paths.join(", "));
                        self.wrong("not_editable", Some(text.span()), message, &help);
                    }
                }
            }
        }
        Attempt { sets, edits, why }
    }
}
