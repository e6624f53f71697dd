//! Sockets: who comes, what is read, what is written, how it ends.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Interest, Token};

use crate::host::fault::Side;
use crate::host::tcp::active::Fate;
use crate::host::tcp::conn::{Conn, Input, Output, State};
use crate::host::tcp::driver::{Driver, Later};
use crate::host::tcp::log::{frame_note, link};
use crate::host::tcp::perform::STRUCK;
use crate::host::tcp::{Excess, Notice};
use crate::lab::trace::record::{Road, Seq};
use crate::mq::message::Name;
use crate::mq::node::{Addr, ClosedWhy, ConnId, Event, Frame, RefusedWhy};
use crate::mq::time::Span;
use crate::mq::wire::code::response;
use crate::mq::wire::codec::raw::RawCommand;
use crate::mq::wire::codec::{self, CodecError};
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// Source: `NettyClientConfig.connectTimeoutMillis`.
const CONNECT_MAX: Span = Span::from_secs(3);
/// What a closed connection still has to say is given so long.
const CLOSE_MAX: Span = Span::from_secs(3);
/// Who could not be taken for want of files is looked for again after so long.
const ACCEPT_AGAIN: Span = Span::from_millis(100);
/// Bytes of one connection between two looks at the others.
const TURN: usize = 256 << 10;
/// Requests whose answers are waited for, of one connection, while a fault looks at answers.
const ASKED_MAX: usize = 65_536;

impl Driver {
    /// Somebody knocks.
    pub(super) fn accept(&mut self, listener: usize) {
        loop {
            let Some(Some((socket, machine, port, is_stream))) = self.listeners.get(listener) else { return };
            let (machine, port, is_stream) = (*machine, *port, *is_stream);
            match socket.accept() {
                Ok((socket, peer)) => self.accepted(machine, (port, is_stream), socket, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    let node = self.machines[machine].setup.name.clone();
                    self.tell(Notice::TooMuch { what: Excess::Files, node });
                    return self.after(ACCEPT_AGAIN, Later::Accept(listener));
                }
            }
        }
    }

    fn accepted(&mut self, machine: usize, (port, is_stream): (u16, bool), socket: TcpStream, peer: SocketAddr) {
        let SocketAddr::V4(from) = peer else { return };
        if self.limits.connections <= self.open {
            let node = self.machines[machine].setup.name.clone();
            return self.tell(Notice::TooMuch { what: Excess::Connections, node });
        }
        let conn = self.machines[machine].accept();
        let Some(place) = self.keep(socket, (machine, conn), peer, State::Open) else { return };
        let Some(held) = self.conns[place].as_mut() else { return };
        held.is_stream = is_stream;
        let number = held.link;
        self.log.begin();
        let seq = self.note_road(machine, None, || Road::Opened { link: link(number) });
        self.step(machine, Event::Accepted { conn, port, peer: addr(from) }, seq);
    }

    /// Keeps a socket; `None` if the system cannot wait for it.
    fn keep(
        &mut self,
        socket: TcpStream,
        (machine, id): (usize, ConnId),
        peer: SocketAddr,
        state: State,
    ) -> Option<usize> {
        let mut socket = socket;
        // Small frames must not wait for each other's acknowledgements. Source: `NettyRemotingServer`, `TCP_NODELAY`.
        let _ = socket.set_nodelay(true);
        let place = self.free.pop().unwrap_or(self.conns.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut socket, Token(place), interest).is_err() {
            self.free.push(place);
            return None;
        }
        let conn = Conn {
            socket,
            link: self.next_link,
            machine,
            id,
            peer,
            state,
            is_stream: false,
            input: Input::default(),
            counted: 0,
            output: Output::default(),
            is_dirty: false,
            asked: BTreeMap::new(),
            asking: BTreeMap::new(),
        };
        self.next_link = self.next_link.wrapping_add(1);
        self.open += 1;
        if self.conns.len() <= place {
            self.conns.resize_with(place + 1, || None);
        }
        self.conns[place] = Some(conn);
        self.machines[machine].conns.insert(id, place);
        Some(place)
    }

    /// A node asks for a connection.
    pub(super) fn connect(&mut self, machine: usize, conn: ConnId, to: Addr, cause: Option<Seq>) {
        let incarnation = self.machines[machine].incarnation;
        let peer = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from(to.ip), to.port));
        let kept =
            TcpStream::connect(peer).ok().and_then(|socket| self.keep(socket, (machine, conn), peer, State::Opening));
        let Some(place) = kept else {
            let event = Event::Refused { conn, why: RefusedWhy::Refused };
            return self.pending.push_back((machine, incarnation, event, cause));
        };
        let Some(number) = self.conns[place].as_ref().map(|held| held.link) else { return };
        self.note_road(machine, cause, || Road::Opening { link: link(number), to });
        self.after(CONNECT_MAX, Later::Patience(place, number));
    }

    /// A socket can be written: a connection stands, or there is room again.
    pub(super) fn writable(&mut self, place: usize, number: u32) {
        let Some(held) = self.held(place, number) else { return };
        if held.state != State::Opening {
            return self.write(place);
        }
        let failed = match (held.socket.take_error(), held.socket.peer_addr()) {
            (Ok(None), Ok(_)) => false,
            (Ok(None), Err(error)) if error.kind() == ErrorKind::NotConnected => return,
            _ => true,
        };
        if failed {
            return self.refused(place, RefusedWhy::Refused);
        }
        held.state = State::Open;
        let (machine, conn) = (held.machine, held.id);
        self.log.begin();
        let seq = self.note_road(machine, None, || Road::Opened { link: link(number) });
        self.step(machine, Event::Connected { conn }, seq);
    }

    fn refused(&mut self, place: usize, why: RefusedWhy) {
        let Some(gone) = self.let_go(place) else { return };
        self.log.begin();
        let seq = self.note_road(gone.machine, None, || Road::Refused { link: link(gone.link), why });
        self.step(gone.machine, Event::Refused { conn: gone.id, why }, seq);
    }

    /// A connection has not come about, or not emptied, in time.
    pub(super) fn out_of_patience(&mut self, place: usize, number: u32) {
        match self.held(place, number).map(|held| held.state) {
            Some(State::Opening) => self.refused(place, RefusedWhy::TimedOut),
            Some(State::Closing) => drop(self.let_go(place)),
            Some(State::Open) | None => {}
        }
    }

    fn held(&mut self, place: usize, number: u32) -> Option<&mut Conn> {
        self.conns.get_mut(place)?.as_mut().filter(|held| held.link == number)
    }

    /// Reads what there is, a turn's worth.
    pub(super) fn read(&mut self, place: usize, number: u32) {
        let mut left = TURN;
        loop {
            let mut scratch = std::mem::take(&mut self.scratch);
            let read = match self.held(place, number) {
                Some(held) if held.state != State::Opening => Some(held.socket.read(&mut scratch)),
                _ => None,
            };
            let bytes = match &read {
                Some(Ok(read)) => &scratch[..*read],
                _ => &[],
            };
            let is_kept = bytes.is_empty() || self.take_in(place, number, bytes);
            self.scratch = scratch;
            match read {
                None => return,
                Some(Ok(0)) => return self.gone(place, number, ClosedWhy::Fin),
                Some(Ok(read)) if is_kept && read < left => left -= read,
                Some(Ok(_)) if is_kept => return self.again.push((place, number)),
                Some(Ok(_)) => return,
                Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => return,
                Some(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Some(Err(_)) => return self.gone(place, number, ClosedWhy::Reset),
            }
        }
    }

    /// Takes bytes in and hands on what they complete; false if the connection did not survive it.
    fn take_in(&mut self, place: usize, number: u32, bytes: &[u8]) -> bool {
        let Some(held) = self.held(place, number) else { return false };
        if held.state == State::Closing {
            return true;
        }
        let before = std::mem::take(&mut held.counted);
        held.input.push(bytes);
        self.unread -= before;
        let Some(held) = self.held(place, number) else { return false };
        if held.is_stream {
            let (machine, conn, bytes) = (held.machine, held.id, held.input.all());
            self.received(machine, (conn, number), Frame::Bytes(Box::new(bytes)));
            return self.held(place, number).is_some();
        }
        loop {
            let Some(held) = self.held(place, number) else { return false };
            match held.input.frame() {
                Ok(Some(frame)) => self.frame(place, number, &frame),
                Ok(None) => break,
                Err(error) => {
                    self.bad_frame(place, &error);
                    return false;
                }
            }
        }
        let Some(held) = self.held(place, number) else { return false };
        let unfinished = held.input.len();
        held.counted = unfinished;
        self.unread += unfinished;
        if self.limits.unread < self.unread && unfinished != 0 {
            self.too_much(place, Excess::Unread);
            return false;
        }
        true
    }

    /// A whole frame without its length word.
    fn frame(&mut self, place: usize, number: u32, frame: &Bytes) {
        let Some((machine, conn)) = self.held(place, number).map(|held| (held.machine, held.id)) else { return };
        let raw = match RawCommand::decode(frame) {
            Ok(raw) => raw,
            Err(error) => return self.bad_frame(place, &error),
        };
        let (opaque, wants_answer) = (raw.opaque.unwrap_or_default(), !raw.is_response() && !raw.is_oneway());
        match codec::from_raw(raw) {
            Ok(command) if command.is_response() => {
                let Some(held) = self.held(place, number) else { return };
                let typed = held.typed(command);
                self.command_in(place, number, Box::new(typed));
            }
            Ok(command) => self.command_in(place, number, Box::new(command)),
            Err(error) if wants_answer => {
                let raw = RawCommand::decode(frame).ok();
                let answer = raw.and_then(|raw| codec::refusal(&raw, &error)).unwrap_or_else(|| {
                    let answer = Command::response(response::SYSTEM_ERROR, Opaque(opaque), Header::None);
                    answer.with_remark(error.to_string())
                });
                self.put_out(machine, conn, &Frame::Command(answer));
            }
            Err(_) => {}
        }
    }

    fn command_in(&mut self, place: usize, number: u32, command: Box<Command>) {
        let Some(held) = self.held(place, number) else { return };
        let (machine, conn) = (held.machine, held.id);
        let mut fate = None;
        if self.faults.on_frames && !command.is_response() {
            let Some(held) = self.held(place, number) else { return };
            if held.asked.len() < ASKED_MAX && !command.is_oneway() {
                held.asked.insert(command.opaque.0, command.code);
            }
            fate = self.faults.fate(&self.machines[machine].setup.name, Side::Request, command.code);
        }
        let Some((fate, by)) = fate else {
            return self.received(machine, (conn, number), Frame::Command(command));
        };
        self.log.begin();
        let frame = Frame::Command(command);
        let from = self.outside();
        let seq = self.note_road(machine, by, || Road::Arrived { link: link(number), from, frame: frame_note(&frame) });
        match fate {
            Fate::Lost => {
                self.note_road(machine, seq, || Road::Dropped { link: link(number), why: STRUCK });
            }
            Fate::Late(span) => {
                self.note_road(machine, seq, || Road::Held { link: link(number), span: Some(span) });
                let incarnation = self.machines[machine].incarnation;
                self.after(span, Later::In(machine, incarnation, conn, frame, seq));
            }
            Fate::Closed => self.gone(place, number, ClosedWhy::Fin),
            Fate::Reset => {
                self.reset(place);
                self.gone(place, number, ClosedWhy::Reset);
            }
        }
    }

    fn received(&mut self, machine: usize, (conn, number): (ConnId, u32), frame: Frame) {
        self.log.begin();
        let from = self.outside();
        let seq =
            self.note_road(machine, None, || Road::Arrived { link: link(number), from, frame: frame_note(&frame) });
        self.step(machine, Event::Received { conn, frame }, seq);
    }

    /// Bytes that are no frame end their connection.
    fn bad_frame(&mut self, place: usize, error: &CodecError) {
        let Some(held) = self.conns[place].as_ref() else { return };
        let (node, peer, number) = (self.machines[held.machine].setup.name.clone(), held.peer, held.link);
        self.tell(Notice::BadFrame { node, peer, why: Name::from(error.to_string()) });
        self.gone(place, number, ClosedWhy::Fin);
    }

    fn too_much(&mut self, place: usize, what: Excess) {
        let Some(held) = self.conns[place].as_ref() else { return };
        let (node, number) = (self.machines[held.machine].setup.name.clone(), held.link);
        self.tell(Notice::TooMuch { what, node });
        self.reset(place);
        self.gone(place, number, ClosedWhy::Reset);
    }

    /// A connection ends, and not by its node's doing.
    fn gone(&mut self, place: usize, number: u32, why: ClosedWhy) {
        let Some(held) = self.held(place, number) else { return };
        let state = held.state;
        if why == ClosedWhy::Fin {
            // What was answered in this turn is on its way: who shuts down his half may still read.
            let _ = held.output.write(&mut held.socket);
        }
        let Some(gone) = self.let_go(place) else { return };
        if state != State::Open {
            return;
        }
        let seq = self.note_road(gone.machine, None, || Road::Closed { link: link(number), why });
        let incarnation = self.machines[gone.machine].incarnation;
        self.pending.push_back((gone.machine, incarnation, Event::Closed { conn: gone.id, why }, seq));
    }

    /// A node closes a connection: what it said before still goes out.
    pub(super) fn close(&mut self, machine: usize, conn: ConnId, cause: Option<Seq>) {
        let Some(place) = self.machines[machine].conns.remove(&conn) else { return };
        let Some(held) = self.conns[place].as_mut() else { return };
        let (number, is_empty) = (held.link, held.output.len() == 0);
        let was_open = std::mem::replace(&mut held.state, State::Closing) == State::Open;
        self.note_road(machine, cause, || Road::Closed { link: link(number), why: ClosedWhy::Fin });
        if is_empty || !was_open {
            drop(self.let_go(place));
        } else {
            self.after(CLOSE_MAX, Later::Patience(place, number));
        }
    }

    /// Closes everything that a process had open.
    pub(super) fn close_all(&mut self, machine: usize) {
        for listener in std::mem::take(&mut self.machines[machine].listeners) {
            if let Some((mut socket, ..)) = self.listeners[listener].take() {
                let _ = self.poll.registry().deregister(&mut socket);
            }
        }
        for place in std::mem::take(&mut self.machines[machine].conns).into_values() {
            self.write(place);
            drop(self.let_go(place));
        }
    }

    /// Lets a socket go; its place is free from the next turn on.
    fn let_go(&mut self, place: usize) -> Option<Conn> {
        let mut gone = self.conns[place].take()?;
        let _ = self.poll.registry().deregister(&mut gone.socket);
        self.unread -= gone.counted;
        self.machines[gone.machine].conns.remove(&gone.id);
        self.open -= 1;
        self.freed.push(place);
        Some(gone)
    }

    /// Has a socket's end be a reset.
    fn reset(&mut self, place: usize) {
        if let Some(held) = &self.conns[place] {
            let _ = rustix::net::sockopt::set_socket_linger(&held.socket, Some(Duration::ZERO));
        }
    }

    /// Writes what has been said in this turn.
    pub(super) fn write_all(&mut self) {
        for place in std::mem::take(&mut self.dirty) {
            self.write(place);
        }
    }

    fn write(&mut self, place: usize) {
        let unsent_max = self.limits.unsent;
        let Some(held) = self.conns[place].as_mut() else { return };
        held.is_dirty = false;
        if held.state == State::Opening {
            return;
        }
        let (number, machine, conn) = (held.link, held.machine, held.id);
        if held.output.write(&mut held.socket).is_err() {
            return self.gone(place, number, ClosedWhy::Reset);
        }
        if held.state == State::Closing {
            if held.output.len() == 0 {
                drop(self.let_go(place));
            }
            return;
        }
        if unsent_max < held.output.len() {
            return self.too_much(place, Excess::Unsent);
        }
        if held.output.drained() {
            let seq = self.note_road(machine, None, || Road::Drained { link: link(number) });
            let incarnation = self.machines[machine].incarnation;
            self.pending.push_back((machine, incarnation, Event::Drained { conn }, seq));
        }
    }
}

fn addr(of: SocketAddrV4) -> Addr {
    Addr { ip: u32::from(*of.ip()), port: of.port() }
}
