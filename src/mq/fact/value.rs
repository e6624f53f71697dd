//! What a fact's fields hold, and how a list of facts becomes a type.

use crate::mq::message::Name;

/// A field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A number.
    Int(i64),
    /// A text.
    Text(&'a str),
}

/// A field as a value.
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

/// An enum of facts, with the kind and the fields of each by name.
macro_rules! facts {
    ($( $(#[$doc:meta])* $variant:ident $kind:literal { $( $(#[$field_doc:meta])* $field:ident : $type:ty ),* $(,)? } )*) => {
        /// What a node says happened to it. Past tense, one variant a sentence.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Fact {
            $( $(#[$doc])* $variant { $( $(#[$field_doc])* $field: $type, )* }, )*
        }

        impl Fact {
            /// Every kind, in the order of declaration.
            pub const KINDS: &'static [&'static str] = &[$( $kind ),*];

            /// The fact's kind, as traces, filters and scenarios name it.
            pub fn kind(&self) -> &'static str {
                match self { $( Fact::$variant { .. } => $kind, )* }
            }

            /// Calls `each` with every field's name and value, in the order of declaration.
            pub fn each_field(&self, mut each: impl FnMut(&'static str, Value<'_>)) {
                match self {
                    $( Fact::$variant { $( $field, )* } => { $( each(stringify!($field), $field.value()); )* } )*
                }
            }
        }
    };
}

pub(super) use facts;

#[cfg(test)]
mod tests {
    use crate::mq::fact::Fact;

    #[test]
    fn a_fact_names_its_kind_and_fields() {
        let fact = Fact::Queued { topic: "orders".into(), queue_id: 3, queue_offset: 7, at: 218 };
        let mut fields = Vec::new();
        fact.each_field(|name, value| fields.push(format!("{name}={value:?}")));
        assert_eq!(fact.kind(), "queued");
        assert_eq!(fields, ["topic=Text(\"orders\")", "queue_id=Int(3)", "queue_offset=Int(7)", "at=Int(218)"]);
        assert!(Fact::KINDS.contains(&"queued"));
    }
}
