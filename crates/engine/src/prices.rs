//! Prices in: quotes to indices, indices to marks, samples of premium and basis, and what happens without a quorum.

use crate::output::Output;
use crate::params::Kind;
use crate::state::Market;
use crate::{
    Answer, Event, IndexId, MarketId, MarketStatus, Quote, Reject, Side, State, StatusReason, limits, triggers,
};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use rules::{Contract, IndexPrice, Source, band, index_price, mark_price, premium, speed_limit};
use units::{Money, Price, Rate, Round, Size, Time};

/// Any number of sources and indices at once; risk is evaluated once, after all of them. All quotes or none.
pub(crate) fn set_prices(out: &mut Output<'_>, quotes: &[Quote]) -> Result<Answer, Reject> {
    check(out.state(), quotes)?;
    let mut indices: Vec<IndexId> = Vec::new();
    for quote in quotes {
        let Quote { index, source, price, time } = *quote;
        out.emit(Event::QuoteTaken { index, source, price, time });
        if indices.last() != Some(&index) {
            indices.push(index);
        }
    }
    indices.sort_unstable();
    indices.dedup();
    refresh(out, &indices);
    Ok(Answer::Done)
}

/// Computes indices (sorted) from the quotes there are, and the marks that follow them.
pub(crate) fn refresh(out: &mut Output<'_>, indices: &[IndexId]) {
    for index in indices {
        refresh_index(out, *index);
    }
    let dependents = out.state().dependents(indices);
    for index in &dependents {
        refresh_index(out, *index);
    }
    let mut all: Vec<IndexId> = indices.iter().chain(&dependents).copied().collect();
    all.sort_unstable();
    for market in (0..out.state().markets.len()).map(MarketId::at) {
        let params = &out.state().market(market).params;
        let volatility = params.option.is_some_and(|o| all.binary_search(&o.volatility).is_ok());
        if volatility || all.binary_search(&params.index).is_ok() {
            refresh_mark(out, market);
            triggers::touch(out, market);
        }
    }
}

fn check(state: &State, quotes: &[Quote]) -> Result<(), Reject> {
    State::room(quotes.len(), limits::QUOTES_MAX + 1)?;
    let mut seen = BTreeSet::new();
    let mut extremes = crate::bounds::Extremes::new();
    for quote in quotes {
        let Quote { index, source, price, time } = *quote;
        let row = state.find_index(index)?;
        let last = row.sources.get(usize::from(source)).ok_or(Reject::UnknownSource { index, source })?;
        if !price.is_positive() {
            return Err(Reject::QuoteNotPositive { index, asked: price });
        }
        if state.is_volatility(index) && !crate::option::is_volatility(price) {
            return Err(Reject::VolatilityOutOfRange { index, asked: price });
        }
        if time > state.now {
            return Err(Reject::QuoteFromFuture { time, now: state.now });
        }
        if let Some(last) = last.filter(|last| time < last.time) {
            return Err(Reject::QuoteOutOfOrder { time, last: last.time });
        }
        if let Some(split_at) = row.split_at.filter(|split_at| time < *split_at) {
            return Err(Reject::QuoteBeforeSplit { index, time, split_at });
        }
        if !seen.insert((index, source)) {
            return Err(Reject::QuoteOutOfOrder { time, last: time });
        }
        // What the other sources said last counts, too: it may become the median.
        let stored = row.sources.iter().flatten().map(|quote| quote.price);
        let range = extremes.entry(index).or_insert((price, price));
        *range = stored.chain([price]).fold(*range, |(low, high), p| (low.min(p), high.max(p)));
    }
    state.add_dependents(&mut extremes);
    match state.quotes_too_far(&extremes) {
        Some((index, asked)) => Err(Reject::QuoteOutOfRange { index, asked }),
        None => Ok(()),
    }
}

/// Computes an index from its fresh quotes. With a quorum it moves at once; what fewer say is held back by the speed limit.
fn refresh_index(out: &mut Output<'_>, id: IndexId) {
    let state = out.state();
    let (row, now) = (state.index(id), state.now);
    if row.own.is_some_and(|own| !own.launching) {
        return; // quotes are kept for the launch
    }
    let mut fresh: Vec<(Source, Time)> = Vec::with_capacity(rules::SOURCES_MAX);
    let redemption = row.params.redemption;
    let mut redeemed: Option<(Price, Rate)> = None;
    for ((source, quote), weight) in (0u8..).zip(&row.sources).zip(&row.params.weights) {
        let Some(quote) = quote.filter(|q| now.since(q.time) <= row.params.stale_ns) else { continue };
        match redemption.filter(|r| r.source == source) {
            Some(redemption) => redeemed = Some((quote.price, redemption.band)),
            None => fresh.push((Source { price: quote.price, weight: *weight }, quote.time)),
        }
    }
    let sources: Vec<Source> = fresh.iter().map(|(source, _)| *source).collect();
    let own = index_price(&sources, &row.params.rule);
    if row.fallen.is_some() {
        if !own.is_some_and(|own| own.quorum) {
            return crate::resort::follow(out, id);
        }
        out.emit(Event::IndexRestored { index: id });
    }
    let row = out.state().index(id);
    let Some(IndexPrice { price, quorum, agreed, .. }) = own else { return };
    // What can be redeemed and issued is not traded for much more or less: a thin book far away is not believed.
    let price = redeemed.map_or(price, |(redeemed, width)| band(price, redeemed, width));
    let (price, usable_until) = if quorum {
        let until = fresh_until(row, agreed, &fresh);
        let held = if row.own.is_some() { row.held_back(price, now) } else { price };
        if row.own.is_some() && held == price {
            out.emit(Event::Launched { index: id });
        }
        (held, until)
    } else {
        let held = if row.price.is_positive() { row.held_back(price, now) } else { price };
        (held, row.usable_until.min(now.plus_ns(-1)))
    };
    out.emit(Event::IndexSet { index: id, price, usable_until });
}

/// Until when a quorum of the quotes that agreed is fresh: the age limit of the youngest but quorum − 1 of them.
fn fresh_until(row: &crate::Index, agreed: u16, fresh: &[(Source, Time)]) -> Time {
    let bits = (0u32..).zip(fresh).filter(|(n, _)| agreed.checked_shr(*n).unwrap_or(0) & 1 == 1);
    let mut times: Vec<Time> = bits.map(|(_, (_, time))| *time).collect();
    times.sort_unstable();
    let youngest_first = times.iter().rev().nth(usize::from(row.params.rule.quorum).saturating_sub(1));
    youngest_first.map_or(Time::EPOCH, |time| time.plus_ns(row.params.stale_ns))
}

/// The rule's price, then the speed limit, then the band round the index, which wins.
pub(crate) fn refresh_mark(out: &mut Output<'_>, id: MarketId) {
    let state = out.state();
    let row = state.market(id);
    let index = state.index(row.params.index);
    if !index.price.is_positive() || row.is_over() {
        return;
    }
    if row.params.option.is_some() {
        // The model's own bounds are the band; index and volatility have their speed limits.
        if let Some(price) = state.model_mark(row) {
            set_mark(out, id, price);
        }
        return;
    }
    let rate = row.expected_funding();
    let to_funding = row.funding_next.since(state.now).min(row.params.funding.interval_ns);
    let last = Some(row.last).filter(|p| p.is_positive());
    let interval = row.params.funding.interval_ns;
    let made = mark_price(row.params.mark, index.price, rate, to_funding, interval, row.basis_average(), last);
    let mut price = made.unwrap_or(index.price);
    if row.mark.is_positive() {
        let stood = state.now.since(row.moved_at).min(limits::SPEED_ALLOWANCE_S * Time::SECOND_NS);
        price = speed_limit(price, row.mark, row.params.mark_speed, stood);
    }
    price = band(price, index.price, index.mark_band(row.params.mark_band));
    set_mark(out, id, price);
}

fn set_mark(out: &mut Output<'_>, id: MarketId, price: Price) {
    let state = out.state();
    let row = state.market(id);
    let usable = state.index(row.params.index).is_usable(state.now);
    if price.is_positive() && (price != row.mark || (usable && row.last_usable != price)) {
        out.emit(Event::MarkSet { market: id, price });
        triggers::touch(out, id);
    }
}

/// Once a second and market: premium, basis, and the mark that follows from them. Nothing is sampled without a quorum.
pub(crate) fn sample(out: &mut Output<'_>) {
    for id in (0..out.state().markets.len()).map(MarketId::at) {
        if out.state().market(id).book.triggers.values().any(|ladder| !ladder.is_empty()) {
            triggers::touch(out, id); // what the limit of an earlier command left
        }
        let state = out.state();
        let row = state.market(id);
        let index = state.index(row.params.index);
        if state.now < row.next_sample || row.is_over() || !index.is_usable(state.now) {
            continue;
        }
        if row.params.option.is_some() {
            crate::option::sample(out, id);
            continue;
        }
        let (premium, basis) = row.sample(index.price);
        out.emit(Event::PremiumSampled { market: id, premium, basis });
        refresh_mark(out, id);
    }
}

/// Markets whose index has had no quorum for too long take reductions and cancels only, until they are resumed.
pub(crate) fn restrict_unusable(out: &mut Output<'_>) {
    for id in (0..out.state().indices.len()).map(IndexId::at) {
        let row = out.state().index(id);
        let lost = row.last_usable.is_positive() && !row.restricted && !row.is_usable(out.state().now);
        if !lost || out.state().now.since(row.usable_until) <= row.params.reduce_only_after_ns {
            continue;
        }
        for market in (0..out.state().markets.len()).map(MarketId::at) {
            let row = out.state().market(market);
            let follows = row.params.index == id || row.params.option.is_some_and(|o| o.volatility == id);
            if follows && matches!(row.status, MarketStatus::Open | MarketStatus::PostOnly) {
                let (status, reason) = (MarketStatus::ReduceOnly, StatusReason::IndexUnusable);
                out.emit(Event::MarketStatusSet { market, status, reason });
            }
        }
    }
}

impl Market {
    /// The rate that the next settlement would have: the given one, or from the samples so far.
    #[must_use]
    pub fn expected_funding(&self) -> Rate {
        if self.params.kind != Kind::Perpetual || self.params.option.is_some() {
            return Rate::ZERO;
        }
        if let Some(rate) = self.funding_given {
            return rate.clamp_to(self.params.funding.floor, self.params.funding.cap);
        }
        let average = self.premium_sum.checked_div(i128::from(self.premium_count)).unwrap_or(0);
        let average = i64::try_from(average).ok().and_then(Rate::new).unwrap_or(Rate::ZERO);
        rules::funding_rate(average, &self.params.funding)
    }

    fn basis_average(&self) -> Price {
        let sum: i128 = self.basis.iter().map(|(_, basis)| i128::from(basis.units())).sum();
        let count = i128::try_from(self.basis.len()).unwrap_or(1);
        let units = sum.checked_div(count).unwrap_or(0);
        i64::try_from(units).ok().and_then(Price::new).unwrap_or(Price::ZERO)
    }

    /// Premium of the impact prices, and middle of the book less index; a missing side counts as the index.
    fn sample(&self, index: Price) -> (Rate, Price) {
        let size = self.impact_size(index);
        let ask = self.book.impact(Side::Buy, size, index);
        let bid = self.book.impact(Side::Sell, size, index);
        let basis = match (self.book.best(Side::Buy), self.book.best(Side::Sell)) {
            (Some((bid, _)), Some((ask, _))) => {
                let middle = i128::midpoint(i128::from(bid.units()), i128::from(ask.units()));
                i64::try_from(middle - i128::from(index.units())).ok().and_then(Price::new).unwrap_or(Price::ZERO)
            }
            _ => Price::ZERO,
        };
        (premium(index, bid, ask), basis)
    }

    /// Contracts worth the impact notional at a price, at least a lot.
    fn impact_size(&self, price: Price) -> Size {
        let one = Size::whole(1);
        let each = self.contract().notional(price, one).unwrap_or(Money::UNIT).max(Money::UNIT);
        let notional = self.params.impact_notional.units();
        let units = units::mul_div(notional, i128::from(one.units()), each.units(), Round::Up);
        let size = units.and_then(|u| i64::try_from(u).ok()).and_then(Size::new).unwrap_or(self.params.lot);
        size.max(self.params.lot)
    }

    /// Whether the contract is inverse: its ladder of prices runs the other way in coin.
    #[must_use]
    pub fn is_inverse(&self) -> bool {
        matches!(self.params.contract, Contract::Inverse { .. })
    }
}
