//! What a violation is, whatever it is called this time: guarantee, clause, tag, and the shape of its witness.
//!
//! There are two of them. The *coarse* one, `G01h-not-on-the-disk-K01`, is known before anything is shrunk: by it a hunt groups
//! what it found, it is the finding's name in text and JSON, and with `.plan.toml` behind it the name of the plan's file. The
//! *whole* one, `G01h-not-on-the-disk-K01-3fa2c1`, is the coarse one and the shape of the witness of the shrunk plan; it stands
//! in that plan's `[plan]` and is what must come out again when the plan is run. So a file's name is the beginning of the
//! fingerprint in it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::shrink::Target;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::Seq;

/// The records that show a violation.
pub fn witness(finding: &Finding) -> &[Seq] {
    match &finding.verdict {
        Verdict::Violation { witness, .. } | Verdict::Known { witness, .. } => witness,
        _ => &[],
    }
}

/// `G01h-not-on-the-disk-K01-3fa2c1`: the last part stands for which kinds of things happened to which kinds of nodes.
pub fn of(target: &Target, trace: &Trace, plan: &Plan, finding: &Finding) -> String {
    let wanted: BTreeSet<Seq> = witness(finding).iter().copied().collect();
    let records = trace.records().iter().filter(|record| wanted.contains(&record.seq));
    let shape: BTreeSet<(&str, &str)> =
        records.map(|record| (role(plan, record.node.map(|node| usize::from(node.0))), record.what.kind())).collect();
    let mut text = String::new();
    for (role, kind) in shape {
        let _ = writeln!(text, "{role} {kind}");
    }
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{}-{}", coarse(target), &hash[..6])
}

/// Guarantee, clause and tag: what is known before anything is shrunk.
pub fn coarse(target: &Target) -> String {
    let tag = target.tag.as_ref().map(|tag| format!("-{tag}")).unwrap_or_default();
    format!("{}-{}{tag}", target.guarantee, target.clause.replace(' ', "-"))
}

/// The name of the file that holds the plan of a finding, by its coarse fingerprint.
pub fn file_name(coarse: &str) -> String {
    format!("{coarse}.plan.toml")
}

fn role(plan: &Plan, node: Option<usize>) -> &'static str {
    match node.and_then(|node| plan.nodes.get(node)).map(|node| &node.kind) {
        None => "lab",
        Some(NodeKind::Nameserver) => "nameserver",
        Some(NodeKind::Broker(broker)) if broker.broker_id == 0 => "master",
        Some(NodeKind::Broker(_)) => "slave",
        Some(NodeKind::Client(client)) if client.consumers.is_empty() => "producer",
        Some(NodeKind::Client(_)) => "consumer",
    }
}
