//! A broker's `.properties` text: what of it does something, and what does not.

use std::net::Ipv4Addr;

use super::Resolver;
use crate::lab::locale::Phrase;
use crate::lab::scenario::remark;
use crate::lab::scenario::script::Text;
use crate::mq::broker::BrokerConfig;
use crate::mq::broker::properties::text::{self, Pair};
use crate::mq::broker::properties::{Places, Remark};
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
    let Remark { line, key, .. } = remark;
    let Phrase { en, zh } = remark::words(remark);
    Phrase {
        en: format!("{broker}, properties line {line}, `{key}`: {en}"),
        zh: format!("{broker} 的 properties 第 {line} 行 `{key}`：{zh}"),
    }
}
