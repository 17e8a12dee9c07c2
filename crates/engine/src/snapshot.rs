//! An engine as bytes, between two batches: what a journal need not replay.

use crate::codec::{read, write};
use crate::{DecodeError, Digest, Engine, State};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What is written: a name and version of the form first, so that bytes of another form are refused and never
/// reinterpreted.
#[derive(Serialize)]
struct Written<'a> {
    form: [u8; 8],
    chain: &'a Digest,
    state: &'a State,
}

/// The same, read.
#[derive(Deserialize)]
struct Read {
    form: [u8; 8],
    chain: Digest,
    state: State,
}

const FORM: [u8; 8] = *b"plimen\0\x04";

impl Engine {
    /// State and event digest, to go on from with [`Self::restore`]. Triggers are left out: they are made anew at the first
    /// look. `None` inside a batch, whose events no digest has yet.
    #[must_use]
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        if !self.has_ended() {
            return None;
        }
        let mut bytes = Vec::new();
        write(&Written { form: FORM, chain: &self.event_digest(), state: self.state() }, &mut bytes);
        Some(bytes)
    }

    /// The engine of a snapshot. Whoever kept the bytes answers for them: compare [`Self::state_digest`] with the one of
    /// when they were made.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are no snapshot of this version.
    pub fn restore(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Read { form, chain, state } = read(bytes)?;
        if form != FORM { Err(DecodeError::Invalid) } else { Ok(Self::of(state, chain)) }
    }
}
