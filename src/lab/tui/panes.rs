//! The panes of the player: the cluster, the timeline, one message, the lesson.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Block, Widget};

use crate::lab::check::Verdict;
use crate::lab::locale::{Lang, Words, course};
use crate::lab::scenario::lesson::Predict;
use crate::lab::trace::fold::{NodePicture, State};
use crate::lab::trace::log::Role;
use crate::lab::tui::app::App;
use crate::lab::tui::draw::{boxed, style};
use crate::lab::tui::player::{Pane, Player};
use crate::lab::view::lanes::Mark;
use crate::lab::view::{lines, width};
use crate::mq::message::property::names;

/// A text with its look.
pub(super) type Line = (String, Style);

/// A pane's box; the one that is looked at is marked.
fn pane<'a>(app: &App, player: &Player, which: Pane, title: &str) -> Block<'a> {
    match player.pane == which {
        true => boxed(app, format!("> {title}")).title_style(Style::new().add_modifier(Modifier::BOLD)),
        false => boxed(app, title),
    }
}

/// One line a node; below them what each broker holds.
pub(super) fn cluster(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let zh = lang == Lang::Zh;
    let block = pane(app, player, Pane::Cluster, if zh { "集群" } else { "Cluster" });
    let inner = block.inner(area);
    block.render(area, buffer);
    let picture = player.picture();
    let brokers = player.trace.header.nodes.iter().filter(|node| node.role == Role::Broker).count();
    let (mut lines, mut below): (Vec<Line>, Vec<Line>) = Default::default();
    for (head, node) in player.trace.header.nodes.iter().zip(&picture.nodes) {
        let (glyph, word, color) = match node.state {
            State::Waiting => (' ', if zh { "未启动" } else { "waits" }, Color::Reset),
            State::Up => ('+', if zh { "运行" } else { "up" }, Color::Blue),
            State::Paused => ('?', if zh { "暂停" } else { "paused" }, Color::Yellow),
            State::Down => ('!', if zh { "已死" } else { "dead" }, Color::Red),
            State::Off => ('X', if zh { "断电" } else { "no power" }, Color::Red),
        };
        let more = if node.state == State::Up { about(head.role, node, lang) } else { String::new() };
        lines.push((format!("{glyph} {:<10} {word} {more}", head.name), style(app, color, Modifier::empty())));
        if head.role == Role::Broker && node.state == State::Up {
            if 1 < brokers {
                below.push((head.name.to_string(), Style::new()));
            }
            below.extend(held(node, zh).into_iter().map(|line| (line, Style::new())));
        }
    }
    lines.extend(below);
    put(inner, buffer, &lines, 0);
}

/// What a broker holds: its log, and each queue with the groups' places.
fn held(node: &NodePicture, zh: bool) -> Vec<String> {
    let mut lines = vec![match zh {
        true => format!("  日志 {}  落盘 {}", node.log_end, node.flushed),
        false => format!("  log {}  flushed {}", node.log_end, node.flushed),
    }];
    for ((topic, queue), (_, max)) in node.queues.iter().filter(|(_, (_, max))| *max > 0) {
        let committed: Vec<String> = node
            .offsets
            .iter()
            .filter(|((_, other, number), _)| other == topic && number == queue)
            .map(|((group, ..), at)| format!("{group} {at}"))
            .collect();
        lines.push(format!("  {topic}/{queue} max {max} {}", committed.join(" ")));
    }
    lines
}

fn about(role: Role, node: &NodePicture, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    let count = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    match role {
        Role::Nameserver if zh => format!("{} 个 Broker", node.brokers.len()),
        Role::Nameserver => count(node.brokers.len() as u64, "broker"),
        Role::Broker if zh => format!("挂起 {}", node.held.values().sum::<u64>()),
        Role::Broker => format!("holds {}", node.held.values().sum::<u64>()),
        Role::Client if node.owned.is_empty() => String::new(),
        Role::Client if zh => format!("{} 个队列", node.owned.len()),
        Role::Client => count(node.owned.len() as u64, "queue"),
    }
}

/// The first row that is shown, how many of the rows are past, and how many are shown.
pub(super) fn shown_rows(player: &Player, area: Rect) -> (usize, usize, usize) {
    let rows = usize::from(area.height.saturating_sub(3));
    let past = player.rows.past(player.at);
    (past.saturating_sub(rows * 2 / 3), past, rows)
}

/// The lanes around the moment; `>` stands at the last that has happened, what lies ahead is dim.
pub(super) fn timeline(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let block = pane(app, player, Pane::Timeline, if app.options.lang == Lang::Zh { "时间线" } else { "Timeline" });
    let inner = block.inner(area);
    block.render(area, buffer);
    let columns = usize::from(inner.width).saturating_sub(1);
    let head = format!(" {}", player.rows.lanes.head(columns));
    buffer.set_string(inner.x, inner.y, head, Style::new().add_modifier(Modifier::BOLD));
    let (first, past, rows) = shown_rows(player, area);
    let mut lines = Vec::new();
    for number in first..first + rows {
        let row = player.rows.row(&player.trace, &player.handles, number, app.options.lang);
        let Some(row) = row else { break };
        let last = number + 1 == past;
        let look = match row.mark {
            _ if last => Style::new().add_modifier(Modifier::REVERSED),
            _ if past <= number => Style::new().add_modifier(Modifier::DIM),
            Mark::Fault { .. } => style(app, Color::Magenta, Modifier::BOLD),
            _ => Style::new(),
        };
        lines.push((format!("{}{}", if last { '>' } else { ' ' }, player.rows.lanes.draw(&row, columns)), look));
    }
    put(inner, buffer, &lines, 1);
}

/// One message: how far it has come, its record; and below it the last event in full.
pub(super) fn inspector(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let zh = lang == Lang::Zh;
    let (life, at) = (&player.life, player.at);
    let name = player.handles.name(player.message);
    let state = life.state(at).text(lang);
    let title = if zh { format!("消息 {name}  {state}") } else { format!("Message {name}  {state}") };
    let block = pane(app, player, Pane::Message, &title);
    let inner = block.inner(area);
    block.render(area, buffer);
    let mut lines = Vec::new();
    match player.handles.messages.get(player.message) {
        None => lines.push((if zh { "没有消息" } else { "no message is ever sent" }.to_owned(), Style::new())),
        Some((_, message)) => {
            lines.push((life.road(at, lang), style(app, Color::Blue, Modifier::empty())));
            let place = match life.place(at) {
                Some(place) => format!("{} {} commitlog @{} len {}", place.queue, place.broker, place.at, place.size),
                None => message.topic.to_string(),
            };
            let tag = message.properties.get(names::TAGS).map_or("", |tag| tag.as_str());
            let body = String::from_utf8_lossy(&message.body).into_owned();
            let uid = life.uid(at).map_or_else(String::new, |uid| format!("  UNIQ_KEY {uid}"));
            lines.push((format!("{place}  tag {tag}  \"{body}\"{uid}"), Style::new()));
        }
    }
    if let Some(step) = at.checked_sub(1) {
        let event = lines::of_step(&player.trace, &player.handles, step, lang);
        let look = style(app, Color::Cyan, Modifier::empty());
        let event = width::wrap(&format!("#{step} {event}"), usize::from(inner.width));
        lines.extend(event.into_iter().map(|line| (line, look)));
    }
    put(inner, buffer, &lines, 0);
}

/// The narration of the moment, at the end the verdicts; in the lower border, which key comes next.
pub(super) fn lesson(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let count = player.scenario.lesson.steps.len().to_string();
    let title = match player.narration() {
        _ if player.at == player.end() => course::CHECKS_TITLE.text(lang).to_owned(),
        Some((number, _)) => course::LESSON_STEP.with(lang, &[("n", &(number + 1).to_string()), ("count", &count)]),
        None => course::QUESTION.text(lang).to_owned(),
    };
    let block = boxed(app, title).border_style(style(app, Color::Cyan, Modifier::empty()));
    let inner = block.inner(area);
    let lines = lesson_lines(app, player, usize::from(inner.width));
    let (shown, page, pages) = leaf(&lines, usize::from(inner.height), player.leaf);
    let key = ratatui::text::Line::from(next_key(app, player)).style(Style::new().add_modifier(Modifier::BOLD));
    let block = block.title_bottom(key);
    let turn = course::TURN_KEY.with(lang, &[("page", &page.to_string()), ("pages", &pages.to_string())]);
    let block = if 1 < pages { block.title_bottom(to_the_right(turn)) } else { block };
    block.render(area, buffer);
    put(inner, buffer, shown, 0);
}

/// A page of some lines, of so many rows; its number, and how many there are. Pages turn over, the greatest is the last.
pub(super) fn leaf(lines: &[Line], rows: usize, page: usize) -> (&[Line], usize, usize) {
    let rows = rows.max(1);
    let pages = lines.len().div_ceil(rows).max(1);
    let page = if page == usize::MAX { pages - 1 } else { page % pages };
    let from = (page * rows).min(lines.len());
    (&lines[from..lines.len().min(from + rows)], page + 1, pages)
}

/// A title that stands at the right.
pub(super) fn to_the_right<'a>(text: String) -> ratatui::text::Line<'a> {
    ratatui::text::Line::from(text).style(Style::new().add_modifier(Modifier::BOLD)).right_aligned()
}

/// The key that the lesson goes on with.
fn next_key(app: &App, player: &Player) -> String {
    let lang = app.options.lang;
    let is_last = || player.narrated().all(|at| at <= player.at);
    let has_steps = !player.scenario.lesson.steps.is_empty();
    let is_answered = |number: usize| player.answered.is_some_and(|(own, _)| own == number);
    let open = player.narration().and_then(|(number, step)| {
        let predict = step.predict.as_ref().filter(|_| !is_answered(number) && player.is_asked(0))?;
        let keys: Vec<String> = (0..predict.choices.len()).map(|at| letter(at).to_string()).collect();
        Some(course::ANSWER_KEY.with(lang, &[("keys", &keys.join(" "))]))
    });
    let words = match player.narration() {
        _ if !has_steps => return String::new(),
        _ if player.at == player.end() => course::CARD_KEY,
        None => course::BEGIN_KEY,
        Some(_) if open.is_some() => return open.unwrap_or_default(),
        Some(_) if app.to_break().is_some() => course::BREAK_KEY,
        Some((number, _)) if is_answered(number) && !is_last() => course::AGAIN_KEY,
        Some(_) if is_last() => course::END_KEY,
        Some(_) => course::NEXT_KEY,
    };
    words.text(lang).to_owned()
}

/// What somebody in a first lesson is told to do next, in a sentence.
fn advice(app: &App, player: &Player) -> Option<Words> {
    let (number, step) = player.narration()?;
    match (player.answered, &step.predict) {
        _ if app.to_break().is_some() => Some(course::BREAK),
        _ if app.is_broken() => Some(course::BROKEN),
        _ if !app.is_first => None,
        (Some((own, _)), Some(_)) if own == number => Some(course::LOOK_AGAIN),
        (_, Some(_)) => None,
        _ if number == 0 => Some(course::STEP_BY_STEP),
        _ => None,
    }
}

/// The lesson's text in lines of so many columns.
pub(super) fn lesson_lines(app: &App, player: &Player, columns: usize) -> Vec<Line> {
    let lang = app.options.lang;
    let wrapped = |text: &str, look: Style| -> Vec<Line> {
        width::wrap(text, columns).into_iter().map(|line| (line, look)).collect()
    };
    let strong = Style::new().add_modifier(Modifier::BOLD);
    if player.at == player.end() {
        let mut lines: Vec<Line> = verdicts(app, player).iter().flat_map(|(text, look)| wrapped(text, *look)).collect();
        if app.is_first {
            lines.extend(wrapped(course::TO_THE_CARD.text(lang), strong));
        }
        return lines;
    }
    let Some((number, step)) = player.narration() else {
        let mut lines = wrapped(player.scenario.lesson.question.text(lang), Style::new());
        lines.extend(wrapped(course::BEGIN.text(lang), strong));
        return lines;
    };
    let mut lines = Vec::new();
    if !step.say.text(lang).is_empty() {
        lines.extend(wrapped(step.say.text(lang), Style::new()));
    }
    if let Some(predict) = &step.predict {
        lines.extend(wrapped(&asked(player, number, predict, lang), Style::new()));
    }
    if let Some(advice) = advice(app, player) {
        lines.extend(wrapped(advice.text(lang), strong));
    }
    lines
}

/// The letter of a choice.
fn letter(at: usize) -> char {
    char::from(b'a' + at as u8)
}

/// A question with its choices; once it is answered, the reason.
fn asked(player: &Player, number: usize, predict: &Predict, lang: Lang) -> String {
    match player.answered {
        Some((step, choice)) if step == number => {
            let right = predict.answer == choice;
            let words = if right { course::RIGHT } else { course::NOT_SO };
            let glyph = if right { '+' } else { '!' };
            let (letter, why) = (letter(choice).to_string(), predict.why.text(lang));
            format!("{glyph} {}", words.with(lang, &[("letter", &letter), ("why", why)]))
        }
        _ => {
            let choices = predict.choices.iter().enumerate();
            let choices: Vec<String> =
                choices.map(|(at, choice)| format!("{}) {}", letter(at), choice.text(lang))).collect();
            let keys: Vec<String> = (0..predict.choices.len()).map(|at| letter(at).to_string()).collect();
            format!("{}\n{}  [{}]", predict.ask.text(lang), choices.join("  "), keys.join("/"))
        }
    }
}

/// The verdicts that the scenario asks for, each in a line.
pub(super) fn verdicts(app: &App, player: &Player) -> Vec<Line> {
    let line = |finding: &crate::lab::check::Finding| {
        let (glyph, color) = match finding.verdict {
            Verdict::Pass => ('+', Color::Blue),
            Verdict::Inconclusive { .. } => ('?', Color::Yellow),
            _ => ('!', Color::Red),
        };
        let text = format!("{glyph} {}: {}", finding.id, finding.summary.text(app.options.lang));
        (text, style(app, color, Modifier::empty()))
    };
    player.findings.iter().filter(|finding| finding.asked).map(line).collect()
}

/// Lines from a row of an area on, each cut to its width; what does not fit is counted in the last row.
pub(super) fn put(area: Rect, buffer: &mut Buffer, lines: &[Line], from: u16) {
    let rows = usize::from(area.height.saturating_sub(from));
    let columns = usize::from(area.width);
    for (row, (line, look)) in lines.iter().take(rows).enumerate() {
        let hidden = lines.len() - rows.min(lines.len());
        let text = match row + 1 == rows && 0 < hidden {
            true => width::fit(&format!("  ... +{}", hidden + 1), columns),
            false => width::fit(line, columns),
        };
        buffer.set_string(area.x, area.y + from + row as u16, text, *look);
    }
}
