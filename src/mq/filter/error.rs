//! What can be wrong with a condition when it is written, and when it is asked.
//!
//! Each error is told twice: in the release's own words, which answers and logs carry, and in ours, with the column and the
//! way out.

use std::fmt;

/// Why a text is no condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SqlError {
    /// Where it stopped making sense, in letters from 1.
    pub column: usize,
    /// What is wrong.
    pub trouble: Trouble,
    /// What the release throws.
    pub cause: Cause,
}

/// A Java exception as text. Source: the cause of an `MQFilterException`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Its class.
    pub class: &'static str,
    /// Its message.
    pub message: Option<String>,
}

/// What is wrong with a text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// A letter that begins nothing.
    #[error("`{letter}` means nothing here{}", hint_of_letter(*letter))]
    Letter {
        /// The letter.
        letter: char,
    },
    /// A point without a digit behind it.
    #[error("a point belongs to a number; property names have letters, digits, `_` and `$`")]
    Point,
    /// A text that does not end.
    #[error("this text has no end; close it with `'`, and write a quote inside of it twice")]
    OpenText,
    /// A comment that does not end.
    #[error("this comment has no end; close it with `*/`")]
    OpenComment,
    /// Something else belongs here.
    #[error("{} cannot stand here; wanted: {wanted}{}", found_text(found), hint_of_word(found, wanted))]
    Unexpected {
        /// What stands here; empty at the end.
        found: String,
        /// What may.
        wanted: String,
    },
    /// A value where a condition is needed.
    #[error("`{what}` is a value and no condition; compare it with something")]
    NoCondition {
        /// The value.
        what: String,
    },
    /// Something that has no order.
    #[error(
        "`{what}` has no order; `>`, `>=`, `<`, `<=` and BETWEEN take numbers and properties, texts only `=`, `<>` and IN"
    )]
    NoOrder {
        /// The side of the comparison.
        what: String,
    },
    /// `= NULL`.
    #[error("nothing equals NULL; write IS NULL or IS NOT NULL")]
    EqualsNull,
    /// A truth against another constant.
    #[error("`{left}` and `{right}` are constants of two kinds")]
    TwoKinds {
        /// The truth.
        left: String,
        /// The other.
        right: String,
    },
    /// `BETWEEN NULL`.
    #[error("BETWEEN has no NULL; leave the open end away and write `>=` or `<=`")]
    BetweenNull,
    /// Nothing is between.
    #[error("nothing lies between {low} and {high}; the smaller end comes first")]
    BetweenReversed {
        /// The end that was written first.
        low: String,
        /// The other.
        high: String,
    },
    /// Ends of BETWEEN that cannot be compared.
    #[error("the ends {low} and {high} of BETWEEN cannot be compared; write two numbers")]
    BetweenKinds {
        /// The end that was written first.
        low: String,
        /// The other.
        high: String,
    },
    /// IN behind something else than a property.
    #[error("IN follows the name of a property, and `{what}` is none")]
    InNoProperty {
        /// What stands before it.
        what: String,
    },
    /// An integer beyond 64 bits.
    #[error("{text} does not fit 64 bits; the largest is 9223372036854775807, or write it with a point")]
    LongInteger {
        /// The digits.
        text: String,
    },
    /// A number that is no positive double.
    #[error("{text} is no number above 0 that fits a double; write 0 for zero")]
    Double {
        /// The digits.
        text: String,
    },
    /// More levels than are followed.
    #[error("more than {max} levels deep; join conditions with AND and OR on one level")]
    TooDeep {
        /// How many are followed.
        max: usize,
    },
}

/// What people write who know other languages.
fn hint_of_letter(letter: char) -> &'static str {
    match letter {
        '"' | '`' | '‘' | '’' | '“' | '”' => "; texts stand between two `'`",
        '!' => "; `<>` means not equal, NOT means not",
        '&' => "; write AND",
        '|' => "; write OR, or subscribe by tags",
        '*' | '/' | '%' => "; nothing is computed, only compared",
        _ if !letter.is_ascii() => "; outside of texts only ASCII letters are read",
        _ => "",
    }
}

fn hint_of_word(found: &str, wanted: &str) -> &'static str {
    match found {
        "=" => "; equality is one `=`",
        ">" | "<" => "; write `>=` and `<=` with `=` last",
        _ if wanted == "a text" => "; IN takes texts between two `'`, numbers too",
        "TRUE" | "true" | "FALSE" | "false" if wanted == "NOT" => "; write `= TRUE` and `= FALSE`",
        _ if wanted.contains("BETWEEN") && found.eq_ignore_ascii_case("NOT") => "; there is no LIKE",
        _ => "",
    }
}

fn found_text(found: &str) -> String {
    if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") }
}

impl fmt::Display for SqlError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "column {}: {}", self.column, self.trouble)
    }
}

impl std::error::Error for SqlError {}

/// As `Throwable.toString`.
impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.class)?;
        self.message.as_ref().map_or(Ok(()), |message| write!(out, ": {message}"))
    }
}

/// Why a condition has no answer for a message, which passes nothing. Source: what `Expression.evaluate` throws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unanswered<'a> {
    /// A text against an integer that it is not.
    NoInteger(&'a str),
    /// A text against a number that it is not.
    NoNumber(&'a str),
    /// Two texts by order that are not both numbers.
    TextsByOrder(&'a str, &'a str),
    /// A truth on the left of a text.
    BoolBeforeText,
}

impl Unanswered<'_> {
    /// The class of what the release throws.
    pub fn class(&self) -> &'static str {
        match self {
            Unanswered::BoolBeforeText => CLASS_CAST,
            _ => RUNTIME,
        }
    }
}

/// In the release's words.
impl fmt::Display for Unanswered<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.class())?;
        match self {
            Unanswered::NoInteger(text) => write!(out, ": {NUMBER_FORMAT}: For input string: \"{text}\""),
            Unanswered::NoNumber(text) => match super::number::trimmed(text) {
                "" => write!(out, ": {NUMBER_FORMAT}: empty String"),
                text => write!(out, ": {NUMBER_FORMAT}: For input string: \"{text}\""),
            },
            Unanswered::TextsByOrder(left, right) => {
                write!(out, ": It's illegal to compare string by '>=', '>', '<', '<='. lv={left}, rv={right}")
            }
            Unanswered::BoolBeforeText => write!(out, ": java.lang.Boolean cannot be cast to java.lang.String"),
        }
    }
}

pub(super) const RUNTIME: &str = "java.lang.RuntimeException";
pub(super) const NUMBER_FORMAT: &str = "java.lang.NumberFormatException";
pub(super) const CLASS_CAST: &str = "java.lang.ClassCastException";
pub(super) const STACK_OVERFLOW: &str = "java.lang.StackOverflowError";
pub(super) const PARSE: &str = "org.apache.rocketmq.filter.parser.ParseException";
pub(super) const LEXICAL: &str = "org.apache.rocketmq.filter.parser.TokenMgrError";
