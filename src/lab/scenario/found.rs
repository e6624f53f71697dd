//! `[plan]`: where a plan that was found by a hunt comes from, and what it showed then.

use serde::Deserialize;
use serde_spanned::Spanned;

/// `[plan]`.
#[derive(Deserialize, Clone, PartialEq, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct FoundScript {
    /// The seed that it was drawn from.
    pub seed: Option<Spanned<i64>>,
    /// What was found: guarantee, clause, weakness, shape of the witness.
    pub fingerprint: Option<String>,
    /// The check that it breaks.
    pub check: Option<String>,
    /// Which part of its guarantee.
    pub clause: Option<String>,
    /// The weakness, by its row.
    pub tag: Option<String>,
    /// The profile that it was found under.
    pub profile: Option<String>,
    /// Whether its faults stayed within what is promised.
    pub within: Option<bool>,
    /// The digest of its run when it was written.
    pub digest: Option<String>,
}
