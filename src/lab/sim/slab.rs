//! A slab: values at stable places, so that an agenda entry can carry an index instead of the thing itself.

/// Values by index; a freed place is taken again, last freed first.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts a value in and gives its place.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.places[at as usize] = Some(value);
                at
            }
            None => {
                self.places.push(Some(value));
                (self.places.len() - 1) as u32
            }
        }
    }

    /// The value at a place; the caller was given it by `insert` and has not taken it.
    #[inline]
    pub(crate) fn at(&self, at: u32) -> &T {
        self.places[at as usize].as_ref().expect("an entry's place is filled until it is taken")
    }

    /// See [`at`](Slab::at).
    #[inline]
    pub(crate) fn at_mut(&mut self, at: u32) -> &mut T {
        self.places[at as usize].as_mut().expect("an entry's place is filled until it is taken")
    }

    /// Takes the value out and frees its place.
    #[inline]
    pub(crate) fn take(&mut self, at: u32) -> T {
        self.free.push(at);
        self.places[at as usize].take().expect("an entry's place is filled until it is taken")
    }

    /// All values.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().flatten()
    }
}
