//! Prices and funding: quotes in order of time, the weighted median again, the mark inside its band, the posted rate.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use super::model::Index;
use super::num::{Dir, RATE, div, mul_div};
use super::value;
use engine::{Command, Event, IndexId, MarketId};

/// The price at which half of the weight is reached; the mean of two where that falls between them.
fn median(mut quotes: Vec<(i128, i128)>) -> Option<i128> {
    quotes.sort_unstable();
    let total: i128 = quotes.iter().map(|(_, weight)| weight).sum();
    let upto = |price: i128| quotes.iter().filter(|(p, _)| *p <= price).map(|(_, w)| w).sum::<i128>();
    let lower = quotes.iter().map(|(p, _)| *p).find(|p| 2 * upto(*p) >= total)?;
    let upper = quotes.iter().map(|(p, _)| *p).find(|p| 2 * upto(*p) > total)?;
    Some(div(lower + upper, 2, Dir::Down))
}

/// Price, weight and time of a quote.
type Row = (i128, i128, i64);

/// What the fresh quotes of an index say: the price, whether a quorum says so, and until when the quotes of that quorum
/// are fresh: as long as enough of those that agreed are.
pub fn agreed(index: &Index, now: i64) -> Option<(i128, bool, i64)> {
    let rows = index
        .quotes
        .iter()
        .zip(&index.weights)
        .map(|(q, w)| q.map_or((0, 0, 0), |(price, time)| (price, i128::from(*w), time)));
    let redeemed = index.redemption.map(|(source, _)| source);
    let rows = rows.enumerate().filter(|(at, _)| Some(*at) != redeemed).map(|(_, row)| row);
    let fresh: Vec<Row> = rows.filter(|(_, w, time)| *w > 0 && now.saturating_sub(*time) <= index.stale_ns).collect();
    let all = median(fresh.iter().map(|(p, w, _)| (*p, *w)).collect())?;
    let near: Vec<_> = fresh.iter().filter(|(p, _, _)| (p - all).abs() * RATE <= all * index.deviation).collect();
    let price = median(near.iter().map(|(p, w, _)| (*p, *w)).collect()).unwrap_or(all);
    let fresh_redemption = index.redemption.and_then(|(source, band)| index.quotes[source].map(|(p, t)| (p, t, band)));
    let price = match fresh_redemption.filter(|(_, time, _)| now.saturating_sub(*time) <= index.stale_ns) {
        Some((redeemed, _, band)) => price.max(mul_div(redeemed, RATE - band, RATE, Dir::Up)).min(mul_div(
            redeemed,
            RATE + band,
            RATE,
            Dir::Down,
        )),
        None => price,
    };
    let mut times: Vec<i64> = near.iter().map(|(_, _, time)| *time).collect();
    times.sort_unstable_by_key(|time| std::cmp::Reverse(*time));
    let until = times.get(index.quorum - 1).map(|time| time.saturating_add(index.stale_ns));
    Some((price, until.is_some(), until.unwrap_or(0)))
}

impl Referee {
    pub(super) fn price(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match *event {
            Event::QuoteTaken { index, source, price, time } => {
                let asked = match turn.command {
                    Command::SetPrices { quotes } => {
                        quotes.iter().any(|q| (q.index, q.source, q.price, q.time) == (index, source, price, time))
                    }
                    _ => false,
                };
                holds("facts", asked, || format!("quote of source {source} of index {index} is in the command"))?;
                self.quote(index, usize::from(source), i128::from(price.units()), time.ns())
            }
            Event::IndexSet { index, price, usable_until } => {
                self.everyone = true;
                self.index_set(index, i128::from(price.units()), usable_until.ns())
            }
            Event::MarkSet { market, price } => {
                self.everyone = true;
                self.mark_set(market, i128::from(price.units()))
            }
            _ => Ok(()),
        }
    }

    fn quote(&mut self, index: IndexId, source: usize, price: i128, time: i64) -> Verdict {
        let now = self.model.now;
        let row = &mut self.model.indices[index.index()];
        let last = row.quotes.get(source).copied().flatten().map_or(i64::MIN, |q| q.1);
        holds("split", time >= row.split_at, || format!("quote at {time} is in the unit since {}", row.split_at))?;
        holds("I-24", price > 0 && time <= now && time >= last, || {
            format!("quote {price} at {time} after {last}, now {now}")
        })?;
        row.quotes[source] = Some((price, time));
        Ok(())
    }

    fn index_set(&mut self, index: IndexId, price: i128, usable_until: i64) -> Verdict {
        let now = self.model.now;
        let row = &mut self.model.indices[index.index()];
        holds("I-24", price > 0, || format!("index {index} at {price} is above zero"))?;
        if row.fallen.is_some() {
            self.followed(index, price, usable_until)?;
        } else if row.own.is_some_and(|own| !own.launching) {
            self.own_price(index, price, usable_until)?;
        } else if let Some((ours, quorum, until)) = agreed(row, now) {
            let until = if quorum { until } else { row.usable_until.min(now - 1) };
            same("index", || format!("until when index {index} is usable"), until, usable_until)?;
            if quorum && !row.launching() {
                same("index", || format!("price of index {index}"), ours, price)?;
            } else if row.price > 0 {
                same("index", || format!("price of index {index} held back"), row.held(ours, now), price)?;
            }
        }
        let row = &mut self.model.indices[index.index()];
        row.count(now);
        row.price = price;
        row.set_at = now;
        row.usable_until = usable_until;
        if row.usable(now) {
            row.agreed = price;
        }
        self.underlying_moved();
        Ok(())
    }

    fn mark_set(&mut self, market: MarketId, price: i128) -> Verdict {
        holds("settlement", !self.model.market(market).over(), || format!("market {market} has not ended"))?;
        let params = &self.model.market(market).params;
        let index = &self.model.indices[params.index.index()];
        if params.option.is_some() {
            self.option_mark(market, price)?;
            return self.mark_is(market, price);
        }
        let wide = index.fallen.map_or(0, |_| i128::from(index.last_resort.fallback_band.units()));
        let width = params.mark_band.max(wide);
        let low = mul_div(index.price, RATE - width, RATE, Dir::Up);
        let high = mul_div(index.price, RATE + width, RATE, Dir::Down);
        holds("I-24", price > 0 && low <= price && price <= high, || {
            format!("mark {price} of {market} in {low} to {high}")
        })?;
        self.mark_is(market, price)
    }

    fn mark_is(&mut self, market: MarketId, price: i128) -> Verdict {
        let now = self.model.now;
        let usable = self.usable(market);
        let row = self.model.market_mut(market);
        row.average.accrue(row.mark, now);
        row.mark = price;
        if usable {
            row.agreed = price;
        }
        Ok(())
    }

    pub(super) fn funding(&mut self, event: &Event) -> Verdict {
        match *event {
            Event::PremiumSampled { market, premium, .. } => {
                let now = self.model.now;
                let row = self.model.market_mut(market);
                row.average.accrue(row.mark, now);
                row.premium_sum += i128::from(premium.units());
                row.premium_count += 1;
                self.carry_on(market);
                Ok(())
            }
            Event::FundingPosted { market, rate, mark, cumulative, next } => {
                self.everyone = true;
                self.funding_due(market, next.ns(), false)?;
                self.posted(market, i128::from(rate.units()), i128::from(mark.units()), cumulative)
            }
            Event::OptionFundingAccrued { .. } => self.option_accrued(event),
            Event::FundingSkipped { market, next } if self.model.market(market).params.option.is_some() => {
                self.option_skipped(market, next.ns())
            }
            Event::FundingSkipped { market, next } => {
                self.clear_samples(market);
                self.funding_due(market, next.ns(), true)
            }
            _ => Ok(()),
        }
    }

    /// A settlement is due, not twice, and skipped only after a gap beyond the limit.
    fn funding_due(&mut self, market: MarketId, next: i64, skipped: bool) -> Verdict {
        let now = self.model.now;
        self.funding_allowed(market)?;
        let row = self.model.market_mut(market);
        let late = now - row.funding_next;
        holds("funding", late >= 0, || format!("funding of market {market} is due"))?;
        same(
            "funding",
            || format!("whether {late} ns are too late in market {market}"),
            late > row.params.gap_ns,
            skipped,
        )?;
        row.funding_next += (late / row.params.interval_ns + 1) * row.params.interval_ns;
        same("funding", || format!("next settlement of market {market}"), row.funding_next, next)
    }

    pub(super) fn clear_samples(&mut self, market: MarketId) {
        let row = self.model.market_mut(market);
        (row.premium_sum, row.premium_count, row.given) = (0, 0, None);
    }

    fn posted(&mut self, market: MarketId, rate: i128, mark: i128, cumulative: i128) -> Verdict {
        let now = self.model.now;
        let row = self.model.market(market);
        let usable = self.model.indices[row.params.index.index()].usable(now);
        holds("I-25", usable, || format!("funding of market {market} is posted at a usable price"))?;
        same("funding", || format!("price at which market {market} posts"), row.mark, mark)?;
        let p = &row.params;
        let average = if row.premium_count == 0 { 0 } else { div(row.premium_sum, row.premium_count, Dir::Zero) };
        let pull = (p.interest - average).clamp(-p.clamp, p.clamp);
        let ours = row.given.unwrap_or(average + pull).max(p.floor).min(p.cap);
        same("funding", || format!("rate of market {market}"), ours, rate)?;
        let after = row.funding + value::funding_step(p, mark, rate);
        same("funding", || format!("cumulative funding of market {market}"), after, cumulative)?;
        self.model.market_mut(market).funding = after;
        self.clear_samples(market);
        Ok(())
    }
}
