//! `--plain`: the player as a dialogue of lines, driven by a pipe.

use assert_cmd::Command;
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::tui::Options;
use mqlab::lab::tui::app::App;
use mqlab::lab::tui::dialogue::Dialogue;

fn talk(arguments: &[&str], lines: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    let output = command.args(arguments).write_stdin(lines).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What was answered to each line, the beginning first; by the pipe it is the same.
fn answers(lines: &str) -> Vec<String> {
    let text = library::text("17-power-loss").unwrap();
    let scenario = load("17-power-loss", text.as_bytes(), &Overrides::default()).unwrap();
    let mut app = App::new(vec![scenario], Options { lang: Lang::En, color: false, unicode: false, mouse: false });
    app.open(0);
    let mut dialogue = Dialogue::new(app);
    let mut said = vec![dialogue.begin()];
    for line in lines.lines() {
        if dialogue.left() {
            break;
        }
        said.push(dialogue.hear(line));
    }
    let (code, out, talk) = talk(&["run", "17-power-loss", "--plain", "--lang", "en", "--ascii"], lines);
    assert_eq!(code, 0, "{talk}");
    let end = if dialogue.left() { "" } else { "> \n" };
    assert_eq!(out, format!("{}{end}", said.join("> ")));
    said
}

#[test]
fn each_event_is_a_sentence_and_back_is_as_easy_as_forward() {
    let said = answers("next\n.\n\nback\n,\ngo 31\nback\n");
    assert!(said[0].starts_with("17-power-loss ") && said[0].contains("How many survive?"), "{}", said[0]);
    assert!(said[1].starts_with("#0 ") && said[2].starts_with("#1 ") && said[3].starts_with("#2 "), "{said:#?}");
    assert!(said[1..=4].iter().all(|answer| answer.lines().next().unwrap().len() > 8), "{said:#?}");
    assert!(said[4].starts_with("back before #2 ") && said[5].starts_with("back before #1 "), "{said:#?}");
    assert!(said[6].starts_with("#30 ") && said[7].starts_with("back before #30 "), "{said:#?}");
    let end = answers("end\nnext\nstart\nback\n");
    assert!(end[1].contains("acked-is-durable: "), "the verdicts: {}", end[1]);
    assert_eq!(end[2], "This is the end.\n");
    assert!(end[3].starts_with("This is the start"), "{end:#?}");
}

#[test]
fn it_asks_answers_and_explains_as_the_screen_does() {
    let said = answers("mark\nmark\na\nc\n");
    assert!(said[2].contains("a) 10  b) between 1 and 9  c) none"), "{said:#?}");
    assert!(said[3].contains("! a) not so.") && said[4].contains("+ c) right. None."), "{said:#?}");
}

#[test]
fn why_what_followed_and_breakpoints_are_lines_too() {
    let said =
        answers("go 32\nwhy\nfollowed\nmessage m4\nwhy not\nbreak broker-a down\ncontinue\nC\nbreak\nbreak lag < 1\n");
    assert!(said[2].contains("* #31") && said[2].contains("< #30"), "{}", said[2]);
    assert!(said[3].contains("> #33"), "{}", said[3]);
    assert!(said[4].starts_with("m4 order-4  ") && said[4].contains("sent "), "{}", said[4]);
    assert!(said[5].contains("+ stored") && said[5].contains("- flushed"), "{}", said[5]);
    assert!(said[6].contains("breakpoint at `broker-a down`, true 1 times"), "{}", said[6]);
    assert!(said[7].to_lowercase().contains("power") && said[7].contains("broker-a down"), "{}", said[7]);
    assert!(said[8].contains("no breakpoint is met from here back"), "{}", said[8]);
    assert!(said[9].contains("x broker-a down") && said[9].contains("+ violation"), "{}", said[9]);
    assert!(said[10].starts_with("column 5: "), "{}", said[10]);
}

#[test]
fn branches_nodes_checks_and_the_command_are_there() {
    let said =
        answers("go 28\n+kill broker-a\nnodes\nbranches\ndiff\nbranch 1\nchecks\ncommand\nhelp\nnext1\nquit\nnext\n");
    assert!(said[2].starts_with("#27 "), "the branch is looked at where it begins: {}", said[2]);
    assert!(said[3].contains("ns-1 up") && said[3].contains("broker-a "), "{}", said[3]);
    assert!(said[4].contains("as the scenario has it") && said[4].contains("+kill broker-a"), "{}", said[4]);
    assert!(said[5].contains("they part at #"), "{}", said[5]);
    assert!(said[6].starts_with("#27 "), "{}", said[6]);
    assert!(said[7].contains("acked-is-durable: "), "{}", said[7]);
    assert!(said[8].contains("mqlab run 17-power-loss --seed 2018"), "{}", said[8]);
    assert!(said[9].contains("next .: one event forward"), "{}", said[9]);
    assert!(said[10].contains("did you mean `next`?"), "{}", said[10]);
    assert_eq!(said.len(), 12, "nothing is answered behind quit: {said:#?}");
}

#[test]
fn it_speaks_chinese_and_ends_where_the_input_ends() {
    let (code, out, _) = talk(&["run", "01-first-message", "--plain", "--lang", "zh"], "next\nback\nnodes\nhelp\n");
    assert_eq!(code, 0);
    assert!(out.contains("第一条消息") && out.contains("这是开头：还没有发生任何事。"), "{out}");
    assert!(out.contains("ns-1 未启动") || out.contains("ns-1 运行"), "{out}");
    assert!(out.contains("后退一个事件") && out.ends_with("> \n"), "{out}");
    let (code, out, _) = talk(&["replay", "17-power-loss@7", "--plain", "--at", "violation"], "");
    assert!(code == 0 && out.contains("seed 7"), "{out}");
}

#[test]
fn the_card_is_read_out_as_the_screen_shows_it() {
    let said = answers("go 28\n+kill broker-a\nend\ncard\n");
    let card = &said[4];
    for part in
        ["What happened\n", "  as the lesson has it\n    sent 10, acknowledged 10,", "you have changed it: +kill"]
    {
        assert!(card.contains(part), "{part} in {card}");
    }
    assert!(card.contains("Checks\n") && card.contains("mqlab learn start 17"), "{card}");
}
