//! A liquidation proof: what one batch of a journal says of a liquidation, so that a stranger can check it with nothing but a digest
//! that the venue published.
//!
//! It has the batch's commands and events, the digests before it, and the parameters that the account was valued under. [`Proof::check`]
//! makes both chains of digests again (the journal's over the commands, which name the chain over the events), and does the
//! arithmetic of the account again. It runs no engine: that these commands lead to these events is what [`crate::verify`] shows.

use crate::record::{self, At, Head};
use crate::{Error, Follower, RequestId};
use engine::{AccountId, Command, Disagrees, Event, Grounds, State, Stated};
use journal::{Batch, BatchPlace, Disk, LogId, Reader};
use serde::{Deserialize, Serialize};
use std::fmt;
use units::Time;

/// The form of a proof.
pub const SCHEMA: &str = "plimsoll.proof/1";

/// What is shown to a stranger. All of it is bound by the digests after: nothing in it can be another and pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// `plimsoll.proof/1`.
    pub schema: String,
    /// Whose liquidation.
    pub account: AccountId,
    /// Which of the events says that it started, from 0.
    pub started: usize,
    /// Where the batch stands.
    pub batch: Where,
    /// Before the batch.
    pub before: Digests,
    /// After it: what the venue published.
    pub after: Digests,
    /// The parameters that the account was valued under.
    pub grounds: Grounds<'static>,
    /// The commands of the batch.
    pub commands: Vec<Recorded>,
    /// The events of the batch.
    pub events: Vec<Event>,
}

/// The place of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// Which journal.
    #[serde(with = "text")]
    pub journal: LogId,
    /// Number of the segment.
    pub segment: u64,
    /// Where in it, bytes.
    pub offset: u64,
    /// In which run of the writer it was written.
    pub epoch: u64,
    /// Sequence of the first command.
    pub first: u64,
}

/// Where the two chains stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digests {
    /// Of the journal: commands, each batch with the digest of its events.
    #[serde(with = "text")]
    pub journal: journal::Digest,
    /// Of the events.
    pub events: engine::Digest,
}

/// A command as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// When it was applied, nanoseconds since 1970.
    pub time: Time,
    /// Who asked; none for the venue's own.
    pub id: Option<RequestId>,
    /// It ended a process once: a tick was applied in its stead.
    pub quarantined: bool,
    /// What was asked.
    pub command: Command,
}

/// Nothing here has a name that is no text, which is all that JSON cannot write.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

mod text {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::fmt::Display;
    use std::str::FromStr;

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a proof shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The command by which the account fell below its line.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// The figures, that came out again.
    pub stated: Stated,
    /// To be compared with what the venue published.
    pub after: Digests,
}

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotProved {
    /// It is not JSON of this form.
    Json(String),
    /// It has another text than this program would write, white space apart: near …
    Text(String),
    /// Of another form.
    Schema,
    /// The chain over the events does not come out as stated.
    Events,
    /// The chain over the commands does not.
    Journal,
    /// The commands and events do not begin together: command number …
    Apart(u64),
    /// The event it names does not say that the account's liquidation started.
    NotStarted,
    /// The account's values.
    Disagrees(Disagrees),
}

impl fmt::Display for NotProved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(f, "it is no {SCHEMA}: {why}"),
            Self::Text(near) => write!(f, "it is not written as a proof is, near {near:?}"),
            Self::Schema => write!(f, "it is no {SCHEMA}"),
            Self::Events => f.write_str("the events do not lead from the digest before to the one after"),
            Self::Journal => f.write_str("the commands do not lead from the journal's digest before to the one after"),
            Self::Apart(sequence) => write!(f, "command {sequence} and its events do not belong together"),
            Self::NotStarted => f.write_str("the event it names is not the beginning of the account's liquidation"),
            Self::Disagrees(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for NotProved {}

impl Proof {
    /// Its text: JSON with a line for each command and event.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { schema, account, started, batch, before, after, grounds, commands, events } = self;
        let head = [
            ("schema", json(schema)),
            ("account", json(account)),
            ("started", json(started)),
            ("batch", json(batch)),
            ("before", json(before)),
            ("after", json(after)),
            ("grounds", json(grounds)),
        ];
        let mut text = String::from("{\n");
        for (name, value) in head {
            text += &format!("\"{name}\": {value},\n");
        }
        let commands: Vec<String> = commands.iter().map(json).collect();
        let events: Vec<String> = events.iter().map(json).collect();
        text += &format!("\"commands\": [\n{}\n],\n", commands.join(",\n"));
        text + &format!("\"events\": [\n{}\n]\n}}\n", events.join(",\n"))
    }

    /// A proof from its text. It has one, white space apart: a name that stands twice or is not read, or a number that is written in another
    /// way, is refused, so that nothing can stand in a proof that is not checked.
    ///
    /// # Errors
    /// [`NotProved::Json`] and [`NotProved::Text`].
    pub fn parse(text: &str) -> Result<Self, NotProved> {
        let proof: Self = serde_json::from_str(text).map_err(|why| NotProved::Json(why.to_string()))?;
        let bare = |text: &str| text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
        let (ours, theirs) = (bare(&proof.text()), bare(text));
        if ours == theirs {
            return Ok(proof);
        }
        let same = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
        Err(NotProved::Text(theirs.chars().skip(same.saturating_sub(20)).take(40).collect()))
    }

    /// Makes the digests and the figures again.
    ///
    /// # Errors
    /// [`NotProved`]: the first thing that is not as it is stated.
    pub fn check(&self) -> Result<Checked, NotProved> {
        if self.schema != SCHEMA {
            return Err(NotProved::Schema);
        }
        if engine::chain(self.before.events, &self.events) != self.after.events {
            return Err(NotProved::Events);
        }
        let records = self.records();
        let place = BatchPlace {
            id: self.batch.journal,
            segment: self.batch.segment,
            offset: self.batch.offset,
            first: self.batch.first,
            epoch: self.batch.epoch,
            before: self.before.journal,
        };
        if place.digest(records.iter().map(Vec::as_slice)) != Some(self.after.journal) {
            return Err(NotProved::Journal);
        }
        let (sequence, time) = self.began()?;
        match self.events.get(self.started) {
            Some(Event::LiquidationStarted { account, .. }) if *account == self.account => {}
            _ => return Err(NotProved::NotStarted),
        }
        let from = self.events.get(self.started..).unwrap_or_default();
        let stated = self.grounds.check(from).map_err(NotProved::Disagrees)?;
        Ok(Checked { sequence, time, stated, after: self.after })
    }

    /// The records of the journal, as they were written if the digest of the events after is right.
    #[must_use]
    pub fn records(&self) -> Vec<Vec<u8>> {
        let mut before: Option<Time> = None;
        let mut records = Vec::with_capacity(self.commands.len());
        for row in &self.commands {
            let at = match before {
                None => At::First(Head { time: row.time, events: *self.after.events.bytes() }),
                Some(before) => At::Since(before),
            };
            let mut record = Vec::new();
            record::write(at, row.time, row.id, row.quarantined, &engine::encode(&row.command), &mut record);
            before = Some(row.time);
            records.push(record);
        }
        records
    }

    /// Each command begins as the journal has it. The one that the liquidation started in.
    fn began(&self) -> Result<(u64, Time), NotProved> {
        let mut sequences = self.batch.first..;
        let mut commands = self.commands.iter();
        let mut started = None;
        for (at, event) in self.events.iter().enumerate() {
            let Event::Began { sequence, time } = *event else { continue };
            let expected = sequences.next().zip(commands.next().map(|row| row.time));
            if expected != Some((sequence, time)) {
                return Err(NotProved::Apart(sequence));
            }
            if at <= self.started {
                started = Some((sequence, time));
            }
        }
        match (commands.next(), sequences.next(), started) {
            (None, _, Some(started)) => Ok(started),
            (_, next, _) => Err(NotProved::Apart(next.unwrap_or(u64::MAX))),
        }
    }
}

/// A liquidation that a journal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// The command by which it started.
    pub sequence: u64,
    /// When.
    pub time: Time,
    /// Whose.
    pub account: AccountId,
}

/// Every liquidation that a journal has, in order, and the state at its end. `progress` is told the sequence after each batch.
///
/// # Errors
/// As [`Reader::next_batch`] and [`Follower::apply`].
pub fn liquidations(disk: &impl Disk, progress: &mut dyn FnMut(u64)) -> Result<(Vec<Liquidation>, State), Error> {
    let mut reader = Reader::first(disk)?;
    let mut follower = Follower::beginning(disk, &reader)?;
    let mut found = Vec::new();
    while let Some(batch) = reader.next_batch(disk)? {
        let mut seen = 0;
        let mut see = |step: crate::Step<'_>| {
            let events = step.engine.events();
            for event in events.get(seen..).unwrap_or_default() {
                if let Event::LiquidationStarted { account, .. } = *event {
                    found.push(Liquidation { sequence: step.sequence, time: step.line.time, account });
                }
            }
            seen = events.len();
        };
        follower.apply(&batch, &mut see)?;
        progress(follower.sequence());
    }
    follower.end(reader.digest())?;
    Ok((found, follower.engine().state().clone()))
}

/// The proof of a liquidation; `None` when the journal has no such.
///
/// # Errors
/// As [`liquidations`].
pub fn prove(disk: &impl Disk, of: &Liquidation, progress: &mut dyn FnMut(u64)) -> Result<Option<Proof>, Error> {
    let mut reader = Reader::first(disk)?;
    let mut follower = Follower::beginning(disk, &reader)?;
    while let Some(batch) = reader.next_batch(disk)? {
        let last = batch.first.saturating_add(batch.records.into());
        if (batch.first..last).contains(&of.sequence) && batch.before == follower.digest() {
            return prove_in(&batch, &mut follower, of);
        }
        follower.apply(&batch, &mut |_| {})?;
        progress(follower.sequence());
    }
    Ok(None)
}

fn prove_in(batch: &Batch<'_>, follower: &mut Follower, of: &Liquidation) -> Result<Option<Proof>, Error> {
    let mut state = follower.engine().state().clone();
    let before = Digests { journal: batch.before, events: follower.engine().event_digest() };
    let mut commands = Vec::new();
    follower.apply(batch, &mut |step| {
        let line = step.line.clone();
        let (time, id, quarantined, command) = (line.time, line.id, line.quarantined, line.command);
        commands.push(Recorded { time, id, quarantined, command });
    })?;
    let events = follower.engine().events().to_vec();
    let after = Digests { journal: batch.after, events: follower.engine().event_digest() };
    let Some((started, grounds)) = started(&mut state, &commands, &events, of) else { return Ok(None) };
    let BatchPlace { id: journal, segment, offset, first, epoch, .. } = batch.place();
    Ok(Some(Proof {
        schema: SCHEMA.to_owned(),
        account: of.account,
        started,
        batch: Where { journal, segment, offset, epoch, first },
        before,
        after,
        grounds,
        commands,
        events,
    }))
}

/// The event by which it started, and the parameters of that moment.
fn started(
    state: &mut State,
    commands: &[Recorded],
    events: &[Event],
    of: &Liquidation,
) -> Option<(usize, Grounds<'static>)> {
    let mut commands = commands.iter();
    let mut command = &Command::Tick;
    for (at, event) in events.iter().enumerate() {
        if let Event::Began { .. } = event {
            let row = commands.next()?;
            command = if row.quarantined { &Command::Tick } else { &row.command };
        }
        state.follow(command, event);
        match event {
            Event::LiquidationStarted { account, .. } if *account == of.account && state.sequence == of.sequence => {
                return Some((at, state.grounds(of.account).into_owned()));
            }
            _ => {}
        }
    }
    None
}
