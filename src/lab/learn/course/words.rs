//! The words of a lesson: whether they stand in both languages, and whether they fit.

use crate::lab::learn::course::{Kind, Lesson};
use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::lesson::{Predict, Step};
use crate::lab::view::width;

/// Columns of a text of the exercise or the card, on a screen of 80.
pub const EXERCISE_COLUMNS: usize = 76;
/// Rows that it may take.
pub const EXERCISE_ROWS: usize = 6;
/// Columns of the player's lesson on a screen of 80x24.
pub const STRIP_COLUMNS: usize = 78;
/// Rows that it may take there.
pub const STRIP_ROWS: usize = 6;

/// Looks at all of them.
pub(super) fn look(scenario: &Scenario, lesson: &mut Lesson) {
    for (place, phrase) in all(scenario) {
        if let Some((en, zh)) = missing(phrase) {
            lesson.wrong(Kind::Language, format!("{place}: {en}"), format!("{place}：{zh}"));
        }
    }
    for (place, phrase) in of_exercise(scenario) {
        fits(&place, phrase, (EXERCISE_COLUMNS, EXERCISE_ROWS), lesson);
    }
    for (number, step) in (1..).zip(&scenario.lesson.steps) {
        for (place, phrase) in strip(step) {
            fits(&format!("step {number}{place}"), &phrase, (STRIP_COLUMNS, STRIP_ROWS), lesson);
        }
    }
}

fn fits(place: &str, phrase: &Phrase, (columns, rows): (usize, usize), lesson: &mut Lesson) {
    for (lang, code) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
        let took = width::wrap(phrase.text(lang), columns).len();
        if rows < took {
            lesson.wrong(
                Kind::Width,
                format!("{place} ({code}) takes {took} rows of {columns} columns, and there are {rows}"),
                format!("{place}（{code}）需要 {took} 行（每行 {columns} 列），只有 {rows} 行"),
            );
        }
    }
}

/// What the player shows of a step: as it is asked, and each time as it is answered.
pub fn strip(step: &Step) -> Vec<(String, Phrase)> {
    let with = |place: String, more: Phrase| {
        let text = |say: &str, more: &str| if say.is_empty() { more.to_owned() } else { format!("{say}\n{more}") };
        (place, Phrase::of(text(&step.say.en, &more.en), text(&step.say.zh, &more.zh)))
    };
    let Some(predict) = &step.predict else { return vec![(String::new(), step.say.clone())] };
    let answered = |choice: usize| {
        let right = predict.answer == choice;
        let (glyph, letter) = (if right { '+' } else { '!' }, letter(choice));
        let (en, zh) = if right { ("right", "对") } else { ("not so", "不对") };
        let reason = Phrase::of(
            format!("{glyph} {letter}) {en}. {}", predict.why.en),
            format!("{glyph} {letter}) {zh}. {}", predict.why.zh),
        );
        with(format!(", answered {letter}"), reason)
    };
    let mut all = vec![with(", asked".to_owned(), asked(predict))];
    // One right answer and one wrong one stand for all: only the word before the reason differs.
    let wrong = (0..predict.choices.len()).find(|choice| *choice != predict.answer);
    all.extend(std::iter::once(predict.answer).chain(wrong).map(answered));
    all
}

fn asked(predict: &Predict) -> Phrase {
    let keys: Vec<String> = (0..predict.choices.len()).map(|at| letter(at).to_string()).collect();
    let text = |ask: &str, lang: Lang| {
        let choices = predict.choices.iter().enumerate();
        let choices: Vec<String> =
            choices.map(|(at, choice)| format!("{}) {}", letter(at), choice.text(lang))).collect();
        format!("{ask}\n{}  [{}]", choices.join("  "), keys.join("/"))
    };
    Phrase::of(text(&predict.ask.en, Lang::En), text(&predict.ask.zh, Lang::Zh))
}

fn letter(choice: usize) -> char {
    char::from(b'a' + choice as u8)
}

/// Every text of a lesson with its place in the file.
fn all(scenario: &Scenario) -> Vec<(String, &Phrase)> {
    let lesson = &scenario.lesson;
    let mut all = vec![("title".to_owned(), &lesson.title), ("question".to_owned(), &lesson.question)];
    for (number, step) in (1..).zip(&lesson.steps) {
        // A step may ask without saying anything.
        if !step.say.is_empty() {
            all.push((format!("step {number} say"), &step.say));
        }
        if let Some(predict) = &step.predict {
            all.push((format!("step {number} ask"), &predict.ask));
            all.push((format!("step {number} why"), &predict.why));
            all.extend((1..).zip(&predict.choices).map(|(at, choice)| (format!("step {number} choice {at}"), choice)));
        }
    }
    all.extend(of_exercise(scenario));
    all
}

/// The texts of the exercise and the card.
fn of_exercise(scenario: &Scenario) -> Vec<(String, &Phrase)> {
    let mut all = Vec::new();
    if let Some(exercise) = &scenario.lesson.exercise {
        all.push(("exercise goal".to_owned(), &exercise.goal));
        all.extend((1..).zip(&exercise.hints).map(|(at, hint)| (format!("hint {at}"), hint)));
        all.extend((1..).zip(&exercise.solutions).map(|(at, way)| (format!("solution {at} why"), &way.why)));
        all.extend((1..).zip(&exercise.wrong).map(|(at, way)| (format!("wrong {at} why"), &way.why)));
    }
    if let Some(card) = &scenario.lesson.card {
        all.extend((1..).zip(&card.lines).map(|(at, line)| (format!("card line {at}"), line)));
        if !card.corrects.is_empty() {
            all.push(("card corrects".to_owned(), &card.corrects));
        }
    }
    all
}

/// What a text lacks. One text may stand for both languages if it is no sentence: a setting, a number, a name.
fn missing(phrase: &Phrase) -> Option<(&'static str, &'static str)> {
    let (en, zh) = (phrase.en.trim(), phrase.zh.trim());
    match (en.is_empty(), zh.is_empty()) {
        (true, _) => return Some(("there is no English", "没有英文")),
        (_, true) => return Some(("there is no Chinese", "没有中文")),
        _ => {}
    }
    if !zh.chars().any(is_chinese) && is_sentence(zh) {
        return Some(("the Chinese is not Chinese", "中文不是中文"));
    }
    if en == zh && en.chars().any(is_chinese) {
        return Some(("the English is Chinese", "英文写成了中文"));
    }
    None
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Several plain words in a row, and nothing that only settings have.
fn is_sentence(text: &str) -> bool {
    let is_word = |word: &&str| 1 < word.len() && word.chars().all(|c| c.is_ascii_alphabetic() || ",.?!'".contains(c));
    !text.contains(['=', '`']) && 4 <= text.split_whitespace().filter(is_word).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_stands_for_both_only_where_it_is_no_sentence() {
        for good in ["10", "flush = \"sync\"", "SEND_OK", "count = 8, or count = 12", "broker-a and broker-b"] {
            assert_eq!(missing(&Phrase::both(good)), None, "{good}");
        }
        assert_eq!(missing(&Phrase::of("a", "断电")), None);
        assert!(missing(&Phrase::both("The power goes out at once.")).is_some());
        assert!(missing(&Phrase::both("断电了")).is_some());
        assert!(missing(&Phrase::of("", "断电了")).is_some() && missing(&Phrase::of("x", "")).is_some());
    }
}
