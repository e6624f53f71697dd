//! Tag expressions: `*`, or tags between `||`.

use crate::mq::filter::{TAG, number};
use crate::mq::message::Name;
use crate::mq::message::java;

/// What a consumer subscribes to a topic with. Source: `SubscriptionData`, without topic and version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// The expression; `*` where none was given.
    pub expression: Name,
    /// Its tags, none for all and in other languages, each once in the order written.
    pub tags: Vec<Name>,
    /// Their hashes, each once.
    pub codes: Vec<i32>,
    /// The expression's language.
    pub language: Name,
}

/// Why there is no subscription.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// Only separators. Source: the exception of `FilterAPI.buildSubscriptionData`.
    #[error("subString split error")]
    OnlySeparators,
    /// No expression in a language that has no `*`. Source: the exception of `FilterAPI.build`.
    #[error("Expression can't be null! {0}")]
    Empty(Name),
}

impl Subscription {
    /// An expression in a language. Source: `FilterAPI.build`.
    pub fn build(expression: Option<&str>, language: Option<&str>) -> Result<Subscription, SubscriptionError> {
        let Some(language) = language.filter(|language| *language != TAG) else {
            return Subscription::tags(expression);
        };
        let Some(expression) = expression.filter(|expression| !expression.is_empty()) else {
            return Err(SubscriptionError::Empty(language.into()));
        };
        let (tags, codes) = (Vec::new(), Vec::new());
        Ok(Subscription { expression: expression.into(), tags, codes, language: language.into() })
    }

    /// A tag expression. A `*` between separators is a tag like any other; `|| ||` has none, so that no hash passes.
    /// Source: `FilterAPI.buildSubscriptionData`.
    pub fn tags(expression: Option<&str>) -> Result<Subscription, SubscriptionError> {
        let expression = expression.filter(|expression| !expression.is_empty()).unwrap_or(ALL);
        let mut subscription =
            Subscription { expression: expression.into(), tags: Vec::new(), codes: Vec::new(), language: TAG.into() };
        if expression == ALL {
            return Ok(subscription);
        }
        if expression.split(SEPARATOR).all(str::is_empty) {
            return Err(SubscriptionError::OnlySeparators);
        }
        for tag in expression.split(SEPARATOR).map(number::trimmed).filter(|tag| !tag.is_empty()) {
            if subscription.tags.iter().all(|known| known != tag) {
                subscription.tags.push(tag.into());
            }
            let code = java::hash(tag);
            if !subscription.codes.contains(&code) {
                subscription.codes.push(code);
            }
        }
        Ok(subscription)
    }
}

/// `SubscriptionData.SUB_ALL`.
pub const ALL: &str = "*";
/// Source: `FilterAPI.buildSubscriptionData`.
const SEPARATOR: &str = "||";
