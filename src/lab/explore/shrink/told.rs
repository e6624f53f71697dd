//! The shrunk plan as a file: what it shows, how small it is, how it is run, and what must come out.

use std::fmt::Write;

use toml::{Table, Value};

use crate::lab::check::{self, Verdict};
use crate::lab::explore::hunt::trial;
use crate::lab::explore::shrink::document::{self, rows};
use crate::lab::explore::shrink::search::Search;
use crate::lab::explore::shrink::{Shrunk, fingerprint, size};
use crate::lab::scenario::load;
use crate::lab::scenario::plan::Plan;

/// Writes the search's result.
pub(super) fn tell(name: &str, original: &str, search: &mut Search<'_>) -> Option<Shrunk> {
    let mut document = search.document.clone();
    document.remove("expect");
    document.remove("plan");
    let shown = search.show(&document)?;
    let target = search.target;
    let fingerprint = fingerprint::of(target, &shown.run.trace, &shown.plan, &shown.finding);
    expect(&mut document, &shown.run, &shown.plan, &target.check);
    let seed = document::read(original).and_then(|table| table.get("seed")?.as_integer());
    let mut plan = Table::new();
    if let Some(seed) = seed {
        plan.insert("seed".to_owned(), Value::Integer(seed));
    }
    let texts = [
        ("fingerprint", Some(&*fingerprint)),
        ("check", Some(&*target.check)),
        ("clause", Some(&*target.clause)),
        ("tag", target.tag.as_deref()),
        ("profile", Some(&*target.profile)),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            plan.insert(key.to_owned(), Value::String(text.to_owned()));
        }
    }
    plan.insert("within".to_owned(), Value::Boolean(target.within));
    // The digest is that of the file as it will be read.
    let whole = load(name, document::write(&document).as_bytes(), &Default::default()).ok()?;
    let digest = trial::replay(&whole.plan).digest;
    plan.insert("digest".to_owned(), Value::String(digest.to_string()));
    document.insert("plan".to_owned(), Value::Table(plan));
    let size = Shrunk {
        text: String::new(),
        replays: search.replays,
        operations: size::operations(&document),
        episodes: rows(&document, "fault").len() as u64,
        nodes: shown.plan.nodes.len() as u64,
        events: shown.run.events,
        witness: fingerprint::witness(&shown.finding).len() as u64,
        fingerprint,
    };
    let tag = target.tag.as_ref().map_or_else(String::new, |tag| format!(", {tag}"));
    let summary = &shown.finding.summary;
    let mut text = String::new();
    let _ = writeln!(text, "# {}: {}{tag}\n# {}\n# {}", target.guarantee, target.clause, summary.en, summary.zh);
    let _ = writeln!(
        text,
        "# {} operations, {} faults, {} nodes, {} events",
        size.operations, size.episodes, size.nodes, size.events
    );
    let _ = writeln!(text, "#   {}\n", command(&fingerprint::coarse(target)));
    text.push_str(&document::write(&document));
    Some(Shrunk { text, ..size })
}

/// How the file is run, under the name that a hunt gives it.
pub fn command(fingerprint: &str) -> String {
    format!("mqlab run {} --no-tui", fingerprint::file_name(fingerprint))
}

/// The check is to be violated, and whatever else is judged in every run and comes out otherwise than it should.
fn expect(document: &mut Table, run: &trial::Run, plan: &Plan, name: &str) {
    let mut ids = vec![name.to_owned()];
    for finding in check::run(&run.trace, plan) {
        let is_broken = matches!(finding.verdict, Verdict::Violation { .. } | Verdict::Known { .. });
        if is_broken && !ids.iter().any(|id| id == finding.check) {
            ids.push(finding.check.to_owned());
        }
    }
    let row = |name: String| {
        let mut row = Table::new();
        row.insert("id".to_owned(), Value::String(name.clone()));
        row.insert("check".to_owned(), Value::String(name));
        row.insert("outcome".to_owned(), Value::String("violated".to_owned()));
        Value::Table(row)
    };
    document.insert("expect".to_owned(), Value::Array(ids.into_iter().map(row).collect()));
}
