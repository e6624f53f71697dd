//! The flusher: a thread that forces ranges to the device, so that no node waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::{io, mem};

use mio::Waker;

use crate::host::mmap::Forcing;
use crate::mq::disk::DiskError;

/// Who asked: a machine, its process's number, and that process's ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asker {
    pub(super) machine: usize,
    pub(super) incarnation: u32,
    pub(super) ticket: u64,
}

/// The thread with both ends of its road.
#[derive(Debug)]
pub(super) struct Flusher {
    asked: Option<Sender<(Asker, Forcing)>>,
    done: Receiver<(Asker, Result<(), DiskError>)>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(super) fn start(waker: Arc<Waker>) -> io::Result<Flusher> {
        let (asked, asks) = channel::<(Asker, Forcing)>();
        let (told, done) = channel();
        let work = move || {
            for (asker, forcing) in asks {
                // Who no longer listens has stopped.
                if told.send((asker, forcing.run())).is_err() || waker.wake().is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name("mqlab-flush".to_owned()).spawn(work)?;
        Ok(Flusher { asked: Some(asked), done, thread: Some(thread) })
    }

    pub(super) fn ask(&self, asker: Asker, forcing: Forcing) {
        if let Some(asked) = &self.asked {
            // The thread lives as long as this value: a send that fails means that the process is ending.
            let _ = asked.send((asker, forcing));
        }
    }

    pub(super) fn answered(&self) -> Option<(Asker, Result<(), DiskError>)> {
        self.done.try_recv().ok()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        drop(mem::take(&mut self.asked));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
