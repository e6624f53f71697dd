//! One message's whole trip: everything that its send led to, in order.

use std::collections::BTreeSet;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, Record, Road, Seq, What};
use crate::lab::view::lines::{self, Handles, Line};
use crate::mq::app::Return;

/// The trip of a message, by its place from 0: its lines, frames included.
pub fn of(trace: &Trace, handles: &Handles, number: usize, lang: Lang) -> Vec<Line> {
    let Some((call, _)) = handles.messages.get(number) else { return Vec::new() };
    let mut led: BTreeSet<Seq> = BTreeSet::from([*call]);
    let mut story = Vec::new();
    for record in trace.records() {
        let follows = record.seq == *call || record.cause.is_some_and(|cause| led.contains(&cause));
        if !follows {
            continue;
        }
        // A batch may be handed over for another message; the next send is another story.
        match &record.what {
            What::App(App::Called(_)) if record.seq != *call && record.what.kind() == "call-send" => continue,
            What::App(App::Returned(answer)) => {
                if let Return::Listen { messages, .. } = &**answer
                    && !messages.iter().any(|message| handles.of_stored(message) == Some(number))
                {
                    continue;
                }
            }
            _ => {}
        }
        led.insert(record.seq);
        story.extend(lines::line(trace, handles, record, lang).or_else(|| frame(trace, record)));
    }
    story
}

/// A frame that left, with whom it goes to.
fn frame(trace: &Trace, record: &Record) -> Option<Line> {
    let What::Road(Road::Sent { to, frame, .. }) = &record.what else { return None };
    let actor = record.node.map_or_else(String::new, |node| trace.name(node).to_string());
    let text = format!("--{}--> {}", frame.label, trace.name(*to));
    let (step, at, seq) = (record.step, record.at, record.seq);
    Some(Line { step, at, seq, actor, kind: "sent", text, main: false })
}
