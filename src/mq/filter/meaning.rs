//! What parts of a condition may be put together, and what they become.
//!
//! Source: `ConstantExpression`, `ComparisonExpression`, `UnaryExpression`, where they are created.

use crate::mq::filter::error::{Cause, NUMBER_FORMAT, PARSE, RUNTIME, STACK_OVERFLOW, SqlError, Trouble};
use crate::mq::filter::expression::{Comparison, Constant, Expression, Inside};
use crate::mq::filter::lexer::{self, Word};
use crate::mq::filter::number;
use crate::mq::filter::parser::{Parser, Part};
use crate::mq::message::{Name, java};

impl Parser<'_> {
    /// Source: `ConstantExpression.createFromDecimal`.
    pub(super) fn integer(&self, word: Word, text: &str) -> Result<Constant, SqlError> {
        let digits = text.trim_end_matches(['l', 'L']);
        match (java::parse_int(digits), java::parse_long(digits)) {
            (Some(number), _) => Ok(Constant::Int(number)),
            (None, Some(number)) => Ok(Constant::Long(number)),
            (None, None) => {
                let trouble = Trouble::LongInteger { text: text.to_owned() };
                Err(self.refused(word.begin, trouble, NUMBER_FORMAT, format!("For input string: \"{digits}\"")))
            }
        }
    }

    /// Source: `ConstantExpression.createFloat`, which takes `Double.MIN_VALUE` for the smallest of all numbers.
    pub(super) fn double(&self, word: Word, text: &str) -> Result<Constant, SqlError> {
        let bound = match number::parse(text) {
            Some(number) if number.is_infinite() => "greater than 1.7976931348623157E308",
            Some(number) if 0.0 < number => return Ok(Constant::Double(number)),
            _ => "less than 4.9E-324",
        };
        let trouble = Trouble::Double { text: text.to_owned() };
        Err(self.refused(word.begin, trouble, RUNTIME, format!("{text} is {bound}")))
    }

    /// Source: `SelectorParser.asBooleanExpression`.
    pub(super) fn condition(&self, part: Part) -> Result<Part, SqlError> {
        let expression = match part.expression {
            Expression::Property(name) => Expression::Cast(name),
            other if self.is_trial || other.is_boolean() => other,
            other => {
                let what = shown(&other);
                let message = format!("Expression will not result in a boolean value: {what}");
                return Err(self.refused(part.begin, Trouble::NoCondition { what }, PARSE, message));
            }
        };
        Ok(Part { expression, ..part })
    }

    /// Source: `ComparisonExpression.createEqual`.
    pub(super) fn equal(&self, left: Part, right: Part) -> Result<Part, SqlError> {
        for part in [&left, &right] {
            if matches!(part.expression, Expression::Constant(Constant::Null)) && !self.is_trial {
                let message = "'NULL' cannot be compared.".to_owned();
                return Err(self.refused(part.begin, Trouble::EqualsNull, RUNTIME, message));
            }
        }
        if let (Expression::Constant(one @ Constant::Bool(_)), Expression::Constant(two)) =
            (&left.expression, &right.expression)
            && !right.expression.is_boolean()
        {
            let (left_text, right_text) = (one.to_string(), two.to_string());
            let message = format!("'{left_text}' cannot be compared with '{right_text}'");
            let trouble = Trouble::TwoKinds { left: left_text, right: right_text };
            return Err(self.refused(left.begin, trouble, RUNTIME, message));
        }
        self.compared(left, right, Comparison::Equal)
    }

    pub(super) fn compared(&self, left: Part, right: Part, comparison: Comparison) -> Result<Part, SqlError> {
        let depth = self.deeper(left.begin, left.depth, right.depth)?;
        let sides = Box::new([left.expression, right.expression]);
        Ok(Part { expression: Expression::Compare(sides, comparison), depth, begin: left.begin })
    }

    pub(super) fn not(&self, inner: Part) -> Result<Part, SqlError> {
        let depth = self.deeper(inner.begin, inner.depth, 0)?;
        Ok(Part { expression: Expression::Not(Box::new(inner.expression)), depth, begin: inner.begin })
    }

    /// Source: `ComparisonExpression.checkLessThanOperand`.
    pub(super) fn has_order(&self, part: &Part) -> Result<(), SqlError> {
        let has_order = match &part.expression {
            Expression::Constant(constant) => {
                matches!(constant, Constant::Int(_) | Constant::Long(_) | Constant::Double(_))
            }
            other => !other.is_boolean(),
        };
        if has_order || self.is_trial {
            return Ok(());
        }
        let what = shown(&part.expression);
        let message = format!("Value '{what}' cannot be compared.");
        Err(self.refused(part.begin, Trouble::NoOrder { what }, RUNTIME, message))
    }

    /// Source: the check of `ComparisonExpression.createBetween`, which looks at plain constants only.
    pub(super) fn is_range(&self, low: &Part, high: &Part) -> Result<(), SqlError> {
        let (Expression::Constant(one), Expression::Constant(two)) = (&low.expression, &high.expression) else {
            return Ok(());
        };
        if self.is_trial {
            return Ok(());
        }
        if matches!(one, Constant::Null) || matches!(two, Constant::Null) {
            let message = "Illegal values of between, values can not be null!".to_owned();
            return Err(self.refused(low.begin, Trouble::BetweenNull, RUNTIME, message));
        }
        let (low_text, high_text) = (one.to_string(), two.to_string());
        match two.value().compare(one.value()) {
            Ok(std::cmp::Ordering::Less) => {
                let (one, two) = (one.plain(), two.plain());
                let message = format!(
                    "Illegal values of between, left value({one}) must less than or equal to right value({two})"
                );
                let trouble = Trouble::BetweenReversed { low: low_text, high: high_text };
                Err(self.refused(low.begin, trouble, RUNTIME, message))
            }
            Ok(_) => Ok(()),
            Err(unanswered) => {
                let text = unanswered.to_string();
                let class = unanswered.class();
                let message = text.strip_prefix(class).and_then(|text| text.strip_prefix(": ")).map(str::to_owned);
                let trouble = Trouble::BetweenKinds { low: low_text, high: high_text };
                let column = lexer::column_of(self.text, low.begin);
                Err(SqlError { column, trouble, cause: Cause { class, message } })
            }
        }
    }

    /// Source: `ComparisonExpression.createInFilter`.
    pub(super) fn within_texts(&self, left: Part, texts: Vec<Name>, inside: Inside) -> Result<Part, SqlError> {
        let name = match left.expression {
            Expression::Property(name) => name,
            _ if self.is_trial => Name::default(),
            other => {
                let what = shown(&other);
                let message = format!("Expected a property for In expression, got: {what}");
                return Err(self.refused(left.begin, Trouble::InNoProperty { what }, RUNTIME, message));
            }
        };
        let expression = Expression::In(name, in_order(texts).into(), inside);
        Ok(Part { expression, depth: left.depth, begin: left.begin })
    }

    pub(super) fn refused(&self, begin: usize, trouble: Trouble, class: &'static str, message: String) -> SqlError {
        let column = lexer::column_of(self.text, begin);
        SqlError { column, trouble, cause: Cause { class, message: Some(message) } }
    }

    pub(super) fn deeper(&self, begin: usize, left: usize, right: usize) -> Result<usize, SqlError> {
        let depth = left.max(right) + 1;
        if DEPTH_MAX < depth && !self.is_trial {
            Err(self.too_deep(begin, DEPTH_MAX))
        } else {
            Ok(depth.min(DEPTH_MAX))
        }
    }

    pub(super) fn too_deep(&self, begin: usize, max: usize) -> SqlError {
        let cause = Cause { class: STACK_OVERFLOW, message: None };
        SqlError { column: lexer::column_of(self.text, begin), trouble: Trouble::TooDeep { max }, cause }
    }
}

/// The texts of an IN: five and more are a set, which has an order of its own.
/// Source: `UnaryExpression.createInExpression`, the constructor of the JDK's `HashSet`.
fn in_order(mut texts: Vec<Name>) -> Vec<Name> {
    if SET_MIN <= texts.len() {
        let buckets = (texts.len() as u32 * 4 / 3 + 1).max(16).next_power_of_two();
        let bucket = |text: &Name| {
            let hash = java::hash(text).cast_unsigned();
            (hash ^ (hash >> 16)) & (buckets - 1)
        };
        let mut known = std::collections::BTreeSet::new();
        texts.retain(|text| known.insert(text.clone()));
        texts.sort_by_key(bucket);
    }
    texts
}

/// An expression in an error, cut where it becomes unreadable: a value that stands twice in `BETWEEN` doubles its text.
fn shown(expression: &Expression) -> String {
    struct Cut(String);
    impl std::fmt::Write for Cut {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.push_str(text);
            if self.0.len() < SHOWN_MAX { Ok(()) } else { Err(std::fmt::Error) }
        }
    }
    let mut cut = Cut(String::new());
    match std::fmt::Write::write_fmt(&mut cut, format_args!("{expression}")) {
        Ok(()) => cut.0,
        Err(_) => cut.0 + "…",
    }
}

/// How deep a condition may go: each level is a call when it is asked.
const DEPTH_MAX: usize = 512;
/// Source: `UnaryExpression.createInExpression`.
const SET_MIN: usize = 5;
/// How long an expression is shown.
const SHOWN_MAX: usize = 16 * 1_024;
