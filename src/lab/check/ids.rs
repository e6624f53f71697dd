//! Sets and maps by a message's unique key.
//!
//! These keys have their first twenty letters in common, so that a tree compares them again and again; here each is hashed
//! once. They are walked in the order in which they were put in, so that the hasher shows nowhere.

use foldhash::fast::FixedState;
use indexmap::{IndexMap, IndexSet};

/// With the same seed in every process.
type Fixed = FixedState;
/// Unique keys.
pub(super) type Ids<'a> = IndexSet<&'a str, Fixed>;
/// Something for each unique key.
pub(super) type ById<'a, V> = IndexMap<&'a str, V, Fixed>;
/// Something for each of other things that hold one.
pub(super) type By<K, V> = IndexMap<K, V, Fixed>;
/// Other things that hold one.
pub(super) type Seen<K> = IndexSet<K, Fixed>;
