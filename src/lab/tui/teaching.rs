//! What a scenario file says to a learner beside its narration: the track, the exercise, the card. What is left out is empty.

use toml::{Table, Value};

use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::Scenario;

/// A lesson's own words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Teaching {
    /// Its track; empty for a scenario that is no lesson.
    pub track: String,
    /// What its exercise asks for; empty if it has none.
    pub goal: Phrase,
    /// What to do in production, a phrase a line.
    pub production: Vec<Phrase>,
    /// The sentence of the article that does not hold, and what happens instead; empty if there is none.
    pub corrects: Phrase,
    /// The chapter of the book to read on in.
    pub chapter: Option<String>,
}

impl Teaching {
    /// Takes them from the scenario; its track stands in its file alone.
    pub fn of(scenario: &Scenario) -> Teaching {
        let file: Table = scenario.origin.text.parse().unwrap_or_default();
        let track = file.get("track").and_then(Value::as_str).unwrap_or_default().to_owned();
        let goal = scenario.lesson.exercise.as_ref().map(|exercise| exercise.goal.clone()).unwrap_or_default();
        match &scenario.lesson.card {
            None => Teaching { track, goal, ..Teaching::default() },
            Some(card) => Teaching {
                track,
                goal,
                production: card.lines.clone(),
                corrects: card.corrects.clone(),
                chapter: card.read.clone(),
            },
        }
    }

    /// Minutes that a person needs for such a lesson: to read, to answer, to do the exercise.
    pub fn minutes(&self, scenario: &Scenario) -> usize {
        let steps = &scenario.lesson.steps;
        let asked = steps.iter().filter(|step| step.predict.is_some()).count();
        let exercise = if self.goal.is_empty() { 0 } else { 2 };
        (2 + steps.len() / 3 + asked + exercise).clamp(5, 10)
    }
}

/// What a track is called; one that the course does not have keeps its name.
pub fn track(name: &str, lang: Lang) -> &str {
    let known = crate::lab::locale::course::TRACKS.iter().find(|(own, _)| *own == name);
    known.map_or(name, |(_, words)| words.text(lang))
}

/// A lesson's number, as its name begins with it: `01-first-message` is the first.
pub fn number(id: &str) -> Option<usize> {
    id.split('-').next().filter(|digits| digits.len() == 2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario::library;
    use crate::lab::scenario::load;

    fn of(name: &str) -> (Teaching, usize) {
        let text = library::text(name).unwrap_or_default();
        let scenario = load(name, text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"));
        let teaching = Teaching::of(&scenario);
        let minutes = teaching.minutes(&scenario);
        (teaching, minutes)
    }

    #[test]
    fn a_lesson_has_a_track_and_the_sandbox_has_none() {
        let (first, minutes) = of("01-first-message");
        assert_eq!((first.track.as_str(), first.goal.is_empty()), ("first-steps", false));
        assert!((5..=10).contains(&minutes), "{minutes}");
        assert_eq!(of("sandbox").0, Teaching::default());
    }

    #[test]
    fn tracks_and_numbers_are_told_from_names() {
        assert_eq!((number("01-first-message"), number("sandbox"), number("2018-x")), (Some(1), None, None));
        assert_eq!((track("durability", Lang::Zh), track("mine", Lang::En)), ("持久性", "mine"));
    }
}
