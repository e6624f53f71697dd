//! Plans of findings as files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::lab::explore::hunt::report::Report;
use crate::lab::explore::shrink::fingerprint::file_name;
use crate::lab::explore::shrink::size;

/// Writes each finding's plan into a folder, under its coarse fingerprint; gives the files that stay as they were.
///
/// A plan that stands there already, and is as small or smaller, stays: somebody may have read it. What is no plan stays, too.
pub(super) fn keep(folder: &Path, report: &Report) -> Result<BTreeSet<PathBuf>, String> {
    let help = "help: name a folder that you may write to";
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("{} cannot be made: {error}\n  {help}\n", folder.display()))?;
    let mut left = BTreeSet::new();
    for finding in &report.findings {
        let path = folder.join(file_name(&finding.fingerprint));
        if stays(&path, &finding.plan) {
            left.insert(path);
            continue;
        }
        let beside = path.with_extension("tmp");
        std::fs::write(&beside, &finding.plan)
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|error| format!("{} cannot be written: {error}\n  {help}\n", path.display()))?;
    }
    Ok(left)
}

/// Whether what stands at a path is not to be replaced by a plan.
fn stays(path: &Path, plan: &str) -> bool {
    match std::fs::read_to_string(path) {
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        Ok(standing) => match (size::of(&standing), size::of(plan)) {
            (Some(standing), Some(new)) => standing <= new,
            _ => true,
        },
    }
}
