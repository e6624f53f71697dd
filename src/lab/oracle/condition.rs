//! A second reading of conditions in SQL92: what a message's properties make of them.
//!
//! Read from the published grammar alone and asked recursively over a tree, so that what judges filters shares no line with
//! the engine. It reads less: a text that says more than one condition, or says it in a way that only the release's own parser
//! would take, is not read, and then nothing is judged.

use std::iter::Peekable;
use std::vec::IntoIter;

/// What a condition answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// Something that it asks for is missing.
    Unknown,
    /// It compares what cannot be compared: no answer at all.
    Fails,
}

/// A condition that was read.
#[derive(Clone, Debug)]
pub struct Condition {
    root: Tree,
}

#[derive(Clone, Debug)]
enum Tree {
    Number(Number),
    Text(String),
    Truth(bool),
    Property(String),
    Minus(Box<Tree>),
    Not(Box<Tree>),
    Both(Box<Tree>, Box<Tree>),
    Either(Box<Tree>, Box<Tree>),
    Compare(Box<Tree>, &'static str, Box<Tree>),
    IsNull(Box<Tree>),
    In(String, Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Number {
    /// Of 32 bits.
    Short(i64),
    Long(i64),
    Float(f64),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Word(String),
    Number(Number),
    Text(String),
    Sign(&'static str),
}

enum Value {
    Nothing,
    Truth(bool),
    Number(Number),
    Text(String),
}

impl Condition {
    /// Reads a text, if it is all of a condition.
    pub fn read(text: &str) -> Option<Condition> {
        let tokens = tokens(text).filter(|tokens| tokens.len() <= TOKENS_MAX)?;
        let mut reader = Reader { tokens: tokens.into_iter().peekable() };
        let root = reader.either()?;
        (reader.tokens.next().is_none() && root.is_condition()).then_some(Condition { root })
    }

    /// Asks it of properties.
    pub fn answer(&self, property: &dyn Fn(&str) -> Option<String>) -> Answer {
        match self.root.truth(property) {
            Ok(Some(true)) => Answer::Yes,
            Ok(Some(false)) => Answer::No,
            Ok(None) => Answer::Unknown,
            Err(()) => Answer::Fails,
        }
    }
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Tree {
    fn is_condition(&self) -> bool {
        !matches!(self, Tree::Number(_) | Tree::Text(_) | Tree::Minus(_))
    }

    fn truth(&self, property: Lookup<'_>) -> Result<Option<bool>, ()> {
        Ok(match self {
            Tree::Truth(truth) => Some(*truth),
            Tree::Property(name) => property(name).map(|_| false),
            Tree::Not(inner) => inner.truth(property)?.map(|truth| !truth),
            Tree::Both(one, two) => match one.truth(property)? {
                Some(false) => Some(false),
                one => match (one, two.truth(property)?) {
                    (_, Some(false)) => Some(false),
                    (Some(_), Some(_)) => Some(true),
                    _ => None,
                },
            },
            Tree::Either(one, two) => match one.truth(property)? {
                Some(true) => Some(true),
                one => match (one, two.truth(property)?) {
                    (_, Some(true)) => Some(true),
                    (Some(_), Some(_)) => Some(false),
                    _ => None,
                },
            },
            Tree::IsNull(inner) => Some(matches!(inner.value(property)?, Value::Nothing)),
            Tree::In(name, texts) => property(name).map(|value| texts.contains(&value)),
            Tree::Compare(left, sign, right) => {
                return compare(left.value(property)?, sign, || right.value(property));
            }
            Tree::Number(_) | Tree::Text(_) | Tree::Minus(_) => None,
        })
    }

    fn value(&self, property: Lookup<'_>) -> Result<Value, ()> {
        Ok(match self {
            Tree::Number(number) => Value::Number(*number),
            Tree::Text(text) => Value::Text(text.clone()),
            Tree::Property(name) => property(name).map_or(Value::Nothing, Value::Text),
            Tree::Minus(inner) => match inner.value(property)? {
                Value::Number(Number::Short(number)) => Value::Number(Number::Short(-number)),
                Value::Number(Number::Long(number)) => Value::Number(Number::Long(-number)),
                Value::Number(Number::Float(number)) => Value::Number(Number::Float(-number)),
                _ => Value::Nothing,
            },
            other => other.truth(property)?.map_or(Value::Nothing, Value::Truth),
        })
    }
}

fn compare(left: Value, sign: &str, right: impl FnOnce() -> Result<Value, ()>) -> Result<Option<bool>, ()> {
    if sign != "=" && matches!(left, Value::Nothing) {
        return Ok(None);
    }
    let order = match (left, right()?) {
        (Value::Nothing, Value::Nothing) => return Ok(Some(true)),
        (Value::Nothing, _) => return Ok(None),
        (_, Value::Nothing) => return Ok(if sign == "=" { Some(false) } else { None }),
        (Value::Text(one), Value::Text(two)) if sign == "=" => return Ok(Some(one == two)),
        (Value::Text(one), Value::Text(two)) => order(Number::Float(float(&one)?), Number::Float(float(&two)?)),
        (Value::Truth(one), Value::Truth(two)) => Some(one.cmp(&two)),
        (Value::Text(one), Value::Truth(two)) => Some(one.eq_ignore_ascii_case("true").cmp(&two)),
        (Value::Truth(_), Value::Text(_)) => return Err(()),
        (Value::Number(one), Value::Number(two)) => order(one, two),
        (Value::Text(one), Value::Number(two)) => order(as_kind_of(two, &one)?, two),
        (Value::Number(one), Value::Text(two)) => order(one, as_kind_of(one, &two)?),
        (Value::Truth(_), Value::Number(_)) | (Value::Number(_), Value::Truth(_)) => None,
    };
    Ok(Some(match (sign, order) {
        (_, None) => sign == "<" || sign == "<=",
        ("=", Some(order)) => order.is_eq(),
        (">", Some(order)) => order.is_gt(),
        (">=", Some(order)) => order.is_ge(),
        ("<", Some(order)) => order.is_lt(),
        (_, Some(order)) => order.is_le(),
    }))
}

fn order(one: Number, two: Number) -> Option<std::cmp::Ordering> {
    let whole = |number: Number| match number {
        Number::Short(number) | Number::Long(number) => Ok(number),
        Number::Float(number) => Err(number),
    };
    match (whole(one), whole(two)) {
        (Ok(one), Ok(two)) => Some(one.cmp(&two)),
        (one, two) => {
            let float = |number: Result<i64, f64>| number.map_or_else(|float| float, |whole| whole as f64);
            Some(float(one).total_cmp(&float(two)))
        }
    }
}

/// A text as a number of the other side's kind.
fn as_kind_of(kind: Number, text: &str) -> Result<Number, ()> {
    match kind {
        Number::Short(_) => text.parse::<i32>().map(|number| Number::Short(number.into())).map_err(|_| ()),
        Number::Long(_) => text.parse().map(Number::Long).map_err(|_| ()),
        Number::Float(_) => float(text).map(Number::Float),
    }
}

/// As Java reads a double, but for hexadecimal digits.
fn float(text: &str) -> Result<f64, ()> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eEdDfF".contains(&byte));
    match text.trim_start_matches(['+', '-']) {
        "NaN" => Ok(f64::NAN),
        "Infinity" if text.starts_with('-') => Ok(f64::NEG_INFINITY),
        "Infinity" => Ok(f64::INFINITY),
        _ if is_plain => text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().map_err(|_| ()),
        _ => Err(()),
    }
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
}

impl Reader {
    fn is_next(&mut self, word: &str) -> bool {
        match self.tokens.peek() {
            Some(Token::Word(found)) => found.eq_ignore_ascii_case(word),
            Some(Token::Sign(found)) => *found == word,
            _ => false,
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.is_next(word);
        if is_it {
            self.tokens.next();
        }
        is_it
    }

    fn either(&mut self) -> Option<Tree> {
        let mut left = self.both()?;
        while self.takes("OR") {
            let right = self.both()?;
            left = Tree::Either(Box::new(conditional(left)?), Box::new(conditional(right)?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Tree> {
        let mut left = self.equality()?;
        while self.takes("AND") {
            let right = self.equality()?;
            left = Tree::Both(Box::new(conditional(left)?), Box::new(conditional(right)?));
        }
        Some(left)
    }

    fn equality(&mut self) -> Option<Tree> {
        let mut left = self.comparison()?;
        loop {
            left = if self.takes("=") {
                compared(left, "=", self.comparison()?)?
            } else if self.takes("<>") {
                Tree::Not(Box::new(compared(left, "=", self.comparison()?)?))
            } else if self.takes("IS") {
                let is_not = self.takes("NOT");
                let null = self.takes("NULL").then(|| Tree::IsNull(Box::new(left)))?;
                if is_not { Tree::Not(Box::new(null)) } else { null }
            } else {
                return Some(left);
            };
        }
    }

    fn comparison(&mut self) -> Option<Tree> {
        let mut left = self.unary()?;
        loop {
            if let Some(sign) = [">=", "<=", ">", "<"].into_iter().find(|sign| self.is_next(sign)) {
                self.tokens.next();
                left = compared(left, sign, self.unary()?)?;
                continue;
            }
            let is_not = self.takes("NOT");
            if self.takes("BETWEEN") {
                let low = self.unary()?;
                self.takes("AND").then_some(())?;
                let high = self.unary()?;
                let is_empty = matches!((&low, &high), (Tree::Number(low), Tree::Number(high))
                    if order(*low, *high).is_none_or(|order| order.is_gt()));
                let side = |sign, end| compared(left.clone(), sign, end).map(Box::new);
                left = match is_not {
                    false if is_empty => return None,
                    false => Tree::Both(side(">=", low)?, side("<=", high)?),
                    true => Tree::Either(side("<", low)?, side(">", high)?),
                };
            } else if self.takes("IN") {
                let Tree::Property(name) = left else { return None };
                let within = Tree::In(name, self.texts()?);
                left = if is_not { Tree::Not(Box::new(within)) } else { within };
            } else {
                return (!is_not).then_some(left);
            }
        }
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        self.takes("(").then_some(())?;
        let mut texts = Vec::new();
        loop {
            let Some(Token::Text(text)) = self.tokens.next() else { return None };
            texts.push(text);
            if !self.takes(",") {
                return self.takes(")").then_some(texts);
            }
        }
    }

    fn unary(&mut self) -> Option<Tree> {
        match self.tokens.next()? {
            Token::Sign("+") => self.unary(),
            Token::Sign("-") => Some(Tree::Minus(Box::new(self.unary()?))),
            Token::Sign("(") => {
                let inner = self.either()?;
                self.takes(")").then_some(inner)
            }
            Token::Number(number) => Some(Tree::Number(number)),
            Token::Text(text) => Some(Tree::Text(text)),
            Token::Sign(_) => None,
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NOT" => Some(Tree::Not(Box::new(conditional(self.unary()?)?))),
                "TRUE" => Some(Tree::Truth(true)),
                "FALSE" => Some(Tree::Truth(false)),
                "AND" | "OR" | "IN" | "IS" | "BETWEEN" | "NULL" => None,
                _ => Some(Tree::Property(word)),
            },
        }
    }
}

/// A comparison, if its sides are of those that may be compared so.
fn compared(left: Tree, sign: &'static str, right: Tree) -> Option<Tree> {
    let is_fit = match sign {
        "=" => !matches!((&left, &right), (Tree::Truth(_), Tree::Number(_) | Tree::Text(_))),
        _ => [&left, &right].iter().all(|side| matches!(side, Tree::Number(_) | Tree::Property(_) | Tree::Minus(_))),
    };
    is_fit.then(|| Tree::Compare(Box::new(left), sign, Box::new(right)))
}

fn conditional(tree: Tree) -> Option<Tree> {
    tree.is_condition().then_some(tree)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let letters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(first) = letters.get(at).copied() {
        let run = |from: usize, is_in: &dyn Fn(char) -> bool| {
            from + letters[from..].iter().take_while(|letter| is_in(**letter)).count()
        };
        let end = match first {
            ' ' | '\t' | '\n' | '\r' => at + 1,
            '\'' => {
                let mut content = String::new();
                let mut end = at + 1;
                loop {
                    match (letters.get(end)?, letters.get(end + 1)) {
                        ('\'', Some('\'')) => {
                            content.push('\'');
                            end += 2;
                        }
                        ('\'', _) => break,
                        (letter, _) => {
                            content.push(*letter);
                            end += 1;
                        }
                    }
                }
                tokens.push(Token::Text(content));
                end + 1
            }
            'a'..='z' | 'A'..='Z' | '_' | '$' => {
                let end = run(at, &|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$');
                tokens.push(Token::Word(letters[at..end].iter().collect()));
                end
            }
            '0'..='9' => {
                let end = run(at, &|letter| letter.is_ascii_digit() || letter == '.');
                let digits: String = letters[at..end].iter().collect();
                tokens.push(Token::Number(number(&digits)?));
                // What hangs on to a number is of a dialect that is not read here.
                if letters.get(end).is_some_and(|letter| letter.is_ascii_alphanumeric()) {
                    return None;
                }
                end
            }
            _ => {
                let rest: String = letters[at..].iter().take(2).collect();
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
                tokens.push(Token::Sign(sign));
                at + sign.len()
            }
        };
        at = end;
    }
    Some(tokens)
}

fn number(digits: &str) -> Option<Number> {
    if digits.contains('.') {
        return digits.parse().ok().filter(|number| 0.0 < *number).map(Number::Float);
    }
    if 1 < digits.len() && digits.starts_with('0') {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(if number <= i64::from(i32::MAX) { Number::Short(number) } else { Number::Long(number) })
}

/// Longer ones first.
const SIGNS: [&str; 11] = ["<>", ">=", "<=", "=", ">", "<", "(", ")", ",", "+", "-"];
/// Longer conditions are not read: what is read is asked recursively.
const TOKENS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, pairs: &[(&str, &str)]) -> Option<Answer> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Condition::read(text).map(|condition| condition.answer(&find))
    }

    #[test]
    fn answers_have_four_kinds() {
        let sexed = [("sex", "女"), ("age", "20")];
        assert_eq!(answer("sex='女' AND age>=18", &sexed), Some(Answer::Yes));
        assert_eq!(answer("age between 0 and 3", &sexed), Some(Answer::No));
        assert_eq!(answer("a > 5 OR age > 30", &sexed), Some(Answer::Unknown));
        assert_eq!(answer("sex > 5 OR age > 3", &sexed), Some(Answer::Fails));
        assert_eq!(answer("NOT (age IN ('20', 'x')) OR a IS NULL", &sexed), Some(Answer::Yes));
    }

    #[test]
    fn what_says_more_than_a_condition_is_not_read() {
        for text in ["", "a > 5 rest", "a", "a >", "5", "(a = 1", "a LIKE 'x'", "a = 007", "a = 'x", "a = NULL"] {
            assert!(answer(text, &[]).is_none() || text == "a", "{text}");
        }
    }
}
