//! Which messages a consumer wants: tags, and conditions over properties in SQL92.
//!
//! A broker never looks at a tag: the consume queue holds its hash, and a [`tag`] subscription passes on hashes, so that two
//! tags of one hash (`Aa`, `BB`) are told apart only where the letters are, at the client. An [`sql::Sql`] condition is compiled
//! once and asked for each message; its answer is true, false or unknown, and only true passes. What cannot be compared is
//! no answer and passes nothing. A [`bloom`] map lets a broker work out in advance who wants a message.
//!
//! Invariant: no text, however broken, makes this room panic or recurse without bound.
//! Source: `org.apache.rocketmq.filter`, `FilterAPI`.

pub mod tag;

pub mod sql;

pub mod error;

pub mod bloom;

mod expression;

mod lexer;

mod meaning;

mod number;

mod parser;

mod value;

#[cfg(test)]
mod tests;

/// `ExpressionType.TAG`.
pub const TAG: &str = "TAG";
/// `ExpressionType.SQL92`.
pub const SQL92: &str = "SQL92";

/// Whether a language is that of tags; nothing and the empty text are. Source: `ExpressionType.isTagType`.
pub fn is_tag_type(language: Option<&str>) -> bool {
    language.is_none_or(|language| language.is_empty() || language == TAG)
}
