//! What may go wrong, as data: a closed set of fault kinds, each an episode with a target by name, a trigger and a healing.

pub mod episode;

pub mod road;

pub mod process;

pub mod told;

pub mod disk;

pub mod device;

pub mod moment;
