//! Near misses that hunts and properties found: runs in which a check once saw a violation, cut down to what it takes.
//!
//! Each is a file of `tests/near`: what it is about, its check with what that says, and a whole scenario, so that `mqlab run`
//! shows it.

use std::path::Path;

use mqlab::lab::scenario::plan::Check;

use super::tables::{of, verdict};

#[test]
fn what_was_once_taken_for_a_violation_is_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/near");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let mut head = text.lines().filter_map(|line| line.strip_prefix("# "));
        let (name, says) = (head.next().unwrap(), head.next().unwrap());
        let (check, says) = says.split_once(": ").unwrap_or_else(|| panic!("{}: no `check: verdict`", file.display()));
        let check = Check::PLAIN.iter().find(|own| own.name() == check).unwrap_or_else(|| panic!("{check}"));
        let (trace, plan) = of(&text);
        let (found, said) = verdict(&trace, &plan, check.clone());
        if found.as_str() != says {
            wrong.push(format!("{name}: `{}` for `{says}`: {said}", found.as_str()));
        }
    }
    assert!(16 < files.len(), "{} files", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
