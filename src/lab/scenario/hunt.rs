//! `[hunt]`: what a hunt draws anew for each seed.

use serde::Deserialize;
use serde_spanned::Spanned;

/// `[hunt]`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct HuntScript {
    /// `everything`: cluster, traffic and faults; `seed`: the scenario as it stands, with another seed. The default.
    pub draws: Option<Spanned<String>>,
}

/// What a hunt draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Draws {
    /// Nothing: the scenario runs as it stands, with many seeds.
    #[default]
    Seed,
    /// Cluster, traffic and faults; of the scenario its name is left.
    Everything,
}
