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
    /// K13: a config file's next text is forced before it takes the file's place, in one step.
    ///
    /// Source: `MixAll.string2File` forces nothing and deletes the old file before it renames the new one.
    pub fix_k13: bool,
}

impl Profile {
    /// RocketMQ 4.3.2 with its weaknesses.
    pub const FAITHFUL: Profile = Profile { fix_k01: false, fix_k13: false };
    /// The same protocol with every switch on.
    pub const HARDENED: Profile = Profile { fix_k01: true, fix_k13: true };
    /// The rows that have a switch, in order.
    pub const ROWS: [&str; 2] = ["K01", "K13"];

    /// The switch of a row; `None` for a row that has none.
    pub fn switch(&mut self, row: &str) -> Option<&mut bool> {
        match row {
            "K01" => Some(&mut self.fix_k01),
            "K13" => Some(&mut self.fix_k13),
            _ => None,
        }
    }

    /// Its name: the release's, `hardened`, or the release's with its repairs.
    pub fn name(&self) -> String {
        if *self == Profile::HARDENED {
            return "hardened".to_owned();
        }
        let mut switches = self.clone();
        let repaired = Profile::ROWS.into_iter().filter(|row| switches.switch(row).is_some_and(|on| *on));
        repaired.fold("rocketmq-4.3.2".to_owned(), |name, row| format!("{name}+{row}"))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_switch_and_hardened_is_all_of_them() {
        let mut profile = Profile::FAITHFUL;
        assert_eq!(profile.name(), "rocketmq-4.3.2");
        for row in Profile::ROWS {
            *profile.switch(row).unwrap() = true;
        }
        assert_eq!(profile, Profile::HARDENED);
        assert_eq!(profile.switch("K99"), None);
        *profile.switch("K01").unwrap() = false;
        assert!(!profile.name().contains("K01"));
        assert!(Profile::ROWS.is_sorted());
    }
}
