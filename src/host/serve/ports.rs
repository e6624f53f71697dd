//! Ports: those asked for, or free ones.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::{io, process};

/// Bound sockets of one node, at these distances from its port.
pub(super) struct Bound {
    /// Its port.
    pub(super) port: u16,
    /// The sockets, in the order of the distances.
    pub(super) sockets: Vec<TcpListener>,
}

/// The ports asked for.
///
/// Errors: the first that cannot be had.
pub(super) fn at(listen: Ipv4Addr, port: u16, distances: &[i32]) -> Result<Bound, (u16, io::Error)> {
    let bind = |distance: &i32| {
        let number = u16::try_from(i32::from(port) + distance).ok().filter(|number| *number != 0);
        let number = number.ok_or((port, io::Error::from(io::ErrorKind::AddrNotAvailable)))?;
        TcpListener::bind(SocketAddrV4::new(listen, number)).map_err(|error| (number, error))
    };
    Ok(Bound { port, sockets: distances.iter().map(bind).collect::<Result<_, _>>()? })
}

/// Ports that nobody uses, below those that the system gives away by itself: a node that dies finds them free again.
pub(super) fn free(listen: Ipv4Addr, distances: &[i32]) -> Option<Bound> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (process::id().wrapping_mul(37) % u32::from(PLACES)) as u16;
    (0..PLACES).find_map(|_| {
        let place = (first + NEXT.fetch_add(1, Ordering::Relaxed) % PLACES) % PLACES;
        at(listen, FIRST + place * APART, distances).ok()
    })
}

/// Where free ports are looked for: between those of well-known services and those that the system gives to connections.
const FIRST: u16 = 20_003;
const APART: u16 = 5;
const PLACES: u16 = 2_300;

const _: () = assert!(FIRST as u32 + PLACES as u32 * APART as u32 + 1 < 32_768, "below the connections' own ports");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_free_and_a_taken_one_is_named() {
        let one = free(Ipv4Addr::LOCALHOST, &[0, -2, 1]).unwrap();
        let other = free(Ipv4Addr::LOCALHOST, &[0]).unwrap();
        assert_ne!(one.port, other.port);
        let numbers: Vec<u16> = one.sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        assert_eq!(numbers, [one.port, one.port - 2, one.port + 1]);
        let taken = at(Ipv4Addr::LOCALHOST, one.port + 2, &[0, -2]).map(|bound| bound.port).unwrap_err();
        assert_eq!((taken.0, taken.1.kind()), (one.port, io::ErrorKind::AddrInUse));
        assert_eq!(at(Ipv4Addr::LOCALHOST, 1, &[-2]).map(|bound| bound.port).unwrap_err().0, 1);
    }
}
