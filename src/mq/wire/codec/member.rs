//! What members of typed headers are made of.

use crate::mq::message::Name;
use crate::mq::wire::codec::class::Scalar;

/// A member of a typed header.
pub(super) trait Member: Sized {
    /// The field's value, none for null.
    fn put(&self) -> Option<Scalar>;

    /// The member that holds `value`; none if it cannot.
    fn take(value: Option<Scalar>) -> Option<Self>;
}

macro_rules! member {
    ($($member:ty: $scalar:ident),*) => {
        $(impl Member for $member {
            fn put(&self) -> Option<Scalar> {
                Some(Scalar::$scalar(self.clone()))
            }

            fn take(value: Option<Scalar>) -> Option<$member> {
                match value {
                    Some(Scalar::$scalar(value)) => Some(value),
                    _ => None,
                }
            }
        })*
    };
}

member!(Name: Text, i32: Int, i64: Long, bool: Bool);

impl<T: Member> Member for Option<T> {
    fn put(&self) -> Option<Scalar> {
        self.as_ref().and_then(T::put)
    }

    fn take(value: Option<Scalar>) -> Option<Option<T>> {
        match value {
            None => Some(None),
            value => T::take(value).map(Some),
        }
    }
}
