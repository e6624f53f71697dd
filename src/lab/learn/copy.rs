//! The learner's own copy of a scenario: the whole file, without the answers, with the lines marked that may be changed.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::{Table, Value};

use crate::lab::locale::{Lang, learning};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::lesson::Exercise;
use crate::lab::scenario::places::{Pattern, Place, Step, span};
use crate::lab::view::width;

/// Tables that the copy leaves out: they are about the exercise and not of the scenario.
pub const LEFT_OUT: [&str; 2] = ["exercise", "card"];

/// Columns of the comment that comes first.
const COLUMNS: usize = 100;

/// The copy of a lesson's scenario; the same text if it has no exercise.
pub fn of(scenario: &Scenario, lang: Lang) -> String {
    let text = &scenario.origin.text;
    let Some(exercise) = &scenario.lesson.exercise else { return text.clone() };
    let bare = without_answers(text);
    format!("{}{}", head(scenario, exercise, lang), marked(&bare, scenario, exercise, lang))
}

fn head(scenario: &Scenario, exercise: &Exercise, lang: Lang) -> String {
    let id = scenario.plan.scenario.as_str();
    let title = scenario.lesson.title.text(lang);
    let paths: Vec<String> = exercise.editable.iter().map(Pattern::to_string).collect();
    let told = [
        format!("{id}  {title}"),
        String::new(),
        exercise.goal.text(lang).to_owned(),
        String::new(),
        learning::COPY_EDITABLE.with(lang, &[("paths", &paths.join(", "))]),
        learning::COPY_CHECK.with(lang, &[("lesson", id)]),
        learning::COPY_HINT.with(lang, &[("lesson", id)]),
    ];
    let lines = told.iter().flat_map(|text| width::wrap(text, COLUMNS));
    lines.map(|line| format!("# {line}").trim_end().to_owned() + "\n").chain(["\n".to_owned()]).collect()
}

/// The file without the comment that it begins with, and without the tables that are left out.
fn without_answers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let body = text.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
    let mut skips = false;
    for line in body {
        if let Some(name) = header(line) {
            let first = name.split('.').next().unwrap_or_default();
            skips = LEFT_OUT.contains(&first);
        }
        if !skips {
            out.push_str(line);
            out.push('\n');
        }
    }
    // What stood between two tables is left where the second is gone.
    format!("{}\n", out.trim_end())
}

/// The name in a line that begins a table: `[cluster]`, `[[producer.send]]`.
fn header(line: &str) -> Option<&str> {
    let line = line.split('#').next().unwrap_or_default().trim_end();
    let name = line.strip_prefix('[')?.strip_suffix(']')?;
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (!name.is_empty() && name.chars().all(legal)).then_some(name)
}

/// The file with a comment at each line that may be changed.
fn marked(text: &str, scenario: &Scenario, exercise: &Exercise, lang: Lang) -> String {
    let mut document: Table = toml::from_str(text).unwrap_or_default();
    let variants = document.remove("variant");
    let mut spans = spans(text, &document, &[], exercise);
    // Of several shapes the one that is meant belongs to the exercise.
    let meant = scenario.variant.as_ref().map(|variant| variant.name.as_str());
    let shapes = variants.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_table).enumerate();
    for (number, shape) in shapes.filter(|(_, shape)| shape.get("name").and_then(Value::as_str) == meant) {
        let begin = [Step::Key("variant".to_owned()), Step::At(number)];
        spans.extend(self::spans(text, shape, &begin, exercise));
    }
    let line_of = |at: usize| text[..at].matches('\n').count();
    let ends: BTreeSet<usize> = spans.iter().map(|span| line_of(span.end.saturating_sub(1).max(span.start))).collect();
    let mark = learning::COPY_MARK.text(lang);
    let line = |(number, line): (usize, &str)| match ends.contains(&number) {
        true => format!("{line} # {mark}\n"),
        false => format!("{line}\n"),
    };
    text.lines().enumerate().map(line).collect()
}

/// Where the values stand that may be changed: those of a table which stands at a place of the file.
fn spans(text: &str, table: &Table, begin: &[Step], exercise: &Exercise) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    leaves(&Value::Table(table.clone()), &mut Vec::new(), &mut places);
    places.retain(|place| exercise.editable.iter().any(|pattern| pattern.covers(place, table)));
    let whole = |place: &Place| Place([begin, &place.0[..]].concat());
    places.iter().filter_map(|place| span(text, &whole(place))).collect()
}

/// Every place that holds a value and no table.
fn leaves(value: &Value, at: &mut Vec<Step>, all: &mut Vec<Place>) {
    let steps: Vec<(Step, &Value)> = match value {
        Value::Table(table) => table.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_table) => {
            list.iter().enumerate().map(|(place, value)| (Step::At(place), value)).collect()
        }
        _ => return all.push(Place(at.clone())),
    };
    for (step, value) in steps {
        at.push(step);
        leaves(value, at, all);
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::learn::lessons;
    use crate::lab::scenario::library;
    use crate::lab::scenario::places::differences;

    #[test]
    fn a_copy_is_the_scenario_without_the_answers() {
        for id in library::names() {
            let scenario = lessons::scenario(id).unwrap_or_else(|report| panic!("{report}"));
            let original: Table = toml::from_str(&scenario.origin.text).unwrap();
            for lang in [Lang::En, Lang::Zh] {
                let text = of(&scenario, lang);
                let copy: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}\n{text}"));
                let other: Vec<String> = differences(&original, &copy)
                    .iter()
                    .map(|place| place.path(&original))
                    .filter(|path| !LEFT_OUT.contains(&path.split('.').next().unwrap_or_default()))
                    .collect();
                assert_eq!(other, Vec::<String>::new(), "{id}");
                if let Some(exercise) = &scenario.lesson.exercise {
                    assert!(!copy.contains_key("exercise") && !copy.contains_key("card"), "{id}");
                    let last = exercise.hints.last().map_or("", |hint| hint.text(lang));
                    assert!(last.is_empty() || !text.contains(last), "{id} tells its last hint");
                }
            }
        }
    }

    #[test]
    fn of_several_shapes_the_one_that_is_meant_is_marked() {
        let scenario = lessons::scenario("22-four-shapes").unwrap();
        let text = of(&scenario, Lang::En);
        let marked: Vec<&str> = text.lines().filter(|line| line.ends_with(learning::COPY_MARK.en)).collect();
        let meant = &scenario.variant.as_ref().unwrap().name;
        let (_, behind) = text.split_once(&format!("name = \"{meant}\"")).unwrap();
        let own = behind.split("[[variant]]").next().unwrap();
        assert!(!marked.is_empty() && marked.iter().all(|line| own.contains(line)), "{marked:?}");
    }

    #[test]
    fn what_may_be_changed_is_marked_and_nothing_else() {
        let text = of(&lessons::scenario("17-power-loss").unwrap(), Lang::En);
        let mark = learning::COPY_MARK.en;
        let marked: Vec<&str> = text.lines().filter(|line| line.ends_with(mark)).collect();
        assert_eq!(marked.len(), 3, "{marked:?}");
        for (line, key) in marked.iter().zip(["flush = ", "flush_interval = ", "flush_least_pages = "]) {
            assert!(line.starts_with(key), "{line}");
        }
        assert!(text.starts_with("# 17-power-loss  The power goes out\n#\n# Change one line"), "{text}");
        assert!(text.contains("mqlab learn check 17-power-loss"));
    }
}
