//! Parts come together: a set of them, whatever the order and however often each is given.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::lab::explore::hunt::report::Report;
use crate::lab::explore::hunt::shard::tally::Tally;
use crate::lab::explore::hunt::shard::{Errand, Part};
use crate::lab::locale::Phrase;

/// All parts that were given, each once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gathered {
    /// By what they hold but for the real time, with the names of their files.
    parts: BTreeMap<String, (Part, BTreeSet<String>)>,
}

/// What the parts say together.
#[derive(Clone, PartialEq, Debug)]
pub struct Merged {
    /// What was hunted.
    pub errand: Errand,
    /// Of how many parts.
    pub count: u64,
    /// As of one hunt; its real time is that of all parts added up.
    pub report: Report,
    /// What is not there.
    pub missing: Vec<Missing>,
}

/// Seeds that nobody has hunted yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The part.
    pub index: u64,
    /// The seeds.
    pub seeds: Range<u64>,
    /// Whether the part has begun, and was stopped.
    pub stopped: bool,
}

impl Gathered {
    /// Takes a part in.
    pub fn take(&mut self, name: &str, part: Part) {
        let timeless = Part { wall_ns: 0, ..part.clone() };
        let key = serde_json::to_string(&timeless).unwrap_or_default();
        let (kept, names) = self.parts.entry(key).or_insert_with(|| (part.clone(), BTreeSet::new()));
        kept.wall_ns = kept.wall_ns.max(part.wall_ns);
        names.insert(name.to_owned());
    }

    /// Takes in what others have gathered.
    pub fn join(&mut self, other: &Gathered) {
        for (part, names) in other.parts.values() {
            names.iter().for_each(|name| self.take(name, part.clone()));
        }
    }

    /// What the parts say together. Errors: they are not of one hunt.
    pub fn merge(&self) -> Result<Merged, Phrase> {
        let Some((first, _)) = self.parts.values().next() else {
            return Err(Phrase {
                en:
                    "there is no part of a hunt to merge\n  help: name files or the folder that `mqlab hunt --out` has \
                     written"
                        .into(),
                zh: "没有可合并的分片\n  帮助：请指定 `mqlab hunt --out` 写出的文件或目录".into(),
            });
        };
        self.is_one_hunt(first)?;
        let mut furthest: BTreeMap<u64, (&Part, &BTreeSet<String>)> = BTreeMap::new();
        for (part, names) in self.parts.values() {
            let is_as_far = |other: &&(Part, BTreeSet<String>)| {
                other.0.index == part.index && other.0.tally.seeds == part.tally.seeds && other.0.tally != part.tally
            };
            if let Some((_, others)) = self.parts.values().find(is_as_far) {
                return Err(contradiction(part.index, names, others));
            }
            let known = furthest.entry(part.index).or_insert((part, names));
            if known.0.tally.seeds < part.tally.seeds {
                *known = (part, names);
            }
        }
        let (mut tally, mut wall_ns, mut missing) = (Tally::default(), 0_u64, Vec::new());
        for index in 0..first.count {
            let part = furthest.get(&index).map(|(part, _)| *part);
            let empty = Part { index, tally: Tally::default(), ..first.clone() };
            let seeds = part.unwrap_or(&empty).left();
            if !seeds.is_empty() {
                missing.push(Missing { index, seeds, stopped: part.is_some() });
            }
            if let Some(part) = part {
                wall_ns = wall_ns.saturating_add(part.wall_ns);
                tally.add(part.tally.clone());
            }
        }
        let report = Report { wall_ns, ..tally.report() };
        Ok(Merged { errand: first.errand.clone(), count: first.count, report, missing })
    }

    /// All are parts of the hunt that `first` is a part of, or it is told which are not.
    fn is_one_hunt(&self, first: &Part) -> Result<(), Phrase> {
        let mut foreign = Vec::new();
        for (part, names) in self.parts.values() {
            let mut differs = part.errand.differs(&first.errand);
            if part.count != first.count {
                differs.push("--shards");
            }
            if !differs.is_empty() {
                foreign.push(format!("{}: {}", list(names), differs.join(", ")));
            }
        }
        if foreign.is_empty() {
            return Ok(());
        }
        let of_first = self.parts.values().filter(|(part, _)| part.errand == first.errand && part.count == first.count);
        let like = list(&of_first.flat_map(|(_, names)| names.iter().cloned()).collect());
        let rows = foreign.join("\n    ");
        Err(Phrase {
            en: format!(
                "these are not parts of one hunt; against {like} there differ, in\n    {rows}\n  help: merge the parts of \
                 each hunt by themselves; parts of another build must be run again"
            ),
            zh: format!(
                "这些分片不属于同一次搜索；与 {like} 相比，不同之处为\n    {rows}\n  帮助：请分别合并每次搜索的分片；\
                 其他版本的分片需要重新运行"
            ),
        })
    }
}

fn contradiction(index: u64, names: &BTreeSet<String>, others: &BTreeSet<String>) -> Phrase {
    let (names, others) = if names <= others { (names, others) } else { (others, names) };
    let (one, other) = (list(names), list(others));
    Phrase {
        en: format!(
            "part {index} says one thing in {one} and another in {other}, of the same seeds\n  help: keep one; \
             `mqlab check-determinism` finds the seed that runs in two ways"
        ),
        zh: format!(
            "分片 {index} 在 {one} 与 {other} 中对相同的种子给出了不同的结果\n  帮助：保留其一；\
             `mqlab check-determinism` 可找出有两种运行的种子"
        ),
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = if shown.len() < names.len() { format!(", … ({})", names.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
