//! Counts what happened, from events alone: who fell below the line, what each stage closed, what it cost. It reads state
//! only for the mark and for who an account is.

use super::receipts::Receipts;
use engine::{AccountId, AccountKind, CancelReason, Event, MarketId, MoveReason, OrderId, Outcome, Stage, State};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use units::{Money, Price, Rate, Round, Time, mul_div};

/// What one stage closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// Steps.
    pub steps: u64,
    /// |size| × mark at the step.
    pub notional: Money,
}

impl Closed {
    fn add(&mut self, notional: Money) {
        self.steps += 1;
        self.notional += notional;
    }
}

/// Lowest and highest of a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extremes {
    /// First in the window.
    pub first: Price,
    /// Lowest.
    pub low: Price,
    /// Highest.
    pub high: Price,
    /// Last in the window.
    pub last: Price,
}

impl Extremes {
    fn see(&mut self, price: Price) {
        if self.first == Price::ZERO {
            *self = Self { first: price, low: price, high: price, last: price };
        }
        self.low = self.low.min(price);
        self.high = self.high.max(price);
        self.last = price;
    }
}

/// A settlement of funding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// When.
    pub at: Time,
    /// Per interval; + means that longs paid.
    pub rate: Rate,
    /// The mark it was computed at.
    pub mark: Price,
}

/// The counts of one market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketTally {
    /// Accounts of the population that fell below the line while they held a position here.
    pub below: u64,
    /// Orders that the ladder cancelled.
    pub orders_cancelled: u64,
    /// Closed through the book.
    pub reduced: Closed,
    /// Taken over by volunteers.
    pub backstop: Closed,
    /// Taken over by the fund.
    pub taken_over: Closed,
    /// Closed against winners.
    pub deleveraged: Closed,
    /// Receipts that closed contracts which hedged something else in the winner's account, and these at the mark.
    pub hedges_broken: Closed,
    /// Unwound by the fund through the book.
    pub unwound: Closed,
    /// Bought less sold through the book by the ladder and the fund since [`Tally::take_net`], at the mark.
    pub net: Money,
    /// Nobody was left to take it, at the last such event of each account.
    pub uncovered: Closed,
    /// What closing through the book cost against the mark.
    pub slippage: Money,
    /// The same of the fund's unwinding.
    pub unwind_slippage: Money,
    /// Fees of orders.
    pub trading_fees: Money,
    /// Fees of the ladder.
    pub liquidation_fees: Money,
    /// Closed by force in each minute of the window.
    pub minutes: BTreeMap<i64, Money>,
    /// The index.
    pub index: Extremes,
    /// The mark.
    pub mark: Extremes,
    /// last ÷ index − 1 after each step: lowest and highest.
    pub premium: (Rate, Rate),
    /// Settlements.
    pub funding: Vec<Settlement>,
}

/// All counts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By market.
    pub markets: Vec<MarketTally>,
    /// Subaccounts of the population that were below the line at least once; isolated positions count as their parent.
    pub below: BTreeSet<AccountId>,
    /// Liquidations of positions begun, of anyone but the fund. A debt that is worked on without a position is none.
    pub begun: u64,
    /// Of makers, hedgers and volunteers.
    pub house: u64,
    /// Ended above the line.
    pub restored: u64,
    /// Ended without a position.
    pub closed: u64,
    /// Conversions of collateral.
    pub conversions: u64,
    /// What the fund paid for accounts below zero.
    pub paid_by_fund: Money,
    /// Accounts with a receipt of a deleveraging.
    pub winners: BTreeSet<AccountId>,
    /// Receipts.
    pub receipts: u64,
    /// What winners had gained on the contracts that were closed, at the mark, and what they got of it.
    pub profit_closed: Money,
    /// What they lost of it to the price of the deleveraging.
    pub profit_taken: Money,
    /// The first account that is neither fund nor house.
    pub population_from: AccountId,
    start: Time,
    /// The winner of a receipt whose position has not changed yet.
    receipt_of: Option<AccountId>,
    /// Of these not ended.
    pub open: BTreeSet<AccountId>,
    orders: BTreeMap<OrderId, MarketId>,
    below_here: BTreeSet<(AccountId, MarketId)>,
    started: BTreeMap<AccountId, BTreeSet<MarketId>>,
    working: Option<(OrderId, AccountId)>,
    fills: Vec<(OrderId, Money)>,
    /// The largest receipts.
    pub largest: Receipts,
}

const MINUTE_NS: i64 = 60_000_000_000;

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(markets: usize) -> Self {
        Self { markets: vec![MarketTally::default(); markets], ..Self::default() }
    }

    /// The window begins: what came before was the opening. Open orders stay known.
    pub fn begin(&mut self, start: Time, state: &State) {
        let mut orders = std::mem::take(&mut self.orders);
        orders.retain(|order, _| state.order(*order).is_some());
        *self = Self { orders, start, population_from: self.population_from, ..Self::new(self.markets.len()) };
    }

    /// Counts the events of one command.
    pub fn take(&mut self, at: Time, events: &[Event], state: &State) {
        for event in events {
            match event {
                Event::Began { .. }
                | Event::OrderAccepted { .. }
                | Event::OrderCancelled { .. }
                | Event::Filled { .. } => {
                    self.order_event(event, state);
                }
                Event::MarkSet { .. } | Event::IndexSet { .. } | Event::FundingPosted { .. } => {
                    self.price_event(at, event)
                }
                Event::LiquidationStep { .. }
                | Event::TakenOver { .. }
                | Event::Deleveraged { .. }
                | Event::LeftUncovered { .. } => {
                    self.largest.take(at, event, state);
                    self.closing_event(at, event, state);
                }
                Event::PositionChanged { account, market, realised, .. } => {
                    if self.receipt_of == Some(*account) {
                        self.profit_closed += *realised;
                        self.receipt_of = None;
                    }
                    if let Some(markets) = self.started.get_mut(account) {
                        markets.insert(*market);
                    }
                }
                _ => self.account_event(event, state),
            }
        }
        self.place_started(state);
    }

    /// Looks at last against index, once per step.
    pub fn sample(&mut self, state: &State) {
        for (tally, market) in self.markets.iter_mut().zip(&state.markets) {
            let index = i128::from(state.index(market.params.index).price.units());
            let premium = i128::from(market.last.units()) - index;
            let rate = mul_div(premium, i128::from(Rate::ONE.units()), index, Round::TowardZero);
            let rate =
                rate.and_then(|r| i64::try_from(r).ok()).and_then(Rate::new).filter(|_| market.last.is_positive());
            let (low, high) = tally.premium;
            tally.premium = (low.min(rate.unwrap_or(low)), high.max(rate.unwrap_or(high)));
        }
    }

    /// What the ladder and the fund bought less what they sold through each book since the last call.
    pub fn take_net(&mut self) -> impl Iterator<Item = Money> + '_ {
        self.markets.iter_mut().map(|m| std::mem::take(&mut m.net))
    }

    /// Closed by force so far, at the marks of the steps.
    #[must_use]
    pub fn closed_notional(&self) -> Money {
        let closed =
            |m: &MarketTally| m.reduced.notional + m.backstop.notional + m.taken_over.notional + m.deleveraged.notional;
        self.markets.iter().map(closed).sum()
    }

    fn is_population(&self, account: AccountId, state: &State) -> bool {
        state.parent_of(account) >= self.population_from
    }

    fn market(&mut self, market: MarketId) -> Option<&mut MarketTally> {
        self.markets.get_mut(market.index())
    }

    fn order_event(&mut self, event: &Event, state: &State) {
        match *event {
            Event::OrderAccepted { order, account, market, .. } => {
                self.working = Some((order, account));
                if self.is_population(account, state) {
                    self.orders.insert(order, market);
                }
            }
            Event::Filled { market, taker, size, value, .. } => {
                let slippage = value - state.market(market).mark * size;
                self.fills.push((taker, slippage));
            }
            Event::OrderCancelled { order, reason, .. } => {
                let market = self.orders.remove(&order);
                if let (CancelReason::Liquidation, Some(tally)) = (reason, market.and_then(|m| self.market(m))) {
                    tally.orders_cancelled += 1;
                }
            }
            _ => self.fills.clear(),
        }
    }

    fn price_event(&mut self, at: Time, event: &Event) {
        match *event {
            Event::MarkSet { market, price } => {
                if let Some(tally) = self.market(market) {
                    tally.mark.see(price);
                }
            }
            // Index and market have the same number: each market of a replay has an index of its own.
            Event::IndexSet { index, price, .. } => {
                if let Some(tally) = self.markets.get_mut(index.index()) {
                    tally.index.see(price);
                }
            }
            Event::FundingPosted { market, rate, mark, .. } => {
                if let Some(tally) = self.market(market) {
                    tally.funding.push(Settlement { at, rate, mark });
                }
            }
            _ => {}
        }
    }

    fn closing_event(&mut self, at: Time, event: &Event, state: &State) {
        let (account, market, size) = match *event {
            Event::LiquidationStep { account, market, size, .. } => (account, market, size),
            Event::TakenOver { from, market, size, .. } => (from, market, size),
            Event::Deleveraged { failing, market, size, .. } => (failing, market, size),
            Event::LeftUncovered { account, market, size, .. } => (account, market, size),
            _ => return,
        };
        let Some(row) = state.markets.get(market.index()) else { return };
        let (notional, signed) = (row.mark * size.abs(), row.mark * size);
        let of_fund = state.account(account).kind == AccountKind::Fund;
        let slippage = self.slippage_of(account);
        let minute = at.since(self.start) / MINUTE_NS;
        let is_fund = |id: AccountId| state.account(id).kind == AccountKind::Fund;
        let Some(tally) = self.markets.get_mut(market.index()) else { return };
        let forced = match *event {
            Event::LiquidationStep { stage: Stage::Reduce, .. } if of_fund => {
                tally.unwound.add(notional);
                tally.net += signed;
                tally.unwind_slippage += slippage;
                false
            }
            Event::LiquidationStep { stage: Stage::Reduce, .. } => {
                tally.reduced.add(notional);
                tally.net += signed;
                tally.slippage += slippage;
                true
            }
            Event::TakenOver { to, .. } if is_fund(to) => {
                tally.taken_over.add(notional);
                true
            }
            Event::TakenOver { .. } => {
                tally.backstop.add(notional);
                !of_fund
            }
            Event::Deleveraged { winner, size, value, hedged, .. } => {
                tally.deleveraged.add(notional);
                if hedged.is_positive() {
                    tally.hedges_broken.add(row.mark * hedged);
                }
                let taken = (value - row.mark * size).max(Money::ZERO);
                self.profit_taken += taken;
                self.profit_closed += taken;
                self.receipt_of = Some(winner);
                self.receipts += 1;
                self.winners.insert(winner);
                !of_fund
            }
            Event::LeftUncovered { .. } => {
                tally.uncovered.add(notional);
                false
            }
            _ => false,
        };
        if forced && let Some(tally) = self.market(market) {
            *tally.minutes.entry(minute).or_default() += notional;
        }
    }

    /// What the fills of the order that this account's step sent cost against the mark.
    fn slippage_of(&mut self, account: AccountId) -> Money {
        let fills = std::mem::take(&mut self.fills);
        let Some((order, _)) = self.working.filter(|(_, working)| *working == account) else { return Money::ZERO };
        fills.into_iter().filter(|(taker, _)| *taker == order).map(|(_, slippage)| slippage).sum()
    }

    fn account_event(&mut self, event: &Event, state: &State) {
        match *event {
            Event::LiquidationStarted { account, maintenance_margin, .. } if maintenance_margin.is_positive() => {
                self.start(account, state);
            }
            Event::LiquidationEnded { account, outcome, .. } if self.open.remove(&account) => match outcome {
                Outcome::Restored => self.restored += 1,
                Outcome::Closed => self.closed += 1,
            },
            Event::Converted { .. } => self.conversions += 1,
            Event::Moved { amount, reason: MoveReason::Deficit, .. } => self.paid_by_fund += amount,
            Event::FeeCharged { market, fee, .. } => {
                if let Some(tally) = self.market(market) {
                    tally.trading_fees += fee;
                }
            }
            Event::LiquidationFee { market, fee, .. } => {
                if let Some(tally) = self.market(market) {
                    tally.liquidation_fees += fee;
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, account: AccountId, state: &State) {
        if state.account(account).kind == AccountKind::Fund {
            return;
        }
        self.begun += 1;
        self.open.insert(account);
        if self.is_population(account, state) {
            self.below.insert(state.parent_of(account));
            self.started.insert(account, BTreeSet::new());
        } else {
            self.house += 1;
        }
    }

    /// Counts an account in the markets where it held a position when it fell below the line: those where it still does,
    /// and those where this command closed one.
    fn place_started(&mut self, state: &State) {
        for (account, mut markets) in std::mem::take(&mut self.started) {
            let held = state.account(account).exposures.iter().filter(|e| !e.size.is_zero());
            markets.extend(held.map(|e| e.market));
            for market in markets {
                if self.below_here.insert((state.parent_of(account), market))
                    && let Some(tally) = self.market(market)
                {
                    tally.below += 1;
                }
            }
        }
    }
}
