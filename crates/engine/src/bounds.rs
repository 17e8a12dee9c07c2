//! The doors: what a value from outside must satisfy before it meets the state.

use crate::params::{
    AssetParams, BorrowTerms, Expiry, IndexParams, Kind, LiquidationPolicy, MarketGuards, MarketParams, RiskParams,
};
use crate::state::{Asset, Market};
use crate::{AccountKind, AssetId, ParamName, Reject, State, history, limits};
use rules::Contract;
use units::{Money, Price, Rate, Size, Time, limits as bounds};

/// The largest notional of all positions of a market, and of all collateral of an asset, numeraire and settlement asset:
/// far below what a sum over a subaccount may reach, far above what exists.
const TOTAL_MAX: i128 = 1 << 112;

fn ensure(good: bool, name: ParamName) -> Result<(), Reject> {
    if good { Ok(()) } else { Err(Reject::ParamOutOfRange { name }) }
}

fn share(rate: Rate) -> bool {
    !rate.is_negative() && rate <= Rate::ONE
}

/// An amount that a caller names: above zero, in bounds, with no more digits than the asset.
pub(crate) fn amount(asset: &Asset, asked: Money) -> Result<(), Reject> {
    if !asked.is_positive() {
        return Err(Reject::AmountNotPositive { asked });
    }
    if asked.units() > TOTAL_MAX {
        return Err(Reject::AmountTooLarge { asked, limit: Money::from_units(TOTAL_MAX) });
    }
    digits(asset, asked)
}

/// No more digits than the asset has; the refusal names the nearest amounts.
pub(crate) fn digits(asset: &Asset, asked: Money) -> Result<(), Reject> {
    let decimals = u32::from(asset.params.decimals).min(bounds::MONEY_DECIMALS);
    let step = 10i128.pow(bounds::MONEY_DECIMALS - decimals);
    let rest = asked.units().rem_euclid(step);
    if rest == 0 {
        return Ok(());
    }
    let below = Money::from_units(asked.units() - rest);
    Err(Reject::AmountTooFine { asked, below, above: below + Money::from_units(step) })
}

pub(crate) fn asset(state: &State, params: &AssetParams) -> Result<(), Reject> {
    ensure(u32::from(params.decimals) <= bounds::MONEY_DECIMALS, ParamName::Decimals)?;
    ensure(params.haircuts().is_good(), ParamName::Haircut)?;
    let cap = params.schedule.venue_cap;
    ensure(!cap.is_negative() && cap.units() <= TOTAL_MAX, ParamName::VenueCap)?;
    let b = &params.borrow;
    let minutes =
        b.interval_ns % (60 * Time::SECOND_NS) == 0 && (0..=86_400 * Time::SECOND_NS).contains(&b.interval_ns);
    let rate = !b.rate.is_negative() && b.rate <= Rate::bps(100) && (b.interval_ns > 0 || *b == BorrowTerms::default());
    let amount = |a: Money| !a.is_negative() && a.units() <= TOTAL_MAX;
    ensure(minutes && rate && amount(b.free) && b.allowance.is_none_or(amount), ParamName::Borrow)?;
    ensure(share(params.conversion_discount) && params.conversion_discount < Rate::ONE, ParamName::ConversionDiscount)?;
    crate::prelaunch::check_use(state, params.index)
}

pub(crate) fn index(params: &IndexParams) -> Result<(), Reject> {
    let count = params.weights.len();
    let quorum = usize::from(params.rule.quorum);
    ensure(
        (1..=rules::SOURCES_MAX).contains(&count) && params.weights.iter().all(|w| *w > 0 && *w <= 1_000_000),
        ParamName::Weights,
    )?;
    if let Some(redemption) = params.redemption {
        let one_of_many = usize::from(redemption.source) < count && count >= 2;
        ensure(one_of_many && share(redemption.band), ParamName::Redemption)?;
    }
    ensure(quorum >= 1 && quorum <= count - usize::from(params.redemption.is_some()), ParamName::Quorum)?;
    ensure(params.rule.max_deviation.is_positive() && params.rule.max_deviation <= Rate::ONE, ParamName::MaxDeviation)?;
    ensure(duration(params.stale_ns), ParamName::Stale)?;
    ensure(share(params.speed), ParamName::Speed)?;
    ensure(crate::prelaunch::index_is_good(params), ParamName::OwnTrades)?;
    ensure(duration(params.reduce_only_after_ns), ParamName::ReduceOnlyAfter)
}

/// The stages come one after the other, and the fallback is another index that exists.
pub(crate) fn last_resort(state: &State, own: crate::IndexId, params: &IndexParams) -> Result<(), Reject> {
    let resort = params.last_resort;
    let mut before = params.reduce_only_after_ns;
    if let Some(fallback) = resort.fallback {
        crate::prelaunch::check_use(state, Some(fallback))?;
        let later = duration(resort.fallback_after_ns) && resort.fallback_after_ns > before;
        let band = !resort.fallback_band.is_negative() && resort.fallback_band <= Rate::bps(5_000);
        ensure(fallback != own && later && band, ParamName::LastResort)?;
        before = resort.fallback_after_ns;
    }
    if resort.settle_after_ns != 0 {
        let window = resort.settle_window_ns;
        let later = resort.settle_after_ns > before && resort.settle_after_ns >= window;
        ensure(duration(resort.settle_after_ns) && later && history::is_window(window), ParamName::LastResort)?;
    }
    Ok(())
}

/// Above zero, at most ten years.
fn duration(ns: i64) -> bool {
    (1..=315_360_000 * Time::SECOND_NS).contains(&ns)
}

pub(crate) fn market(state: &State, params: &MarketParams) -> Result<(), Reject> {
    kind(params)?;
    option(state, params)?;
    state.find_asset(params.settlement)?;
    crate::prelaunch::check_market(state, params)?;
    let fund = state.find_account(params.fund)?;
    if fund.kind != AccountKind::Fund {
        return Err(Reject::NotAFund { account: params.fund });
    }
    if let Contract::Inverse { face } = params.contract {
        ensure((1..=1_000_000).contains(&face), ParamName::Face)?;
    }
    ensure(params.tick.is_positive() && params.tick <= limits::TICK_MAX, ParamName::Tick)?;
    ensure(params.lot.is_positive() && params.lot <= limits::LOT_MAX, ParamName::Lot)?;
    let fee = |rate: Rate| rate >= -Rate::bps(1_000) && rate <= Rate::bps(1_000);
    // A rebate larger than the fee would pay two accounts of one owner for trading with each other.
    let fees = fee(params.taker_fee) && fee(params.maker_fee) && !(params.taker_fee + params.maker_fee).is_negative();
    ensure(fees && !params.taker_fee.is_negative() && share(params.closing_fee), ParamName::Fee)?;
    let tiers = &params.fee_tiers;
    let good = tiers.iter().all(|t| fee(t.maker) && fee(t.taker) && !t.taker.is_negative());
    let pays = good && !Market::least_fees(params, state.fee_discount).is_negative();
    ensure(pays && tiers.len() <= limits::FEE_TIERS_MAX, ParamName::FeeTiers)?;
    if params.ladder.cap().is_some_and(|cap| cap.units() > bounds::NOTIONAL_MAX) {
        return Err(Reject::TiersInvalid { error: rules::TierError::TooLarge });
    }
    params.ladder.check().map_err(|error| Reject::LadderInvalid { error })?;
    // Half, so that a mark is never more than twice its index and never less than half of it: what `quotes_too_far` relies on.
    let half = Rate::bps(5_000);
    ensure(params.mark_band.is_positive() && params.mark_band <= half, ParamName::MarkBand)?;
    ensure(params.mark_speed.is_positive() && params.mark_speed <= Rate::ONE, ParamName::MarkSpeed)?;
    ensure(params.order_band.is_positive() && params.order_band < Rate::ONE, ParamName::OrderBand)?;
    guards(&params.guards)?;
    let f = &params.funding;
    let rates = share(f.cap) && share(-f.floor) && share(f.clamp) && share(f.interest.max(-f.interest));
    ensure(
        rates && duration(f.interval_ns) && f.interval_ns >= Time::SECOND_NS && duration(params.funding_gap_ns),
        ParamName::Funding,
    )?;
    let week = 7 * 86_400 * Time::SECOND_NS;
    let rhythm = params.realise_every_ns;
    ensure((0..=week).contains(&rhythm) && rhythm % (60 * Time::SECOND_NS) == 0, ParamName::Realisation)?;
    ensure(
        params.impact_notional.is_positive() && params.impact_notional.units() <= bounds::NOTIONAL_MAX,
        ParamName::ImpactNotional,
    )?;
    let l = &params.liquidation;
    let ladder = share(l.fee)
        && l.band.is_positive()
        && l.band < Rate::ONE
        && l.depth_share.is_positive()
        && share(l.depth_share);
    ensure(ladder && !l.fund_limit.is_negative() && l.fund_limit.units() <= TOTAL_MAX, ParamName::Liquidation)?;
    let steps = params.ladder.has_steps() || !matches!(l.policy, LiquidationPolicy::TierStepDown { .. });
    ensure(steps && policy(&l.policy, l.band), ParamName::LiquidationPolicy)?;
    let (down, minute) = (l.loss.drawdown, 60 * Time::SECOND_NS);
    let window = (minute..=limits::DRAWDOWN_MINUTES * minute).contains(&down.window_ns);
    ensure(share(down.share) && (window || !down.is_used()), ParamName::Drawdown)?;
    // Below maintenance, so that no sharing takes more of a winner than what it must hold anyway.
    let (asked, below) = (l.loss.socialise, params.ladder.least().maintenance);
    if asked.is_negative() || asked >= below {
        return Err(Reject::SocialiseOutOfRange { asked, below });
    }
    Ok(())
}

/// A policy closes something in each step, within the band, and its pauses end.
fn policy(policy: &LiquidationPolicy, band: Rate) -> bool {
    match *policy {
        LiquidationPolicy::ToTarget | LiquidationPolicy::FullClose => true,
        LiquidationPolicy::Fraction { share: part, whole_below, cooldown_ns } => {
            let whole = !whole_below.is_negative() && whole_below.units() <= bounds::NOTIONAL_MAX;
            part.is_positive() && share(part) && whole && (0..=86_400 * Time::SECOND_NS).contains(&cooldown_ns)
        }
        LiquidationPolicy::TierStepDown { tiers } => (1..=64).contains(&tiers),
        LiquidationPolicy::DutchAuction { duration_ns, discount } => {
            let time = (Time::SECOND_NS..=limits::AUCTION_NS_MAX).contains(&duration_ns);
            time && discount.is_positive() && discount <= band
        }
    }
}

pub(crate) fn reserve(asked: &crate::params::Reserve) -> bool {
    let year = 365 * 86_400 * Time::SECOND_NS;
    let limit = asked.limit.is_positive() && asked.limit.units() <= TOTAL_MAX;
    limit && (Time::SECOND_NS..=year).contains(&asked.window_ns)
}

fn guards(g: &MarketGuards) -> Result<(), Reject> {
    let band = |rate: Rate| share(rate) && rate < Rate::ONE;
    let bands = [g.market_band, g.triggered_band, g.away_band, g.trigger_protect];
    ensure(bands.into_iter().all(band), ParamName::OrderBand)?;
    let cap = |cap: Money| !cap.is_negative() && cap.units() <= TOTAL_MAX;
    ensure(cap(g.open_interest_cap) && cap(g.longs_cap) && cap(g.shorts_cap), ParamName::OpenInterestCap)
}

/// What a contract may be; the mark of a dated one knows no funding.
fn kind(params: &MarketParams) -> Result<(), Reject> {
    match params.kind {
        Kind::Perpetual => Ok(()),
        Kind::Dated(_) => ensure(!matches!(params.mark, rules::MarkRule::Median { .. }), ParamName::Kind),
        Kind::Quanto => Err(Reject::QuantoUnsupported),
        Kind::Power { exponent } => Err(Reject::PowerUnsupported { exponent }),
    }
}

/// An option: linear, dated or perpetual, marked from an index that may be a volatility.
fn option(state: &State, params: &MarketParams) -> Result<(), Reject> {
    let Some(option) = &params.option else { return Ok(()) };
    let row = state.find_index(option.volatility)?;
    let strike = option.strike;
    let on_tick = strike.to_tick(params.tick, units::Round::Down) == Some(strike);
    let strike = strike.is_positive() && strike <= limits::TICK_MAX && on_tick;
    let perpetual = params.kind == Kind::Perpetual;
    let year = 365 * 86_400 * Time::SECOND_NS;
    let period = (60 * Time::SECOND_NS..=year).contains(&option.period_ns);
    let half = Rate::bps(5_000);
    let interest = option.interest >= -half && option.interest <= half;
    let exit = option.exit.is_none_or(|exit| !exit.is_negative() && share(exit));
    let lives = if perpetual {
        period && interest && exit
    } else {
        option.period_ns == 0 && option.interest == Rate::ZERO && option.exit.is_none()
    };
    let policy = matches!(
        params.liquidation.policy,
        LiquidationPolicy::ToTarget | LiquidationPolicy::FullClose | LiquidationPolicy::Fraction { .. }
    );
    let plain = params.contract == Contract::Linear && policy && row.own.is_none() && option.volatility != params.index;
    ensure(plain && strike && lives && option.margin.is_good(), ParamName::Option)?;
    let said = row.sources.iter().flatten().map(|q| q.price).chain([row.price]).filter(|p| p.is_positive());
    match said.into_iter().find(|price| !crate::option::is_volatility(*price)) {
        Some(asked) => Err(Reject::VolatilityOutOfRange { index: option.volatility, asked }),
        None => Ok(()),
    }
}

/// Limits of a market maker: some limit, a window and a pause of at most a day.
pub(crate) fn protection(limits: Option<&crate::ProtectionLimits>) -> Result<(), Reject> {
    let Some(l) = limits else { return Ok(()) };
    let day = 86_400 * Time::SECOND_NS;
    let window = (Time::SECOND_NS..=day).contains(&l.window_ns) && (0..=day).contains(&l.freeze_ns);
    let none_below = !l.contracts.is_negative() && !l.delta.is_negative() && !l.vega.is_negative();
    let some = l.contracts.is_positive() || l.delta.is_positive() || l.vega.is_positive();
    ensure(window && none_below && some && l.vega.units() <= TOTAL_MAX, ParamName::Protection)
}

/// A schedule without holes: whole minutes, now < reduce-only < settlement, and a window that has not begun.
pub(crate) fn expiry(now: Time, asked: &Expiry) -> Result<(), Reject> {
    let Expiry { reduce_only_at, settle_at, window_ns } = *asked;
    if let Some(asked_ns) = [reduce_only_at.ns(), settle_at.ns()].into_iter().find(|ns| !history::is_on_minute(*ns)) {
        return Err(Reject::ScheduleOffMinute { asked_ns });
    }
    if !history::is_window(window_ns) {
        return Err(Reject::ScheduleOffMinute { asked_ns: window_ns });
    }
    if reduce_only_at <= now {
        return Err(Reject::ScheduleInPast { asked: reduce_only_at, now });
    }
    if settle_at <= reduce_only_at {
        return Err(Reject::ScheduleOrder { reduce_only_at, settle_at });
    }
    let left = settle_at.since(now);
    if window_ns > left {
        let seconds = |ns: i64| ns / Time::SECOND_NS;
        return Err(Reject::WindowTooLong { asked_s: seconds(window_ns), left_s: seconds(left) });
    }
    Ok(())
}

pub(crate) fn risk(params: &RiskParams) -> Result<(), Reject> {
    ensure(params.target >= Rate::ONE && params.target <= Rate::bps(30_000), ParamName::Target)?;
    ensure(share(params.takeover), ParamName::Takeover)?;
    ensure(params.pause_ns >= 0 && params.pause_ns <= 86_400 * Time::SECOND_NS, ParamName::Pause)?;
    let used = params.calls.iter().take_while(|c| c.is_positive());
    let rising = params.calls.windows(2).all(|w| matches!(w, [a, b] if !b.is_positive() || (a.is_positive() && a < b)));
    let good = used.clone().all(|c| *c <= Rate::ONE) && params.calls.iter().all(|c| !c.is_negative());
    ensure(rising && good && share(params.call_hysteresis), ParamName::Calls)?;
    ensure(share(params.outflow_share), ParamName::OutflowShare)?;
    let cap = params.stale_favour_cap;
    ensure(share(params.stale_favour) && !cap.is_negative() && cap.units() <= TOTAL_MAX, ParamName::StaleFavour)
}

/// Whether the contracts open and resting in a market, and `more`, are worth a sum that fits at `price` and `asset_price`.
pub(crate) fn market_total_fits(market: &Market, more: Size, price: Price, asset_price: Price) -> bool {
    let total = market.open_interest + market.resting + i128::from(more.abs().units());
    let notional = crate::caps::total_notional(market.contract(), total, price).filter(|n| n.units() <= TOTAL_MAX);
    let Some(notional) = notional else { return false };
    notional.at_index(asset_price, Rate::ONE, units::Round::Up).is_some_and(|n| n.units() <= TOTAL_MAX)
}

/// Whether an amount of an asset is worth a sum that fits.
pub(crate) fn amount_fits(amount: Money, price: Price) -> bool {
    amount.units() <= TOTAL_MAX
        && amount.at_index(price, Rate::ONE, units::Round::Up).is_some_and(|v| v.units() <= TOTAL_MAX)
}

/// The lowest and the highest price of some indices.
pub(crate) type Extremes = alloc::collections::BTreeMap<crate::IndexId, (Price, Price)>;

impl State {
    /// The highest price that an asset could get from the quotes there are.
    pub(crate) fn highest_price(&self, asset: AssetId) -> Price {
        let Some(index) = self.asset(asset).params.index.map(|id| self.index(id)) else { return Price::ONE };
        let quotes = index.sources.iter().flatten().map(|q| q.price);
        quotes.chain([index.price, index.last_usable]).max().unwrap_or(Price::ZERO)
    }

    /// Whether everything that is counted in an asset is worth a sum that fits: its vault, the wallets, and what the positions
    /// that settle in it have cost. Results that were realised while the asset was worth next to nothing are in the latter two only.
    pub(crate) fn asset_fits(&self, id: AssetId, price: Price) -> bool {
        let asset = self.asset(id);
        let settles = self.markets.iter().filter(|m| m.params.settlement == id);
        settles.map(|m| m.costs).chain([asset.vault, asset.claims]).all(|amount| amount_fits(amount, price))
    }

    /// The first index whose prices would make a sum of this venue too large. A mark is at most half its index away from it.
    pub(crate) fn quotes_too_far(&self, extremes: &Extremes) -> Option<(crate::IndexId, Price)> {
        let twice = |price: Price| price.units().checked_mul(2).and_then(Price::new);
        let half = |price: Price| Price::new(price.units() / 2).filter(|p| p.is_positive()).unwrap_or(price);
        for (index, (_, high)) in extremes {
            let ids = (0..self.assets.len()).map(AssetId::at);
            let mut held = ids.filter(|id| self.asset(*id).params.index == Some(*index));
            if !twice(*high).is_some_and(|p| held.all(|id| self.asset_fits(id, p))) {
                return Some((*index, *high));
            }
        }
        for market in self.markets.iter().filter(|m| m.open_interest + m.resting > 0) {
            let own = extremes.get(&market.params.index).map(|range| (market.params.index, *range));
            let coin = self.asset(market.params.settlement).params.index;
            let coin = coin.and_then(|id| extremes.get(&id).map(|range| (id, *range)));
            let Some((blamed, (low, high))) = own.or(coin) else { continue };
            let mark = match (own, market.contract()) {
                (None, _) => market.mark.max(market.last_usable),
                (Some((_, (_, high))), Contract::Linear) => market.greatest_price(high),
                (Some((_, (low, _))), Contract::Inverse { .. }) => half(low),
            };
            let asset_price =
                coin.map_or(self.highest_price(market.params.settlement), |(_, (_, high))| twice(high).unwrap_or(high));
            if !market_total_fits(market, Size::ZERO, mark, asset_price) {
                let asked = if market.is_inverse() { low } else { high };
                return Some((blamed, asked));
            }
        }
        None
    }

    /// Whether a list has room.
    pub(crate) fn room(len: usize, limit: usize) -> Result<(), Reject> {
        if len < limit { Ok(()) } else { Err(Reject::TooMany { limit: u64::try_from(limit).unwrap_or(u64::MAX) }) }
    }

    /// Whether an account may get one more market or one more child.
    pub(crate) fn room_for_account(&self) -> Result<(), Reject> {
        Self::room(self.accounts.len(), limits::ACCOUNTS_MAX)
    }
}
