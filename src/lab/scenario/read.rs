//! From bytes to a script: what is no text, no TOML or no scenario is told where it stands, and how to mend it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::lab::fault::moment::nearest;
use crate::lab::scenario::report::{Problem, Report};
use crate::lab::scenario::script::Script;
use crate::lab::scenario::{FILE_MAX, FORMAT};

/// What a scenario is, for whoever brought something else.
const GENERAL: &str = "a scenario is TOML; scenarios/17-power-loss.toml shows every table";

/// The text of a file, without its byte order mark.
pub(super) fn text(name: &str, bytes: &[u8]) -> Result<String, Report> {
    let refuse = |code, message: String, text: String, at: Range<usize>, help: &str| {
        let problem = Problem { code, message, at: Some(at), label: String::new(), help: help.to_owned() };
        Err(Report::one(name, &text, problem))
    };
    if bytes.len() > FILE_MAX {
        let text = String::from_utf8_lossy(&bytes[..FILE_MAX]).into_owned();
        let message = format!("the file is too long: a scenario has at most {FILE_MAX} bytes");
        let end = text.len();
        let last = text.floor_char_boundary(end - 1);
        return refuse("too_large", message, text, last..end, "is this the right file?");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            let help = "start from a copy of scenarios/01-first-message.toml";
            refuse("empty", "the file is empty".to_owned(), String::new(), 0..0, help)
        }
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let message = format!("the file is not UTF-8: byte 0x{:02x} does not belong here", bytes[at]);
            // Up to the byte, the readable text is the file's own.
            let text = String::from_utf8_lossy(bytes).into_owned();
            let end = at + char::REPLACEMENT_CHARACTER.len_utf8();
            refuse("encoding", message, text, at..end, "save the file as UTF-8")
        }
    }
}

/// The script of a text.
pub(super) fn script(name: &str, text: &str) -> Result<Script, Report> {
    toml::from_str(text).map_err(|error| {
        if let Some(problem) = newer(text) {
            return Report::one(name, text, problem);
        }
        let message = error.message().lines().next().unwrap_or("this is not TOML");
        let at = error.span().unwrap_or(0..0);
        let code = if message.starts_with("unknown") { "unknown_key" } else { "syntax" };
        let help = way_out(message, text.get(at.clone()).unwrap_or(""));
        let message = plain(message);
        Report::one(name, text, Problem { code, message, at: Some(at), label: "here".to_owned(), help })
    })
}

/// A file of another format is not blamed for keys that this one does not have.
fn newer(text: &str) -> Option<Problem> {
    let table = DeTable::parse(text).ok()?;
    let format = table.get_ref().get("format")?;
    let DeValue::Integer(number) = format.get_ref() else { return None };
    let number = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number != FORMAT)?;
    Some(wrong_format(number, format.span()))
}

/// What is said of a format that is not ours.
pub(super) fn wrong_format(number: i64, at: Range<usize>) -> Problem {
    let help = match FORMAT < number {
        true => format!("this file needs a newer mqlab; this one reads format {FORMAT}"),
        false => format!("write `format = {FORMAT}`"),
    };
    Problem {
        code: "format",
        message: format!("format {number} is not known"),
        at: Some(at),
        label: String::new(),
        help,
    }
}

/// Serde's words in a writer's words.
fn plain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) else {
        return message.to_owned();
    };
    let Some((found, expected)) = rest.rsplit_once(", expected ") else { return message.to_owned() };
    let found = match found {
        "map" => "a table".to_owned(),
        "sequence" => "an array".to_owned(),
        _ => match found.split_once(' ') {
            Some(("string", text)) => format!("the text {text}"),
            Some((_, value)) => value.strip_suffix(" as i128").unwrap_or(value).to_owned(),
            None => found.to_owned(),
        },
    };
    let expected = match expected {
        "i64" => "a whole number of at most 64 bits",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" => "an array",
        other => other,
    };
    format!("expected {expected}, found {found}")
}

/// The way out of an error of the reader's, which stands at `here`.
fn way_out(message: &str, here: &str) -> String {
    if message.starts_with("unknown") {
        // The wrong name comes first, those that are known behind it.
        let mut names = message.split('`').skip(1).step_by(2);
        let wrong = names.next().unwrap_or("");
        let known: Vec<&str> = names.collect();
        return match nearest(wrong, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
    }
    let named = here.trim_matches(['[', ']', ' ']);
    match message.rsplit_once(", expected ").map_or("", |(_, expected)| expected) {
        "a sequence" if here.starts_with('[') && !here.starts_with("[[") => {
            format!("there may be several: write [[{named}]]")
        }
        "a table" if here.starts_with("[[") => format!("there is one: write [{named}]"),
        "a table" => "a table is written `{ key = value }`, or under a [head] of its own".to_owned(),
        "a string" if !here.is_empty() && !here.contains(['[', '{', '\n']) => format!("put it in quotes: \"{here}\""),
        "i64" | "f64" if here.starts_with(['"', '\'']) => "write a number, without quotes".to_owned(),
        "a boolean" => "write true or false, without quotes".to_owned(),
        _ => GENERAL.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_a_writers_words_with_a_way_out() {
        let cases = [
            ("seed = 'x'", "expected a whole number of at most 64 bits, found the text \"x\"", "without quotes"),
            ("id = 7", "expected a text in quotes, found `7`", "put it in quotes: \"7\""),
            ("[[cluster]]", "expected a table, found an array", "there is one: write [cluster]"),
            ("cluster = []", "expected a table, found an array", "`{ key = value }`"),
            ("[broker]", "expected an array, found a table", "there may be several: write [[broker]]"),
            ("[[broker]]\ndisk = ['1ms']", "expected a table, found an array", "`{ key = value }`"),
            ("broker = [7]", "expected a table, found `7`", "`{ key = value }`"),
            ("[[broker]]\nauto_create_topic = 1", "expected true or false, found `1`", "without quotes"),
            ("seed = 99999999999999999999", "found `99999999999999999999`", GENERAL),
            ("x = [", "array", GENERAL),
        ];
        for (text, message, help) in cases {
            let problem = &script("x.toml", text).unwrap_err().problems[0];
            assert!(problem.message.contains(message), "{text}: {}", problem.message);
            assert!(problem.help.contains(help), "{text}: {}", problem.help);
        }
    }

    #[test]
    fn a_newer_format_comes_before_keys_that_only_it_has() {
        let problem = &script("x.toml", "format = 0x63\nnovelty = true").unwrap_err().problems[0];
        assert_eq!((problem.code, problem.at.clone()), ("format", Some(9..13)));
    }
}
