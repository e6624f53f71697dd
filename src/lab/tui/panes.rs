//! The panes of the player: the cluster, the timeline, one message, the lesson.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::lab::check::Verdict;
use crate::lab::locale::Lang;
use crate::lab::scenario::lesson::Predict;
use crate::lab::trace::fold::{NodePicture, State};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::{App as AppEvent, What};
use crate::lab::tui::app::App;
use crate::lab::tui::draw::{boxed, style};
use crate::lab::tui::player::Player;
use crate::lab::view::lanes::Mark;
use crate::lab::view::width;
use crate::mq::app::Return;
use crate::mq::message::property::names;

/// One line a node, two for a broker.
pub(super) fn cluster(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let block = boxed(app, if lang == Lang::Zh { "集群" } else { "Cluster" });
    let inner = block.inner(area);
    block.render(area, buffer);
    let picture = player.picture();
    let mut lines: Vec<(String, Style)> = Vec::new();
    for (head, node) in player.trace.header.nodes.iter().zip(&picture.nodes) {
        let (glyph, word, color) = match node.state {
            State::Waiting => (' ', if lang == Lang::Zh { "未启动" } else { "waits" }, Color::Reset),
            State::Up => ('+', if lang == Lang::Zh { "运行" } else { "up" }, Color::Blue),
            State::Paused => ('?', if lang == Lang::Zh { "暂停" } else { "paused" }, Color::Yellow),
            State::Down => ('!', if lang == Lang::Zh { "已死" } else { "dead" }, Color::Red),
            State::Off => ('X', if lang == Lang::Zh { "断电" } else { "no power" }, Color::Red),
        };
        let more = if node.state == State::Up { about(head.role, node, lang) } else { String::new() };
        lines.push((format!("{glyph} {:<10} {word} {more}", head.name), style(app, color, Modifier::empty())));
        if head.role == Role::Broker && node.state == State::Up {
            lines.push((format!("   log {}  flushed {}", node.log_end, node.flushed), Style::new()));
            for ((topic, queue), (_, max)) in node.queues.iter().filter(|(_, (_, max))| *max > 0) {
                let committed: Vec<String> = node
                    .offsets
                    .iter()
                    .filter(|((_, other, number), _)| other == topic && number == queue)
                    .map(|((group, ..), at)| format!("{group} {at}"))
                    .collect();
                lines.push((format!("   {topic}/{queue} max {max} {}", committed.join(" ")), Style::new()));
            }
        }
    }
    put(inner, buffer, &lines, 0);
}

fn about(role: Role, node: &NodePicture, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match role {
        Role::Nameserver if zh => format!("{} 个 Broker", node.brokers.len()),
        Role::Nameserver => format!("{} brokers", node.brokers.len()),
        Role::Broker if zh => format!("挂起 {}", node.held.values().sum::<u64>()),
        Role::Broker => format!("holds {}", node.held.values().sum::<u64>()),
        Role::Client if node.owned.is_empty() => String::new(),
        Role::Client if zh => format!("{} 个队列", node.owned.len()),
        Role::Client => format!("{} queues", node.owned.len()),
    }
}

/// The lanes around the moment; what lies ahead is dim.
pub(super) fn timeline(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let block = boxed(app, if app.options.lang == Lang::Zh { "时间线" } else { "Timeline" });
    let inner = block.inner(area);
    block.render(area, buffer);
    let columns = usize::from(inner.width);
    buffer.set_string(inner.x, inner.y, player.lanes.head(columns), Style::new().add_modifier(Modifier::BOLD));
    let rows = usize::from(inner.height).saturating_sub(1);
    let now = player.lanes.rows.partition_point(|row| row.step < player.at);
    let first = now.saturating_sub(rows * 2 / 3);
    let mut lines = Vec::new();
    for (number, row) in player.lanes.rows.iter().enumerate().skip(first).take(rows) {
        let look = match row.mark {
            _ if number + 1 == now => Style::new().add_modifier(Modifier::REVERSED),
            _ if now <= number => Style::new().add_modifier(Modifier::DIM),
            Mark::Fault { .. } => style(app, Color::Magenta, Modifier::BOLD),
            _ => Style::new(),
        };
        lines.push((player.lanes.draw(row, columns), look));
    }
    put(inner, buffer, &lines, 1);
}

/// One message: how far it has come, and its record.
pub(super) fn inspector(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let zh = app.options.lang == Lang::Zh;
    let name = player.handles.name(player.message);
    let title = if zh { format!("消息 {name}") } else { format!("Message {name}") };
    let block = boxed(app, title);
    let inner = block.inner(area);
    block.render(area, buffer);
    let Some((call, message)) = player.handles.messages.get(player.message) else {
        let none = if zh { "还没有消息" } else { "no message" };
        return put(inner, buffer, &[(none.to_owned(), Style::new())], 0);
    };
    let mut path: Vec<String> = Vec::new();
    let mut record_line = String::new();
    let mut uid = None;
    for record in player.trace.before(player.at).iter().filter(|record| *call <= record.seq) {
        let seen = match &record.what {
            _ if record.seq == *call => Some(if zh { "已发出" } else { "sent" }),
            What::App(AppEvent::Returned(answer)) => match &**answer {
                Return::Sent { result, .. } if player.handles.find(&result.msg_id) == Some(player.message) => {
                    uid = Some(result.msg_id.clone());
                    record_line = format!("{} #{}  {}", result.queue, result.queue_offset.0, result.status);
                    Some(result.status.as_str())
                }
                Return::Listen { messages, .. }
                    if messages.iter().any(|one| player.handles.of_stored(one) == Some(player.message)) =>
                {
                    Some(if zh { "已投递" } else { "delivered" })
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(seen) = seen {
            path.push(format!("{seen} {}", record.at));
        }
    }
    let tag = message.properties.get(names::TAGS).map_or("", |tag| tag.as_str());
    let body = String::from_utf8_lossy(&message.body).into_owned();
    let id = uid.map_or_else(String::new, |uid| format!("UNIQ_KEY {uid}"));
    let lines = [
        (path.join(" > "), style(app, Color::Blue, Modifier::empty())),
        (record_line, Style::new()),
        (format!("topic {}  tag {tag}  body {body}  {id}", message.topic), Style::new()),
    ];
    put(inner, buffer, &lines, 0);
}

/// The narration of the moment; at the end, the verdicts.
pub(super) fn lesson(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let zh = lang == Lang::Zh;
    let count = player.scenario.lesson.steps.len();
    let (title, text) = if player.at == player.end() {
        let title = if zh { "结论" } else { "Checks" };
        (title.to_owned(), verdicts(player, lang))
    } else if let Some((number, step)) = player.narration() {
        let title = match zh {
            true => format!("讲解 {}/{count}", number + 1),
            false => format!("Lesson, step {} of {count}", number + 1),
        };
        let mut text = step.say.text(lang).to_owned();
        if let Some(predict) = &step.predict {
            text = format!("{text} {}", asked(player, number, predict, lang));
        }
        (title, text)
    } else {
        let hint = if zh {
            "按 . 走第一步，按 ] 到下一处讲解。"
        } else {
            "Press . for the first step, ] for the next thing to see."
        };
        let question = player.scenario.lesson.question.text(lang);
        ((if zh { "问题" } else { "Question" }).to_owned(), format!("{question} {hint}"))
    };
    let block = boxed(app, title).border_style(style(app, Color::Cyan, Modifier::empty()));
    Paragraph::new(text.trim().to_owned()).wrap(Wrap { trim: true }).block(block).render(area, buffer);
}

/// A question with its choices; once it is answered, the reason.
fn asked(player: &Player, number: usize, predict: &Predict, lang: Lang) -> String {
    let letter = |at: usize| char::from(b'a' + at as u8);
    match player.answered {
        Some((step, choice)) if step == number => {
            let right = predict.answer == choice;
            let word = match (right, lang) {
                (true, Lang::En) => "right",
                (true, Lang::Zh) => "对",
                (false, Lang::En) => "not so",
                (false, Lang::Zh) => "不对",
            };
            let glyph = if right { '+' } else { '!' };
            format!("{glyph} {}) {word}. {}", letter(choice), predict.why.text(lang))
        }
        _ => {
            let choices = predict.choices.iter().enumerate();
            let choices: Vec<String> =
                choices.map(|(at, choice)| format!("{}) {}", letter(at), choice.text(lang))).collect();
            format!("{} {}", predict.ask.text(lang), choices.join("  "))
        }
    }
}

fn verdicts(player: &Player, lang: Lang) -> String {
    let lines: Vec<String> = player
        .findings
        .iter()
        .filter(|finding| finding.asked)
        .map(|finding| {
            let glyph = match finding.verdict {
                Verdict::Pass => '+',
                Verdict::Inconclusive { .. } => '?',
                _ => '!',
            };
            format!("{glyph} {}: {}", finding.id, finding.summary.text(lang))
        })
        .collect();
    lines.join("\n")
}

/// Lines from a row of an area on, each cut to its width.
fn put(area: Rect, buffer: &mut Buffer, lines: &[(String, Style)], from: u16) {
    let rows = usize::from(area.height.saturating_sub(from));
    for (row, (line, look)) in lines.iter().take(rows).enumerate() {
        let text = width::fit(line, usize::from(area.width));
        buffer.set_string(area.x, area.y + from + row as u16, text, *look);
    }
}
