//! Counts as expectations write them: `1`, `0 | 3`, `>= 1`, `2..5`.

use std::fmt;

/// Which counts are allowed; at least one alternative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountRule {
    ranges: Vec<(u64, u64)>,
}

impl CountRule {
    /// Exactly this.
    pub fn exactly(count: u64) -> CountRule {
        CountRule { ranges: vec![(count, count)] }
    }

    /// Reads a rule.
    pub fn parse(text: &str) -> Option<CountRule> {
        let ranges = text.split('|').map(|part| range(part.trim())).collect::<Option<Vec<_>>>()?;
        Some(CountRule { ranges })
    }

    /// Whether the count is one of those.
    pub fn allows(&self, count: u64) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&count))
    }
}

fn range(text: &str) -> Option<(u64, u64)> {
    if let Some(low) = text.strip_prefix(">=") {
        return Some((low.trim().parse().ok()?, u64::MAX));
    }
    if let Some(high) = text.strip_prefix("<=") {
        return Some((0, high.trim().parse().ok()?));
    }
    if let Some((low, high)) = text.split_once("..") {
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        return (low <= high).then_some((low, high));
    }
    let exact = text.parse().ok()?;
    Some((exact, exact))
}

impl fmt::Display for CountRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (low, high)) in self.ranges.iter().enumerate() {
            f.write_str(if number > 0 { " | " } else { "" })?;
            match (*low, *high) {
                (low, high) if low == high => write!(f, "{low}")?,
                (low, u64::MAX) => write!(f, ">= {low}")?,
                (0, high) => write!(f, "<= {high}")?,
                (low, high) => write!(f, "{low}..{high}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_allow_what_they_say() {
        let rule = CountRule::parse("0 | 3").unwrap();
        assert!(rule.allows(0) && rule.allows(3) && !rule.allows(1));
        assert!(CountRule::parse(">= 2").unwrap().allows(7));
        assert!(!CountRule::parse("2..5").unwrap().allows(6));
        for text in ["1", "0 | 3", ">= 2", "<= 4", "2..5"] {
            assert_eq!(CountRule::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "many", "-1", "5..2", "1 |", "> 3", "1.5"] {
            assert_eq!(CountRule::parse(wrong), None, "{wrong}");
        }
    }
}
