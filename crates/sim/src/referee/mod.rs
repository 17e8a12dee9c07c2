//! The referee: a second, slow, obvious implementation of balances, margin, book priority and tiers.
//!
//! It watches an engine from outside. From commands and events it takes only primary facts: who traded what with whom
//! at which price, which price or parameter was set, what was deposited. Every other number it works out again, by plain
//! scans over whole numbers with its own rounding, and compares. It shares no formula with the engine: it must never
//! name the crate of formulas (`tidy` sees to it). What it checks is listed in `docs/referee.md`.

mod adl;
mod auction;
mod book;
mod borrow;
mod calls;
mod caps;
mod closing;
mod compare;
mod convert;
mod deadlines;
mod delisting;
mod drawdown;
mod facts;
mod fees;
mod fills;
mod forms;
mod invariants;
mod isolated;
mod judge;
mod ladder;
mod losses;
mod margin;
mod mismatch;
mod model;
mod money;
mod num;
mod offset;
mod option;
mod outflow;
mod prelaunch;
mod prices;
mod realise;
mod reduce;
mod reserve;
mod resort;
mod sample;
mod settlement;
mod shares;
mod split;
mod standing;
mod stated;
mod takeover;
mod trails;
mod value;

pub use judge::Judge;
pub use mismatch::Mismatch;

use engine::{AccountId, Answer, AssetId, Command, Engine, Event, OrderId, Reject};
use model::Model;
use std::collections::{BTreeMap, BTreeSet};
use units::Time;

/// Watches one engine from its first command on.
#[derive(Clone, Debug, Default)]
pub struct Referee {
    model: Model,
    /// Events that must still come because of a fact seen before.
    expected: Vec<Event>,
    /// Accounts whose numbers this command moved.
    touched: BTreeSet<AccountId>,
    /// A price or parameter moved, so that everyone's numbers did.
    everyone: bool,
    /// Reservations that moved for a fill that is about to come.
    used: BTreeMap<OrderId, i128>,
    /// Accounts that this command let take more risk: they must be covered when it ends.
    adds_risk: BTreeSet<AccountId>,
    /// The least open interest before a fill of this command, where a ladder asks for it.
    interest_least: BTreeMap<engine::MarketId, i128>,
    /// Deficits that this command told.
    deficits: BTreeSet<(AccountId, AssetId)>,
    /// Accounts of which this command closed a position at a settlement price.
    settled: BTreeSet<AccountId>,
    ladder: ladder::Round,
    /// Its liquidation has started, and the parameters that its values follow from are not stated yet.
    awaiting: Option<AccountId>,
    /// The next order comes of this one, whose trigger was reached.
    triggered: Option<model::Order>,
    /// The order that was just taken comes of one whose trigger was reached.
    activated: bool,
    deadlines: deadlines::Turn,
    splitting: split::Splitting,
    /// Assets whose interest this command posted.
    posted: BTreeSet<AssetId>,
    /// Who sold collateral for a debt last: it goes on until nothing is missing.
    repaying: Option<(AccountId, AssetId)>,
    /// Positions whose result became cash in this command.
    realised: BTreeSet<(AccountId, engine::PositionId)>,
    /// Markets whose realisation began in this command.
    realisation_began: BTreeSet<engine::MarketId>,
    /// Markets whose realisation is late, and when that was first seen.
    late: BTreeMap<engine::MarketId, i64>,
    /// Somebody has trailed since the first command.
    trailing: bool,
    /// Markets whose index moved, and whose mark may still follow in the same breath.
    moving: BTreeSet<engine::MarketId>,
    /// Orders whose trigger was reached in this command.
    fired: usize,
    /// Funds whose worth this command must say, and has not yet, with the markets that watch them.
    to_sample: BTreeSet<(AccountId, engine::MarketId)>,
    /// What this command's sharings of losses have asked of a side so far, 1e-25 per 1e-8 contract.
    shared: BTreeMap<(engine::MarketId, engine::Side), i128>,
    /// The ladder's order is the arriving one of this fill.
    forced: bool,
    /// Shorts that an exit of this command may close against, best rank first: whom, place, contracts left.
    exits: Option<Vec<(AccountId, u32, i128)>>,
    /// An account whose fills have reached a limit of its own, and its orders that must go now.
    protected: Vec<OrderId>,
    /// Income by account and asset: what each wallet must hold.
    income: BTreeMap<(AccountId, AssetId), i128>,
    /// Every how many commands all accounts are compared; in between, those that moved.
    full_every: u64,
}

impl Referee {
    /// Compares all accounts after every command.
    #[must_use]
    pub fn new() -> Self {
        Self { full_every: 1, ..Self::default() }
    }

    /// Compares all accounts after every `commands`; in between, those that the command touched, and all totals that
    /// can be had from them. For large populations.
    #[must_use]
    pub fn full_every(commands: u64) -> Self {
        Self { full_every: commands.max(1), ..Self::default() }
    }

    /// Takes note of a command that the engine has just applied, and compares.
    ///
    /// `events` are those of this command alone.
    ///
    /// # Errors
    /// The first number or rule on which referee and engine do not agree.
    pub fn observe(
        &mut self,
        at: Time,
        command: &Command,
        answer: &Result<Answer, Reject>,
        events: &[Event],
        engine: &Engine,
    ) -> Result<(), Mismatch> {
        self.touched.clear();
        self.everyone = false;
        self.used.clear();
        self.adds_risk.clear();
        self.interest_least.clear();
        self.deficits.clear();
        self.settled.clear();
        self.splitting = split::Splitting::default();
        self.posted.clear();
        self.realised.clear();
        self.exits = None;
        self.realisation_began.clear();
        self.shared.clear();
        self.repaying = None;
        self.fired = 0;
        self.ladder.begin();
        for row in events.iter().flat_map(|event| event.income(engine.state())) {
            *self.income.entry((row.account, row.asset)).or_insert(0) += row.amount.units();
        }
        let turn = facts::Turn { at, command, answer };
        let verdict = self.facts(&turn, events).and_then(|()| {
            let full = self.model.sequence.is_multiple_of(self.full_every);
            self.auctions_kept(&turn, events, engine.state())?;
            self.verdict(engine, full)
        });
        verdict.map_err(|m| m.at(self.model.sequence))
    }

    /// Compares everything at once: for the end of a run that was not compared in full after every command.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub fn compare_all(&mut self, engine: &Engine) -> Result<(), Mismatch> {
        self.everyone = true;
        self.verdict(engine, true).map_err(|m| m.at(self.model.sequence))
    }

    fn verdict(&mut self, engine: &Engine, full: bool) -> Result<(), Mismatch> {
        let state = engine.state();
        self.compare(state, full)?;
        self.invariants(state, full)?;
        self.ends_kept()?;
        self.sampled()?;
        self.haircuts_kept()?;
        self.prelaunch_kept()?;
        self.interest_kept()?;
        self.realisations_kept()?;
        if full {
            self.deadlines_kept()?;
            self.trails_kept()?;
        }
        self.sample(engine, full)
    }
}
