//! Why, and why not: the answers as menus, whose lines lead to the moments that they name.

use crate::lab::locale::{Lang, Phrase};
use crate::lab::tui::menu::{Menu, Of, WHY, WHY_NOT};
use crate::lab::tui::player::Player;
use crate::lab::view::why::{self, Because};
use crate::lab::view::why_not::{self, Unmet, WhyNot};
use crate::lab::view::width;

/// So many causes are told, and so many effects: a screen of 24 rows holds them.
const DEPTH: usize = 8;

/// Columns of an answer: a screen of 80 has room for them beside the state's name.
const COLUMNS: usize = 60;

/// Why what happened last before the moment that is looked at happened, and what it led to; or why that cannot be asked.
pub(super) fn why(player: &Player, lang: Lang) -> Result<Menu, Phrase> {
    let nothing = || Phrase::of("nothing has happened yet: `.` steps", "还没有发生任何事：按 . 前进");
    let step = player.at.checked_sub(1).ok_or_else(nothing)?;
    let found = why::of_step((&player.trace, &player.handles), step, DEPTH, lang).ok_or_else(nothing)?;
    let (mut steps, mut lines) = (Vec::new(), Vec::new());
    let mut tell = |mark: &str, one: &Because| {
        // The moment at which it has just happened.
        steps.push(Some(one.step + 1));
        lines.push(format!("{mark} #{:<5} {:<10} {}", one.step, one.actor, one.text));
    };
    let is_worth = |one: &&Because| !matches!(one.kind, "rolled" | "armed" | "disarmed" | "stored");
    for one in found.what.iter().filter(is_worth).take(6) {
        tell("*", one);
    }
    for one in &found.causes {
        tell("<", one);
    }
    for one in found.effects.iter().take(DEPTH) {
        tell(">", one);
    }
    Ok(Menu { of: Of::Moments(steps, WHY), lines, chosen: 0 })
}

/// What the message that is looked at waits for: in the first state that it has not reached.
pub(super) fn why_not(player: &Player, lang: Lang) -> Menu {
    let context = (&player.trace, &player.handles, player.pictures());
    let (mut steps, mut lines) = (Vec::new(), Vec::new());
    let mut tell = |line: String, step: Option<u64>| {
        lines.push(line);
        steps.push(step);
    };
    tell(format!("{}  {}", player.handles.name(player.message), player.life.state(player.at).text(lang)), None);
    let name = |wanted: why_not::Wanted| width::fit(wanted.word().text(lang), 10);
    for wanted in why_not::ALL {
        match why_not::of(context, player.message, wanted, player.at) {
            WhyNot::Has(step, at) => tell(format!("+ {} {at}  #{step}", name(wanted)), Some(step + 1)),
            WhyNot::Waits(unmet) => {
                for one in &unmet {
                    told(&mut tell, &name(wanted), one, lang);
                }
                break;
            }
        }
    }
    Menu { of: Of::Moments(steps, WHY_NOT), lines, chosen: 0 }
}

fn told(tell: &mut impl FnMut(String, Option<u64>), wanted: &str, one: &Unmet, lang: Lang) {
    let since = one.since.map(|step| step + 1);
    for (row, text) in width::wrap(one.text.text(lang), COLUMNS).into_iter().enumerate() {
        let name = if row == 0 { format!("- {wanted}") } else { " ".repeat(12) };
        tell(format!("{name} {text}"), since);
    }
    let who = match (&one.who, lang) {
        (Some(who), Lang::En) => format!("{who} must act"),
        (Some(who), Lang::Zh) => format!("等 {who} 行动"),
        (None, Lang::En) => "nobody will: it is too late".to_owned(),
        (None, Lang::Zh) => "没有谁：为时已晚".to_owned(),
    };
    let next = one.next.as_ref().map(|due| match lang {
        Lang::En => format!("; {} fires at {}", due.timer.name(), due.at),
        Lang::Zh => format!("；{} 在 {} 到期", due.timer.name(), due.at),
    });
    tell(format!("             {who}{}", next.unwrap_or_default()), since);
}
