//! What an expression is worth for a message, and how such values compare.

use std::cmp::Ordering;

use crate::mq::filter::error::Unanswered;
use crate::mq::filter::number;
use crate::mq::message::java;

/// A value. Properties are texts; the others come from constants and comparisons.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// Nothing: a missing property, an unknown answer.
    Null,
    /// `Boolean`.
    Bool(bool),
    /// `Integer`.
    Int(i32),
    /// `Long`.
    Long(i64),
    /// `Double`.
    Double(f64),
    /// `String`.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// An answer as a value.
    pub(super) fn of(answer: Option<bool>) -> Value<'a> {
        answer.map_or(Value::Null, Value::Bool)
    }

    /// The number with the other sign; nothing else has one. Source: `UnaryExpression.createNegate`.
    pub(super) fn negated(self) -> Value<'a> {
        match self {
            Value::Int(number) => Value::Int(number.wrapping_neg()),
            Value::Long(number) => Value::Long(number.wrapping_neg()),
            Value::Double(number) => Value::Double(number::negated(number)),
            Value::Null | Value::Bool(_) | Value::Text(_) => Value::Null,
        }
    }

    /// Equality, which asks no order of what is the same. Source: `ComparisonExpression.doCreateEqual`.
    pub(super) fn equals(self, other: Value<'a>) -> Result<Option<bool>, Unanswered<'a>> {
        match (self, other) {
            (Value::Null, Value::Null) => Ok(Some(true)),
            (Value::Null, _) => Ok(None),
            (_, Value::Null) => Ok(Some(false)),
            (Value::Text(one), Value::Text(two)) => Ok(Some(one == two)),
            (one, two) => Ok(Some(one.compare(two)? == Ordering::Equal)),
        }
    }

    /// The order by which `>`, `>=`, `<` and `<=` go, if both sides are there. Two texts are compared as numbers.
    /// Source: `ComparisonExpression.evaluate`.
    pub(super) fn order(self, other: Value<'a>) -> Result<Option<Ordering>, Unanswered<'a>> {
        match (self, other) {
            (Value::Null, _) | (_, Value::Null) => Ok(None),
            (Value::Text(one), Value::Text(two)) => {
                let numbers = number::parse(one).zip(number::parse(two));
                let (left, right) = numbers.ok_or(Unanswered::TextsByOrder(one, two))?;
                Ok(Some(compared(left, right)))
            }
            (one, two) => one.compare(two).map(Some),
        }
    }

    /// Two values brought to one type, the text to that of the other; what cannot be is less. Neither is nothing.
    /// Source: `ComparisonExpression.__compare`.
    pub(super) fn compare(self, other: Value<'a>) -> Result<Ordering, Unanswered<'a>> {
        Ok(match (self, other) {
            (Value::Bool(one), Value::Bool(two)) => one.cmp(&two),
            (Value::Bool(_), Value::Text(_)) => return Err(Unanswered::BoolBeforeText),
            (Value::Text(one), Value::Bool(two)) => one.eq_ignore_ascii_case("true").cmp(&two),
            (Value::Text(one), Value::Text(two)) => one.encode_utf16().cmp(two.encode_utf16()),
            (Value::Int(one), Value::Int(two)) => one.cmp(&two),
            (Value::Long(one), Value::Long(two)) => one.cmp(&two),
            (Value::Int(one), Value::Long(two)) => i64::from(one).cmp(&two),
            (Value::Long(one), Value::Int(two)) => one.cmp(&i64::from(two)),
            (Value::Double(one), Value::Double(two)) => compared(one, two),
            (Value::Int(one), Value::Double(two)) => compared(f64::from(one), two),
            (Value::Double(one), Value::Int(two)) => compared(one, f64::from(two)),
            (Value::Long(one), Value::Double(two)) => compared(one as f64, two),
            (Value::Double(one), Value::Long(two)) => compared(one, two as f64),
            (Value::Int(one), Value::Text(two)) => one.cmp(&int(two)?),
            (Value::Text(one), Value::Int(two)) => int(one)?.cmp(&two),
            (Value::Long(one), Value::Text(two)) => one.cmp(&long(two)?),
            (Value::Text(one), Value::Long(two)) => long(one)?.cmp(&two),
            (Value::Double(one), Value::Text(two)) => compared(one, double(two)?),
            (Value::Text(one), Value::Double(two)) => compared(double(one)?, two),
            (Value::Null | Value::Bool(_), _)
            | (Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Text(_), Value::Null)
            | (Value::Int(_) | Value::Long(_) | Value::Double(_), Value::Bool(_)) => Ordering::Less,
        })
    }
}

/// `Double.compareTo`: no number is above all numbers and the same as itself, and zero has two signs.
fn compared(one: f64, two: f64) -> Ordering {
    match one.partial_cmp(&two) {
        Some(Ordering::Equal) if one == 0.0 => two.is_sign_negative().cmp(&one.is_sign_negative()),
        Some(order) => order,
        None => one.is_nan().cmp(&two.is_nan()),
    }
}

fn int(text: &str) -> Result<i32, Unanswered<'_>> {
    java::parse_int(text).ok_or(Unanswered::NoInteger(text))
}

fn long(text: &str) -> Result<i64, Unanswered<'_>> {
    java::parse_long(text).ok_or(Unanswered::NoInteger(text))
}

fn double(text: &str) -> Result<f64, Unanswered<'_>> {
    number::parse(text).ok_or(Unanswered::NoNumber(text))
}
