//! Calls that fail: no space (D1), EIO (D2), what the system refuses (D13).

use bytes::Bytes;

use crate::lab::fault::device::{Access, FullShows, Occurs, Opening, Wrong};
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::names::Entry;
use crate::lab::trace::image::PAGE;
use crate::mq::disk::{Disk, DiskError, FileId};

/// A call that can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::lab::sim::disk) enum Call {
    /// A file is opened and mapped; made, if it is not there.
    Open { makes: bool },
    /// A small file is written, so many bytes long.
    Put { len: u64 },
    /// A file is read whole.
    Get,
    /// Bytes go through the channel.
    Channel { file: FileId, at: u64, len: u64 },
    /// A lock is taken.
    Lock,
}

/// What a fault says to a call: the error, in words, and where.
type Refusal = (DiskError, &'static str, u64);

impl SimDisk {
    /// Whether a call may happen. Errors: what the first fault says that strikes it.
    #[cold]
    pub(in crate::lab::sim::disk) fn may_call(&mut self, name: &str, call: Call) -> Result<(), DiskError> {
        let (used, at) = (self.used(), if let Call::Channel { at, .. } = call { at } else { 0 });
        let struck = self.struck(name, |disk, armed| {
            let (occurs, error, what) = match armed.wrong {
                Wrong::Full { capacity, .. } => {
                    let needed = disk.needs(name, call, armed.shows);
                    if needed == 0 || used + needed <= capacity {
                        return None;
                    }
                    (Occurs::ALWAYS, DiskError::Full, NO_SPACE)
                }
                Wrong::CallFails { on: Access::Write, occurs }
                    if matches!(call, Call::Put { .. } | Call::Channel { .. }) =>
                {
                    (occurs, DiskError::Io, "EIO at a write")
                }
                Wrong::CallFails { on: Access::Read, occurs } if call == Call::Get => {
                    (occurs, DiskError::Io, "EIO at a read")
                }
                Wrong::Refused { on, occurs } => {
                    let (error, what) = refusal(on, call)?;
                    (occurs, error, what)
                }
                _ => return None,
            };
            Some((occurs, (error, what, at)))
        });
        let refused: Option<Refusal> = struck.map(|(_, refusal)| refusal);
        if let Some((error, what, at)) = refused {
            self.tell(what, name, at);
            return Err(error);
        }
        let pages = if let Call::Channel { file, at, len } = call { self.newly_dirty(file, at, len) } else { 1 };
        if !matches!(call, Call::Get | Call::Lock) {
            self.wait(name, pages);
        }
        Ok(())
    }

    /// How many bytes a call takes from the device that it does not have yet; 0 is a call that a full device lets pass.
    fn needs(&self, name: &str, call: Call, shows: FullShows) -> u64 {
        match call {
            Call::Open { makes: true } if shows == FullShows::Create => 1,
            Call::Put { len } => match self.names.find(name) {
                Some(Entry::Small(small)) => len.saturating_sub(small.bytes.len() as u64),
                _ => len,
            },
            Call::Channel { file, at, len } => self.holes(file, at, len) * PAGE as u64,
            _ => 0,
        }
    }

    /// Bytes in use.
    pub(super) fn used(&mut self) -> u64 {
        self.space().used
    }

    /// A file as it is read whole, with everything that lies over it. Errors: a part of it cannot be read.
    #[cold]
    pub(in crate::lab::sim::disk) fn get_hurt(&mut self, name: &str) -> Result<Bytes, DiskError> {
        let Some(entry) = self.names.find(name).cloned() else { return Err(DiskError::NotFound) };
        self.may_call(name, Call::Get)?;
        let end = self.faults.as_ref().and_then(|faults| faults.overlays.end_of(name, &entry));
        let len = match &entry {
            Entry::Small(small) => small.bytes.len() as u64,
            Entry::Mapped(id) => self.file(*id).expect("a name leads to a file").len,
        };
        let len = end.map_or(len, |end| end.min(len));
        let unreadable = self.faults.as_ref().and_then(|faults| faults.overlays.unreadable(name, &(0..len)));
        if let Some(at) = unreadable {
            self.tell(BAD_SECTOR, name, at);
            return Err(DiskError::Io);
        }
        match entry {
            Entry::Small(small) => Ok(match &self.faults {
                Some(faults) => faults.overlays.small(name, small.put, &small.bytes, end),
                None => small.bytes,
            }),
            Entry::Mapped(id) => Ok(Bytes::copy_from_slice(self.bytes(id, 0..len))),
        }
    }

    /// The length of a file as the folder shows it.
    pub(in crate::lab::sim::disk) fn len_shown(&self, name: &str, entry: &Entry, len: u64) -> u64 {
        let end = self.faults.as_ref().and_then(|faults| faults.overlays.end_of(name, entry));
        end.map_or(len, |end| end.min(len))
    }

    /// An empty file is made longer: what it held before it was cut is gone.
    #[cold]
    pub(in crate::lab::sim::disk) fn regrow(&mut self, id: FileId) {
        let slots = self.file(id).expect("an open file").slots().iter();
        let contents: Vec<_> = slots.map(|slot| (slot.page, slot.cached.clone())).collect();
        if let Some(faults) = &mut self.faults {
            faults.overlays.regrow(id, &contents);
        }
    }
}

/// What the system says to a call that it refuses; `None` is another kind of call.
fn refusal(on: Opening, call: Call) -> Option<(DiskError, &'static str)> {
    match (on, call) {
        (Opening::Open, Call::Open { .. } | Call::Put { .. } | Call::Get) => {
            Some((DiskError::Denied, "permission denied"))
        }
        (Opening::Map, Call::Open { .. }) => Some((DiskError::NoMemory, "no mapping left")),
        (Opening::Lock, Call::Lock) => Some((DiskError::Locked, "the lock is somebody else's")),
        _ => None,
    }
}

const NO_SPACE: &str = "no space left on the device";
pub(super) const BAD_SECTOR: &str = "a sector cannot be read";
