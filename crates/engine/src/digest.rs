//! Digests: a hash chain over the events of each batch, and a walk of the whole state.

use crate::codec::{Sink, write};
use crate::{Event, State};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// 256 bits that two runs share exactly when they did the same. In text 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of those bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl core::str::FromStr for Digest {
    type Err = NotADigest;

    /// 64 hexadecimal digits, lower case: one text for each digest.
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let value = |digit: &u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(value(high)? << 4 | value(low)?)).collect();
        let bytes = bytes.filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(NotADigest)
    }
}

/// Why a text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest is 64 digits, 0 to 9 and a to f")
    }
}

impl core::error::Error for NotADigest {}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = alloc::string::String::deserialize(d)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(d).map(Self)
        }
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
    buffer: Vec<u8>,
}

impl Hash {
    const FLUSH: usize = 64 * 1024;

    fn new() -> Self {
        Self::with_capacity(Self::FLUSH + 1024)
    }

    fn with_capacity(bytes: usize) -> Self {
        Self { hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(bytes) }
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

/// The hash of a value's binary form.
pub(crate) fn of(value: &impl Serialize) -> Digest {
    let mut hash = Hash::with_capacity(1024);
    write(value, &mut hash);
    hash.finish()
}

/// The digest after a batch of events: a hash of the one before it and all of them.
#[must_use]
pub fn chain(before: Digest, events: &[Event]) -> Digest {
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
