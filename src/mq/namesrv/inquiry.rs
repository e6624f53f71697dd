//! What operators and brokers ask of the tables: topics by cluster and by flag, the system's own, whether a table is news.
//!
//! Source: `DefaultRequestProcessor`. Differs: a nameserver's own settings are neither handed out nor changed.

use crate::mq::fastjson::{EXCEPTION, Json};
use crate::mq::message::Name;
use crate::mq::namesrv::Namesrv;
use crate::mq::node::Step;
use crate::mq::wire::body::admin::TopicList;
use crate::mq::wire::body::{DataVersion, JsonBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

impl Namesrv {
    /// Answers; a code that nobody knows is answered with nothing, and its caller waits in vain.
    pub(super) fn inquire(&mut self, command: &Command, step: &mut Step<'_>) -> Option<Box<Command>> {
        let field = |name: &str| command.header.field(name).cloned().unwrap_or_default();
        let topics = match command.code {
            request::GET_TOPICS_BY_CLUSTER => self.routes.topics_of_cluster(&field("cluster")),
            request::GET_SYSTEM_TOPIC_LIST_FROM_NS => self.routes.system_topics(),
            request::GET_UNIT_TOPIC_LIST => self.routes.topics_by_flags(UNIT, 0),
            request::GET_HAS_UNIT_SUB_TOPIC_LIST => self.routes.topics_by_flags(UNIT_SUB, 0),
            request::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => self.routes.topics_by_flags(UNIT_SUB, UNIT),
            request::QUERY_DATA_VERSION => return Some(self.data_version(&field("brokerAddr"), command, step)),
            _ => return None,
        };
        Some(listed(command, &topics))
    }

    /// Whether a broker's table is other than the one it registered with; if not, the broker counts as heard.
    ///
    /// Source: `DefaultRequestProcessor.queryBrokerTopicConfig`.
    fn data_version(&mut self, addr: &Name, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let told = match Json::parse(command.body.as_deref().unwrap_or(b"null")) {
            Ok(Json::Null) => None,
            Ok(json) => Some(DataVersion::from_json(&json)),
            Err(error) => {
                return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None)
                    .with_remark(format!("{EXCEPTION}: {error}"));
            }
        };
        let known = self.routes.version_of(addr);
        let is_changed = known.is_none() || known != told;
        if !is_changed {
            self.routes.heard(addr, step.wall);
        }
        let changed = Header::Other(vec![("changed".into(), Name::from(is_changed.to_string()))]);
        let answer = Command::response(response::SUCCESS, command.opaque, changed);
        match known {
            Some(known) => answer.with_body(known.encode()),
            None => answer,
        }
    }
}

fn listed(command: &Command, topics: &TopicList) -> Box<Command> {
    Command::response(response::SUCCESS, command.opaque, Header::None).with_body(topics.encode())
}

/// Source: `TopicSysFlag.FLAG_UNIT`.
const UNIT: i32 = 1;
/// Source: `TopicSysFlag.FLAG_UNIT_SUB`.
const UNIT_SUB: i32 = 2;
