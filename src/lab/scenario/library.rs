//! The scenarios that are part of the binary.

/// Name and text, in teaching order.
pub const ALL: &[(&str, &str)] = &[
    ("01-first-message", include_str!("../../../scenarios/01-first-message.toml")),
    ("02-wrong-address", include_str!("../../../scenarios/02-wrong-address.toml")),
    ("03-topic-birth", include_str!("../../../scenarios/03-topic-birth.toml")),
    ("04-send-modes", include_str!("../../../scenarios/04-send-modes.toml")),
    ("05-two-sieves", include_str!("../../../scenarios/05-two-sieves.toml")),
    ("06-push-is-pull", include_str!("../../../scenarios/06-push-is-pull.toml")),
    ("07-one-or-all", include_str!("../../../scenarios/07-one-or-all.toml")),
    ("08-first-offset", include_str!("../../../scenarios/08-first-offset.toml")),
    ("09-rebalance", include_str!("../../../scenarios/09-rebalance.toml")),
    ("10-duplicates", include_str!("../../../scenarios/10-duplicates.toml")),
    ("11-stuck-message", include_str!("../../../scenarios/11-stuck-message.toml")),
    ("12-same-key-same-line", include_str!("../../../scenarios/12-same-key-same-line.toml")),
    ("13-order-under-failure", include_str!("../../../scenarios/13-order-under-failure.toml")),
    ("14-half-message", include_str!("../../../scenarios/14-half-message.toml")),
    ("15-nobody-remembers", include_str!("../../../scenarios/15-nobody-remembers.toml")),
    ("16-inside-the-log", include_str!("../../../scenarios/16-inside-the-log.toml")),
    ("17-power-loss", include_str!("../../../scenarios/17-power-loss.toml")),
    ("18-torn-record", include_str!("../../../scenarios/18-torn-record.toml")),
    ("19-retention", include_str!("../../../scenarios/19-retention.toml")),
    ("20-producer-retry", include_str!("../../../scenarios/20-producer-retry.toml")),
    ("21-retry-ladder", include_str!("../../../scenarios/21-retry-ladder.toml")),
    ("22-four-shapes", include_str!("../../../scenarios/22-four-shapes.toml")),
    ("23-build-2m2s", include_str!("../../../scenarios/23-build-2m2s.toml")),
    ("24-master-dies", include_str!("../../../scenarios/24-master-dies.toml")),
    ("25-split-maps", include_str!("../../../scenarios/25-split-maps.toml")),
    ("26-hunt", include_str!("../../../scenarios/26-hunt.toml")),
    ("27-order-moves", include_str!("../../../scenarios/27-order-moves.toml")),
    ("28-lease-outlived", include_str!("../../../scenarios/28-lease-outlived.toml")),
    ("29-sql-switch", include_str!("../../../scenarios/29-sql-switch.toml")),
    ("30-three-subscriptions", include_str!("../../../scenarios/30-three-subscriptions.toml")),
    ("31-three-answers", include_str!("../../../scenarios/31-three-answers.toml")),
    ("32-three-retries", include_str!("../../../scenarios/32-three-retries.toml")),
    ("33-reset-offset", include_str!("../../../scenarios/33-reset-offset.toml")),
    ("34-topic-returns", include_str!("../../../scenarios/34-topic-returns.toml")),
    ("35-two-minds", include_str!("../../../scenarios/35-two-minds.toml")),
    ("36-written-order", include_str!("../../../scenarios/36-written-order.toml")),
];

/// A small cluster to break, which is no lesson: name and text.
pub const SANDBOX: (&str, &str) = ("sandbox", include_str!("sandbox.toml"));

/// The text of a scenario, the sandbox among them.
pub fn text(name: &str) -> Option<&'static str> {
    ALL.iter().chain([&SANDBOX]).find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The lessons of the tour of about an hour, in order.
pub const TOUR: [&str; 5] =
    ["01-first-message", "06-push-is-pull", "10-duplicates", "17-power-loss", "21-retry-ladder"];

/// Every name.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario::load;
    use crate::lab::scenario::overrides::Overrides;

    #[test]
    fn every_scenario_resolves_under_its_own_name() {
        for (name, text) in ALL {
            let scenario =
                load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"));
            assert_eq!(scenario.plan.scenario, *name);
            assert!(!scenario.plan.expects.is_empty() && scenario.lesson.steps.len() > 3, "{name}");
        }
    }
}
