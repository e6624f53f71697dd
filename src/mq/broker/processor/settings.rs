//! Settings changed while the broker runs.
//!
//! Source: `AdminBrokerProcessor.updateBrokerConfig`. Differs: nothing is written to the file that the broker was started with,
//! and what the store and the pools took over at the boot stays as it is until the next one.

use crate::mq::broker::Broker;
use crate::mq::broker::properties::{Places, text};
use crate::mq::node::Step;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

impl Broker {
    /// Takes settings over as a file would give them; a new permission is registered at once.
    pub(in crate::mq::broker) fn change_settings(&mut self, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let answer = |code: i32| Command::response(code, command.opaque, Header::None);
        let Some(body) = &command.body else { return answer(response::SUCCESS) };
        let Ok(pairs) = text::read(body) else {
            return answer(response::SYSTEM_ERROR).with_remark("string2Properties error");
        };
        let mut config = self.config.clone();
        // A role that its number does not fit is upstream's to refuse at the boot alone.
        if config.apply(&pairs, Places::Given).is_ok() {
            config.store.role = self.config.store.role;
            config.broker_id = self.config.broker_id;
            self.config = config;
        }
        if pairs.iter().any(|pair| pair.key == *"brokerPermission") {
            self.topics.next_version(step.wall);
            self.register_all(step, false);
        }
        answer(response::SUCCESS)
    }
}
