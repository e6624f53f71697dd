//! The store with a note of whether it was used: what nobody touched has nothing new to say, and no timer to move.
//!
//! Most of what reaches a broker (heartbeats, pulls, routes) only reads. To ask the store after each of them would be the
//! dearest part of a pull that finds nothing.

use std::ops::{Deref, DerefMut};

use crate::mq::store::MessageStore;

/// A store that remembers that it was lent for a change.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    store: MessageStore,
    touched: bool,
}

impl Watched {
    /// A store nobody has looked after yet.
    pub(super) fn new(store: MessageStore) -> Watched {
        Watched { store, touched: true }
    }

    /// Whether it was lent for a change since [`Watched::settled`].
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// For a reader: a queue that is asked for is made, which no service waits for.
    pub(super) fn for_reading(&mut self) -> &mut MessageStore {
        &mut self.store
    }

    /// All that it had to say has been heard.
    pub(super) fn settled(&mut self) {
        self.touched = false;
    }
}

impl Deref for Watched {
    type Target = MessageStore;

    fn deref(&self) -> &MessageStore {
        &self.store
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut MessageStore {
        self.touched = true;
        &mut self.store
    }
}
