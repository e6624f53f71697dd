//! A compiled condition: what it is worth for a message, and its text.

use std::cmp::Ordering;
use std::fmt;

use crate::mq::filter::error::Unanswered;
use crate::mq::filter::number;
use crate::mq::filter::value::Value;
use crate::mq::message::Name;

/// A part of a condition. How deep it goes is bounded where it is built; a row of AND or OR is one level.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// `ConstantExpression`.
    Constant(Constant),
    /// `PropertyExpression`.
    Property(Name),
    /// `UnaryExpression.createNegate`.
    Negate(Box<Expression>),
    /// `UnaryExpression.createNOT`.
    Not(Box<Expression>),
    /// A property that stands where an answer is wanted. Source: `UnaryExpression.createBooleanCast`.
    Cast(Name),
    /// `ComparisonExpression`.
    Compare(Box<[Expression; 2]>, Comparison),
    /// The middle one between the others, or outside of them. Source: `ComparisonExpression.createBetween`.
    Between(Box<[Expression; 3]>, Inside),
    /// `UnaryInExpression`: the property, the texts.
    In(Name, Box<[Name]>, Inside),
    /// `LogicExpression.createAND`, two or more from left to right.
    And(Vec<Expression>),
    /// `LogicExpression.createOR`, two or more from left to right.
    Or(Vec<Expression>),
}

/// A constant.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    /// `NULL`.
    Null,
    /// `TRUE` and `FALSE`.
    Bool(bool),
    /// An integer that fits 32 bits.
    Int(i32),
    /// Another.
    Long(i64),
    /// A number with a point or an exponent.
    Double(f64),
    /// A text.
    Text(Name),
}

/// How two sides are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    /// `=`
    Equal,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
}

/// Whether a condition holds inside or outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inside {
    /// `IN`, `BETWEEN`.
    Yes,
    /// `NOT IN`, `NOT BETWEEN`.
    No,
}

/// Where properties are looked up.
pub(super) type Lookup<'l, 'a> = &'l dyn Fn(&str) -> Option<&'a str>;

impl Expression {
    /// What it is worth. Nothing is allocated.
    pub(super) fn value<'a>(&'a self, lookup: Lookup<'_, 'a>) -> Result<Value<'a>, Unanswered<'a>> {
        match self {
            Expression::Constant(constant) => Ok(constant.value()),
            Expression::Property(name) => Ok(lookup(name).map_or(Value::Null, Value::Text)),
            Expression::Negate(inner) => Ok(inner.value(lookup)?.negated()),
            _ => self.answer(lookup).map(Value::of),
        }
    }

    /// What it answers: yes, no, or unknown.
    pub(super) fn answer<'a>(&'a self, lookup: Lookup<'_, 'a>) -> Result<Option<bool>, Unanswered<'a>> {
        match self {
            Expression::Constant(Constant::Bool(answer)) => Ok(Some(*answer)),
            // Neither stands where an answer is wanted; a number has none.
            Expression::Constant(_) | Expression::Property(_) | Expression::Negate(_) => Ok(None),
            Expression::Not(inner) => Ok(inner.answer(lookup)?.map(|answer| !answer)),
            // A property is a text, and no text is a truth.
            Expression::Cast(name) => Ok(lookup(name).map(|_| false)),
            Expression::Compare(sides, comparison) => {
                let [left, right] = &**sides;
                comparison.answer(left.value(lookup)?, right, lookup)
            }
            Expression::Between(parts, inside) => {
                let [value, low, high] = &**parts;
                let (above, below, decides) = match inside {
                    Inside::Yes => (Comparison::GreaterEqual, Comparison::LessEqual, false),
                    Inside::No => (Comparison::Less, Comparison::Greater, true),
                };
                let value = value.value(lookup)?;
                let first = above.answer(value, low, lookup)?;
                if first == Some(decides) {
                    return Ok(first);
                }
                let second = below.answer(value, high, lookup)?;
                Ok(if second == Some(decides) { second } else { first.and(second) })
            }
            Expression::In(name, texts, inside) => {
                let is_in = |value: &str| texts.iter().any(|text| **text == *value);
                Ok(lookup(name).map(|value| is_in(value) == (*inside == Inside::Yes)))
            }
            Expression::And(parts) => row(parts, false, lookup),
            Expression::Or(parts) => row(parts, true, lookup),
        }
    }

    /// Source: what implements `BooleanExpression`.
    pub(super) fn is_boolean(&self) -> bool {
        match self {
            Expression::Constant(constant) => matches!(constant, Constant::Null | Constant::Bool(_)),
            Expression::Property(_) | Expression::Negate(_) => false,
            _ => true,
        }
    }
}

/// The first part that decides ends the row; without one, a part that is unknown makes all unknown.
/// Source: `LogicExpression`.
fn row<'a>(parts: &'a [Expression], decides: bool, lookup: Lookup<'_, 'a>) -> Result<Option<bool>, Unanswered<'a>> {
    let mut answer = Some(!decides);
    for part in parts {
        match part.answer(lookup)? {
            Some(one) if one == decides => return Ok(Some(decides)),
            Some(_) => {}
            None => answer = None,
        }
    }
    Ok(answer)
}

impl Constant {
    /// Its value.
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Constant::Null => Value::Null,
            Constant::Bool(truth) => Value::Bool(*truth),
            Constant::Int(number) => Value::Int(*number),
            Constant::Long(number) => Value::Long(*number),
            Constant::Double(number) => Value::Double(*number),
            Constant::Text(text) => Value::Text(text),
        }
    }

    /// As `Object.toString` of its value.
    pub(super) fn plain(&self) -> String {
        match self {
            Constant::Null => "null".to_owned(),
            Constant::Bool(truth) => truth.to_string(),
            Constant::Text(text) => text.to_string(),
            Constant::Int(_) | Constant::Long(_) | Constant::Double(_) => self.to_string(),
        }
    }
}

impl Comparison {
    /// The right side is not asked where the left one is nothing, but for equality.
    fn answer<'a>(
        self,
        left: Value<'a>,
        right: &'a Expression,
        lookup: Lookup<'_, 'a>,
    ) -> Result<Option<bool>, Unanswered<'a>> {
        if self == Comparison::Equal {
            return left.equals(right.value(lookup)?);
        }
        if matches!(left, Value::Null) {
            return Ok(None);
        }
        Ok(left.order(right.value(lookup)?)?.map(|order| match self {
            Comparison::Greater => order == Ordering::Greater,
            Comparison::GreaterEqual => order != Ordering::Less,
            Comparison::Less => order == Ordering::Less,
            Comparison::LessEqual => order != Ordering::Greater,
            Comparison::Equal => order == Ordering::Equal,
        }))
    }

    fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
        }
    }
}

/// As the `toString` of upstream's expressions, which its errors show.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Constant(constant) => write!(out, "{constant}"),
            Expression::Property(name) | Expression::Cast(name) => out.write_str(name),
            Expression::Negate(inner) => write!(out, "(- {inner})"),
            Expression::Not(inner) => write!(out, "(NOT {inner})"),
            Expression::Compare(sides, comparison) => {
                write!(out, "({} {} {})", sides[0], comparison.symbol(), sides[1])
            }
            Expression::Between(parts, inside) => {
                let [value, low, high] = &**parts;
                match inside {
                    Inside::Yes => write!(out, "(({value} >= {low}) && ({value} <= {high}))"),
                    Inside::No => write!(out, "(({value} < {low}) || ({value} > {high}))"),
                }
            }
            Expression::In(name, texts, inside) => {
                let word = if *inside == Inside::Yes { "IN" } else { "NOT IN" };
                write!(out, "{name} {word} ( ")?;
                for (number, text) in texts.iter().enumerate() {
                    write!(out, "{}{text}", if number == 0 { "" } else { ", " })?;
                }
                out.write_str(" )")
            }
            Expression::And(parts) => write_row(out, parts, "&&"),
            Expression::Or(parts) => write_row(out, parts, "||"),
        }
    }
}

fn write_row(out: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for _ in 1..parts.len() {
        out.write_str("(")?;
    }
    for (number, part) in parts.iter().enumerate() {
        match number {
            0 => write!(out, "{part}")?,
            _ => write!(out, " {word} {part})")?,
        }
    }
    Ok(())
}

impl fmt::Display for Constant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constant::Null => out.write_str("NULL"),
            Constant::Bool(truth) => out.write_str(if *truth { "TRUE" } else { "FALSE" }),
            Constant::Int(number) => write!(out, "{number}"),
            Constant::Long(number) => write!(out, "{number}"),
            Constant::Double(double) => out.write_str(&number::text(*double)),
            Constant::Text(text) => write!(out, "'{}'", text.replace('\'', "''")),
        }
    }
}
