//! Pen 3: a run in the languages of other tools, each drawn from the moments of one trace.
//!
//! | to | for |
//! |---|---|
//! | [`mermaid`] | a sequence diagram in Markdown |
//! | [`perfetto`] | a timeline at ui.perfetto.dev, or `chrome://tracing` |
//! | [`shiviz`] | a time-space diagram with vector clocks |
//! | [`dot`] | what led to what, as a graph for Graphviz |

use crate::lab::trace::log::Trace;

pub mod dot;
pub mod mermaid;
pub mod perfetto;
pub mod shiviz;

/// What a run was, in one line: for the head of a file.
pub fn head(trace: &Trace, left_out: usize) -> String {
    let header = &trace.header;
    let rest = if left_out == 0 { String::new() } else { format!("; {left_out} moments were left out") };
    format!("mqlab {} seed {} profile {}{rest}", header.scenario, header.seed, header.profile)
}
