//! What is wrong with a scenario file: where, why, and the way out.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Its kind: `unknown_node`, `syntax` …
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Which bytes of the file are meant, if it has them.
    pub at: Option<Range<usize>>,
    /// What is said under them.
    pub label: String,
    /// The way out.
    pub help: String,
}

/// Everything that is wrong with a file, in the order of its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The file's name.
    pub name: String,
    /// Its text, as far as it is one.
    pub text: String,
    /// What is wrong; at least one thing.
    pub problems: Vec<Problem>,
}

/// How a report is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drawing {
    /// With colours.
    pub color: bool,
    /// With box-drawing characters.
    pub unicode: bool,
    /// In so many columns.
    pub width: usize,
}

/// Lines longer than this are shown as a piece around the place.
const LINE_MAX: usize = 240;

impl Report {
    /// A report of one problem.
    pub fn one(name: &str, text: &str, problem: Problem) -> Report {
        Report { name: name.to_owned(), text: text.to_owned(), problems: vec![problem] }
    }

    /// Line and column of a problem, from 1; columns count characters.
    pub fn place(&self, problem: &Problem) -> Option<(usize, usize)> {
        let at = problem.at.as_ref()?.start.min(self.text.len());
        let before = &self.text.as_bytes()[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        Some((line, 1 + String::from_utf8_lossy(&before[start..]).chars().count()))
    }

    /// The report as text for people.
    pub fn draw(&self, drawing: Drawing) -> String {
        let theme = match (drawing.unicode, drawing.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, color) => {
                let styles = if color { miette::ThemeStyles::ansi() } else { miette::ThemeStyles::none() };
                GraphicalTheme { styles, ..GraphicalTheme::ascii() }
            }
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(drawing.width.max(40)).without_cause_chain();
        let mut out = String::new();
        for problem in &self.problems {
            // A report that cannot be drawn is still a sentence.
            if handler.render_report(&mut out, &self.shown(problem)).is_err() {
                out.push_str(&format!("{}: {}\n", self.name, problem.message));
            }
        }
        out
    }

    fn shown<'a>(&'a self, problem: &'a Problem) -> Shown<'a> {
        let Some(at) = &problem.at else { return Shown { problem, name: &self.name, source: None, at: 0..0 } };
        let start = floor(&self.text, at.start);
        let end = floor(&self.text, at.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |newline| end + newline);
        if line_end - line_start <= LINE_MAX {
            let source = NamedSource::new(&self.name, self.text.clone());
            return Shown { problem, name: &self.name, source: Some(source), at: start..end };
        }
        // A piece of a very long line, under a name that says where it is.
        let (line, column) = self.place(problem).unwrap_or((1, 1));
        let from = floor(&self.text, line_start.max(start.saturating_sub(LINE_MAX / 4)));
        let end = floor(&self.text, end.min(start + LINE_MAX / 4));
        let to = floor(&self.text, line_end.min(end + LINE_MAX / 4));
        let name = format!("{}:{line}:{column}, in part", self.name);
        let piece = self.text[from..to].replace('\n', " ");
        Shown { problem, name: &self.name, source: Some(NamedSource::new(name, piece)), at: start - from..end - from }
    }
}

/// The nearest border of a character at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// One problem as miette draws it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    name: &'a str,
    source: Option<NamedSource<String>>,
    at: Range<usize>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Some(_) => f.write_str(&self.problem.message),
            None => write!(f, "{}: {}", self.name, self.problem.message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("mqlab::scenario::{}", self.problem.code)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = &self.problem.help;
        (!help.is_empty()).then(|| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let label = (!self.problem.label.is_empty()).then(|| self.problem.label.clone());
        let span = LabeledSpan::new(label, self.at.start, self.at.len());
        Some(Box::new(std::iter::once(span)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(Drawing { color: false, unicode: false, width: 100 }))
    }
}

impl std::error::Error for Report {}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, at: Range<usize>) -> Report {
        let problem = Problem {
            code: "test",
            message: "it is wrong".to_owned(),
            at: Some(at),
            label: "here".to_owned(),
            help: "mend it".to_owned(),
        };
        Report::one("x.toml", text, problem)
    }

    #[test]
    fn a_report_shows_the_line_the_place_and_the_way_out() {
        let text = report("a = 1\nb = two\n", 10..13).to_string();
        for part in ["mqlab::scenario::test", "x.toml:2:5", "b = two", "here", "help: mend it"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_very_long_line_is_shown_in_part_and_odd_places_do_no_harm() {
        let long = "é".repeat(5_000_000);
        let text = report(&long, 5_000_001..5_000_003).to_string();
        assert!(text.len() < 2_000 && text.contains("x.toml:1:"), "{text}");
        for at in [0..0, 3..4, 9_999_999..20_000_000] {
            assert!(report(&long, at).to_string().contains("it is wrong"));
        }
        assert!(report("", 0..0).to_string().contains("it is wrong"));
    }
}
