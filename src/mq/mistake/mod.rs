//! Mistakes that can be planted, to see that they are found: the benchmark of bugs.
//!
//! Each is read at one place, as `profile.plants(Mistake::…)`, which is false and gone in every build without the feature
//! `mutants`. The bugs of upstream's history stand under the number of their issue; those that 4.3.2 has itself are planted
//! in a sharper form, or take a repair back. The rest is of the same kinds.

mod catalogue;

pub use catalogue::Mistake;

/// Where a mistake is made.
#[cfg(feature = "mutants")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// The store of a broker.
    Store,
    /// A broker beside its store.
    Broker,
    /// A nameserver.
    Nameserver,
    /// A producer or a consumer.
    Client,
}

/// What is known of a mistake.
#[cfg(feature = "mutants")]
struct Row {
    name: &'static str,
    about: &'static str,
    room: Room,
    of: &'static str,
    sees: &'static [&'static str],
}

#[cfg(feature = "mutants")]
impl Mistake {
    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The mistake of that name.
    pub fn parse(name: &str) -> Option<Mistake> {
        Mistake::ALL.iter().copied().find(|mistake| mistake.name() == name)
    }

    /// What is wrong, in one sentence.
    pub fn about(self) -> &'static str {
        self.row().about.trim_start()
    }

    /// Where it is made.
    pub fn room(self) -> Room {
        self.row().room
    }

    /// What it is of: a bug of upstream's history (`B10 #6570`), a registered weakness (`K18`), or a kind.
    pub fn of(self) -> &'static str {
        self.row().of
    }

    /// The guarantees that should see it.
    pub fn sees(self) -> &'static [&'static str] {
        self.row().sees
    }

    /// The repairs beside which it changes nothing: it is looked for in a profile that lacks them.
    pub fn hidden_by(self) -> &'static [&'static str] {
        match self {
            Mistake::QueueOutlivesLog => &["K04", "K06"],
            Mistake::CheckpointWithoutSlack => &["K05", "K06"],
            Mistake::StopLeavesTail => &["K06"],
            _ => &[],
        }
    }

    /// The repair that it takes back: such a mistake is one in a profile that has the repair, and in no other.
    pub fn takes_back(self) -> Option<&'static str> {
        match self {
            Mistake::StopForgetsDelays => Some("K24"),
            Mistake::HalfKeepsLevel => Some("K21"),
            Mistake::DivergedSlaveGoesOn => Some("K02"),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "mutants"))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_one_sentence() {
        let names: BTreeSet<&str> = Mistake::ALL.iter().map(|mistake| mistake.name()).collect();
        assert_eq!(names.len(), Mistake::ALL.len());
        for mistake in Mistake::ALL {
            let (name, about) = (mistake.name(), mistake.about());
            assert_eq!(Mistake::parse(name), Some(*mistake));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(about.ends_with('.') && !about[..about.len() - 1].contains(". "), "{name}: {about}");
            assert!(mistake.sees().iter().all(|guarantee| guarantee.starts_with('G')), "{name}");
        }
        assert_eq!(Mistake::parse("none"), None);
    }

    #[test]
    fn all_of_the_history_is_there() {
        let history = [2, 5, 6, 9, 10, 11, 12, 13, 16, 17, 19, 20, 24, 25, 27, 28, 29, 31, 32, 33, 34, 38, 45, 47];
        for number in history {
            let begins = format!("B{number:02} ");
            assert_eq!(Mistake::ALL.iter().filter(|mistake| mistake.of().starts_with(&begins)).count(), 1, "{begins}");
        }
        assert!(Mistake::ALL.len() >= 60);
    }
}
