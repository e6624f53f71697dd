//! Conditions in the release's part of SQL92, compiled.

use std::fmt;

use crate::mq::filter::error::{SqlError, Unanswered};
use crate::mq::filter::expression::Expression;
use crate::mq::filter::lexer;
use crate::mq::filter::parser::Parser;
use crate::mq::message::Name;

/// A compiled condition. Source: `SqlFilter`, `SelectorParser.parse`.
#[derive(Clone, Debug)]
pub struct Sql {
    text: Name,
    condition: Expression,
    unread: Option<usize>,
}

impl Sql {
    /// Compiles a text. What follows a whole condition is not read, as in the release: see [`Sql::unread`].
    pub fn compile(text: &str) -> Result<Sql, SqlError> {
        let (condition, unread) = Parser::parse(text)?;
        let unread = unread.map(|begin| lexer::column_of(text, begin));
        Ok(Sql { text: text.into(), condition, unread })
    }

    /// Whether a message passes; `Err` where upstream throws, and nothing passes. Properties are texts.
    pub fn answer<'a>(&'a self, property: &dyn Fn(&str) -> Option<&'a str>) -> Result<Option<bool>, Unanswered<'a>> {
        self.condition.answer(property)
    }

    /// Whether the answer is yes. Source: how `ExpressionMessageFilter` takes an answer.
    pub fn passes<'a>(&'a self, property: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        self.answer(property) == Ok(Some(true))
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &Name {
        &self.text
    }

    /// The column from which on the text was not read, if it says more than one condition.
    pub fn unread(&self) -> Option<usize> {
        self.unread
    }
}

/// One text compiles to one condition.
impl PartialEq for Sql {
    fn eq(&self, other: &Sql) -> bool {
        self.text == other.text
    }
}

impl Eq for Sql {}

/// As the `toString` of upstream's compiled expression.
impl fmt::Display for Sql {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(out)
    }
}
