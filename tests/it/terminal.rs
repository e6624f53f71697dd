//! The program on a real terminal: a pseudo terminal with an emulator behind it, and a shell that asks afterwards whether
//! everything is as it was.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::MouseProtocolMode;

/// A terminal with the program on it.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    emulator: vt100::Parser,
    /// Everything that was ever written to it.
    raw: Vec<u8>,
    /// Where progress is kept as long as the terminal is there.
    _kept: tempfile::TempDir,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Runs a line of shell on a terminal of 80x24.
    #[expect(
        clippy::disallowed_methods,
        reason = "a terminal is read while it is written to; nothing is simulated here"
    )]
    fn start(line: &str, variables: &[(&str, &str)]) -> Terminal {
        let kept = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", line]);
        command.env("MQLAB", env!("CARGO_BIN_EXE_mqlab"));
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("MQLAB_DATA", kept.path());
        for (name, value) in variables {
            command.env(name, value);
        }
        pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, bytes) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Terminal {
            master: pair.master,
            keys,
            bytes,
            emulator: vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0),
            raw: Vec::new(),
            _kept: kept,
        }
    }

    fn shown(&self) -> String {
        self.emulator.screen().contents()
    }

    /// Waits until the screen is as asked; a machine may be slow, a minute is for ever.
    fn until(&mut self, what: &str, is_it: impl Fn(&vt100::Screen) -> bool) {
        for _ in 0..600 {
            if is_it(self.emulator.screen()) {
                return;
            }
            if let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(100)) {
                self.emulator.process(&bytes);
                self.raw.extend(bytes);
            }
        }
        panic!("{what} never came:\n{}", self.shown());
    }

    fn shows(&mut self, part: &str) {
        self.until(part, |screen| screen.contents().contains(part));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.emulator.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// That the shell has its terminal back: lines and echo, the first screen, a cursor, no mouse.
    fn is_given_back(&mut self) {
        self.shows("icanon");
        let (shown, screen) = (self.shown(), self.emulator.screen());
        assert!(!shown.contains("-icanon") && !shown.contains("-echo ") && !shown.contains("-isig"), "{shown}");
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{shown}");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None);
    }
}

/// The program, then what the shell finds.
const LINE: &str = "\"$MQLAB\" run 17-power-loss; echo \"left with $?\"; stty -a";

#[test]
fn it_starts_steps_goes_back_is_resized_and_leaves_everything_as_it_was() {
    let mut terminal = Terminal::start(LINE, &[]);
    terminal.shows("ev 0/");
    assert!(terminal.emulator.screen().alternate_screen() && terminal.shown().contains("PAUSED"));
    terminal.press(".");
    terminal.shows("ev 1/");
    terminal.press("...");
    terminal.shows("ev 4/");
    terminal.press(",");
    terminal.shows("ev 3/");
    terminal.press("\x1b[C");
    terminal.shows("ev 4/");
    terminal.resize(120, 36);
    terminal.until("36 rows", |screen| screen.contents_between(35, 0, 35, 119).contains("Space play"));
    terminal.resize(40, 10);
    terminal.shows("needs 60x16, have 40x10");
    terminal.resize(80, 24);
    terminal.shows("ev 4/");
    terminal.press("y");
    terminal.shows("mqlab run 17-power-loss --seed 2018");
    let copied = b"\x1b]52;c;bXFsYWIgcnVuIDE3LXBvd2VyLWxvc3MgLS1zZWVkIDIwMTg=\x07";
    let raw = |terminal: &Terminal| terminal.raw.windows(copied.len()).any(|bytes| bytes == copied);
    for _ in 0..600 {
        if raw(&terminal) {
            break;
        }
        terminal.press("y");
        let _ = terminal.bytes.recv_timeout(Duration::from_millis(100)).map(|bytes| {
            terminal.emulator.process(&bytes);
            terminal.raw.extend(bytes);
        });
    }
    assert!(raw(&terminal), "the terminal was asked to copy it");
    terminal.press("q");
    terminal.shows("left with 0");
    terminal.is_given_back();
}

#[test]
fn control_c_leaves_at_once() {
    let mut terminal = Terminal::start(LINE, &[]);
    terminal.shows("ev 0/");
    terminal.press("\x03");
    terminal.shows("left with ");
    terminal.is_given_back();
}

#[test]
fn a_panic_gives_the_terminal_back_and_says_so_on_it() {
    let mut terminal = Terminal::start(LINE, &[("MQLAB_PANICS_ON", "!")]);
    terminal.shows("ev 0/");
    terminal.press(".!");
    terminal.shows("left with 70");
    terminal.is_given_back();
    let all = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(all.contains("the key `!` was to end in a panic") && all.contains("please report it"), "{all}");
}

#[test]
fn without_arguments_the_first_screen_leads_into_the_first_lesson_and_back() {
    let line = "\"$MQLAB\" --lang en; echo \"left with $?\"; stty -a";
    let mut terminal = Terminal::start(line, &[]);
    terminal.shows("> Start lesson 1");
    terminal.press("\r");
    terminal.shows("] the first thing to see");
    terminal.press("]");
    terminal.shows("Lesson, step 1 of");
    terminal.press("\x1b");
    terminal.shows("> Go on with lesson 1");
    terminal.press("q");
    terminal.shows("left with 0");
    terminal.is_given_back();
}
