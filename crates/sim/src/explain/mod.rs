//! What the figures of an event were made of, after the fact: the formula, its inputs from the state before the event, rounding
//! and clause, and a check that the figure comes out again.
//!
//! [`Explainer`] follows an engine one event behind: it has the events, does them again on a state of its own, and so has the state
//! before each. Every number is a term that a function of `rules` or `engine` returned, the one that decided; nothing is computed
//! here a second time but sums that are shown beside their parts. It knows no files and no terminal.

mod adl;
mod clauses;
mod debts;
mod fees;
mod funding;
mod ladders;
mod liquidation;
mod sales;

use crate::scenario::{Names, OrderOwners, event_line, tagged};
use clauses::Clauses;
use engine::{AccountId, Command, Digest, Event, MarketId, Side, State};
use rulebooks::Step;
use rules::{AdlInput, AdlTerms};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use units::{Money, Time};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls, starts, steps, fees, take-overs and ends of liquidations.
    Liquidation,
    /// Rates posted and payments.
    Funding,
    /// Fees of trades.
    Fee,
    /// Receipts of auto-deleveraging, and what the fund paid to winners.
    Adl,
    /// Collateral converted, positions auctioned, legs of a market closed against each other.
    Sale,
    /// Interest on debts: posted and charged.
    Interest,
    /// Losses that winners share: shared and paid.
    Loss,
}

impl Kind {
    /// All, with their names.
    pub const ALL: [(&str, Self); 7] = [
        ("liquidation", Self::Liquidation),
        ("funding", Self::Funding),
        ("fee", Self::Fee),
        ("adl", Self::Adl),
        ("sale", Self::Sale),
        ("interest", Self::Interest),
        ("loss", Self::Loss),
    ];

    /// The kind of an event; `None` for one whose figures are those of its command.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::MarginCalled { .. }
            | Event::LiquidationStarted { .. }
            | Event::LiquidationStep { .. }
            | Event::LiquidationFee { .. }
            | Event::TakenOver { .. }
            | Event::LiquidationEnded { .. } => Some(Self::Liquidation),
            Event::FundingPosted { .. } | Event::FundingSettled { .. } => Some(Self::Funding),
            Event::FeeCharged { .. } => Some(Self::Fee),
            Event::Deleveraged { .. } | Event::Moved { reason: engine::MoveReason::AdlPrice, .. } => Some(Self::Adl),
            Event::Converted { .. }
            | Event::AuctionStarted { .. }
            | Event::AuctionFilled { .. }
            | Event::LegsOffset { .. } => Some(Self::Sale),
            Event::InterestPosted { .. } | Event::InterestCharged { .. } => Some(Self::Interest),
            Event::LossShared { .. } | Event::LossSettled { .. } => Some(Self::Loss),
            _ => None,
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// Which events are explained: those that all of its parts name.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Number of the event, from 1 over the whole run.
    pub event: Option<u64>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only what concerns this account, by name.
    pub account: Option<String>,
}

/// A figure that comes out again, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Field of the event.
    pub figure: String,
    /// What the working comes to.
    pub explained: String,
    /// How the event's figure must stand to it.
    pub relation: Relation,
    /// What the explained figure is where it is a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// What the event says.
    pub event: String,
    /// Whether it does.
    pub holds: bool,
}

/// How a figure of an event stands to the explained one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// They are the same.
    Equal,
    /// The event's is not above.
    AtMost,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { figure, explained, event, holds, .. } = self;
        let verdict = if *holds { "holds" } else { "DOES NOT HOLD" };
        match &self.bound {
            None => write!(f, "check: {figure} {event} = {explained}: {verdict}"),
            Some(bound) => write!(f, "check: {figure} {event} ≤ {explained}, {bound}: {verdict}"),
        }
    }
}

/// An event with its working.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// Its number, from 1 over the whole run.
    pub event: u64,
    /// Its kind.
    pub kind: Kind,
    /// When.
    pub time: String,
    /// Number of the command that it belongs to.
    pub sequence: u64,
    /// Name of that command.
    pub command: String,
    /// The event as scenarios print it.
    pub text: String,
    /// One tree per figure.
    pub working: Vec<Step>,
    /// Every figure that was explained against the one in the event.
    pub checks: Vec<Check>,
}

impl Explained {
    /// Whether every figure came out again.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "event {}  {}  command {} {}", self.event, self.time, self.sequence, self.command)?;
        writeln!(f, "{}", self.text)?;
        for step in &self.working {
            write!(f, "{step}")?;
        }
        self.checks.iter().try_for_each(|check| writeln!(f, "{check}"))
    }
}

/// Why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No event has that number.
    NoEvent {
        /// Asked for.
        asked: u64,
        /// Events of the run.
        last: u64,
    },
    /// The event is there, and is of no kind that is explained.
    NoKind {
        /// Its number.
        event: u64,
        /// Its name.
        name: String,
    },
    /// The event is there, but is not one that the other selectors name.
    NotSelected {
        /// Its number.
        event: u64,
        /// The event.
        text: String,
    },
    /// No account has that name.
    NoAccount {
        /// Asked for.
        asked: String,
    },
    /// Nothing is selected; not a fault.
    Nothing,
    /// The events do not give the state that the engine has: a bug.
    State,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEvent { asked, last } => write!(f, "there is no event {asked}: the run has events 1 to {last}"),
            Self::NoKind { event, name } => {
                let kinds: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
                write!(f, "event {event} is {name}, which is of no kind that is explained ({})", kinds.join(", "))
            }
            Self::NotSelected { event, text } => {
                write!(f, "event {event} is not of that kind or account: {text}")
            }
            Self::NoAccount { asked } => write!(f, "no account is called {asked:?}"),
            Self::Nothing => write!(f, "nothing of that kind happened"),
            Self::State => write!(f, "the events do not give the state that the engine has; this is a bug"),
        }
    }
}

/// A part of the working of an event: trees and checks.
#[derive(Default)]
struct Work {
    steps: Vec<Step>,
    checks: Vec<Check>,
}

impl Work {
    fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn equal<T: PartialEq + Copy>(&mut self, figure: &str, explained: T, event: T, show: impl Fn(T) -> String) {
        let holds = explained == event;
        let (explained, event, figure) = (show(explained), show(event), figure.to_owned());
        self.checks.push(Check { figure, explained, relation: Relation::Equal, bound: None, event, holds });
    }

    fn at_most<T: PartialOrd + Copy>(
        &mut self,
        (figure, event): (&str, T),
        (bound, most): (&str, T),
        show: impl Fn(T) -> String,
    ) {
        let (holds, relation) = (event <= most, Relation::AtMost);
        let (explained, event, figure) = (show(most), show(event), figure.to_owned());
        self.checks.push(Check { figure, explained, relation, bound: Some(bound.to_owned()), event, holds });
    }
}

/// A place in a ranking with what it was made of.
type Ranked = (engine::AdlRow, AdlInput, AdlTerms);

/// What the events before say about the next one.
#[derive(Default)]
struct Memory {
    /// The fill whose fees follow.
    fill: Option<fees::Fill>,
    /// Funding posted since the market has its contract.
    postings: BTreeMap<MarketId, Vec<funding::Posting>>,
    /// The position that is being handed over, and how its value was made.
    handover: Option<(engine::Handover, engine::HandoverTerms)>,
    /// The rankings of the command.
    rankings: BTreeMap<(MarketId, Side), Vec<Ranked>>,
    /// Equity − maintenance of accounts before the first event of a step.
    headrooms: BTreeMap<AccountId, Money>,
    /// The last receipt, which the fund's payment follows.
    receipt: Option<Event>,
}

/// Follows an engine and explains what was selected.
pub struct Explainer {
    selection: Selection,
    state: State,
    orders: OrderOwners,
    clauses: Clauses,
    memory: Memory,
    events: u64,
    explained: u64,
    asked: Option<Missing>,
}

impl Explainer {
    /// Before the first command of an engine.
    #[must_use]
    pub fn new(selection: Selection) -> Self {
        let (state, orders) = (State::default(), OrderOwners::new());
        let (clauses, memory) = (Clauses::default(), Memory::default());
        Self { selection, state, orders, clauses, memory, events: 0, explained: 0, asked: None }
    }

    /// The selected events of the next command, which are all its events in their order.
    pub fn take(&mut self, command: &Command, events: &[Event]) -> Vec<Explained> {
        let mut found = Vec::new();
        for (at, event) in events.iter().enumerate() {
            self.events += 1;
            if let Event::OrderAccepted { order, account, .. } = event {
                self.orders.insert(*order, *account);
            }
            self.remember(event);
            if let Some(kind) = self.selected(event) {
                let work = self.explain(event, &events[at + 1..]);
                found.push(self.dressed(kind, command, event, work));
            }
            self.conclude(event);
            self.state.follow(command, event);
        }
        self.explained += found.len() as u64;
        found
    }

    /// Digest of the state after the events so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.state.digest()
    }

    /// After the last command: whether there was what was asked for.
    ///
    /// # Errors
    /// What is missing; the events that do not give the state whose digest is `engine`.
    pub fn finish(&self, engine: Digest) -> Result<(), Missing> {
        if self.state.digest() != engine {
            return Err(Missing::State);
        }
        if let Some(missing) = &self.asked {
            return Err(missing.clone());
        }
        if let Some(name) = &self.selection.account
            && Names::new(&self.state, &self.orders).account(name).is_none()
        {
            return Err(Missing::NoAccount { asked: name.clone() });
        }
        match self.selection.event {
            _ if self.explained > 0 => Ok(()),
            Some(asked) => Err(Missing::NoEvent { asked, last: self.events }),
            None => Err(Missing::Nothing),
        }
    }

    /// The kind of an event that is selected. An account's name is looked up in the state of the moment, since accounts appear.
    fn selected(&mut self, event: &Event) -> Option<Kind> {
        if self.selection.event.is_some_and(|number| number != self.events) {
            return None;
        }
        let kind = Kind::of(event);
        let of_kind = kind.filter(|kind| self.selection.kind.is_none_or(|only| only == *kind));
        let selected = of_kind.filter(|_| self.concerns(event));
        if let (Some(event_number), None) = (self.selection.event, selected) {
            self.asked = Some(match kind {
                None => Missing::NoKind { event: event_number, name: tagged(event).0 },
                Some(_) => {
                    let text = event_line(&Names::new(&self.state, &self.orders), event);
                    Missing::NotSelected { event: event_number, text }
                }
            });
        }
        selected
    }

    fn concerns(&self, event: &Event) -> bool {
        let Some(name) = &self.selection.account else { return true };
        let Some(account) = Names::new(&self.state, &self.orders).account(name) else { return false };
        match *event {
            Event::MarginCalled { account: whose, .. }
            | Event::LiquidationStarted { account: whose, .. }
            | Event::LiquidationStep { account: whose, .. }
            | Event::LiquidationEnded { account: whose, .. }
            | Event::FundingSettled { account: whose, .. }
            | Event::FeeCharged { account: whose, .. }
            | Event::AuctionStarted { account: whose, .. }
            | Event::LegsOffset { account: whose, .. }
            | Event::InterestCharged { account: whose, .. }
            | Event::LossShared { account: whose, .. }
            | Event::LossSettled { account: whose, .. } => whose == account,
            Event::LiquidationFee { account: whose, fund, .. } | Event::Converted { account: whose, fund, .. } => {
                whose == account || fund == account
            }
            Event::AuctionFilled { account: whose, bidder, .. } => whose == account || bidder == account,
            Event::TakenOver { from, to, .. } | Event::Moved { from, to, .. } => from == account || to == account,
            Event::Deleveraged { failing, winner, .. } => failing == account || winner == account,
            _ => false,
        }
    }

    /// Whether an event of this kind may be explained: what is kept for it need not be, else.
    fn wants(&self, kind: Kind) -> bool {
        self.selection.kind.is_none_or(|only| only == kind)
    }

    /// What must be kept of the state before this event for the workings of later ones.
    fn remember(&mut self, event: &Event) {
        let (steps, rankings) = (self.wants(Kind::Liquidation), self.wants(Kind::Adl));
        let (state, memory) = (&self.state, &mut self.memory);
        fees::remember(memory, state, event);
        if steps {
            liquidation::remember(memory, state, event);
        }
        if rankings {
            adl::rank(memory, state, event);
        }
        adl::remember(memory, state, event);
    }

    /// What an event changes about what is remembered.
    fn conclude(&mut self, event: &Event) {
        funding::conclude(&mut self.memory, &self.state, event);
        adl::conclude(&mut self.memory, event);
        match event {
            Event::Deleveraged { .. } => self.memory.receipt = Some(*event),
            Event::LiquidationStep { account, .. } => {
                self.memory.headrooms.remove(account);
            }
            _ => {}
        }
    }

    fn explain(&mut self, event: &Event, later: &[Event]) -> Work {
        let mut work = Work::default();
        let place = Place {
            state: &self.state,
            names: Names::new(&self.state, &self.orders),
            clauses: &mut self.clauses,
            memory: &self.memory,
        };
        match Kind::of(event) {
            Some(Kind::Liquidation) => liquidation::explain(place, event, later, &mut work),
            Some(Kind::Funding) => funding::explain(place, event, &mut work),
            Some(Kind::Fee) => fees::explain(place, event, &mut work),
            Some(Kind::Adl) => adl::explain(place, event, &mut work),
            Some(Kind::Sale) => sales::explain(place, event, &mut work),
            Some(Kind::Interest | Kind::Loss) => debts::explain(place, event, &mut work),
            None => {}
        }
        work
    }

    fn dressed(&self, kind: Kind, command: &Command, event: &Event, work: Work) -> Explained {
        let names = Names::new(&self.state, &self.orders);
        Explained {
            event: self.events,
            kind,
            time: Time::to_string(&self.state.now),
            sequence: self.state.sequence,
            command: tagged(command).0,
            text: event_line(&names, event),
            working: work.steps,
            checks: work.checks,
        }
    }
}

/// Where an event happened: the state before it, and what is known besides.
struct Place<'a> {
    state: &'a State,
    names: Names<'a>,
    clauses: &'a mut Clauses,
    memory: &'a Memory,
}

/// An amount with at least two digits after the point.
fn money(amount: Money) -> String {
    crate::scenario::two_decimals(&amount.to_string())
}

/// A price with at least two digits after the point.
fn price(price: units::Price) -> String {
    crate::scenario::two_decimals(&price.to_string())
}
