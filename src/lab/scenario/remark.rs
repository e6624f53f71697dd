//! What there is to know about a line of a broker's `.properties` file, in words.

use crate::lab::fault::moment::nearest;
use crate::lab::locale::Phrase;
use crate::mq::broker::properties::{About, Remark, names};

/// A remark in words, without its place.
pub(crate) fn words(remark: &Remark) -> Phrase {
    let (en, zh) = match &remark.about {
        About::Unknown => {
            let near = nearest(&remark.key, names());
            let (ask, ask_zh) = near.map_or_else(Default::default, |near| {
                (format!("; did you mean `{near}`?"), format!("；是否想写 `{near}`？"))
            });
            (
                format!("4.3.2 has no such setting, and says nothing{ask}"),
                format!("4.3.2 没有这个配置项，也不会提示{ask_zh}"),
            )
        }
        About::Ignored(why) => (format!("does nothing here: {why}"), format!("在这里不起作用：{why}")),
        About::Unreadable { value, wanted } => (
            format!("`{value}` cannot be read, and the default stays; it has to be {wanted}"),
            format!("`{value}` 无法解析，保留默认值；应为 {wanted}"),
        ),
        About::Misread { value, taken_for } => {
            (format!("`{value}` is taken for `{taken_for}`"), format!("`{value}` 被当作 `{taken_for}`"))
        }
        About::Again { line } => (
            format!("stands again on line {line}, and that one counts"),
            format!("第 {line} 行又出现一次，以那一行为准"),
        ),
    };
    Phrase { en, zh }
}
