//! Rows of what happens, while the journal is read: events, liquidations, funding, income. What is held back is bounded by what is
//! open, not by how long the journal is.

use super::sheets::{Name, Sheets};
use engine::{AccountId, AssetId, Event, Income, IncomeKind, MarketId, OwnerId, Stage, State};
use serde::Serialize;
use sim::replay::{Cell, EventTable};
use std::collections::BTreeMap;
use units::{Money, Price, Rate, Time};

/// What is not a row yet.
pub struct Flow {
    events: Option<EventTable>,
    open: BTreeMap<AccountId, Liquidation>,
    day: Day,
    sequence: u64,
    at: Time,
}

/// A liquidation that goes on.
#[derive(Default)]
struct Liquidation {
    /// Sequence, time, equity and maintenance margin; none of one that began before the journal.
    started: Option<(u64, Time, Money, Money)>,
    /// By stage.
    steps: [u64; STAGES.len()],
    /// Of winners that were deleveraged.
    receipts: u64,
    /// Before or after a step.
    lowest: Option<Money>,
}

/// In the order of their columns.
const STAGES: [Stage; 7] =
    [Stage::Cancel, Stage::Offset, Stage::Reduce, Stage::Convert, Stage::Backstop, Stage::TakeOver, Stage::Deleverage];

/// Income of the day that runs: amount and number of entries.
#[derive(Default)]
struct Day {
    date: String,
    sums: BTreeMap<(OwnerId, AssetId, IncomeKind), (i128, u64)>,
}

impl Flow {
    /// From a state on.
    pub fn new(state: &State, sheets: &Sheets) -> Self {
        let events = sheets.has(Name::Events).then(|| EventTable::of_venue(state));
        let open = state.liquidating.iter().map(|account| (*account, Liquidation::default())).collect();
        Self { events, open, day: Day::default(), sequence: 0, at: Time::EPOCH }
    }

    /// The events of one command; `state` is the one after it.
    pub fn take(&mut self, events: &[Event], state: &State, to: &mut Sheets) {
        if let Some(table) = &mut self.events {
            table.take(events, state, &mut |row| to.push(Name::Events, row));
        }
        for (part, event) in (0i128..).zip(events) {
            if let Event::Began { sequence, time } = *event {
                (self.sequence, self.at) = (sequence, time);
            }
            self.liquidation(event, state, to);
            self.funding(part, event, state, to);
            self.income(part, event, state, to);
        }
    }

    /// Nothing more comes: liquidations that go on, and the day that runs.
    pub fn finish(&mut self, state: &State, to: &mut Sheets) {
        for (account, open) in std::mem::take(&mut self.open) {
            to.push(Name::Liquidations, &open.row(account, None, state));
        }
        self.day.close(state, to);
    }

    fn liquidation(&mut self, event: &Event, state: &State, to: &mut Sheets) {
        match *event {
            Event::LiquidationStarted { account, equity, maintenance_margin } => {
                let started = Some((self.sequence, self.at, equity, maintenance_margin));
                self.open.insert(account, Liquidation { started, lowest: None, ..Liquidation::default() });
            }
            // A fund that unwinds does steps, too, and is in no liquidation.
            Event::LiquidationStep { account, stage, headroom_before, headroom_after, .. } => {
                if let Some(open) = self.open.get_mut(&account) {
                    let place = STAGES.iter().position(|known| *known == stage);
                    if let Some(steps) = place.and_then(|place| open.steps.get_mut(place)) {
                        *steps += 1;
                    }
                    let lower = headroom_before.min(headroom_after);
                    open.lowest = Some(open.lowest.map_or(lower, |lowest| lowest.min(lower)));
                }
            }
            Event::Deleveraged { failing, .. } => {
                if let Some(open) = self.open.get_mut(&failing) {
                    open.receipts += 1;
                }
            }
            Event::LiquidationEnded { account, outcome, equity } => {
                let open = self.open.remove(&account).unwrap_or_default();
                let ended = (self.sequence, self.at, equity, word(&outcome));
                to.push(Name::Liquidations, &open.row(account, Some(&ended), state));
            }
            _ => {}
        }
    }

    fn funding(&self, part: i128, event: &Event, state: &State, to: &mut Sheets) {
        let mut push = |kind, market: MarketId, [account, id, owner]: [Cell<'_>; 3], rest: [Cell<'_>; 5]| {
            let params = &state.market(market).params;
            let [leg, amount, residue, rate, mark] = rest;
            let [sequence, part, ns, time] = self.key(part);
            let (market, asset) = (Cell::Text(params.name.as_str()), asset_name(state, params.settlement));
            let kind = Cell::Text(kind);
            let row =
                [sequence, part, ns, time, kind, market, asset, account, id, owner, leg, amount, residue, rate, mark];
            to.push(Name::Funding, &row);
        };
        let none = [Cell::Empty; 3];
        match *event {
            Event::FundingPosted { market, rate, mark, .. } => {
                push("posted", market, none, [Cell::Empty, Cell::Empty, Cell::Empty, self::rate(rate), price(mark)]);
            }
            Event::FundingSkipped { market, .. } => push("skipped", market, none, [Cell::Empty; 5]),
            Event::FundingSettled { account, market, amount, residue, leg } => {
                let leg = word(&leg);
                let rest = [Cell::Text(&leg), money(amount), Cell::Number(residue), Cell::Empty, Cell::Empty];
                push("settled", market, who(state, account), rest);
            }
            _ => {}
        }
    }

    fn income(&mut self, part: i128, event: &Event, state: &State, to: &mut Sheets) {
        for income in event.income(state) {
            self.day.add(&income, self.at, state, to);
            let [sequence, part, ns, time] = self.key(part);
            let [account, id, owner] = who(state, income.account);
            let kind = word(&income.kind);
            let market =
                income.market.map_or(Cell::Empty, |market| Cell::Text(state.market(market).params.name.as_str()));
            let (asset, amount) = (asset_name(state, income.asset), money(income.amount));
            let row = [sequence, part, ns, time, owner, account, id, Cell::Text(&kind), market, asset, amount];
            to.push(Name::Income, &row);
        }
    }

    /// Sequence, part, nanoseconds, time.
    fn key(&self, part: i128) -> [Cell<'static>; 4] {
        [count(self.sequence), Cell::Number(part), time(self.at), time(self.at)]
    }
}

impl Liquidation {
    /// The row; of one that goes on without its end, which is sequence, time, equity and outcome.
    fn row<'a>(
        &self,
        account: AccountId,
        ended: Option<&'a (u64, Time, Money, String)>,
        state: &'a State,
    ) -> [Cell<'a>; 20] {
        let started = self.started;
        let [name, id, owner] = who(state, account);
        let [cancel, offset, reduce, convert, backstop, take_over, deleverage] = self.steps.map(count);
        [
            name,
            id,
            owner,
            started.map_or(Cell::Empty, |(sequence, ..)| count(sequence)),
            started.map_or(Cell::Empty, |(_, at, ..)| time(at)),
            ended.map_or(Cell::Empty, |(sequence, ..)| count(*sequence)),
            ended.map_or(Cell::Empty, |(_, at, ..)| time(*at)),
            ended.map_or(Cell::Empty, |(.., outcome)| Cell::Text(outcome)),
            started.map_or(Cell::Empty, |(_, _, equity, _)| money(equity)),
            started.map_or(Cell::Empty, |(.., maintenance)| money(maintenance)),
            ended.map_or(Cell::Empty, |(_, _, equity, _)| money(*equity)),
            cancel,
            offset,
            reduce,
            convert,
            backstop,
            take_over,
            deleverage,
            count(self.receipts),
            self.lowest.map_or(Cell::Empty, money),
        ]
    }
}

impl Day {
    fn add(&mut self, income: &Income, at: Time, state: &State, to: &mut Sheets) {
        if !to.has(Name::IncomeDaily) {
            return;
        }
        let date = date(at);
        if self.date != date {
            self.close(state, to);
            self.date = date;
        }
        let owner = state.account(income.account).owner;
        let (sum, entries) = self.sums.entry((owner, income.asset, income.kind)).or_default();
        match sum.checked_add(income.amount.units()) {
            Some(more) => (*sum, *entries) = (more, *entries + 1),
            None => to.fail(Name::IncomeDaily, "a number has more than 38 digits"),
        }
    }

    fn close(&mut self, state: &State, to: &mut Sheets) {
        let sums = std::mem::take(&mut self.sums);
        for ((owner, asset, kind), (amount, entries)) in sums {
            let (day, kind) = (Cell::Text(&self.date), word(&kind));
            let (asset, owner) = (asset_name(state, asset), Cell::Number(owner.0.into()));
            let row = [day, owner, asset, Cell::Text(&kind), Cell::Number(amount), count(entries)];
            to.push(Name::IncomeDaily, &row);
        }
    }
}

/// The day of a moment, UTC, as in its text.
fn date(at: Time) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// Name, number and owner of an account; an isolated position has the name of whom it belongs to.
pub fn who(state: &State, account: AccountId) -> [Cell<'_>; 3] {
    let name = state.account(state.parent_of(account)).name.as_ref();
    let owner = state.account(account).owner;
    [
        name.map_or(Cell::Empty, |name| Cell::Text(name.as_str())),
        Cell::Number(account.0.into()),
        Cell::Number(owner.0.into()),
    ]
}

/// The name of an asset.
pub fn asset_name(state: &State, asset: AssetId) -> Cell<'_> {
    Cell::Text(state.asset(asset).params.name.as_str())
}

/// A value of a few words, as scenarios and JSON name it.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(value) => value.to_string(),
        Err(_) => String::new(),
    }
}

/// A count of things.
pub fn count(n: u64) -> Cell<'static> {
    Cell::Number(n.into())
}

/// A moment.
pub fn time(at: Time) -> Cell<'static> {
    Cell::Number(at.ns().into())
}

/// An amount.
pub fn money(amount: Money) -> Cell<'static> {
    Cell::Number(amount.units())
}

/// A price per contract, in the 18 decimals of its column.
pub fn price(price: Price) -> Cell<'static> {
    Cell::Number(i128::from(price.units()) * 10_000_000_000)
}

fn rate(rate: Rate) -> Cell<'static> {
    Cell::Number(rate.units().into())
}
