//! Texts of a scenario file in both languages.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use crate::lab::locale::Phrase;

/// A text in both languages: a plain text stands for both, a table gives `en` and `zh`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bilingual {
    /// English.
    pub en: Option<String>,
    /// Chinese.
    pub zh: Option<String>,
}

impl Bilingual {
    /// The text in both languages; a language left out reads as the other.
    pub fn phrase(&self) -> Phrase {
        let text = |first: &Option<String>, second: &Option<String>| {
            first.as_ref().or(second.as_ref()).cloned().unwrap_or_default()
        };
        Phrase { en: text(&self.en, &self.zh), zh: text(&self.zh, &self.en) }
    }
}

impl<'de> Deserialize<'de> for Bilingual {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Bilingual, D::Error> {
        from.deserialize_any(BilingualVisitor)
    }
}

struct BilingualVisitor;

impl<'de> Visitor<'de> for BilingualVisitor {
    type Value = Bilingual;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a table of texts `en` and `zh`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bilingual, E> {
        Ok(Bilingual { en: Some(text.to_owned()), zh: Some(text.to_owned()) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bilingual, A::Error> {
        let mut texts = Bilingual::default();
        while let Some(language) = map.next_key::<String>()? {
            match language.as_str() {
                "en" => texts.en = Some(map.next_value()?),
                "zh" => texts.zh = Some(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["en", "zh"])),
            }
        }
        Ok(texts)
    }
}
