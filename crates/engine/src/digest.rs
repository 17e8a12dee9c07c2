//! Digests: a hash chain over the events of each batch, and a walk of the whole state.

use crate::codec::{Sink, write};
use crate::{Event, State};
use core::fmt;
use serde::{Deserialize, Serialize};

/// 256 bits that two runs share exactly when they did the same.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Collects small writes, so that the hash sees long runs.
struct Hash {
    hasher: blake3::Hasher,
    buffer: alloc::vec::Vec<u8>,
}

impl Hash {
    const FLUSH: usize = 64 * 1024;

    fn new() -> Self {
        Self { hasher: blake3::Hasher::new(), buffer: alloc::vec::Vec::with_capacity(Self::FLUSH + 1024) }
    }

    fn finish(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        Digest(*self.hasher.finalize().as_bytes())
    }
}

impl Sink for Hash {
    fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= Self::FLUSH {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// The chain so far, then the events of this batch.
pub(crate) fn chain(before: Digest, events: &[Event]) -> Digest {
    let mut hash = Hash::new();
    hash.put(&before.0);
    for event in events {
        write(event, &mut hash);
    }
    hash.finish()
}

impl State {
    /// A hash over the whole state, in the order of its declaration.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Hash::new();
        write(self, &mut hash);
        hash.finish()
    }
}
