//! Options as markets: the mark from the model, what a position needs, the funding of perpetual ones, what one pays at its end.
//! `docs/options.md` has the conventions.

use crate::output::Output;
use crate::params::{Expiry, Kind, OptionTerms};
use crate::state::{Account, Market};
use crate::{Event, Invariant, MarketId, State, invariants, prices};
use rules::options::{MarkGreeks, OptionModel, VOLATILITY_RANGE};
use rules::{MarginTerms, OptionPosition, initial_margin, maintenance_margin, option_payoff};
use units::{Money, Price, Rate, Round, Size, Time, mul_div};

/// A rate counts 1e-9, a price 1e-8: a volatility of 0.6 is an index of 0.6.
const RATE_PER_PRICE: i64 = 10;

/// An index as a volatility.
pub(crate) fn volatility(price: Price) -> Option<Rate> {
    price.units().checked_mul(RATE_PER_PRICE).and_then(Rate::new)
}

/// Whether an index may say this of a volatility.
pub(crate) fn is_volatility(price: Price) -> bool {
    volatility(price).is_some_and(|sigma| VOLATILITY_RANGE.contains(&sigma))
}

impl State {
    /// Some option is marked from it.
    pub(crate) fn is_volatility(&self, index: crate::IndexId) -> bool {
        self.markets.iter().any(|m| m.params.option.is_some_and(|o| o.volatility == index))
    }

    /// Index and, of an option, volatility have a quorum now: what may increase.
    pub(crate) fn is_priced(&self, market: &Market) -> bool {
        let volatility = market.params.option.is_none_or(|o| self.index(o.volatility).is_usable(self.now));
        volatility && self.index(market.params.index).is_usable(self.now)
    }

    /// The price of the underlying that a market's positions are valued at: the index, or its last usable price.
    pub(crate) fn underlying(&self, market: &Market) -> Price {
        let index = self.index(market.params.index);
        if index.is_usable(self.now) { index.price } else { index.last_usable }
    }

    /// The edge of a band round an option's mark, as far away as a share of the underlying; at least a tick.
    pub(crate) fn option_edge(&self, market: &Market, mark: Price, share: Rate, round: Round) -> Price {
        let tick = market.params.tick;
        let base = self.underlying(market);
        let away = base.scale(share, round).map(|moved| moved - base);
        let edge = away.and_then(|away| mark.units().checked_add(away.units())).and_then(Price::new);
        let edge = edge.and_then(|edge| edge.to_tick(tick, round));
        edge.map_or(tick, |edge| edge.max(tick))
    }

    /// Needed to stay.
    pub(crate) fn maintenance_terms(&self, market: &Market, price: Price, size: Size) -> Option<MarginTerms> {
        market.maintenance_terms(self.underlying(market), price, size)
    }

    /// Needed to open; `leverage` has no part in an option.
    pub(crate) fn initial_terms(
        &self,
        market: &Market,
        price: Price,
        size: Size,
        leverage: u16,
    ) -> Option<MarginTerms> {
        let p = &market.params;
        match p.option {
            Some(option) => {
                let position = of_position(&option, self.underlying(market), price, size);
                Some(option.margin.margins(&position, p.closing_fee).0)
            }
            None => {
                let (interest, rate) = (self.ladder_interest(market), market.leverage_rate(leverage));
                initial_margin(p.contract, price, size, &p.ladder, interest, rate, p.closing_fee)
            }
        }
    }

    /// What an option is priced from now; `None` of another market, and before there is a price.
    pub(crate) fn option_model(&self, market: &Market) -> Option<(OptionTerms, OptionModel, Rate)> {
        let option = market.params.option?;
        let (model, sigma) = self.model_at(market, &option, self.index(market.params.index).price)?;
        Some((option, model, sigma))
    }

    fn model_at(&self, market: &Market, option: &OptionTerms, spot: Price) -> Option<(OptionModel, Rate)> {
        let row = self.index(option.volatility);
        let last = if row.is_usable(self.now) { row.price } else { row.last_usable };
        if !spot.is_positive() || !last.is_positive() {
            return None;
        }
        let sigma = volatility(last)?;
        match market.params.kind {
            Kind::Dated(expiry) => self.dated_model(market, spot, sigma, &expiry),
            _ => {
                let OptionTerms { period_ns, interest, .. } = *option;
                Some((OptionModel::Perpetual { spot, period_ns, interest }, sigma))
            }
        }
    }

    /// An option on an average. Before the window its variance is that of the time to it and a third of the window's; inside, what
    /// is averaged already no longer moves: the forward is what the average will be at this price, and its volatility is that of
    /// the part that is left, over a third of that time.
    fn dated_model(&self, market: &Market, spot: Price, sigma: Rate, expiry: &Expiry) -> Option<(OptionModel, Rate)> {
        let left = expiry.settle_at.since(self.now).max(0);
        if left >= expiry.window_ns {
            let left_ns = left - expiry.window_ns + expiry.window_ns / 3;
            return Some((OptionModel::Dated { forward: spot, left_ns }, sigma));
        }
        let (sum, ns) = self.index(market.params.index).summed(expiry.settle_at, expiry.window_ns, self.now);
        let moving = i128::from(spot.units()) * i128::from(left);
        let total = sum.checked_add(moving)?;
        let weights = i128::from(ns) + i128::from(left);
        let forward = total.checked_div(weights).and_then(|u| i64::try_from(u).ok()).and_then(Price::new)?;
        let sigma = mul_div(i128::from(sigma.units()), moving, total, Round::Down)?;
        let sigma = i64::try_from(sigma).ok().and_then(Rate::new)?;
        Some((OptionModel::Dated { forward, left_ns: left / 3 }, sigma))
    }

    /// The mark with the index at another price, all else as it is; `None` of another market, and before there is a price.
    #[must_use]
    pub fn option_mark_at(&self, market: &Market, spot: Price) -> Option<Price> {
        let option = market.params.option?;
        let (model, sigma) = self.model_at(market, &option, spot)?;
        Some(model.mark(option.right, option.strike, sigma))
    }

    /// The model's mark.
    pub(crate) fn model_mark(&self, market: &Market) -> Option<Price> {
        self.option_model(market).map(|(option, model, sigma)| model.mark(option.right, option.strike, sigma))
    }

    /// How the mark of an option moves; nothing of another market.
    #[must_use]
    pub fn mark_greeks(&self, market: MarketId) -> MarkGreeks {
        let found = self.option_model(self.market(market));
        found.map_or(MarkGreeks::default(), |(option, model, sigma)| model.greeks(option.right, option.strike, sigma))
    }

    /// What a position moves by when its underlying moves by a whole one: contracts × delta, 1e-8; inverse contracts not at all here.
    fn delta_of(&self, market: MarketId, size: Size) -> i128 {
        let row = self.market(market);
        let delta = match row.params.option {
            Some(_) => self.mark_greeks(market).delta,
            None if row.is_inverse() => Rate::ZERO,
            None => Rate::ONE,
        };
        let one = i128::from(Rate::ONE.units());
        mul_div(i128::from(size.units()), i128::from(delta.units()), one, Round::TowardZero).unwrap_or(0)
    }

    /// By how much closing a position whole brings the delta of its account in its underlying nearer to nothing, 1e-16 of the index; below
    /// zero for a position that hedges the rest. `None` for an account without options.
    pub(crate) fn delta_reduced(&self, account: &Account, market: MarketId, size: Size) -> Option<i128> {
        let open = || account.exposures.iter().filter(|e| !e.size.is_zero());
        if !open().any(|e| self.market(e.market).params.option.is_some()) {
            return None;
        }
        let index = self.market(market).params.index;
        let same = open().filter(|e| self.market(e.market).params.index == index);
        let net: i128 = same.map(|e| self.delta_of(e.market, e.size)).sum();
        let own = self.delta_of(market, size);
        let reduced = net.abs().saturating_sub((net - own).abs());
        reduced.checked_mul(i128::from(self.underlying(self.market(market)).units()))
    }

    /// Whether an account holds an option.
    pub(crate) fn has_options(&self, account: crate::AccountId) -> bool {
        let open = self.account(account).exposures.iter().filter(|e| !e.size.is_zero());
        open.into_iter().any(|e| self.market(e.market).params.option.is_some())
    }

    /// An option as people see it; `None` of another market, and before its first mark.
    pub(crate) fn option_view(&self, market: MarketId) -> Option<crate::OptionView> {
        let row = self.market(market);
        let (option, _, volatility) = self.option_model(row)?;
        let index = self.index(row.params.index).price;
        let MarkGreeks { delta, vega, .. } = self.mark_greeks(market);
        Some(crate::OptionView {
            payoff: option_payoff(option.right, index, option.strike),
            time_value: row.time_value(index),
            volatility,
            delta,
            vega,
            funding_per_day: funding_per_day(row, index),
            exit_open: row.exit_open,
        })
    }

    /// What an option's market settles at when the index is this.
    pub(crate) fn settlement_of(&self, market: &Market, index: Price) -> Price {
        match (market.params.option, self.option_model(market)) {
            (None, _) => index,
            // It has no end of its own: what it is worth with time before it is what the holder has paid for.
            (Some(option), Some((_, OptionModel::Perpetual { period_ns, interest, .. }, sigma))) => {
                OptionModel::Perpetual { spot: index, period_ns, interest }.mark(option.right, option.strike, sigma)
            }
            (Some(option), _) => option_payoff(option.right, index, option.strike),
        }
    }
}

/// A position, to be margined.
fn of_position(option: &OptionTerms, spot: Price, mark: Price, size: Size) -> OptionPosition {
    OptionPosition { right: option.right, spot, strike: option.strike, mark, size }
}

impl Market {
    /// Needed to stay, with the underlying at `spot`, which only an option asks for.
    pub(crate) fn maintenance_terms(&self, spot: Price, price: Price, size: Size) -> Option<MarginTerms> {
        self.params.maintenance_terms(spot, price, size)
    }

    /// The greatest price that the contract can have while the index is at most `index`, and twice that of another contract: what
    /// sums must fit at.
    pub(crate) fn greatest_price(&self, index: Price) -> Price {
        let twice = index.units().checked_mul(2).and_then(Price::new).unwrap_or(index);
        self.params.option.map_or(twice, |option| twice.max(option.strike))
    }

    /// Mark less payoff.
    pub(crate) fn time_value(&self, index: Price) -> Price {
        self.params.option.map_or(Price::ZERO, |o| self.mark - option_payoff(o.right, index, o.strike))
    }
}

impl crate::params::MarketParams {
    /// Needed to stay, with the underlying at `spot`, which only an option asks for.
    pub(crate) fn maintenance_terms(&self, spot: Price, price: Price, size: Size) -> Option<MarginTerms> {
        match self.option {
            Some(option) if !size.is_zero() => {
                Some(option.margin.margins(&of_position(&option, spot, price, size), self.closing_fee).1)
            }
            Some(_) => Some(MarginTerms::default()),
            None => maintenance_margin(self.contract, price, size, &self.ladder, self.closing_fee),
        }
    }
}

/// Once a second: the mark that time has moved, then the funding of the time since the last sample at what the option cost then.
/// Nothing without a quorum on index and volatility; across a gap beyond the limit nothing is paid.
pub(crate) fn sample(out: &mut Output<'_>, id: MarketId) {
    if !out.state().is_priced(out.state().market(id)) {
        return;
    }
    prices::refresh_mark(out, id);
    crate::exit::announce(out, id);
    let state = out.state();
    let row = state.market(id);
    let started = row.carry.since > Time::EPOCH;
    if row.params.kind != Kind::Perpetual || !started {
        return out.emit(Event::PremiumSampled { market: id, premium: Rate::ZERO, basis: Price::ZERO });
    }
    let ns = state.now.since(row.carry.since);
    let halted = row.status == crate::MarketStatus::Halted; // nobody could act on it
    if halted || ns > row.params.funding_gap_ns {
        return out.emit(Event::FundingSkipped { market: id, next: state.now });
    }
    let time_value = row.carry.time_value;
    let sum = i128::from(time_value.units()).checked_mul(i128::from(ns)).and_then(|s| row.carry.sum.checked_add(s));
    match sum.and_then(|sum| Some((sum, accrued(sum, &row.params.option?)?))) {
        Some((sum, cumulative)) => {
            out.emit(Event::OptionFundingAccrued { market: id, time_value, ns, sum, cumulative })
        }
        None => invariants::halt(out, id, Invariant::Funding),
    }
}

/// Σ time value × ns ÷ period, in 1e-25 per 1e-8 contract; from the whole sum, so that no rounding adds up.
fn accrued(sum: i128, option: &OptionTerms) -> Option<i128> {
    mul_div(sum, i128::from(units::limits::RATE_ONE), i128::from(option.period_ns), Round::Down)
}

/// What follows from a sample: the time value from now on.
pub(crate) fn carry_on(state: &mut State, market: MarketId) {
    let now = state.now;
    let row = state.market(market);
    if row.params.option.is_none() || row.params.kind != Kind::Perpetual || !row.mark.is_positive() {
        return;
    }
    let time_value = row.time_value(state.index(row.params.index).price);
    let row = state.market_mut(market);
    (row.carry.time_value, row.carry.since) = (time_value, now);
}

/// What a perpetual option is expected to cost its holder a day, per contract; rounded toward zero.
pub(crate) fn funding_per_day(market: &Market, index: Price) -> Option<Money> {
    let option = market.params.option.filter(|o| o.period_ns > 0)?;
    let day = 86_400 * Time::SECOND_NS;
    let round = Round::TowardZero;
    rules::option_funding(market.time_value(index), Size::whole(1), day, option.period_ns, round)
}
