//! What led to what: a box for each moment, a cluster for each node, an edge along each cause.

use std::fmt::Write;

use crate::lab::export::head;
use crate::lab::trace::log::Trace;
use crate::lab::view::moments::Moments;

/// The graph.
pub fn of(trace: &Trace, moments: &Moments) -> String {
    let mut out = format!(
        "// {}\ndigraph run {{\n    rankdir=TB;\n    node [shape=box, fontname=\"monospace\"];\n",
        head(trace, moments.left_out)
    );
    for lane in 0..=moments.nodes.len() {
        let own =
            || moments.all.iter().enumerate().filter(|(_, moment)| moment.node.unwrap_or(moments.nodes.len()) == lane);
        if own().next().is_none() {
            continue;
        }
        let name = moments.nodes.get(lane).map_or("FAULT", String::as_str);
        let _ = writeln!(out, "    subgraph cluster_{lane} {{\n        label={};", quoted(name));
        for (place, moment) in own() {
            let shape = match (&moment.frame, moment.main) {
                (Some(_), _) => ", style=dashed",
                (None, true) => ", style=bold",
                (None, false) => "",
            };
            let label = quoted(&format!("#{} {}\n{}", moment.step, moment.at, moment.text));
            let _ = writeln!(out, "        e{place} [label={label}{shape}];");
        }
        out.push_str("    }\n");
    }
    for (place, moment) in moments.all.iter().enumerate() {
        if let Some(cause) = moment.cause {
            let _ = writeln!(out, "    e{cause} -> e{place};");
        }
    }
    out.push_str("}\n");
    out
}

/// A text between quotation marks.
fn quoted(plain: &str) -> String {
    let mut out = String::from("\"");
    for letter in plain.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
