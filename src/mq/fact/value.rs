//! The values of a fact's fields.

use crate::mq::message::Name;

/// A field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A number.
    Int(i64),
    /// A text.
    Text(&'a str),
}

/// What a field may hold.
pub(super) trait AsValue {
    fn value(&self) -> Value<'_>;
}

impl AsValue for Name {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl AsValue for i64 {
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl AsValue for i32 {
    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl AsValue for &'static str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}
