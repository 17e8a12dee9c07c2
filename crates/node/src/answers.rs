//! What clients were answered, so that a request that is sent again gets what it got the first time.
//!
//! The journal has every command with its id, so the table is made of it again at recovery. It is limited: the newest answers
//! of each client, and the clients that asked last.

use crate::{Outcome, Refusal, RequestId};
use engine::{decode_answer, encode_answer};
use std::collections::{BTreeMap, VecDeque};

/// How many answers of a client are remembered.
pub const ANSWERS_PER_CLIENT: usize = 64;

/// How many clients are remembered at least: those that asked last.
pub const CLIENTS_MAX: usize = 100_000;

/// How many more there may be before the older ones are forgotten, all at once.
const CLIENTS_SPARE: usize = CLIENTS_MAX / 8;

/// An answer with the sequence of its command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub number: u64,
    pub sequence: u64,
    pub outcome: Outcome,
}

/// What there is about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    /// It is the next of its client.
    New,
    /// It was answered.
    Answered(&'a Remembered),
    /// It may have been: its number is not above the client's last, and it is not remembered.
    Forgotten {
        /// The client's last number.
        last: u64,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    clients: BTreeMap<u64, Client>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Client {
    last: u64,
    newest: VecDeque<Remembered>,
}

impl Answers {
    pub fn find(&self, id: RequestId) -> Known<'_> {
        let Some(client) = self.clients.get(&id.client) else { return Known::New };
        let newest = client.newest.back().map_or(0, |answer| answer.number);
        if id.number > newest {
            return Known::New;
        }
        match client.newest.binary_search_by_key(&id.number, |answer| answer.number) {
            Ok(at) => client.newest.get(at).map_or(Known::New, Known::Answered),
            Err(_) => Known::Forgotten { last: newest },
        }
    }

    pub fn remember(&mut self, id: RequestId, sequence: u64, outcome: Outcome) {
        let client = self.clients.entry(id.client).or_default();
        client.last = sequence;
        client.newest.push_back(Remembered { number: id.number, sequence, outcome });
        if client.newest.len() > ANSWERS_PER_CLIENT {
            client.newest.pop_front();
        }
        if self.clients.len() > CLIENTS_MAX + CLIENTS_SPARE {
            self.forget();
        }
    }

    /// Forgets who asked longest ago, down to the number that is kept: a look at all of them, once in many new ones.
    fn forget(&mut self) {
        let mut lasts: Vec<u64> = self.clients.values().map(|client| client.last).collect();
        let too_many = lasts.len().saturating_sub(CLIENTS_MAX);
        if too_many > 0 {
            let (_, first_kept, _) = lasts.select_nth_unstable(too_many);
            let first_kept = *first_kept;
            self.clients.retain(|_, client| client.last >= first_kept);
        }
    }

    /// Little-endian: clients, then for each its number and answers; of each number, sequence, length and bytes.
    pub fn write(&self, to: &mut Vec<u8>) {
        put(self.clients.len(), to);
        for (name, client) in &self.clients {
            to.extend_from_slice(&name.to_le_bytes());
            put(client.newest.len(), to);
            for answer in &client.newest {
                to.extend_from_slice(&answer.number.to_le_bytes());
                to.extend_from_slice(&answer.sequence.to_le_bytes());
                let bytes = match &answer.outcome {
                    Ok(done) => encode_answer(&Ok(done.clone())),
                    Err(Refusal::Rejected(reject)) => encode_answer(&Err(*reject)),
                    Err(Refusal::Quarantined) => Vec::new(),
                };
                put(bytes.len(), to);
                to.extend_from_slice(&bytes);
            }
        }
    }

    /// `None` when the bytes are not what [`Self::write`] makes.
    pub fn read(mut from: &[u8]) -> Option<Self> {
        let from = &mut from;
        let mut answers = Self::default();
        let clients = long(from)?;
        for _ in 0..clients {
            let name = long(from)?;
            let mut client = Client::default();
            for _ in 0..long(from)? {
                let (number, sequence) = (long(from)?, long(from)?);
                let length = usize::try_from(long(from)?).ok()?;
                let (bytes, rest) = from.split_at_checked(length)?;
                *from = rest;
                let outcome = match bytes {
                    [] => Err(Refusal::Quarantined),
                    bytes => decode_answer(bytes).ok()?.map_err(Refusal::Rejected),
                };
                client.last = sequence;
                client.newest.push_back(Remembered { number, sequence, outcome });
            }
            answers.clients.insert(name, client);
        }
        from.is_empty().then_some(answers)
    }
}

fn put(n: usize, to: &mut Vec<u8>) {
    to.extend_from_slice(&u64::try_from(n).unwrap_or(u64::MAX).to_le_bytes());
}

fn long(from: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Answer, Reject};

    fn id(client: u64, number: u64) -> RequestId {
        RequestId { client, number }
    }

    #[test]
    fn the_newest_are_remembered_and_older_ones_known_to_be_forgotten() {
        let mut answers = Answers::default();
        for number in 1..=100 {
            assert_eq!(answers.find(id(1, number * 2)), Known::New);
            answers.remember(id(1, number * 2), number, Ok(Answer::Done));
        }
        assert!(matches!(answers.find(id(1, 200)), Known::Answered(found) if found.sequence == 100));
        assert!(matches!(answers.find(id(1, 74)), Known::Answered(_)));
        assert_eq!(answers.find(id(1, 72)), Known::Forgotten { last: 200 });
        assert_eq!(answers.find(id(1, 199)), Known::Forgotten { last: 200 });
        assert_eq!(answers.find(id(2, 1)), Known::New);
    }

    #[test]
    fn the_clients_that_asked_last_are_remembered() {
        let mut answers = Answers::default();
        let new = u64::try_from(CLIENTS_MAX + CLIENTS_SPARE).unwrap();
        for client in 1..=new {
            answers.remember(id(client, 1), client, Ok(Answer::Done));
        }
        answers.remember(id(1, 2), new + 1, Ok(Answer::Done));
        assert_eq!(answers.clients.len(), CLIENTS_MAX + CLIENTS_SPARE);
        answers.remember(id(new + 1, 1), new + 2, Ok(Answer::Done));
        assert_eq!(answers.clients.len(), CLIENTS_MAX);
        // The first asked again, the second did not.
        assert!(matches!(answers.find(id(1, 2)), Known::Answered(_)));
        assert_eq!(answers.find(id(2, 1)), Known::New);
        let oldest = new + 2 - u64::try_from(CLIENTS_MAX).unwrap() + 1;
        assert!(matches!(answers.find(id(oldest, 1)), Known::Answered(_)));
        assert_eq!(answers.find(id(oldest - 1, 1)), Known::New);
    }

    #[test]
    fn the_table_reads_back() {
        let mut answers = Answers::default();
        answers.remember(id(7, 1), 11, Ok(Answer::Done));
        answers.remember(id(7, 2), 12, Err(Refusal::Rejected(Reject::UnknownOrder)));
        answers.remember(id(9, 1), 13, Err(Refusal::Quarantined));
        let mut bytes = Vec::new();
        answers.write(&mut bytes);
        assert_eq!(Answers::read(&bytes), Some(answers));
        for end in 0..bytes.len() {
            assert_eq!(Answers::read(&bytes[..end]), None);
        }
    }
}
