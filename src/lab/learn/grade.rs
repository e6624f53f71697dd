//! Grading: nothing is changed but what may be changed, and what the exercise asks for comes out in every seed.

use toml::{Table, Value};

use crate::lab::learn::copy::LEFT_OUT;
use crate::lab::learn::trial::{self, Came, Effort, Tried};
use crate::lab::locale::{Lang, learning};
use crate::lab::scenario::lesson::Exercise;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::places::{Pattern, Place, Step, differences, span};
use crate::lab::scenario::report::{Problem, Report};
use crate::lab::scenario::variant;
use crate::lab::scenario::{Scenario, load};

/// What a copy came to.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// Nothing was changed yet, and so it does not pass.
    Untouched(Came),
    /// What came of it.
    Came(Came),
}

impl Verdict {
    /// Whether the exercise is passed.
    pub fn is_passed(&self) -> bool {
        matches!(self, Verdict::Came(Came::Held(_)) | Verdict::Untouched(Came::Held(_)))
    }
}

/// Grades a copy of a lesson's scenario.
///
/// Errors: it is no scenario, or something else was changed; the report names the place and the way back.
pub fn grade(lesson: &Scenario, copy: (&str, &str), effort: Effort, lang: Lang) -> Result<Verdict, Report> {
    let (name, text) = copy;
    let variant = lesson.variant.as_ref().map(|variant| variant.name.as_str());
    let Some(exercise) = &lesson.lesson.exercise else {
        let message = learning::NO_EXERCISE.text(lang).to_owned();
        let problem = Problem { code: "no_exercise", message, at: None, label: String::new(), help: String::new() };
        return Err(Report::one(name, text, problem));
    };
    let changes = Overrides { variant: variant.map(str::to_owned), ..Overrides::default() };
    let loaded = load(name, text.as_bytes(), &changes);
    let original = document(&lesson.origin.text, variant);
    // What is no TOML is told by the reader.
    let (Some(original), Some(changed)) = (original, document(text, variant)) else {
        loaded?;
        return Ok(Verdict::Came(trial::run(Tried { name, text, variant }, &exercise.pass, effort)?));
    };
    let different = differences(&original, &changed);
    let foreign: Vec<&Place> = different.iter().filter(|place| !is_allowed(place, exercise, &original)).collect();
    if !foreign.is_empty() {
        let problems = foreign.iter().map(|place| problem(place, (&original, &changed), text, exercise, lang));
        let mut problems: Vec<Problem> = problems.collect();
        problems.sort_by_key(|problem| problem.at.as_ref().map_or(0, |at| at.start));
        return Err(Report { name: name.to_owned(), text: text.to_owned(), problems });
    }
    loaded?;
    let came = trial::run(Tried { name, text, variant }, &exercise.pass, effort)?;
    let is_touched = different.iter().any(|place| !is_left_out(place));
    Ok(if is_touched { Verdict::Came(came) } else { Verdict::Untouched(came) })
}

/// The document of a text, as the shape that is meant.
fn document(text: &str, variant: Option<&str>) -> Option<Table> {
    let mut document: Table = toml::from_str(text).ok()?;
    variant::choose(&mut document, variant).ok()?;
    Some(document)
}

fn is_left_out(place: &Place) -> bool {
    matches!(place.0.first(), Some(Step::Key(key)) if LEFT_OUT.contains(&key.as_str()))
}

fn is_allowed(place: &Place, exercise: &Exercise, original: &Table) -> bool {
    is_left_out(place) || exercise.editable.iter().any(|pattern| pattern.covers(place, original))
}

/// What is said of a key that may not be changed: where, and how to put it back.
fn problem(
    place: &Place,
    (original, changed): (&Table, &Table),
    text: &str,
    exercise: &Exercise,
    lang: Lang,
) -> Problem {
    let named = if place.value(changed).is_some() { changed } else { original };
    let path = place.path(named);
    let paths: Vec<String> = exercise.editable.iter().map(Pattern::to_string).collect();
    let message = learning::FOREIGN.with(lang, &[("path", &path)]);
    let key = match place.0.last() {
        Some(Step::Key(key)) => key.clone(),
        _ => path,
    };
    let back = match place.value(original) {
        Some(value) if is_short(value) => {
            let line = format!("{key} = {value}");
            learning::PUT_BACK.with(lang, &[("line", &line)])
        }
        Some(_) => learning::PUT_TABLE_BACK.with(lang, &[("key", &key)]),
        None => learning::TAKE_OUT.with(lang, &[("key", &key)]),
    };
    let may = learning::MAY_CHANGE.with(lang, &[("paths", &paths.join(", "))]);
    let gap = if lang == Lang::En { " " } else { "" };
    Problem {
        code: "not_editable",
        message,
        at: span(text, place),
        label: String::new(),
        help: format!("{back}{gap}{may}"),
    }
}

fn is_short(value: &Value) -> bool {
    let text = value.to_string();
    !value.is_table() && text.len() < 100 && !text.contains('\n')
}
