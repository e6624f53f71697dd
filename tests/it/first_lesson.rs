//! The course in the terminal as somebody meets it: from the first screen to the first lesson's card with the keys that the
//! screen names and no others, the tour, and texts that are never cut off unseen.

use mqlab::lab::locale::{Lang, course};
use mqlab::lab::scenario::library::TOUR;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::home::{Choice, Page, State};
use mqlab::lab::tui::{Options, keys, render};
use mqlab::lab::view::tabs::Tab;
use ratatui::crossterm::event::KeyCode;

fn app(lang: Lang) -> App {
    let load = |(name, text): &(&str, &str)| -> Scenario {
        load(name, text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"))
    };
    App::new(library::ALL.iter().map(load).collect(), Options { lang, color: false, unicode: false, mouse: false })
}

/// The rows of a screen; half of a wide character is no cell of its own.
fn rows(app: &App, width: u16, height: u16) -> Vec<String> {
    let buffer = render(app, width, height);
    let row = |y: u16| {
        let (mut row, mut x) = (String::new(), 0);
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(mqlab::lab::view::width::of(symbol)).unwrap().max(1);
        }
        row.trim_end().to_owned()
    };
    (0..height).map(row).collect()
}

fn screen(app: &App) -> String {
    rows(app, 80, 24).join("\n")
}

fn press(app: &mut App, keys: &str) {
    keys.chars().for_each(|key| app.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) }));
}

/// What somebody does who knows nothing and reads: the key that the screen names, or why there is none.
fn named(app: &App, has_looked_again: &mut bool) -> Result<(KeyCode, &'static str), String> {
    let shown = screen(app);
    let lang = app.options.lang;
    let says = |text: &str| shown.contains(text.trim());
    if says(course::AGAIN_KEY.text(lang)) && !*has_looked_again {
        *has_looked_again = true;
        return Ok((KeyCode::Char(','), ","));
    }
    let answer = course::ANSWER_KEY.with(lang, &[("keys", "a b c")]);
    if app.menu.is_some() && says("Enter") || app.player.is_none() && says("Enter") {
        return Ok((KeyCode::Enter, "Enter"));
    }
    if says(&answer) {
        return Ok((KeyCode::Char('b'), "b"));
    }
    if says(course::BREAK_KEY.text(lang)) {
        return Ok((KeyCode::Char('f'), "f"));
    }
    let on = [course::BEGIN_KEY, course::NEXT_KEY, course::AGAIN_KEY, course::END_KEY, course::CARD_KEY];
    match on.into_iter().any(|words| says(words.text(lang))) {
        true => Ok((KeyCode::Char(']'), "]")),
        false => Err(shown),
    }
}

#[test]
fn the_first_lesson_is_walked_to_its_card_by_what_the_screen_says() {
    for (lang, word) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
        let mut app = app(lang);
        let (mut seen, mut pressed) = (vec![screen(&app)], Vec::new());
        let mut has_looked_again = false;
        while app.card.is_none() {
            let (key, name) = named(&app, &mut has_looked_again).unwrap_or_else(|shown| panic!("which key?\n{shown}"));
            app.press(key);
            pressed.push(name);
            seen.push(format!("==== {name}\n{}", screen(&app)));
            assert!(pressed.len() < 25, "too long a way: {pressed:?}\n{}", screen(&app));
        }
        for part in ["Enter", "]", "b", ",", "f"] {
            assert!(pressed.contains(&part), "{part} in {pressed:?}");
        }
        assert_eq!(app.home.lesson("01-first-message").unwrap().state, State::Seen);
        press(&mut app, "J");
        seen.push(format!("==== J\n{}", screen(&app)));
        let card = seen[seen.len() - 2..].concat();
        for figures in ["mqlab learn start 01", "--edit '+cut shop broker-a for 30s"] {
            assert!(card.contains(figures), "{figures} in\n{card}");
        }
        insta::assert_snapshot!(format!("first-lesson-{word}"), seen.join("\n"));
        press(&mut app, "n");
        assert!(screen(&app).contains("02-wrong-address") && app.card.is_none(), "{}", screen(&app));
        let told: Vec<(&str, State)> = app.told.iter().map(|(id, state)| (id.as_str(), *state)).collect();
        let wanted =
            [("01-first-message", State::Begun), ("01-first-message", State::Seen), ("02-wrong-address", State::Begun)];
        assert_eq!(told, wanted);
    }
}

#[test]
fn a_first_lesson_shows_few_keys_and_more_once_they_are_needed() {
    let mut app = app(Lang::En);
    press(&mut app, "\n");
    let bar = |app: &App| rows(app, 80, 24).pop().unwrap();
    assert_eq!(bar(&app), " ] next  . step  ? help  q quit");
    while !screen(&app).contains("answer: a b c") {
        press(&mut app, "]");
    }
    press(&mut app, "a");
    assert_eq!(bar(&app), " ] next  . step  , back  ? help  q quit");
    // Who has seen a lesson is shown all of them.
    press(&mut app, "G]n");
    assert!(bar(&app).contains("Space play") && bar(&app).contains("f fault"), "{}", bar(&app));
}

#[test]
fn a_lesson_that_was_left_goes_on_where_it_was_left() {
    let mut app = app(Lang::En);
    press(&mut app, "\n]]]");
    let (at, shown) = (app.player.as_ref().unwrap().at, screen(&app));
    app.press(KeyCode::Esc);
    assert!(screen(&app).contains("> Go on with lesson 1"), "{}", screen(&app));
    press(&mut app, "\n");
    assert_eq!(app.player.as_ref().unwrap().at, at);
    assert!(screen(&app).contains("you left here: ] goes on, g begins again"), "{}", screen(&app));
    press(&mut app, ".,");
    assert_eq!(screen(&app), shown, "the very screen");
    // Another visit is told by whoever keeps the steps; a lesson that was seen to its card begins again.
    let mut other = self::app(Lang::En);
    other.home.reach("01-first-message", State::Begun);
    other.home.see("01-first-message", Some(2));
    press(&mut other, "\n");
    assert_eq!(other.player.as_ref().unwrap().at, at);
    press(&mut other, "G]");
    other.follow(Choice::Open("01-first-message".to_owned()));
    assert_eq!(other.player.as_ref().unwrap().at, 0);
}

#[test]
fn the_card_tells_what_happened_in_figures_and_where_to_go_on() {
    let mut app = app(Lang::En);
    press(&mut app, "\nG");
    assert!(screen(&app).contains("every-order-once") && app.card.is_none(), "{}", screen(&app));
    press(&mut app, "]");
    let card = app.card.clone().expect("a card");
    assert_eq!((card.figures.sent, card.figures.stored, card.figures.delivered, card.base), (5, 5, 5, None));
    let mut pages = screen(&app);
    press(&mut app, "J");
    pages.push_str(&screen(&app));
    for part in [
        "Card of lesson 1: The first message",
        "sent 5, acknowledged 5, stored 5, delivered 5",
        "+ every-order-once",
        "every queue holds as many",
        "mqlab learn start 01",
        "mqlab run 01-first-message --seed 1",
        "n: lesson 2, ",
        "n next lesson",
    ] {
        assert!(pages.contains(part), "{part} in\n{pages}");
    }
    app.press(KeyCode::Esc);
    assert!(app.card.is_none() && app.player.is_some());
    // The shop hears nothing for 30 s: what the lesson has, and what became of it.
    press(&mut app, ":first:deliver\nf\nG]");
    let card = app.card.clone().expect("a card");
    assert_eq!(card.base.map(|base| base.acked), Some(5));
    assert_eq!((card.figures.acked, card.figures.stored), (0, 1), "{:?}", card.figures);
    assert!(0 < card.figures.failed && card.figures.delivered == 1, "{:?}", card.figures);
}

#[test]
fn the_tour_leads_from_card_to_card_and_goes_on_where_it_was_left() {
    let mut app = app(Lang::En);
    press(&mut app, "j\n");
    let mut way = Vec::new();
    while let Some(id) = app.taught.clone() {
        way.push(id);
        press(&mut app, "G]n");
    }
    assert_eq!(way, TOUR);
    assert!(app.home.page == Page::Lessons && !app.touring, "{}", screen(&app));
    let mut app = self::app(Lang::En);
    app.home.reach(TOUR[0], State::Passed);
    app.home.reach(TOUR[1], State::Seen);
    app.home.reach(TOUR[2], State::Begun);
    assert!(screen(&app).contains("lessons 1, 6, 10, 17, 21: 2 of 5 seen"), "{}", screen(&app));
    assert!(screen(&app).contains("> Go on with lesson 10"), "{}", screen(&app));
    app.follow(Choice::Tour);
    assert_eq!(app.taught.as_deref(), Some(TOUR[2]));
    app.home.reach(TOUR[1], State::New);
    assert_eq!(app.home.lesson(TOUR[1]).unwrap().state, State::Seen, "nobody gets back");
}

#[test]
fn lessons_are_found_by_number_word_and_track_in_either_language() {
    let listed = |keys: &str, lang: Lang| {
        let mut app = app(lang);
        press(&mut app, keys);
        let rows = app.home.rows(lang);
        let ids = rows.into_iter().filter(|row| row.act.is_some()).map(|row| row.name);
        (app, ids.collect::<Vec<String>>())
    };
    assert_eq!(listed("17", Lang::En).1, ["17-power-loss"]);
    assert_eq!(listed("9", Lang::En).1, ["09-rebalance"], "29 is another lesson");
    assert_eq!(listed("01", Lang::En).1[0], "01-first-message");
    assert!(listed("/POWER goes", Lang::En).1.contains(&"17-power-loss".to_owned()));
    assert!(listed("/断电", Lang::En).1.contains(&"17-power-loss".to_owned()));
    assert!(listed("/order and tr", Lang::Zh).1.contains(&"14-half-message".to_owned()));
    let (mut app, none) = listed("/q?L", Lang::En);
    assert!(none.is_empty() && !app.left() && screen(&app).contains("no lesson has that"), "{}", screen(&app));
    press(&mut app, "\n");
    assert!(app.player.is_none(), "there is nothing to open");
    app.press(KeyCode::Esc);
    assert!(screen(&app).contains("01-first-message"), "{}", screen(&app));
    let (mut app, _) = listed("17\n", Lang::En);
    assert_eq!(app.taught.as_deref(), Some("17-power-loss"));
    app.press(KeyCode::Esc);
    assert!(screen(&app).contains(". begun"), "{}", screen(&app));
}

#[test]
fn the_sandbox_and_files_of_the_folder_are_choices_too() {
    let mut app = app(Lang::En);
    app.home.files = vec!["mine.toml".to_owned()];
    app.home.runs = vec!["a.rmqrun".to_owned(), "b.rmqrun".to_owned()];
    press(&mut app, "jjj\n");
    assert!(screen(&app).contains("> sandbox") && screen(&app).contains("mine.toml"), "{}", screen(&app));
    press(&mut app, "\n");
    let player = app.player.as_ref().unwrap();
    assert_eq!((player.scenario.command(), app.taught.is_none()), ("mqlab run sandbox --seed 1".to_owned(), true));
    app.press(KeyCode::Esc);
    press(&mut app, "j\n");
    assert_eq!(app.asked.take().as_deref(), Some("mine.toml"));
    app.press(KeyCode::Esc);
    press(&mut app, "jjjj\nj\n");
    assert_eq!(app.asked.take().as_deref(), Some("b.rmqrun"));
}

#[test]
fn no_text_of_a_lesson_is_cut_off_unseen() {
    let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    for lang in [Lang::En, Lang::Zh] {
        let mut app = app(lang);
        for place in 0..library::ALL.len() {
            for (width, height) in [(80, 24), (60, 16)] {
                app.open(place);
                loop {
                    // Every page once; the marker says how many there are.
                    let (mut all, mut pages) = (String::new(), 0);
                    loop {
                        let shown = rows(&app, width, height);
                        let strip = shown.iter().rposition(|row| row.starts_with('+')).unwrap();
                        let top = shown[..strip].iter().rposition(|row| row.starts_with('+')).unwrap();
                        all.extend(shown[top + 1..strip].iter().map(|row| bare(row.trim_matches('|'))));
                        pages += 1;
                        let more = shown[strip].split(" J ").nth(1).and_then(|more| more.split('/').nth(1));
                        let count = more.map_or(1, |more| more.split(' ').next().unwrap().parse().unwrap());
                        if pages == count {
                            break;
                        }
                        press(&mut app, "J");
                    }
                    let player = app.player.as_ref().unwrap();
                    if let Some((_, step)) = player.narration().filter(|_| player.at < player.end()) {
                        let asks = step.predict.iter().map(|predict| predict.ask.text(lang));
                        for text in [step.say.text(lang)].into_iter().chain(asks) {
                            assert!(all.contains(&bare(text)), "{place} {width}x{height}: {text}\nin {all}");
                        }
                    }
                    if player.at == player.end() {
                        break;
                    }
                    press(&mut app, "]");
                }
            }
        }
    }
}

#[test]
fn a_step_opens_the_view_that_it_speaks_of_and_a_view_of_ones_own_stays_until_the_next() {
    let mut app = app(Lang::En);
    let mut seen = std::collections::BTreeSet::new();
    for place in 0..library::ALL.len() {
        app.open(place);
        loop {
            press(&mut app, "]");
            let player = app.player.as_ref().unwrap();
            let Some((_, step)) = player.narration().filter(|_| player.at < player.end()) else { break };
            let pane = step.pane.as_deref().unwrap_or("cluster");
            let tab = Tab::ALL.into_iter().map(|(_, tab)| tab).find(|tab| tab.name() == pane);
            assert_eq!(player.tab, tab.unwrap_or(Tab::Cluster), "{} {pane}", player.scenario.plan.scenario);
            seen.insert(player.tab.name());
            if let Some(number) = step.message.as_deref().and_then(|message| player.handles.find(message)) {
                assert_eq!((player.message, player.focus.message), (number, number));
            }
        }
    }
    assert!(["cluster", "queues", "storage"].iter().all(|name| seen.contains(name)), "{seen:?}");
    app.open(0);
    press(&mut app, "]6");
    let told = |app: &App| app.player.as_ref().unwrap().narration().map(|(number, _)| number);
    let first = told(&app);
    press(&mut app, "...");
    assert_eq!((told(&app), app.player.as_ref().unwrap().tab), (first, Tab::Checks), "an own view stays");
    press(&mut app, "]");
    assert_eq!(app.player.as_ref().unwrap().tab, Tab::Cluster);
    press(&mut app, "6:first:append\n");
    assert_eq!(app.player.as_ref().unwrap().tab, Tab::Checks, "who goes somewhere keeps the view");
}

#[test]
fn every_page_of_the_first_screen_the_card_and_the_help_at_every_size() {
    for lang in [Lang::En, Lang::Zh] {
        let mut apps = Vec::new();
        for keys in ["", "?", "jj\n", "/断", "jjj\n", "jjjj\n", "\n?", "\nG]", "\nG]?"] {
            let mut app = app(lang);
            press(&mut app, keys);
            apps.push(app);
        }
        for app in &apps {
            for width in 1..=130 {
                for height in (1..=40).skip(width as usize % 2).step_by(2) {
                    render(app, width, height);
                }
            }
        }
    }
}

#[test]
fn the_help_names_every_key_on_its_pages() {
    for (lang, (width, height)) in [(Lang::En, (80, 24)), (Lang::En, (60, 16)), (Lang::Zh, (60, 16))] {
        let mut app = app(lang);
        for (keys, all) in [("", keys::HOME), ("\n", keys::PLAYER), ("G]", keys::CARD)] {
            press(&mut app, keys);
            let mut pages = String::new();
            for _ in 0..4 {
                press(&mut app, "?");
                pages.push_str(&rows(&app, width, height).join("\n"));
            }
            for binding in all {
                let line = format!(" {:<8} {}", binding.key, binding.what.text(lang));
                assert!(pages.contains(&line), "{line} in\n{pages}");
            }
            app.press(KeyCode::Esc);
            assert!(app.help.is_none());
        }
    }
}

#[test]
fn every_text_of_the_course_is_there_in_both_languages() {
    for words in course::ALL {
        assert!(!words.en.is_empty() && !words.zh.is_empty(), "{words:?}");
        let names = |text: &str| text.matches('{').count();
        assert_eq!(names(words.en), names(words.zh), "{words:?}");
    }
}
