//! What is wrong with a scenario file: where, why, and the way out.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

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
/// So many problems are drawn; of more, only the number is told.
const DRAWN_MAX: usize = 50;

impl Report {
    /// A report of one problem.
    pub fn one(name: &str, text: &str, problem: Problem) -> Report {
        Report { name: name.to_owned(), text: text.to_owned(), problems: vec![problem] }
    }

    /// Line and column of a problem, from 1; columns count characters.
    pub fn place(&self, problem: &Problem) -> Option<(usize, usize)> {
        let before = &self.text[..floor(&self.text, problem.at.as_ref()?.start)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((1 + before.matches('\n').count(), 1 + before[line_start..].chars().count()))
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
        for problem in self.problems.iter().take(DRAWN_MAX) {
            // A report that cannot be drawn is still a sentence.
            if handler.render_report(&mut out, &self.shown(problem)).is_err() {
                out.push_str(&format!("{}: {}\n", self.name, problem.message));
            }
        }
        if let Some(more @ 1..) = self.problems.len().checked_sub(DRAWN_MAX) {
            out.push_str(&format!("and {more} more problems\n"));
        }
        out
    }

    fn shown<'a>(&'a self, problem: &'a Problem) -> Shown<'a> {
        let Some(at) = &problem.at else { return Shown { problem, name: &self.name, excerpt: None } };
        let start = floor(&self.text, at.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        let end = floor(&self.text, at.end).clamp(start, line_end);
        let (line, column) = self.place(problem).unwrap_or((1, 1));
        let (from, end, to) = match line_end - line_start <= LINE_MAX {
            true => (self.line_above(line_start), end, self.line_below(line_end)),
            // A piece of a very long line.
            false => {
                let end = floor(&self.text, end.min(start + LINE_MAX / 4));
                let from = floor(&self.text, line_start.max(start.saturating_sub(LINE_MAX / 4)));
                (from, end, floor(&self.text, line_end.min(end + LINE_MAX / 4)))
            }
        };
        let above = self.text[from..start].matches('\n').count();
        let excerpt = Excerpt {
            name: &self.name,
            text: harmless(&self.text[from..to]),
            lines_before: line - 1 - above,
            place: (line - 1, column - 1),
            at: start - from..end - from,
        };
        Shown { problem, name: &self.name, excerpt: Some(excerpt) }
    }

    /// Where the line above begins, if it is one to be shown.
    fn line_above(&self, line_start: usize) -> usize {
        let Some(above) = line_start.checked_sub(1) else { return line_start };
        let start = self.text[..above].rfind('\n').map_or(0, |newline| newline + 1);
        if above - start <= LINE_MAX { start } else { line_start }
    }

    /// Where the line below ends, if it is one to be shown.
    fn line_below(&self, line_end: usize) -> usize {
        let below = (line_end + 1).min(self.text.len());
        let end = self.text[below..].find('\n').map_or(self.text.len(), |newline| below + newline);
        if end - below <= LINE_MAX { end } else { line_end }
    }
}

/// Text without what would command a terminal; every byte stays where it is.
fn harmless(text: &str) -> String {
    let plain = |c: char| if c.is_control() && c != '\n' { '?' } else { c };
    let widened = text.chars().flat_map(|c| {
        let shown = match c {
            '\r' | '\t' => ' ',
            c => plain(c),
        };
        // A control character of two bytes leaves two marks.
        std::iter::repeat_n(shown, c.len_utf8() / shown.len_utf8())
    });
    widened.collect()
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
    excerpt: Option<Excerpt<'a>>,
}

/// The lines around a problem, which know where they stand in the whole file.
#[derive(Debug)]
struct Excerpt<'a> {
    name: &'a str,
    text: String,
    lines_before: usize,
    /// Line and column of the problem, from 0.
    place: (usize, usize),
    /// The problem's bytes within the excerpt.
    at: Range<usize>,
}

impl SourceCode for Excerpt<'_> {
    /// Without lines around it, the place itself is asked for.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        let (line, column) = match before {
            0 => self.place,
            _ => (self.lines_before + found.line(), found.column()),
        };
        let (data, span, count) = (found.data(), *found.span(), found.line_count());
        Ok(Box::new(MietteSpanContents::new_named(harmless(self.name), data, span, line, column, count)))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = harmless(&self.problem.message);
        match self.excerpt {
            Some(_) => f.write_str(&message),
            None => write!(f, "{}: {message}", self.name),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("mqlab::scenario::{}", self.problem.code)))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = harmless(&self.problem.help);
        (!help.is_empty()).then(|| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = &self.excerpt.as_ref()?.at;
        let label = (!self.problem.label.is_empty()).then(|| self.problem.label.clone());
        let span = LabeledSpan::new(label, at.start, at.len());
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
    fn columns_count_characters_and_lines_keep_their_numbers() {
        let long = "x".repeat(500);
        for (before, line) in [("a\nb\n", 3), (&format!("a\n{long}\n"), 3), ("a\r\nb\r\n", 3), ("", 1)] {
            let text = format!("{before}t = \"断电\" x\n{long}\n");
            let at = before.len() + "t = \"断电\" ".len();
            let drawn = report(&text, at..at + 1).to_string();
            assert!(drawn.contains(&format!("x.toml:{line}:10]")), "{drawn}");
            assert!(drawn.contains(&format!("{line} | t = \"断电\" x")), "{drawn}");
            assert!(!drawn.contains(&long), "{drawn}");
        }
    }

    #[test]
    fn a_file_commands_no_terminal_and_does_not_flood_it() {
        let mut report = report("a = \u{1b}[31m\u{9b}\0\rb\n", 4..5);
        report.problems[0].message.push_str("\u{1b}[2J");
        let drawn = report.to_string();
        assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{drawn:?}");
        assert!(drawn.contains("a = ?[31m???") && drawn.contains("x.toml:1:5]"), "{drawn}");
        report.problems = vec![report.problems[0].clone(); 20_000];
        let drawn = report.to_string();
        assert!(drawn.lines().count() < 1_000 && drawn.ends_with("and 19950 more problems\n"), "{drawn}");
    }

    #[test]
    fn a_very_long_line_is_shown_in_part_and_odd_places_do_no_harm() {
        let long = "é".repeat(5_000_000);
        let text = report(&long, 5_000_001..5_000_003).to_string();
        assert!(text.len() < 2_000 && text.contains("x.toml:1:2500001]"), "{text}");
        for at in [0..0, 3..4, 9_999_999..20_000_000] {
            assert!(report(&long, at).to_string().contains("it is wrong"));
        }
        assert!(report("", 0..0).to_string().contains("it is wrong"));
    }
}
