//! A broker's `.properties` text: what of it does something, and what does not.

use std::net::Ipv4Addr;

use super::Resolver;
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Phrase;
use crate::lab::scenario::script::Text;
use crate::mq::broker::BrokerConfig;
use crate::mq::broker::properties::text::{self, Pair};
use crate::mq::broker::properties::{About, Places, Remark, names};
use crate::mq::message::Name;
use crate::mq::node::Addr;

/// What a text gives.
pub(super) struct Properties {
    /// As they are in the file.
    pub(super) pairs: Vec<Pair>,
    /// The defaults with the text over them.
    pub(super) config: BrokerConfig,
}

impl Resolver<'_> {
    /// Reads a broker's properties; everything that does nothing is noted.
    pub(super) fn broker_properties(&mut self, broker: &Name, given: &Option<Text>) -> Properties {
        let somewhere = Addr { ip: Ipv4Addr::UNSPECIFIED.into(), port: 0 };
        let mut own = Properties { pairs: Vec::new(), config: BrokerConfig::new(broker.clone(), somewhere) };
        let Some(given) = given else { return own };
        own.pairs = match text::read(given.get_ref().as_bytes()) {
            Ok(pairs) => pairs,
            Err(error) => {
                let help = "write \\u and four hexadecimal digits, or double the backslash";
                self.wrong("wrong_value", Some(given.span()), format!("properties, {error}"), help);
                return own;
            }
        };
        match own.config.apply(&own.pairs, Places::Given) {
            Ok(remarks) => self.notes.extend(remarks.iter().map(|remark| note(broker, remark))),
            Err(error) => {
                let help = "a slave has a `brokerId` of its own, from 1";
                self.wrong("wrong_value", Some(given.span()), format!("properties: {error}"), help);
            }
        }
        own
    }
}

fn note(broker: &Name, remark: &Remark) -> Phrase {
    let Remark { line, key, about } = remark;
    let (en, zh) = match about {
        About::Unknown => {
            let near = nearest(key, names());
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
    Phrase {
        en: format!("{broker}, properties line {line}, `{key}`: {en}"),
        zh: format!("{broker} 的 properties 第 {line} 行 `{key}`：{zh}"),
    }
}
