//! A durable log and snapshots of opaque bytes: nothing that was synced is lost, and what was damaged is said to be.
//!
//! A [`Journal`] appends records in batches, each batch with one write and one sync, to segment files of a fixed size. Every
//! record has a length, a sequence and a CRC-32C; every batch an epoch, its place and the hash of everything before it. That
//! hash is what proves that the batch before was whole: it rides in the next batch's sync. The last batch has no such proof,
//! so when it cannot be read nobody can say whether it was acknowledged, and an operator has to ([`Tail`]).
//!
//! [`Journal::open`] recovers; [`Reader`] reads and never writes; [`Snapshots`] keeps copies of what the records lead to. All of
//! it goes through [`Disk`]: [`RealDisk`] is a locked directory, [`FaultyDisk`] a memory that forgets, tears, fails and rots.
//!
//! This crate does not know what the bytes mean, has no clock and no thread. `docs/journal.md` draws the layout.

mod disk;
mod error;
mod faulty;
mod layout;
mod open;
mod read;
mod real;
mod snapshot;
mod write;

pub use disk::{Disk, read_file};
pub use error::{Damage, Error};
pub use faulty::{Faults, FaultyDisk};
pub use layout::{Digest, LogId, NotHexadecimal, RECORD_BYTES_MAX, RECORD_HEADER, SECTOR, VERSION};
pub use open::keep as write_file;
pub use open::{Recovery, Tail, UnreadableTail};
pub use read::{Batch, BatchPlace, Kind, Reader, Record};
pub use real::RealDisk;
pub use snapshot::{Snapshot, Snapshots};
pub use write::{Committed, Journal, Options};
