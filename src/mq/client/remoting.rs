//! Connections by address, requests by number, and which nameserver is asked.
//!
//! A request waits for its connection, then for its answer. Whoever issued it is named by a [`Waiter`] and hears exactly
//! once how it ended ([`Woken`]). One timer stands for all deadlines: the earliest.

use std::collections::VecDeque;

use crate::mq::client::exception::Exception;
use crate::mq::client::numbered::Numbered;
use crate::mq::client::producer::pick::shuffle;
use crate::mq::client::{Ready, Waiter, Woken};
use crate::mq::node::{Addr, ClosedWhy, ConnId, Step, Stream, Timer, TimerKey};
use crate::mq::time::{Millis, Span, Time};
use crate::mq::wire::codec;
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

/// The client side of the road.
///
/// Source: `org.apache.rocketmq.remoting.netty.NettyRemotingClient`, `NettyRemotingAbstract`.
/// Differs: the locks and permits of the channel tables never make a caller wait or give up.
#[derive(Clone, Debug)]
pub(crate) struct Remoting {
    channels: Vec<Channel>,
    next_conn: u32,
    next_opaque: i32,
    pending: Numbered<i32, Pending>,
    nameservers: Nameservers,
    /// When the response-table scan would have first run.
    scan_from: Time,
    /// For when the request timer is armed.
    armed: Time,
    /// For when the idle timer is armed.
    idle_armed: Time,
    /// Commands whose boxes are used again.
    #[expect(clippy::vec_box, reason = "the box is what is kept: a frame travels boxed")]
    spare: Vec<Box<Command>>,
}

/// How a request is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Somebody waits, to the millisecond.
    Sync,
    /// A callback; expiry is noticed by the scan, a second or two late.
    Async,
    /// No answer is wanted.
    Oneway,
}

/// Whom to ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Whichever nameserver is chosen.
    Nameserver,
    /// This address.
    At(Addr),
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The frame.
    pub(crate) command: Box<Command>,
    /// The time given, in ms, connecting included.
    pub(crate) timeout: i64,
    /// How.
    pub(crate) mode: Mode,
    /// Who hears of it.
    pub(crate) waiter: Waiter,
}

#[derive(Clone, Debug)]
struct Channel {
    conn: ConnId,
    addr: Addr,
    active: bool,
    /// Requests that wait for the connection, with the moment they were made.
    waiting: Vec<(Request, Millis)>,
    /// Who only waits for the connection itself.
    awaiting: Vec<Waiter>,
    /// The last read or write.
    last: Time,
}

#[derive(Clone, Debug)]
struct Pending {
    /// The request's code: it says how the answer's header is read.
    code: i32,
    conn: ConnId,
    addr: Addr,
    begin: Millis,
    timeout: i64,
    deadline: Time,
    mode: Mode,
    waiter: Waiter,
}

#[derive(Clone, Debug)]
struct Nameservers {
    list: Vec<Addr>,
    index: i32,
    chosen: Option<Addr>,
    /// How many of the list may still be tried in this round; `None` while no round is under way.
    tries: Option<usize>,
    waiting: Vec<(Request, Millis)>,
}

impl Remoting {
    pub(crate) fn new(nameservers: &[Addr], step: &mut Step<'_>) -> Remoting {
        let mut list = nameservers.to_vec();
        shuffle(&mut list, Stream::NameserverShuffle, step.dice);
        let index = i32::try_from(step.dice.below(Stream::NameserverStart, NAMESERVER_START)).unwrap_or(0);
        Remoting {
            channels: Vec::new(),
            next_conn: 1,
            next_opaque: 0,
            pending: Numbered::default(),
            nameservers: Nameservers { list, index, chosen: None, tries: None, waiting: Vec::new() },
            scan_from: step.mono + SCAN_INITIAL,
            armed: Time::NEVER,
            idle_armed: Time::NEVER,
            spare: Vec::new(),
        }
    }

    /// A request's frame, its number drawn from the process's counter.
    pub(crate) fn command(&mut self, code: i32, header: Header) -> Box<Command> {
        let opaque = Opaque(self.next_opaque);
        self.next_opaque = self.next_opaque.wrapping_add(1);
        match self.spare.pop() {
            Some(mut command) => {
                *command = Command { code, flag: 0, opaque, remark: None, header, body: None };
                command
            }
            None => Command::request(code, opaque, header),
        }
    }

    /// Takes back a command that has been read.
    pub(crate) fn recycle(&mut self, command: Box<Command>) {
        if self.spare.len() < SPARE_MAX {
            self.spare.push(command);
        }
    }

    /// Who is at the other end of a connection.
    pub(crate) fn addr_of(&self, conn: ConnId) -> Option<Addr> {
        self.channels.iter().find(|channel| channel.conn == conn).map(|channel| channel.addr)
    }

    /// The nameservers, in the order in which this process tries them. Source: `RemotingClient.getNameServerAddressList`.
    pub(crate) fn nameservers(&self) -> impl Iterator<Item = Addr> {
        self.nameservers.list.iter().copied()
    }

    pub(crate) fn has_nameservers(&self) -> bool {
        !self.nameservers.list.is_empty()
    }

    /// Sends a request as soon as its connection stands.
    pub(crate) fn invoke(
        &mut self,
        target: Target,
        request: Request,
        step: &mut Step<'_>,
        ready: &mut VecDeque<Ready>,
    ) {
        match target {
            Target::At(addr) => self.invoke_at(addr, request, step.wall, step, ready),
            Target::Nameserver => self.invoke_nameserver(request, step, ready),
        }
    }

    /// Whether the connection to `addr` stands; if not, the waiter is woken with [`Woken::Written`] when it does or fails.
    pub(crate) fn connected_or_wait(&mut self, addr: Addr, waiter: Waiter, step: &mut Step<'_>) -> bool {
        let at = match self.channels.iter().position(|channel| channel.addr == addr) {
            Some(at) => at,
            None => self.connect(addr, step),
        };
        let channel = &mut self.channels[at];
        if !channel.active {
            channel.awaiting.push(waiter);
        }
        channel.active
    }

    /// Sends a request that was made at `begin`.
    pub(crate) fn invoke_at(
        &mut self,
        addr: Addr,
        request: Request,
        begin: Millis,
        step: &mut Step<'_>,
        ready: &mut VecDeque<Ready>,
    ) {
        let at = match self.channels.iter().position(|channel| channel.addr == addr) {
            Some(at) => at,
            None => self.connect(addr, step),
        };
        match self.channels[at].active {
            true => self.write(at, request, begin, step, ready),
            false => self.channels[at].waiting.push((request, begin)),
        }
    }

    fn connect(&mut self, addr: Addr, step: &mut Step<'_>) -> usize {
        let conn = ConnId(self.next_conn);
        self.next_conn += 2;
        self.channels.push(Channel {
            conn,
            addr,
            active: false,
            waiting: Vec::new(),
            awaiting: Vec::new(),
            last: step.mono,
        });
        step.out.connect(conn, addr);
        self.channels.len() - 1
    }

    /// Source: `NettyRemotingClient.getAndCreateNameserverChannel`.
    fn invoke_nameserver(&mut self, request: Request, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        if let Some(chosen) = self.nameservers.chosen
            && let Some(at) = self.channels.iter().position(|channel| channel.addr == chosen && channel.active)
        {
            return self.write(at, request, step.wall, step, ready);
        }
        self.nameservers.waiting.push((request, step.wall));
        if self.nameservers.tries.is_none() {
            self.nameservers.tries = Some(self.nameservers.list.len());
            self.next_nameserver(step, ready);
        }
    }

    /// Goes on to the next nameserver of the list, or gives up when all have been tried.
    fn next_nameserver(&mut self, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        let Some(tries) = self.nameservers.tries else { return };
        if tries == 0 {
            self.nameservers.tries = None;
            for (request, _) in std::mem::take(&mut self.nameservers.waiting) {
                fail(request.waiter, request.mode, Exception::Connect(None), ready);
            }
            return;
        }
        self.nameservers.tries = Some(tries - 1);
        self.nameservers.index = self.nameservers.index.wrapping_add(1);
        let index = self.nameservers.index.unsigned_abs() as usize % self.nameservers.list.len();
        let addr = self.nameservers.list[index];
        self.nameservers.chosen = Some(addr);
        match self.channels.iter().find(|channel| channel.addr == addr) {
            Some(channel) if channel.active => self.nameserver_connected(addr, step, ready),
            Some(_) => {}
            None => {
                self.connect(addr, step);
            }
        }
    }

    fn nameserver_connected(&mut self, addr: Addr, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        if self.nameservers.tries.is_none() || self.nameservers.chosen != Some(addr) {
            return;
        }
        self.nameservers.tries = None;
        for (request, begin) in std::mem::take(&mut self.nameservers.waiting) {
            self.invoke_at(addr, request, begin, step, ready);
        }
    }

    /// Writes a request to a standing connection; what connecting took is taken from its time.
    ///
    /// Source: `NettyRemotingClient.invokeSync`, `invokeAsync`, `invokeOneway`.
    fn write(&mut self, at: usize, request: Request, begin: Millis, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        let Request { mut command, timeout, mode, waiter } = request;
        let left = timeout - step.wall.since(begin);
        let channel = &mut self.channels[at];
        if mode == Mode::Oneway {
            command.flag |= ONEWAY;
            channel.last = step.mono;
            step.out.send(channel.conn, command);
            return wake(waiter, Woken::Written(Ok(())), ready);
        }
        if left < 0 {
            let late = match mode {
                Mode::Sync => Exception::LateConnect("invokeSync call timeout"),
                _ => Exception::TooMuchRequest("invokeAsync call timeout"),
            };
            return fail(waiter, mode, late, ready);
        }
        channel.last = step.mono;
        let mut pending = Pending {
            code: command.code,
            conn: channel.conn,
            addr: channel.addr,
            begin: step.wall,
            timeout: left,
            deadline: Time::NEVER,
            mode,
            waiter,
        };
        pending.deadline = self.deadline(&pending, step);
        self.arm(pending.deadline, step);
        let previous = self.pending.insert(command.opaque.0, pending);
        assert!(previous.is_none(), "a request number in use");
        step.out.send(self.channels[at].conn, command);
    }

    /// When this request is given up.
    fn deadline(&self, pending: &Pending, step: &Step<'_>) -> Time {
        match pending.mode {
            // One millisecond more, so that the time spent is over the budget and not equal to it: the test for the next
            // attempt is strict, and an attempt with nothing left would be sent in vain.
            Mode::Sync => step.mono + Span::from_millis(pending.timeout.max(0) as u64 + 1),
            _ => {
                let due = pending.begin.plus(pending.timeout + SCAN_GRACE_MS);
                let left = Span::from_millis(due.since(step.wall).max(0) as u64);
                let after = (step.mono + left).since(self.scan_from).0;
                self.scan_from + Span::from_nanos(after.div_ceil(SCAN_PERIOD.0) * SCAN_PERIOD.0)
            }
        }
    }

    /// A connection stands: what waited for it goes out in order.
    pub(crate) fn connected(&mut self, conn: ConnId, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        let Some(at) = self.channels.iter().position(|channel| channel.conn == conn) else { return };
        let channel = &mut self.channels[at];
        channel.active = true;
        channel.last = step.mono;
        let addr = channel.addr;
        for waiter in std::mem::take(&mut channel.awaiting) {
            wake(waiter, Woken::Written(Ok(())), ready);
        }
        for (request, begin) in std::mem::take(&mut channel.waiting) {
            self.write(at, request, begin, step, ready);
        }
        self.arm_idle(step.mono + IDLE_MAX, step);
        self.nameserver_connected(addr, step, ready);
    }

    /// A connection did not come about: whatever waited for it fails.
    pub(crate) fn refused(&mut self, conn: ConnId, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        let Some(at) = self.channels.iter().position(|channel| channel.conn == conn) else { return };
        let channel = self.channels.remove(at);
        for (request, _) in channel.waiting {
            fail(request.waiter, request.mode, Exception::Connect(Some(channel.addr)), ready);
        }
        for waiter in channel.awaiting {
            wake(waiter, Woken::Written(Err(Exception::Connect(Some(channel.addr)))), ready);
        }
        if self.nameservers.tries.is_some() && self.nameservers.chosen == Some(channel.addr) {
            self.next_nameserver(step, ready);
        }
    }

    /// A connection is gone. A FIN leaves its requests waiting for their time; a reset fails them at once.
    pub(crate) fn closed(&mut self, conn: ConnId, why: ClosedWhy, ready: &mut VecDeque<Ready>) {
        self.channels.retain(|channel| channel.conn != conn);
        if why == ClosedWhy::Reset {
            self.fail_all_on(conn, ready);
        }
    }

    fn fail_all_on(&mut self, conn: ConnId, ready: &mut VecDeque<Ready>) {
        for pending in self.pending.take_if(|pending| pending.conn == conn) {
            fail(pending.waiter, pending.mode, Exception::SendRequest(pending.addr), ready);
        }
    }

    /// A frame came in: counts its number as decoding does, and notes that the connection lives.
    pub(crate) fn heard(&mut self, conn: ConnId, now: Time) {
        self.next_opaque = self.next_opaque.wrapping_add(1);
        if let Some(channel) = self.channels.iter_mut().find(|channel| channel.conn == conn) {
            channel.last = now;
        }
    }

    /// The request that this response answers, if it still waits; the response with the header of its conversation.
    ///
    /// A header that came as bytes and does not fit stays as it is: whoever asked takes it for a refusal.
    pub(crate) fn answered(&mut self, mut command: Box<Command>) -> Option<(Waiter, Box<Command>)> {
        let pending = self.pending.remove(command.opaque.0)?;
        if matches!(command.header, Header::Other(_))
            && let Ok(typed) = codec::typed_response((*command).clone(), pending.code)
        {
            *command = typed;
        }
        Some((pending.waiter, command))
    }

    /// The request timer fired: gives up what is due and arms the timer for the next.
    ///
    /// `also` is a deadline of somebody else's that shares the timer.
    pub(crate) fn expire(&mut self, also: Option<Time>, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        self.armed = Time::NEVER;
        let now = step.mono;
        for pending in self.pending.take_if(|pending| pending.deadline <= now) {
            let timeout = Exception::Timeout { addr: pending.addr, millis: pending.timeout };
            fail(pending.waiter, pending.mode, timeout, ready);
        }
        let next = self.pending.values().map(|pending| pending.deadline).chain(also).min();
        if let Some(next) = next {
            self.arm(next, step);
        }
    }

    /// Makes sure that the request timer fires at `deadline` or before. Leaves an earlier one: a firing that finds nothing
    /// due costs less than moving the timer for every request.
    pub(crate) fn arm(&mut self, deadline: Time, step: &mut Step<'_>) {
        if deadline < self.armed {
            self.armed = deadline;
            step.out.arm(TimerKey::of(Timer::RequestDeadline), deadline);
        }
    }

    /// The wall clock stepped: deadlines that the scan compares with it move.
    pub(crate) fn wall_stepped(&mut self, step: &mut Step<'_>) {
        let mut moved = std::mem::take(&mut self.pending);
        for pending in moved.values_mut().filter(|pending| pending.mode == Mode::Async) {
            pending.deadline = self.deadline(pending, step);
        }
        let next = moved.values().map(|pending| pending.deadline).min();
        self.pending = moved;
        if let Some(next) = next {
            self.arm(next, step);
        }
    }

    fn arm_idle(&mut self, at: Time, step: &mut Step<'_>) {
        if at < self.idle_armed {
            self.idle_armed = at;
            step.out.arm(TimerKey::of(Timer::ChannelIdle), at);
        }
    }

    /// The idle timer fired: closes connections that have been silent both ways. Source: `NettyConnectManageHandler`.
    pub(crate) fn close_idle(&mut self, step: &mut Step<'_>, ready: &mut VecDeque<Ready>) {
        self.idle_armed = Time::NEVER;
        let now = step.mono;
        let idle: Vec<ConnId> = self
            .channels
            .iter()
            .filter(|channel| channel.active && IDLE_MAX <= now.since(channel.last))
            .map(|channel| channel.conn)
            .collect();
        for conn in idle {
            step.out.close(conn);
            self.closed(conn, ClosedWhy::Reset, ready);
        }
        let next = self.channels.iter().filter(|channel| channel.active).map(|channel| channel.last + IDLE_MAX).min();
        if let Some(next) = next {
            self.arm_idle(next, step);
        }
    }

    /// Closes every connection, as a process that ends in order does.
    pub(crate) fn close_all(&mut self, step: &mut Step<'_>) {
        for channel in std::mem::take(&mut self.channels) {
            step.out.close(channel.conn);
        }
        self.pending.clear();
    }
}

fn wake(waiter: Waiter, woken: Woken, ready: &mut VecDeque<Ready>) {
    if waiter != Waiter::Nobody {
        ready.push_back(Ready { waiter, woken });
    }
}

fn fail(waiter: Waiter, mode: Mode, exception: Exception, ready: &mut VecDeque<Ready>) {
    match mode {
        Mode::Oneway => wake(waiter, Woken::Written(Err(exception)), ready),
        _ => wake(waiter, Woken::Answered(Err(exception)), ready),
    }
}

/// The text of an answer that is not a success.
pub(crate) fn broker_exception(command: &Command) -> Exception {
    Exception::Broker { code: command.code, remark: command.remark.clone() }
}

/// `brokerVIPChannel`: the port two below, if VIP channels are used. Source: `MixAll.brokerVIPChannel`.
pub(crate) fn vip(enabled: bool, addr: Addr) -> Addr {
    match enabled {
        true => addr.with_port(addr.port.wrapping_sub(2)),
        false => addr,
    }
}

const ONEWAY: i32 = 2;
const SPARE_MAX: usize = 16;
const NAMESERVER_START: u64 = 999;
const SCAN_INITIAL: Span = Span::from_millis(3000);
const SCAN_PERIOD: Span = Span::from_millis(1000);
const SCAN_GRACE_MS: i64 = 1000;
const IDLE_MAX: Span = Span::from_secs(120);
