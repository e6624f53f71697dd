//! From words to a compiled condition.
//!
//! ```text
//! condition  := row of OR                                          what follows is not read
//! row        := equality ( AND | OR equality )*                    AND binds tighter
//! equality   := comparison ( '=' | '<>' comparison | IS [NOT] NULL )*
//! comparison := unary ( '>' | '>=' | '<' | '<=' unary | [NOT] BETWEEN unary AND unary | [NOT] IN ( texts ) )*
//! unary      := '+' | '-' | NOT unary | constant | property | '(' row of OR ')'
//! ```
//!
//! What is tried, and in what order, is the release's, since its errors list what it had tried.
//! Source: `SelectorParser`. Differs: depth is bounded by a number, upstream by the thread's stack.

use crate::mq::filter::error::{PARSE, SqlError, Trouble};
use crate::mq::filter::expression::{Comparison, Constant, Expression, Inside};
use crate::mq::filter::lexer::{self, KINDS, Kind, Word};
use crate::mq::message::Name;

/// A part, how deep it goes, and where it begins.
pub(super) struct Part {
    pub(super) expression: Expression,
    pub(super) depth: usize,
    pub(super) begin: usize,
}

/// Reads one condition.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    /// Words looked at so far.
    words: Vec<Word>,
    /// The next one.
    at: usize,
    /// The kinds that were tried since the last word was taken, a bit each.
    wanted: u64,
    nesting: usize,
    /// Whether only the form is looked at: nothing is built and no meaning is checked.
    pub(super) is_trial: bool,
}

impl<'a> Parser<'a> {
    /// A condition, and where the text goes on behind it, if it does.
    pub(super) fn parse(text: &'a str) -> Result<(Expression, Option<usize>), SqlError> {
        let mut parser = Parser { text, words: Vec::new(), at: 0, wanted: 0, nesting: 0, is_trial: false };
        let part = parser.row_of_or()?;
        let condition = parser.condition(part)?;
        let next = parser.peek(0)?;
        Ok((condition.expression, (next.kind != Kind::End).then_some(next.begin)))
    }

    fn row_of_or(&mut self) -> Result<Part, SqlError> {
        self.row(Kind::Or, Parser::row_of_and, Expression::Or)
    }

    fn row_of_and(&mut self) -> Result<Part, SqlError> {
        self.row(Kind::And, Parser::equality, Expression::And)
    }

    fn row(
        &mut self,
        word: Kind,
        part: fn(&mut Self) -> Result<Part, SqlError>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Part, SqlError> {
        let left = part(self)?;
        if !self.takes(word)? {
            return Ok(left);
        }
        let (begin, mut depth, mut left, mut parts) = (left.begin, left.depth, Some(left), Vec::new());
        loop {
            let right = part(self)?;
            // The left side is looked at when both are read.
            for part in left.take().into_iter().chain([right]) {
                depth = depth.max(part.depth);
                parts.push(self.condition(part)?.expression);
            }
            if !self.takes(word)? {
                let depth = self.deeper(begin, depth, 0)?;
                return Ok(Part { expression: join(parts), depth, begin });
            }
        }
    }

    fn equality(&mut self) -> Result<Part, SqlError> {
        let mut left = self.comparison()?;
        loop {
            let kind = self.peek(0)?.kind;
            left = match kind {
                Kind::Equal | Kind::NotEqual => {
                    self.take();
                    let right = self.comparison()?;
                    let equal = self.equal(left, right)?;
                    if kind == Kind::Equal { equal } else { self.not(equal)? }
                }
                Kind::Is => {
                    self.want(&[Kind::Equal, Kind::NotEqual]);
                    let is_null = self.peek(1)?.kind == Kind::Null;
                    self.take();
                    if !is_null {
                        self.expect(Kind::Not)?;
                    }
                    self.expect(Kind::Null)?;
                    let null = Part { expression: Expression::Constant(Constant::Null), depth: 1, begin: left.begin };
                    let equal = self.compared(left, null, Comparison::Equal)?;
                    if is_null { equal } else { self.not(equal)? }
                }
                _ => {
                    self.want(&[Kind::Is, Kind::Equal, Kind::NotEqual]);
                    return Ok(left);
                }
            };
        }
    }

    fn comparison(&mut self) -> Result<Part, SqlError> {
        let mut left = self.unary()?;
        loop {
            let kind = self.peek(0)?.kind;
            left = match kind {
                Kind::Greater => self.ordered(left, Comparison::Greater)?,
                Kind::GreaterEqual => self.ordered(left, Comparison::GreaterEqual)?,
                Kind::Less => self.ordered(left, Comparison::Less)?,
                Kind::LessEqual => self.ordered(left, Comparison::LessEqual)?,
                Kind::Between => {
                    self.take();
                    self.between(left, Inside::Yes)?
                }
                Kind::In => {
                    self.want(&ORDERED);
                    self.take();
                    self.within(left, Inside::Yes)?
                }
                Kind::Not => {
                    self.want(&ORDERED);
                    let second = self.peek(1)?.kind;
                    if second == Kind::Between {
                        self.take();
                        self.take();
                        self.between(left, Inside::No)?
                    } else {
                        self.want(&[Kind::In]);
                        if second != Kind::In {
                            return Err(self.unexpected());
                        }
                        self.take();
                        self.take();
                        self.within(left, Inside::No)?
                    }
                }
                _ => {
                    self.want(&ORDERED);
                    self.want(&[Kind::Not, Kind::In]);
                    return Ok(left);
                }
            };
        }
    }

    fn ordered(&mut self, left: Part, comparison: Comparison) -> Result<Part, SqlError> {
        self.take();
        let right = self.unary()?;
        self.has_order(&left)?;
        self.has_order(&right)?;
        self.compared(left, right, comparison)
    }

    fn between(&mut self, value: Part, inside: Inside) -> Result<Part, SqlError> {
        let low = self.unary()?;
        self.expect(Kind::And)?;
        let high = self.unary()?;
        if inside == Inside::Yes {
            self.is_range(&low, &high)?;
        }
        for part in [&value, &low, &value, &high] {
            self.has_order(part)?;
        }
        let depth = self.deeper(value.begin, value.depth, low.depth.max(high.depth))?;
        let parts = Box::new([value.expression, low.expression, high.expression]);
        Ok(Part { expression: Expression::Between(parts, inside), depth, begin: value.begin })
    }

    fn within(&mut self, left: Part, inside: Inside) -> Result<Part, SqlError> {
        self.expect(Kind::Open)?;
        let mut texts = Vec::new();
        loop {
            let word = self.expect(Kind::Text)?;
            texts.push(unquoted(&self.text[word.begin..word.end]));
            if !self.takes(Kind::Comma)? {
                break;
            }
        }
        self.expect(Kind::Close)?;
        self.within_texts(left, texts, inside)
    }

    fn unary(&mut self) -> Result<Part, SqlError> {
        let word = self.peek(0)?;
        if NESTING_MAX <= self.nesting {
            return Err(self.too_deep(word.begin, NESTING_MAX));
        }
        self.nesting += 1;
        let part = self.unary_at(word)?;
        self.nesting -= 1;
        Ok(part)
    }

    fn unary_at(&mut self, word: Word) -> Result<Part, SqlError> {
        match word.kind {
            // The release looks ahead over all that a plus stands before; what it cannot read to the end it does not begin.
            Kind::Plus if self.is_trial || self.is_readable()? => {
                self.take();
                let inner = self.unary()?;
                Ok(Part { begin: word.begin, ..inner })
            }
            Kind::Minus => {
                self.take();
                let inner = self.unary()?;
                let depth = self.deeper(word.begin, inner.depth, 0)?;
                Ok(Part { expression: Expression::Negate(Box::new(inner.expression)), depth, begin: word.begin })
            }
            Kind::Not => {
                self.take();
                let inner = self.unary()?;
                let inner = self.condition(inner)?;
                let not = self.not(inner)?;
                Ok(Part { begin: word.begin, ..not })
            }
            Kind::Open => {
                self.take();
                let inner = self.row_of_or()?;
                self.expect(Kind::Close)?;
                Ok(inner)
            }
            _ => {
                let Some(expression) = self.leaf(word)? else {
                    self.want(&UNARY);
                    return Err(self.unexpected());
                };
                Ok(Part { expression, depth: 1, begin: word.begin })
            }
        }
    }

    /// A constant or a property.
    fn leaf(&mut self, word: Word) -> Result<Option<Expression>, SqlError> {
        let text = &self.text[word.begin..word.end];
        let constant = match word.kind {
            Kind::Property => {
                self.take();
                return Ok(Some(Expression::Property(text.into())));
            }
            Kind::Text => Constant::Text(unquoted(text)),
            Kind::True => Constant::Bool(true),
            Kind::False => Constant::Bool(false),
            Kind::Null => Constant::Null,
            Kind::Decimal if !self.is_trial => self.integer(word, text)?,
            Kind::Floating if !self.is_trial => self.double(word, text)?,
            Kind::Decimal | Kind::Floating => Constant::Null,
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(Expression::Constant(constant)))
    }

    /// Whether what stands behind the next word has the form of an operand.
    fn is_readable(&mut self) -> Result<bool, SqlError> {
        let saved = (self.at, self.wanted, self.nesting);
        self.is_trial = true;
        self.take();
        let read = self.unary();
        self.is_trial = false;
        (self.at, self.wanted, self.nesting) = saved;
        match read {
            Err(error) if matches!(error.trouble, Trouble::Unexpected { .. }) => Ok(false),
            read => read.map(|_| true),
        }
    }

    fn peek(&mut self, ahead: usize) -> Result<Word, SqlError> {
        while self.words.len() <= self.at + ahead {
            let from = self.words.last().map_or(0, |word| word.end);
            self.words.push(lexer::next(self.text, from)?);
        }
        Ok(self.words[self.at + ahead])
    }

    /// Goes past a word that was peeked at.
    fn take(&mut self) {
        self.at += 1;
        self.wanted = 0;
    }

    fn takes(&mut self, kind: Kind) -> Result<bool, SqlError> {
        let is_it = self.peek(0)?.kind == kind;
        if is_it {
            self.take();
        } else {
            self.want(&[kind]);
        }
        Ok(is_it)
    }

    fn expect(&mut self, kind: Kind) -> Result<Word, SqlError> {
        let word = self.peek(0)?;
        if word.kind != kind {
            self.want(&[kind]);
            return Err(self.unexpected());
        }
        self.take();
        Ok(word)
    }

    fn want(&mut self, kinds: &[Kind]) {
        kinds.iter().for_each(|kind| self.wanted |= 1 << *kind as u8);
    }

    /// The next word is none of those wanted. Source: `ParseException.initialise`.
    fn unexpected(&self) -> SqlError {
        let word = self.words[self.at];
        let wanted = || KINDS.iter().filter(|(kind, ..)| self.wanted & (1 << *kind as u8) != 0);
        let image = |kind: Kind| KINDS.iter().find(|(one, ..)| *one == kind).map_or("\"+\"", |(_, image, _)| image);
        let met = match word.kind {
            Kind::End => image(Kind::End).to_owned(),
            kind => {
                let units: Vec<u16> = self.text[word.begin..word.end].encode_utf16().collect();
                format!(" {} \"{} \"", image(kind), lexer::escaped(&units))
            }
        };
        let (line, column) = lexer::place_of(self.text, word);
        let of = if wanted().count() == 1 { "" } else { " one of" };
        let list: String = wanted().map(|(_, image, _)| format!("{image} ...\n    ")).collect();
        let message = format!("Encountered \"{met}\" at line {line}, column {column}.\nWas expecting{of}:\n    {list}");
        let names: Vec<&str> = wanted().map(|(.., name)| *name).collect();
        let found = self.text[word.begin..word.end].to_owned();
        let trouble = Trouble::Unexpected { found, wanted: names.join(", ") };
        self.refused(word.begin, trouble, PARSE, message)
    }
}

/// What stands between the quotes. Source: `SelectorParser.stringLitteral`.
fn unquoted(text: &str) -> Name {
    text[1..text.len() - 1].replace("''", "'").into()
}

const ORDERED: [Kind; 5] = [Kind::Between, Kind::Greater, Kind::GreaterEqual, Kind::Less, Kind::LessEqual];
/// A plus is not among them.
const UNARY: [Kind; 10] = [
    Kind::Not,
    Kind::True,
    Kind::False,
    Kind::Null,
    Kind::Decimal,
    Kind::Floating,
    Kind::Text,
    Kind::Property,
    Kind::Open,
    Kind::Minus,
];
/// How many signs, NOTs and parentheses may stand around one operand.
const NESTING_MAX: usize = 128;
