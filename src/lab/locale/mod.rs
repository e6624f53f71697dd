//! Every sentence a person reads, English and Chinese side by side.

use std::fmt;

pub mod page;

pub mod sentences;

pub mod clients;
pub mod course;
pub mod faults;
pub mod learning;
pub mod serve;
pub mod views;
pub mod words;

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// A fixed text in both languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// A text of a scenario in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Phrase {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Lang {
    /// The language of a locale's name: `zh_CN.UTF-8` is Chinese, everything else English.
    pub fn of_locale(name: &str) -> Lang {
        if name.starts_with("zh") { Lang::Zh } else { Lang::En }
    }
}

impl Words {
    /// The text in a language.
    pub const fn text(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

impl Phrase {
    /// A text in each language.
    pub fn of(en: impl Into<String>, zh: impl Into<String>) -> Phrase {
        Phrase { en: en.into(), zh: zh.into() }
    }

    /// One text for both languages.
    pub fn both(text: impl Into<String>) -> Phrase {
        let en = text.into();
        Phrase { zh: en.clone(), en }
    }

    /// The text in a language.
    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty() && self.zh.is_empty()
    }
}

impl Words {
    /// The text in a language, with the values of some names put in.
    pub fn with(self, lang: Lang, values: &[(&str, &str)]) -> String {
        fill(self.text(lang), |name, out| {
            let value = values.iter().find(|(own, _)| *own == name);
            value.is_some_and(|(_, value)| out.write_str(value).is_ok())
        })
    }
}

/// Fills `{name}` in a template; a name that `value` does not know stays as it is.
pub fn fill(template: &str, mut value: impl FnMut(&str, &mut dyn fmt::Write) -> bool) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(len) = rest[open..].find('}') else { break };
        let name = &rest[open + 1..open + len];
        out.push_str(&rest[..open]);
        if !value(name, &mut out) {
            out.push_str(&rest[open..=open + len]);
        }
        rest = &rest[open + len + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_and_unknown_names_stay() {
        let filled = fill("{a} and {b}, {open", |name, out| name == "a" && out.write_str("one").is_ok());
        assert_eq!(filled, "one and {b}, {open");
    }

    #[test]
    fn a_locale_says_its_language() {
        assert_eq!(Lang::of_locale("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(Lang::of_locale("C"), Lang::En);
    }
}
