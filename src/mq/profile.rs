//! Which weaknesses of the release are kept: one named switch each, read at one place each.
//!
//! `rocketmq-4.3.2` (alias `faithful`) keeps every weakness; `hardened` repairs those that have a switch.
//! A switch is named after its row in the table of registered weaknesses (K01 …) and is set with
//! `--set profile.fix.K01=true`.

/// The repairs in force. All false is the release as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Profile {
    /// K01: a failed force is remembered, the flushed position does not advance and further puts are refused.
    ///
    /// Source: `MappedFile.flush` logs the exception and moves `flushedPosition` on regardless.
    pub fix_k01: bool,
}

impl Profile {
    /// RocketMQ 4.3.2 with its weaknesses.
    pub const FAITHFUL: Profile = Profile { fix_k01: false };
    /// The same protocol with every switch on.
    pub const HARDENED: Profile = Profile { fix_k01: true };

    /// Its name: the release's, `hardened`, or the release's with its repairs.
    pub fn name(&self) -> String {
        match *self {
            Profile::FAITHFUL => "rocketmq-4.3.2".to_owned(),
            Profile::HARDENED => "hardened".to_owned(),
        }
    }

    /// The profile of that name: `rocketmq-4.3.2`, `faithful` or `hardened`.
    pub fn named(name: &str) -> Option<Profile> {
        match name {
            "rocketmq-4.3.2" | "faithful" => Some(Profile::FAITHFUL),
            "hardened" => Some(Profile::HARDENED),
            _ => None,
        }
    }
}
