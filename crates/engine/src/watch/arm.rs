//! How far away the triggers of an account are.
//!
//! Two rules, both from one number w, the share of a price that every price may move by before the account is looked at:
//!
//! - *One-sided*, for linear positions that settle in an asset that counts in full and has no price, under ladders whose slope is
//!   bounded whatever the size: Σ |size| × price × w × (1 + steepest maintenance rate for shorts, 1 − gentlest for longs) is at most the slack. A long has a trigger below, a short one above, on prices that
//!   funding shifts.
//! - *Both ways*, for everything else: whatever the prices of markets and assets and the cumulative funding of each do
//!   within w, equity and maintenance together change by no more than the slack. A price at which a ladder jumps ends the
//!   window of that price.

use super::slope::{gentlest, steepest, steepest_around, within_step};
use super::{Entry, MarketTriggers, Range, Row, Watch};
use crate::margin::Terms;
use crate::state::{Account, Exposure, Market};
use crate::{AccountId, AssetId, Basis, State};
use rules::{Contract, Ladder, funding_index_step};
use units::{Money, Price, Rate, Round, mul_div};

/// What a look needs to know of the whole venue.
pub(super) struct Venue {
    /// Some call level is in use.
    pub calls: bool,
    /// Some index is not usable.
    stale: bool,
    /// What a unit of equity is worth at least beside a unit of maintenance: 1, or the least ratio of a call.
    worth: Rate,
}

impl Venue {
    pub fn of(state: &State) -> Self {
        let calls = state.risk.calls.iter().filter(|c| c.is_positive());
        let worth = calls.fold(Rate::ONE, |least, ratio| least.min(*ratio));
        let stale = state.indices.iter().any(|index| !index.is_usable(state.now));
        Self { calls: state.risk.calls.iter().any(|c| c.is_positive()), stale, worth }
    }
}

/// Shares of a price are counted in 2^-32.
const SHARE_BITS: u32 = 32;

/// A window both ways is at most a quarter of the price: the bound of an inverse contract holds up to there.
const WIDEST: u128 = 1 << (SHARE_BITS - 2);

/// No trigger is further away than sixteen prices.
const FARTHEST: u128 = 16 << SHARE_BITS;

/// slack ÷ cost in 2^-32, rounded down, at most `most`.
fn share(slack: i128, cost: i128, most: u128) -> u128 {
    let (slack, cost) = (slack.max(0).unsigned_abs(), cost.max(1).unsigned_abs());
    let drop = (128 - cost.leading_zeros()).saturating_sub(62);
    let (slack, cost) = (slack >> drop, (cost >> drop) + 1);
    // At most sixteen times the cost, so that the shift fits.
    if slack >= cost.saturating_mul(16) { most } else { ((slack << SHARE_BITS) / cost).min(most) }
}

/// A share of a price or of a cumulative sum, rounded down.
fn part(value: i64, share: u128) -> i64 {
    let part = (u128::from(value.unsigned_abs()) * share) >> SHARE_BITS;
    i64::try_from(part).unwrap_or(i64::MAX)
}

impl Watch {
    /// Arms an account at its present prices; it has no live trigger now.
    pub(super) fn arm(&mut self, state: &State, venue: &Venue, id: AccountId, lenient: &Terms) {
        let account = state.account(id);
        // Prices that nobody confirms count in an account's favour: triggers may not.
        let stale = venue.stale && state.rests_on_stale(account);
        if stale && venue.calls {
            return self.hot.push(id);
        }
        let terms = if stale { state.terms_at(id, Basis::Mark) } else { *lenient };
        let ladder = state.liquidating.contains(&id);
        if !ladder && (!account.has_position() || state.risk.line.is_below(terms.headroom())) {
            return self.hot.push(id); // until something of it can be closed
        }
        if venue.calls && terms.maintenance.is_zero() {
            return self.hot.push(id); // no level counts without maintenance
        }
        let Some(slack) = state.slack(account, &terms, ladder) else { return };
        if account.call == 0 && state.is_one_sided(account, venue) {
            self.arm_one_sided(state, id, slack);
        } else {
            self.arm_both_ways(state, id, &terms, slack);
        }
    }

    fn arm_one_sided(&mut self, state: &State, id: AccountId, slack: i128) {
        let open = || state.account(id).exposures.iter().filter(|e| !e.size.is_zero());
        let cost = |e: &Exposure| {
            let market = state.market(e.market);
            let notional = state.valuation(market) * e.size.abs();
            // Maintenance grows against a short by the steepest rate at most, and falls for a long by the gentlest at least.
            if e.size.is_negative() {
                // Who is one-sided has a steepest rate.
                notional.units() + notional.mul_rate(steepest(market).unwrap_or(Rate::ONE), Round::Up).units()
            } else {
                notional.units() - notional.mul_rate(gentlest(market), Round::Down).units()
            }
        };
        let share = share(slack, open().map(cost).sum(), FARTHEST);
        for e in open() {
            let Some(row) = self.markets.get_mut(e.market.index()) else { continue };
            let price = state.valuation(state.market(e.market)).units();
            let distance = part(price, share);
            let entry = set(&mut self.rows, id);
            if e.size.is_negative() {
                let key = row.short_price(price).saturating_add(distance).saturating_neg();
                row.side.high.insert(Entry { key, ..entry });
            } else {
                let key = row.long_price(price).saturating_sub(distance);
                row.side.low.insert(Entry { key, ..entry });
            }
        }
    }

    fn arm_both_ways(&mut self, state: &State, id: AccountId, terms: &Terms, slack: i128) {
        let account = state.account(id);
        let open = || account.exposures.iter().filter(|e| !e.size.is_zero());
        let Some(cost) = state.cost_both_ways(id, terms) else { return self.hot.push(id) };
        let share = share(slack, cost, WIDEST);
        let mut before = None;
        for e in open() {
            if before.replace(e.market) == Some(e.market) {
                continue; // the other leg
            }
            let market = state.market(e.market);
            let price = state.valuation(market);
            let scale = state.option_scale(market);
            if let Some(row) = self.markets.get_mut(e.market.index()).filter(|_| scale.is_some()) {
                let spot = state.underlying(market).units();
                let reach = part(spot, share);
                row.underlying.surround(spot, reach, reach, || set(&mut self.rows, id));
            }
            let scale = scale.unwrap_or(price);
            let whole = funding_index_step(market.contract(), scale, Rate::ONE).unwrap_or(0);
            let Some(row) = self.markets.get_mut(e.market.index()) else { continue };
            let sizes = || account.exposures.iter().filter(|o| o.market == e.market).map(|o| o.size);
            let (down, up) = within_step(market, sizes, price, part(scale.units(), share));
            row.price.surround(price.units(), down, up, || set(&mut self.rows, id));
            let bits = *row.funding_bits.get_or_insert_with(|| {
                let beyond = |n: i128, bits| (128 - n.unsigned_abs().leading_zeros()).saturating_sub(bits);
                beyond(whole, FUNDING_BITS).max(beyond(market.funding_index, FUNDING_BITS_IN_ALL))
            });
            let reach = part(i64::try_from(whole >> bits).unwrap_or(i64::MAX), share);
            // What is dropped from both ends of the way is less than one.
            let reach = if bits > 0 { reach - 1 } else { reach };
            row.funding.surround(row.funding_value(market.funding_index), reach, reach, || set(&mut self.rows, id));
        }
        for (at, range) in self.assets.iter_mut().enumerate() {
            let asset = AssetId::at(at);
            let held = || account.wallets.iter().any(|w| w.asset == asset && account.counts(asset));
            let priced = state.asset(asset).params.index.is_some();
            if priced && (held() || open().any(|e| state.market(e.market).params.settlement == asset)) {
                let price = state.asset_price(asset).units();
                let reach = part(price, share);
                range.surround(price, reach, reach, || set(&mut self.rows, id));
            }
        }
    }
}

/// Bits of the funding of a whole price.
const FUNDING_BITS: u32 = 40;

/// Bits of all that was ever paid, when it is first watched: well within those of a key.
const FUNDING_BITS_IN_ALL: u32 = 60;

/// The window of an option's mark is a share of at least this part of its underlying.
const SCALE: i64 = 8;

/// What triggers are on stays within this, so that no key and no value is cut off where it matters.
const HALF: u64 = 1 << 62;

/// A trigger of the present arming, without its key.
fn set(rows: &mut [Row], account: AccountId) -> Entry {
    let armed = rows.get_mut(account.index()).map_or(0, |row| {
        row.triggers += 1;
        row.armed
    });
    Entry { key: 0, account, armed }
}

impl State {
    /// What is left until the account crosses the line or comes to another call level, less what all roundings of its terms
    /// can make, numeraire. Every term of equity and maintenance counts at most once. `None`: there is nothing to cross.
    fn slack(&self, account: &Account, terms: &Terms, on_ladder: bool) -> Option<i128> {
        let mut least = if on_ladder { None } else { Some(terms.headroom().units()) };
        let mut cross = |slack: Money| least = Some(least.map_or(slack.units(), |least| least.min(slack.units())));
        let used = self.risk.calls.iter().take_while(|c| c.is_positive());
        for (level, ratio) in (1u8..).zip(used) {
            let at = |ratio| terms.equity.max(Money::ZERO).mul_rate(ratio, Round::Down) - terms.maintenance;
            if level > account.call {
                cross(at(*ratio));
            } else if level == account.call {
                cross(-at(*ratio - self.risk.call_hysteresis));
            }
        }
        // A unit of an asset is as many units of the numeraire as its price has wholes.
        let unit = |asset| 2 + i128::from(self.asset_price(asset).units() / Price::ONE.units());
        let wallets = account.wallets.iter().map(|w| ROUNDINGS * unit(w.asset));
        let open = account.exposures.iter().filter(|e| !e.size.is_zero());
        let markets = open.map(|e| {
            let market = self.market(e.market);
            let asset = market.params.settlement;
            (ROUNDINGS + market.params.ladder.roundings()) * unit(asset) + self.rate_rounding(market, e)
        });
        let roundings: i128 = wallets.chain(markets).sum();
        least.map(|least| least - roundings - ROUNDINGS)
    }

    /// What a rate that rises with the notional is rounded by: less than 1e-9 of the notional in each of two evaluations, the second
    /// at up to 5/3 of the present worth. Numeraire.
    fn rate_rounding(&self, market: &Market, e: &Exposure) -> i128 {
        if !matches!(market.params.ladder, Ladder::PerNotional(_)) {
            return 0;
        }
        let notional = market.contract().notional(self.valuation(market), e.size).unwrap_or(Money::MAX);
        let (twice, one) = (2 * self.debt(market.params.settlement, notional).units(), i128::from(Rate::ONE.units()));
        twice.checked_div(one).map_or(twice, |part| part + 1)
    }

    /// Whether each position only loses when its price goes one way, whatever else happens.
    fn is_one_sided(&self, account: &Account, venue: &Venue) -> bool {
        let flat = |asset| {
            let params = &self.asset(asset).params;
            params.index.is_none()
                && params.haircut == Rate::ONE
                && !params.schedule.tiers.iter().any(|t| t.above.is_positive())
        };
        let of_markets = |e: &Exposure| {
            let market = self.market(e.market);
            let gentle = steepest(market).is_some_and(|rate| rate < venue.worth);
            let gentle = gentle && market.params.option.is_none();
            market.contract() == Contract::Linear && flat(market.params.settlement) && gentle
        };
        account.exposures.iter().filter(|e| !e.size.is_zero()).all(of_markets)
            && account.wallets.iter().filter(|w| account.counts(w.asset)).all(|w| flat(w.asset))
    }

    /// The price that the window of an option's mark is a share of: a far option moves by many times its mark and yet by little beside
    /// its underlying, so that a share of that is the room it has. `None` of another market.
    fn option_scale(&self, market: &Market) -> Option<Price> {
        market.params.option?;
        let part = Price::new(self.underlying(market).units() / SCALE).unwrap_or(Price::ZERO);
        Some(self.valuation(market).max(part))
    }

    /// What equity and maintenance change by at most, together, when everything moves by its whole value within `WIDEST`:
    /// 4 × notional × (1 + the steepest slope within it) + |amounts of assets that have a price| + maintenance, numeraire. `None` without a
    /// price.
    fn cost_both_ways(&self, id: AccountId, terms: &Terms) -> Option<i128> {
        let account = self.account(id);
        let mut cost = terms.maintenance.units();
        let priced = |asset, amount: Money| match self.asset(asset).params.index {
            Some(_) => self.debt(asset, amount).units(),
            None => 0,
        };
        for w in account.wallets.iter().filter(|w| account.counts(w.asset)) {
            cost += priced(w.asset, w.amount.abs()) + priced(w.asset, self.interest_due(id, w.asset));
        }
        for e in account.exposures.iter().filter(|e| !e.size.is_zero()) {
            let market = self.market(e.market);
            let (asset, price) = (market.params.settlement, self.valuation(market));
            if let (Some(option), Some(scale)) = (market.params.option, self.option_scale(market)) {
                // Result and funding move by the mark, maintenance by its slope in the mark and in the underlying.
                let (by_mark, by_spot) = option.margin.slopes();
                let moved = |price: Price, rate: Rate| {
                    let notional = market.contract().notional(price, e.size).unwrap_or(Money::MAX);
                    let notional = self.debt(asset, notional);
                    notional.units() + notional.mul_rate(rate, Round::Up).units()
                };
                cost +=
                    4 * (moved(scale, by_mark + market.params.closing_fee) + moved(self.underlying(market), by_spot));
                let upnl = market.contract().upnl(price, e.size, e.cost)?;
                cost += priced(asset, upnl.abs()) + priced(asset, e.unsettled(market).abs());
                cost += priced(asset, self.loss_owed(id, e));
                continue;
            }
            let notional = market.contract().notional(price, e.size)?;
            let slope = steepest_around(market, e.size, notional);
            let notional = self.debt(asset, notional);
            let upnl = market.contract().upnl(price, e.size, e.cost)?;
            cost += 4 * (notional.units() + notional.mul_rate(slope, Round::Up).units());
            cost += priced(asset, upnl.abs()) + priced(asset, e.unsettled(market).abs());
            cost += priced(asset, self.loss_owed(id, e));
        }
        Some(cost)
    }

    /// Some price that the account's terms are made of is the last one that a quorum agreed on.
    fn rests_on_stale(&self, account: &Account) -> bool {
        let stale = |index| !self.index(index).is_usable(self.now);
        let asset = |asset| self.asset(asset).params.index.is_some_and(stale);
        let market = |e: &Exposure| {
            let params = &self.market(e.market).params;
            stale(params.index) || asset(params.settlement)
        };
        account.wallets.iter().any(|w| asset(w.asset))
            || account.exposures.iter().filter(|e| !e.size.is_zero()).any(market)
    }
}

/// More than the roundings of one position or wallet, at the price where it was armed and at any other: result, funding,
/// shared losses, notional, charge, fee, interest, and six slices of collateral. A deduction that was rounded down lets margin
/// jump by less than a unit at its tier: tiers come on top.
const ROUNDINGS: i128 = 32;

impl Range {
    fn surround(&mut self, value: i64, down: i64, up: i64, mut entry: impl FnMut() -> Entry) {
        self.low.insert(Entry { key: value.saturating_sub(down), ..entry() });
        self.high.insert(Entry { key: value.saturating_add(up).saturating_neg(), ..entry() });
    }
}

impl MarketTriggers {
    /// The price that the triggers of longs are on, 1e-8.
    pub(super) fn long_price(&self, price: i64) -> i64 {
        price.saturating_add(self.long_shift)
    }

    /// The price that the triggers of shorts are on, 1e-8.
    pub(super) fn short_price(&self, price: i64) -> i64 {
        price.saturating_add(self.short_shift)
    }

    /// What the triggers of funding are on.
    pub(super) fn funding_value(&self, cumulative: i128) -> i64 {
        let value = cumulative >> self.funding_bits.unwrap_or(0);
        i64::try_from(value).unwrap_or(if value.is_negative() { i64::MIN } else { i64::MAX })
    }

    /// Funding that was posted since the last look shifts the prices of both sides, one number each. What a side pays shifts
    /// its price against it; what it receives shifts it back. Where the price has meanwhile gone its way, a unit of price
    /// has brought a long less than it seems, by what maintenance has grown: it counts a payment as more by 1 ÷ (1 − m), a
    /// short a receipt as less by 1 ÷ (1 + m), with m the steepest maintenance rate ÷ the least worth of equity.
    /// docs/never-scan.md has the cases.
    ///
    /// False when what the triggers are on has come so far from the price that keys no longer hold it: then it has to begin
    /// anew.
    #[must_use]
    pub(super) fn follow_funding(&mut self, market: &Market, venue: &Venue, price: i64) -> bool {
        if self.shift(market, venue).is_none() {
            return false;
        }
        let holds = |shift: i64| shift == 0 || price.checked_add(shift).is_some_and(|v| v.unsigned_abs() <= HALF);
        let funding =
            self.funding_bits.is_none_or(|bits| (market.funding_index >> bits).unsigned_abs() <= u128::from(HALF));
        funding && holds(self.long_shift) && holds(self.short_shift)
    }

    /// `None` when a shift does not fit.
    fn shift(&mut self, market: &Market, venue: &Venue) -> Option<()> {
        let moved = market.funding_index - self.posted;
        self.posted = market.funding_index;
        let Some(steepest) = steepest(market).filter(|rate| *rate < venue.worth) else { return Some(()) };
        if moved == 0 || market.contract() != Contract::Linear {
            return Some(()); // nobody is armed one-sided here
        }
        let (worth, steepest) = (i128::from(venue.worth.units()), i128::from(steepest.units()));
        // 1e-25 per 1e-8 contract is 1e-9 of a unit of price.
        let price = |times: i128, by: i128, round| {
            mul_div(moved.abs(), times, by * 1_000_000_000, round).and_then(|shift| i64::try_from(shift).ok())
        };
        let (long, short) = (self.long_shift, self.short_shift);
        (self.long_shift, self.short_shift) = if moved > 0 {
            let paid = price(worth, worth - steepest, Round::Up)?;
            (long.checked_sub(paid)?, short.checked_sub(price(worth, worth + steepest, Round::Down)?)?)
        } else {
            (long.checked_add(price(1, 1, Round::Down)?)?, short.checked_add(price(1, 1, Round::Up)?)?)
        };
        Some(())
    }
}
