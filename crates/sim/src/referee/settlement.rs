//! How a market ends: its schedule, the time-weighted price from the referee's own minutes, every position closed at it, a
//! clearing account that ends at zero.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::Index;
use super::num::{Dir, div};
use super::value;
use engine::params::{Expiry, Kind};
use engine::{AccountId, CancelReason, Command, Event, MarketId, MarketStatus, OrderId, SettlementSource};

const MINUTE: i64 = 60_000_000_000;

impl Index {
    /// Puts the price that held until `now` into the minutes in which it was usable; sixty of them are kept.
    pub fn count(&mut self, now: i64) {
        let end = now.min(self.usable_until);
        let mut at = self.counted_to.max(end - 60 * MINUTE);
        while self.price > 0 && self.fallen.is_none() && at < end {
            let minute = at.div_euclid(MINUTE);
            let ns = ((minute + 1) * MINUTE).min(end) - at;
            let row = self.minutes.entry(minute).or_insert((0, 0));
            *row = (row.0 + self.price * i128::from(ns), row.1 + ns);
            at += ns;
        }
        self.counted_to = now;
        while self.minutes.len() > 60 {
            self.minutes.pop_first();
        }
    }

    /// The price at which a market that follows it settles at `at`, where it comes from, and the usable time in the window.
    fn settles(&self, at: i64, window: i64) -> Option<(i128, SettlementSource, i64)> {
        let mut then = self.clone();
        then.count(at);
        let mean = |rows: Vec<(i128, i64)>| {
            let ns: i64 = rows.iter().map(|r| r.1).sum();
            let price = rows.iter().map(|r| r.0).sum::<i128>();
            (ns > 0).then(|| div(price, i128::from(ns), Dir::Zero))
        };
        let inside: Vec<_> = then.minutes.range((at - window) / MINUTE..).map(|(_, row)| *row).collect();
        let usable: i64 = inside.iter().map(|r| r.1).sum();
        if 2 * usable >= window {
            return mean(inside).map(|price| (price, SettlementSource::Window, usable));
        }
        let many = usize::try_from(window / MINUTE).unwrap_or(0);
        let last = then.minutes.values().rev().take(many).copied().collect();
        mean(last).map(|price| (price, SettlementSource::LastValid, usable))
    }
}

impl Referee {
    pub(super) fn settlement(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match *event {
            Event::SettlementScheduled { market, reduce_only_at, settle_at, window_ns } => {
                let ours = Expiry { reduce_only_at, settle_at, window_ns };
                let asked = match turn.command {
                    Command::ScheduleSettlement { market: m, expiry } if *m == market => Some(*expiry),
                    Command::ListMarket(params) => match params.kind {
                        Kind::Dated(expiry) => Some(expiry),
                        _ => None,
                    },
                    _ => None,
                };
                same("settlement", || format!("announced end of market {market}"), asked, Some(ours))?;
                self.not_begun(market)?;
                let (now, from, to) = (self.model.now, reduce_only_at.ns(), settle_at.ns());
                let good = now < from && from < to && window_ns >= MINUTE && to - window_ns >= now;
                let grid = [from, to, window_ns].iter().all(|ns| ns % MINUTE == 0) && window_ns <= 60 * MINUTE;
                holds("settlement", good && grid, || {
                    format!("schedule {from} {to} {window_ns} has no holes at {now}")
                })?;
                self.model.market_mut(market).expiry = Some(ours);
                Ok(())
            }
            Event::SettlementCancelled { market } => {
                let asked = matches!(turn.command, Command::CancelSettlement { market: m } if *m == market);
                let row = self.model.market(market);
                let there = row.expiry.is_some() && row.params.kind == Kind::Perpetual;
                holds("settlement", asked && there, || format!("the end of market {market} is taken back"))?;
                self.not_begun(market)?;
                self.model.market_mut(market).expiry = None;
                Ok(())
            }
            Event::SettlementPriced { market, price, source, usable_ns } => {
                self.priced(market, (i128::from(price.units()), source, usable_ns))
            }
            Event::PositionSettled { account, market, size, value, leg } => {
                let row = self.model.market(market);
                holds("settlement", row.settling(), || format!("market {market} is being settled"))?;
                let position = market.leg(leg);
                let held = self.model.exposure(account, position).size;
                let worth = value::value(&row.params, row.mark, held, Dir::Down);
                let theirs = (i128::from(size.units()), value.units());
                same("settlement", || format!("position of {account} in market {market}"), (held, worth), theirs)?;
                let closed = &mut self.model.market_mut(market).closed;
                *closed = (closed.0 + held, closed.1 + worth, closed.2 + 1);
                self.handed(account, position, -held, -worth, engine::Cause::Settlement);
                self.settled.insert(account);
                Ok(())
            }
            Event::MarketSettled { market, rounding } => self.market_settled(market, rounding.units()),
            _ => Ok(()),
        }
    }

    fn priced(&mut self, market: MarketId, theirs: (i128, SettlementSource, i64)) -> Verdict {
        self.model.realising.remove(&market);
        let row = self.model.market(market);
        let index = &self.model.indices[row.params.index.index()];
        let announced = row.expiry.map(|e| (e.settle_at.ns(), e.window_ns)).filter(|e| e.0 <= self.model.now);
        let dead = index.dead(self.model.now).then_some((self.model.now, index.last_resort.settle_window_ns));
        let Some((at, window)) = dead.or(announced).filter(|_| !row.over()) else {
            return holds("settlement", false, || format!("the end of market {market} has come"));
        };
        let ours = index.settles(at, window).unwrap_or((index.agreed, SettlementSource::LastValid, 0));
        let ours = match self.model.market(market).carry.ended {
            Some((of, price)) => {
                same("settlement", || format!("index at the end of market {market}"), ours.0, of)?;
                (price, ours.1, ours.2)
            }
            None => {
                let plain = self.model.market(market).params.option.is_none();
                holds("settlement", plain, || format!("the option of market {market} says what it pays"))?;
                ours
            }
        };
        same("settlement", || format!("price, source and usable time of market {market}"), ours, theirs)?;
        self.everyone = true;
        let now = self.model.now;
        let row = self.model.market_mut(market);
        row.status = MarketStatus::Settling;
        row.expiry = None;
        (row.mark, row.agreed) = (ours.0, ours.0);
        row.average = super::margin::Average::start(now);
        Ok(())
    }

    /// Nobody holds anything, no order is left, and what rounding left is the whole clearing account.
    fn market_settled(&mut self, market: MarketId, rounding: i128) -> Verdict {
        let mut held = self.model.accounts.iter().flat_map(|a| &a.exposures);
        let flat = held.all(|(position, e)| position.market != market || (e.size == 0 && e.cost == 0));
        let orders = self.model.orders.values().any(|o| o.market == market);
        let row = self.model.market_mut(market);
        holds("settlement", row.settling() && flat && !orders, || format!("market {market} is empty at its end"))?;
        let (size, value, count) = row.closed;
        same("I-02", || format!("contracts closed in market {market}"), size, 0)?;
        same("settlement", || format!("clearing account of market {market} at its end"), row.clearing, -value)?;
        same("settlement", || format!("rounding of the settlement of market {market}"), -value, rounding)?;
        holds("I-04", (0..=count).contains(&rounding), || format!("rounding {rounding} of {count} positions"))?;
        row.clearing -= rounding;
        row.closed = (0, 0, 0);
        row.status = MarketStatus::Settled;
        let settlement = row.params.settlement;
        self.model.asset(settlement).rounding += rounding;
        Ok(())
    }

    fn not_begun(&self, market: MarketId) -> Verdict {
        let row = self.model.market(market);
        let begun = row.over() || row.expiry.is_some_and(|e| self.model.now >= e.reduce_only_at.ns());
        holds("settlement", !begun, || format!("the end of market {market} has not begun"))
    }

    pub(super) fn reduce_only_is_due(&self, market: MarketId, status: MarketStatus) -> Verdict {
        let row = self.model.market(market);
        let due = row.expiry.is_some_and(|e| self.model.now >= e.reduce_only_at.ns());
        let was_open = matches!(row.status, MarketStatus::Open | MarketStatus::PostOnly);
        holds("settlement", due && was_open && status == MarketStatus::ReduceOnly, || {
            format!("market {market} becomes reduce-only on schedule")
        })
    }

    /// Once its end has begun, a market never takes new risk again.
    pub(super) fn status_allowed(&self, market: MarketId, status: MarketStatus) -> Verdict {
        let row = self.model.market(market);
        let begun = row.expiry.is_some_and(|e| self.model.now >= e.reduce_only_at.ns());
        let opens = matches!(status, MarketStatus::Open | MarketStatus::PostOnly);
        let ends = matches!(status, MarketStatus::Settling | MarketStatus::Settled);
        holds("settlement", !(row.over() || ends || begun && opens), || {
            format!("market {market} becomes {status:?} before its end")
        })
    }

    /// No funding falls due after the reduce-only time, and a dated contract has none.
    pub(super) fn funding_allowed(&self, market: MarketId) -> Verdict {
        let row = self.model.market(market);
        let late = row.expiry.is_some_and(|e| row.funding_next > e.reduce_only_at.ns());
        let good = row.params.kind == Kind::Perpetual && row.params.option.is_none() && !row.over() && !late;
        holds("settlement", good, || format!("market {market} has funding due at {}", row.funding_next))
    }

    pub(super) fn cancelled_at_end(&self, order: OrderId, reason: CancelReason) -> Verdict {
        if reason != CancelReason::Settlement {
            return Ok(());
        }
        let market = self.open(order)?.market;
        holds("settlement", self.model.market(market).settling(), || format!("{order:?} ends with its market"))
    }

    /// The settlement left nothing but a debt that its other collateral does not cover.
    pub(super) fn settled_below(&self, id: AccountId) -> bool {
        let flat = self.model.account(id).exposures.values().all(|e| e.size == 0);
        let below = || self.model.risk.below(self.figures(id, super::margin::Lens::Lenient).headroom());
        self.settled.contains(&id) && flat && self.owes(id) && below()
    }

    /// No debt of a settlement was forgotten, at the prices at which it was left: those that a command brings come after it.
    pub(super) fn debts_of_settlements_kept(&self) -> Verdict {
        for id in &self.settled {
            let told = self.deficits.iter().any(|(account, _)| account == id);
            let waits = self.model.account(*id).liquidating.is_some();
            holds("settlement", told || waits || !self.settled_below(*id), || {
                format!("what settlement left of account {id} went the way of a deficit")
            })?;
        }
        Ok(())
    }

    /// After every command: no announced time has passed without its effect, and no debt of a settlement was forgotten.
    pub(super) fn ends_kept(&self) -> Verdict {
        self.debts_of_settlements_kept()?;
        for (at, row) in self.model.markets.iter().enumerate() {
            let index = &self.model.indices[row.params.index.index()];
            // The clock looks once a second.
            holds("settlement", row.over() || !index.dead(self.model.now - 1_000_000_000), || {
                format!("market {at} ends when its index is lost for good")
            })?;
            let Some(expiry) = row.expiry else { continue };
            let (now, from, to) = (self.model.now, expiry.reduce_only_at.ns(), expiry.settle_at.ns());
            let open = matches!(row.status, MarketStatus::Open | MarketStatus::PostOnly);
            holds("settlement", now < to && (now < from || !open), || format!("market {at} ends in time"))?;
        }
        Ok(())
    }
}
