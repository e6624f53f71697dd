//! A sequence diagram: frames as arrows, what happened at a node as notes, faults across all of them.

use std::fmt::Write;

use crate::lab::export::head;
use crate::lab::trace::log::Trace;
use crate::lab::view::moments::{Moment, Moments};

/// The diagram. An answer's line is dashed; a frame that nobody gets ends in a cross.
///
/// Of what happens at a node only what is worth telling in a short account is a note, with `all` everything.
pub fn of(trace: &Trace, moments: &Moments, all: bool) -> String {
    let mut out = format!("%% {}\nsequenceDiagram\n", head(trace, moments.left_out));
    for (number, name) in moments.nodes.iter().enumerate() {
        let _ = writeln!(out, "    participant n{number} as {}", text(name));
    }
    let arrived = moments.arrived();
    let last = moments.nodes.len().saturating_sub(1);
    for (place, moment) in moments.all.iter().enumerate() {
        let told = text(&format!("#{} {}", moment.step, moment.text));
        match (&moment.frame, moment.node) {
            (Some(frame), Some(node)) if frame.comes_in => {
                let line = if frame.answers { "-->>" } else { "->>" };
                let _ = writeln!(out, "    n{}{line}n{node}: {}", frame.peer, labelled(moment, frame.label));
            }
            (Some(frame), Some(node)) if !arrived.contains(&place) => {
                let line = if frame.answers { "--x" } else { "-x" };
                let _ = writeln!(out, "    n{node}{line}n{}: {}", frame.peer, labelled(moment, frame.label));
            }
            (Some(_), _) => {}
            (None, Some(node)) if all || moment.main => {
                let _ = writeln!(out, "    Note over n{node}: {told}");
            }
            (None, Some(_)) => {}
            (None, None) => {
                let _ = writeln!(out, "    Note over n0,n{last}: {told}");
            }
        }
    }
    out
}

fn labelled(moment: &Moment, label: &str) -> String {
    text(&format!("#{} {label}", moment.step))
}

/// A text that ends no statement: Mermaid reads `#`, `;` and `%%` itself, and what is between `<` and `>` is mark-up.
fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len() + 8);
    for letter in plain.chars() {
        match letter {
            '#' | ';' | '%' | '<' | '>' | '"' | '&' | '{' | '}' | '\\' => {
                let _ = write!(out, "#{};", u32::from(letter));
            }
            '\n' => out.push_str("<br/>"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mermaid_reads_itself_is_written_as_numbers() {
        assert_eq!(text("#31 a; b %% <c>"), "#35;31 a#59; b #37;#37; #60;c#62;");
        assert_eq!(text("two\nlines\u{1}"), "two<br/>lines ");
    }
}
