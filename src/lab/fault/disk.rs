//! What a disk may do: in which order a file system makes things durable.

/// In which order a file system makes names and content durable without being asked.
///
/// In each, a flush that has returned makes the pages of its range stable. What else it commits, and what may survive a
/// power loss without any flush, is the personality's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Personality {
    /// `ordered`, as ext4 with its defaults: names in the order of their calls, and none is missing that came before a store
    /// that survives (the journal commits every 5 s, pages are written back after 30 s). A length implies its content, so a
    /// small file whose content was not written yet is found empty or short. Any flush commits all names before it.
    #[default]
    Ordered,
    /// `writeback`: names in order, but not ordered with stores; a length may survive without its content, which then reads
    /// as zeros.
    Writeback,
    /// `reordering`: any subset of names in which those that touch one name keep their order; a flush commits the names of
    /// its own file only.
    Reordering,
    /// `strict`: whatever was done, up to a moment; nothing after it.
    Strict,
}

impl Personality {
    /// All of them, as a scenario writes them.
    pub const ALL: [(&'static str, Personality); 4] = [
        ("ordered", Personality::Ordered),
        ("writeback", Personality::Writeback),
        ("reordering", Personality::Reordering),
        ("strict", Personality::Strict),
    ];

    /// As a scenario writes it.
    pub fn as_str(self) -> &'static str {
        Personality::ALL[self as usize].0
    }
}
