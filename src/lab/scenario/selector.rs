//! What a consumer takes of a topic, as a scenario writes it: tags as a text, a condition in a table.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use crate::lab::locale::Phrase;
use crate::mq::app::MessageSelector;
use crate::mq::filter::error::{SqlError, Trouble};
use crate::mq::filter::sql::Sql;

/// `"a || b"`, or `{ sql = "a between 0 and 3" }`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectorScript(pub MessageSelector);

impl<'de> Deserialize<'de> for SelectorScript {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<SelectorScript, D::Error> {
        from.deserialize_any(SelectorVisitor)
    }
}

struct SelectorVisitor;

impl<'de> Visitor<'de> for SelectorVisitor {
    type Value = SelectorScript;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tags as a text, or a table with `tags` or `sql`")
    }

    fn visit_str<E: de::Error>(self, tags: &str) -> Result<SelectorScript, E> {
        Ok(SelectorScript(MessageSelector::from(tags)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SelectorScript, A::Error> {
        let mut selector = None;
        while let Some(language) = map.next_key::<String>()? {
            if selector.is_some() {
                return Err(de::Error::custom("a topic is subscribed either by `tags` or by `sql`"));
            }
            selector = Some(match language.as_str() {
                "tags" => MessageSelector::Tags(map.next_value::<String>()?.into()),
                "sql" => MessageSelector::Sql(map.next_value::<String>()?.into()),
                other => return Err(de::Error::unknown_field(other, &["tags", "sql"])),
            });
        }
        let selector = selector.ok_or_else(|| de::Error::missing_field("sql"))?;
        Ok(SelectorScript(selector))
    }
}

/// What should be known of a condition before it runs: that the broker will refuse it, or reads less of it than was written.
pub(super) fn note(topic: &str, text: &str) -> Option<Phrase> {
    let at = |column: usize| text.chars().skip(column - 1).take(20).collect::<String>();
    match Sql::compile(text) {
        Err(error) => Some(Phrase {
            en: format!("the broker refuses the condition on {topic}: {error}"),
            zh: format!("Broker 会拒绝主题 {topic} 上的条件：第 {} 列，{}", error.column, in_chinese(&error)),
        }),
        Ok(sql) => sql.unread().map(|column| Phrase {
            en: format!("of the condition on {topic}, `{}` from column {column} on is not read", at(column)),
            zh: format!("主题 {topic} 上的条件，从第 {column} 列的 `{}` 起不会被读取", at(column)),
        }),
    }
}

fn in_chinese(error: &SqlError) -> String {
    match &error.trouble {
        Trouble::Letter { letter } => {
            format!("`{letter}` 在这里没有意义；文本写在两个 `'` 之间，不等于写作 `<>`，逻辑写作 AND、OR")
        }
        Trouble::Point => "小数点只属于数字；属性名由字母、数字、`_` 和 `$` 组成".to_owned(),
        Trouble::OpenText => "文本没有结束；用 `'` 结束，文本里的引号写两遍".to_owned(),
        Trouble::OpenComment => "注释没有结束；用 `*/` 结束".to_owned(),
        Trouble::Unexpected { found, .. } if found.is_empty() => "条件没有写完".to_owned(),
        Trouble::Unexpected { found, .. } => format!("`{found}` 不能放在这里"),
        Trouble::NoCondition { what } => format!("`{what}` 是值而不是条件；请拿它作比较"),
        Trouble::NoOrder { what } => format!("`{what}` 没有大小；文本只能用 `=`、`<>` 和 IN 比较"),
        Trouble::EqualsNull => "没有什么等于 NULL；请写 IS NULL 或 IS NOT NULL".to_owned(),
        Trouble::TwoKinds { left, right } => format!("`{left}` 和 `{right}` 是两种常量"),
        Trouble::BetweenNull => "BETWEEN 的两端不能是 NULL；请改用 `>=` 或 `<=`".to_owned(),
        Trouble::BetweenReversed { low, high } => format!("{low} 和 {high} 之间什么也没有；小的一端写在前面"),
        Trouble::BetweenKinds { low, high } => format!("BETWEEN 的两端 {low} 和 {high} 不能比较；请写两个数字"),
        Trouble::InNoProperty { what } => format!("IN 前面要写属性名，`{what}` 不是"),
        Trouble::LongInteger { text } => format!("{text} 超出 64 位；最大是 9223372036854775807，或者写成小数"),
        Trouble::Double { text } => format!("{text} 不是大于 0 的双精度数；零请写作 0"),
        Trouble::TooDeep { max } => format!("嵌套超过 {max} 层；请把条件用 AND 和 OR 写在同一层"),
    }
}
