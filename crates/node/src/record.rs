//! What one record of the journal says: a command with its time and who asked, and in the first of a batch the digest of the
//! batch's events.
//!
//! ```text
//! flags     1   1: first of its batch, 2: has a request id, 4: quarantined, a tick in its stead
//! first:    8   time, ns since 1970, little-endian     32  event digest after the batch
//! others:   v   nanoseconds since the record before
//! id:       v   client   v  number
//! the rest      the command in the engine's binary form
//! ```
//!
//! v is an unsigned number in groups of seven bits, the lowest first, each byte but the last with its highest bit set.

use crate::RequestId;
use engine::{Command, DecodeError, decode};
use units::Time;

/// Which rules a journal was written under: a segment names it, and another version goes on only from a snapshot.
pub const RULES_VERSION: &str = concat!("plimsoll ", env!("CARGO_PKG_VERSION"), " rules 4");

const FIRST: u8 = 1;
const ASKED: u8 = 2;
const QUARANTINED: u8 = 4;

/// What the first record of a batch says of all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// When its first command was applied.
    pub time: Time,
    /// The hash chain of events after its last.
    pub events: [u8; 32],
}

/// A record, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of the first of a batch.
    pub head: Option<Head>,
    /// When it was applied.
    pub time: Time,
    /// Who asked for what; none for the venue's own.
    pub id: Option<RequestId>,
    /// What was asked.
    pub command: Command,
    /// It ended a process once: a tick was applied in its stead.
    pub quarantined: bool,
}

/// Where the times of a batch stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    First(Head),
    Since(Time),
}

/// The record of a command that is already in its binary form.
pub(crate) fn write(at: At, time: Time, id: Option<RequestId>, quarantined: bool, command: &[u8], to: &mut Vec<u8>) {
    to.clear();
    let first = if matches!(at, At::First(_)) { FIRST } else { 0 };
    let asked = if id.is_some() { ASKED } else { 0 };
    to.push(first | asked | if quarantined { QUARANTINED } else { 0 });
    match at {
        At::First(head) => {
            to.extend_from_slice(&head.time.ns().to_le_bytes());
            to.extend_from_slice(&head.events);
        }
        At::Since(before) => number(u64::try_from(time.ns() - before.ns()).unwrap_or(0), to),
    }
    if let Some(id) = id {
        number(id.client, to);
        number(id.number, to);
    }
    to.extend_from_slice(command);
}

/// Reads a record; `before` is the time of the one before it in its batch.
///
/// # Errors
/// [`DecodeError`]; never panics, whatever the bytes.
pub(crate) fn read(bytes: &[u8], before: Option<Time>) -> Result<Line, DecodeError> {
    let (flags, rest) = bytes.split_first().ok_or(DecodeError::Short)?;
    if flags & !(FIRST | ASKED | QUARANTINED) != 0 || (flags & FIRST != 0) != before.is_none() {
        return Err(DecodeError::Invalid);
    }
    let mut from = rest;
    let (head, time) = match before {
        None => {
            let (time, rest) = from.split_first_chunk::<8>().ok_or(DecodeError::Short)?;
            let (events, rest) = rest.split_first_chunk::<32>().ok_or(DecodeError::Short)?;
            from = rest;
            let time = Time::from_ns(i64::from_le_bytes(*time));
            (Some(Head { time, events: *events }), time)
        }
        Some(before) => {
            let since = i64::try_from(take(&mut from)?).map_err(|_| DecodeError::Invalid)?;
            (None, before.ns().checked_add(since).map(Time::from_ns).ok_or(DecodeError::Invalid)?)
        }
    };
    let id = match flags & ASKED {
        0 => None,
        _ => Some(RequestId { client: take(&mut from)?, number: take(&mut from)? }),
    };
    let quarantined = flags & QUARANTINED != 0;
    Ok(Line { head, time, id, command: decode(from)?, quarantined })
}

fn number(mut n: u64, to: &mut Vec<u8>) {
    loop {
        let [low, ..] = (n & 127).to_le_bytes();
        n >>= 7;
        if n == 0 {
            return to.push(low);
        }
        to.push(low | 128);
    }
}

fn take(from: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().ok_or(DecodeError::Short)?;
        *from = rest;
        let bits = u64::from(byte & 127);
        if shift == 63 && bits > 1 {
            return Err(DecodeError::Invalid);
        }
        n |= bits << shift;
        if byte & 128 == 0 {
            // One form for each number: no group of zeros at the end.
            return if *byte == 0 && shift > 0 { Err(DecodeError::Invalid) } else { Ok(n) };
        }
    }
    Err(DecodeError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_have_one_form() {
        for n in [0, 1, 127, 128, 300, 1 << 40, u64::MAX] {
            let mut bytes = Vec::new();
            number(n, &mut bytes);
            let mut from = bytes.as_slice();
            assert_eq!((take(&mut from), from.len()), (Ok(n), 0));
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), Err(DecodeError::Short));
        }
        assert_eq!(take(&mut [128_u8, 0].as_slice()), Err(DecodeError::Invalid));
        assert_eq!(take(&mut [255_u8; 10].as_slice()), Err(DecodeError::Invalid));
    }

    #[test]
    fn records_read_back() {
        let command = engine::encode(&Command::Tick);
        let (time, events) = (Time::from_ns(5), [7; 32]);
        let id = Some(RequestId { client: 900, number: 3 });
        let mut bytes = Vec::new();
        write(At::First(Head { time, events }), time, id, false, &command, &mut bytes);
        let line = read(&bytes, None).unwrap();
        assert_eq!((line.head, line.id, &line.command), (Some(Head { time, events }), id, &Command::Tick));
        assert!(read(&bytes, Some(time)).is_err());
        write(At::Since(time), Time::from_ns(805), None, true, &command, &mut bytes);
        let line = read(&bytes, Some(time)).unwrap();
        assert_eq!((line.time, line.id, line.quarantined), (Time::from_ns(805), None, true));
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], Some(time)).is_err());
        }
    }
}
