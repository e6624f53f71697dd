//! What a field of a fact is to whoever reads it.

use crate::mq::fact::Value;
use crate::mq::message::Name;

/// A field as a number or a text.
pub(super) trait AsValue {
    /// The field.
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
