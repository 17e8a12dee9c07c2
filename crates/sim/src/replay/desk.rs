//! Where commands go in and events come out: the engine, the clock of the run, and everyone who watches.

use super::ReplayError;
use super::tally::Tally;
use engine::{AccountId, Answer, AssetId, Command, Engine, Event, Name, OwnerId, Reject, Role};
use std::collections::BTreeMap;
use units::{Money, Time};

/// Sees every command with its answer, its own events and the engine after it.
pub type Observer<'a> = dyn FnMut(Time, &Command, &Result<Answer, Reject>, &[Event], &Engine) + 'a;

/// Commands of one batch while the venue is set up.
const SETUP_BATCH: u64 = 4_096;

/// The engine and its surroundings.
pub struct Desk<'a, 'b> {
    /// The venue.
    pub engine: Engine,
    /// What the run counts.
    pub tally: Tally,
    /// Commands so far.
    pub commands: u64,
    /// Refusals by who asked and by name.
    pub refused: BTreeMap<&'static str, BTreeMap<String, u64>>,
    at: Time,
    seen: usize,
    references: u64,
    observer: &'a mut Observer<'b>,
}

impl<'a, 'b> Desk<'a, 'b> {
    /// An empty venue at a moment.
    pub fn new(at: Time, tally: Tally, observer: &'a mut Observer<'b>) -> Self {
        Self {
            engine: Engine::new(),
            tally,
            commands: 0,
            refused: BTreeMap::new(),
            at,
            seen: 0,
            references: 0,
            observer,
        }
    }

    /// The time that commands carry from now on.
    pub fn set_time(&mut self, at: Time) {
        self.at = at;
    }

    /// The time that commands carry.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at
    }

    /// Sends a command that may be refused; `who` asks.
    pub fn send(&mut self, who: &'static str, command: &Command) -> Result<Answer, Reject> {
        let answer = self.engine.apply(self.at, command);
        self.commands += 1;
        let events = self.engine.events().get(self.seen..).unwrap_or_default();
        self.tally.take(self.at, events, self.engine.state());
        (self.observer)(self.at, command, &answer, events, &self.engine);
        self.seen = self.engine.events().len();
        if let Err(reject) = &answer {
            let name = Reject::name_of(reject.code()).unwrap_or("unknown").to_owned();
            *self.refused.entry(who).or_default().entry(name).or_default() += 1;
        }
        answer
    }

    /// Sends a command that the run cannot do without.
    ///
    /// # Errors
    /// The refusal, with the command.
    pub fn must(&mut self, command: &Command) -> Result<Answer, ReplayError> {
        let answer = self.send("setup", command);
        if self.commands.is_multiple_of(SETUP_BATCH) {
            self.end_batch();
        }
        answer.map_err(|reject| ReplayError::Refused { command: format!("{command:?}"), reject })
    }

    /// Opens a subaccount.
    ///
    /// # Errors
    /// As [`Self::must`].
    pub fn open(&mut self, name: &str, owner: u32, role: Role) -> Result<AccountId, ReplayError> {
        let command = match Name::new(name) {
            Some(name) => Command::OpenAccount { owner: OwnerId(owner), role, name },
            None => {
                return Err(ReplayError::Knob {
                    name: "name".into(),
                    asked: name.into(),
                    allowed: "1 to 24 plain characters".into(),
                });
            }
        };
        match self.must(&command)? {
            Answer::Account(account) => Ok(account),
            answer => Err(ReplayError::Answer { command: format!("{command:?}"), answer }),
        }
    }

    /// Pays in; nothing for no amount.
    ///
    /// # Errors
    /// As [`Self::must`].
    pub fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Money) -> Result<(), ReplayError> {
        if !amount.is_positive() {
            return Ok(());
        }
        self.references += 1;
        self.must(&Command::Deposit { account, asset, amount, reference: self.references }).map(|_| ())
    }

    /// Ends a batch; events of it are gone afterwards.
    pub fn end_batch(&mut self) {
        self.engine.end_batch();
        self.seen = 0;
    }
}
