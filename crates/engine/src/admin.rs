//! Commands of the operator: assets, indices, markets, parameters, statuses, accounts.

use crate::apply::Definition;
use crate::bounds;
use crate::output::Output;
use crate::params::{AssetParams, IndexParams, Kind, MarketParams, RiskParams};
use crate::{
    AccountId, Answer, AssetId, Event, IndexId, MarketId, MarketStatus, Name, OwnerId, ParamName, Reject, Role, State,
    StatusReason, limits, triggers,
};
use units::{Price, Rate, Size};

pub(crate) fn add_asset(out: &mut Output<'_>, params: &AssetParams) -> Result<Answer, Reject> {
    let state = out.state();
    State::room(state.assets.len(), limits::ASSETS_MAX)?;
    if state.assets.iter().any(|a| a.params.name == params.name) {
        return Err(Reject::NameTaken);
    }
    bounds::asset(state, params)?;
    let asset = AssetId::at(state.assets.len());
    out.define(Event::AssetAdded { asset }, Definition::Asset(params));
    Ok(Answer::Asset(asset))
}

pub(crate) fn add_index(out: &mut Output<'_>, params: &IndexParams) -> Result<Answer, Reject> {
    let state = out.state();
    State::room(state.indices.len(), limits::INDICES_MAX)?;
    if state.indices.iter().any(|i| i.params.name == params.name) {
        return Err(Reject::NameTaken);
    }
    bounds::index(params)?;
    bounds::last_resort(state, IndexId::at(state.indices.len()), params)?;
    let index = IndexId::at(state.indices.len());
    out.define(Event::IndexAdded { index }, Definition::Index(params));
    crate::prelaunch::begin(out, index);
    Ok(Answer::Index(index))
}

pub(crate) fn set_index_params(out: &mut Output<'_>, index: IndexId, params: &IndexParams) -> Result<Answer, Reject> {
    let old = &out.state().find_index(index)?.params;
    bounds::index(params)?;
    bounds::last_resort(out.state(), index, params)?;
    if (old.name, old.weights.len(), old.own) != (params.name, params.weights.len(), params.own) {
        return Err(Reject::ParamOutOfRange { name: ParamName::Fixed });
    }
    out.define(Event::IndexParamsSet { index }, Definition::Index(params));
    crate::prices::refresh(out, &[index]);
    Ok(Answer::Done)
}

pub(crate) fn list_market(out: &mut Output<'_>, params: &MarketParams) -> Result<Answer, Reject> {
    let state = out.state();
    State::room(state.markets.len(), limits::MARKETS_MAX)?;
    if state.markets.iter().any(|m| m.params.name == params.name) {
        return Err(Reject::NameTaken);
    }
    bounds::market(state, params)?;
    if state.delistings.contains_key(&params.settlement) {
        return Err(Reject::AssetDelisting { asset: params.settlement });
    }
    if let Kind::Dated(expiry) = &params.kind {
        bounds::expiry(state.now, expiry)?;
    }
    let market = MarketId::at(state.markets.len());
    out.define(Event::MarketListed { market }, Definition::Market(params));
    if let Kind::Dated(expiry) = params.kind {
        crate::settlement::announce(out, market, expiry);
    }
    Ok(Answer::Market(market))
}

pub(crate) fn set_market_params(
    out: &mut Output<'_>,
    market: MarketId,
    params: &MarketParams,
) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_market(market)?;
    if row.is_over() {
        return Err(Reject::MarketStatusForbids { status: row.status });
    }
    let old = &row.params;
    bounds::market(state, params)?;
    let fixed =
        |p: &MarketParams| (p.name, p.contract, p.settlement, p.index, p.tick, p.lot, p.funding.interval_ns, p.kind);
    let option = |p: &MarketParams| p.option.map(|o| (o.right, o.strike, o.volatility, o.period_ns));
    if fixed(old) != fixed(params) || option(old) != option(params) {
        return Err(Reject::ParamOutOfRange { name: ParamName::Fixed });
    }
    out.define(Event::MarketParamsSet { market }, Definition::Market(params));
    crate::triggers::touch(out, market); // a price may be believed now that was not before
    Ok(Answer::Done)
}

pub(crate) fn set_asset_params(out: &mut Output<'_>, asset: AssetId, params: &AssetParams) -> Result<Answer, Reject> {
    let state = out.state();
    let old = &state.find_asset(asset)?.params;
    if state.delistings.contains_key(&asset) {
        return Err(Reject::AssetDelisting { asset });
    }
    bounds::asset(state, params)?;
    if (old.name, old.decimals, old.index) != (params.name, params.decimals, params.index) {
        return Err(Reject::ParamOutOfRange { name: ParamName::Fixed });
    }
    let (haircut, conversion_discount) = (params.haircut, params.conversion_discount);
    if old.borrow != params.borrow {
        crate::borrow::charge_all(out, asset);
    }
    out.define(Event::AssetParamsSet { asset, haircut, conversion_discount }, Definition::Asset(params));
    Ok(Answer::Done)
}

pub(crate) fn set_risk_params(out: &mut Output<'_>, params: &RiskParams) -> Result<Answer, Reject> {
    bounds::risk(params)?;
    out.define(Event::RiskParamsSet, Definition::Risk(params));
    Ok(Answer::Done)
}

/// Tightening is always possible. Resuming goes halted → cancel-only → post-only → open, one step a command; from
/// reduce-only it begins at cancel-only. Post-only and open need usable prices.
pub(crate) fn set_market_status(
    out: &mut Output<'_>,
    market: MarketId,
    status: MarketStatus,
) -> Result<Answer, Reject> {
    use MarketStatus::{CancelOnly, Halted, Open, PostOnly, ReduceOnly};
    let state = out.state();
    let row = state.find_market(market)?;
    let from = row.status;
    // A market that was halted because something does not hold of it stays so, until another version of this program mends it.
    let faulty = from == Halted && (state.broken(market).is_some() || state.settling.contains_key(&market));
    if faulty || row.is_over() || matches!(status, MarketStatus::Settling | MarketStatus::Settled) {
        let status = if faulty || row.is_over() { from } else { status };
        return Err(Reject::MarketStatusForbids { status });
    }
    if state.end_has_begun(market) && matches!(status, Open | PostOnly) {
        return Err(Reject::ScheduleBegun { market });
    }
    let resumes = match (from, status) {
        (a, b) if a == b => return Err(Reject::AlreadySo),
        (_, Halted) | (Open, _) | (PostOnly, CancelOnly | ReduceOnly) => false,
        (Halted, CancelOnly) | (ReduceOnly, CancelOnly) | (CancelOnly, ReduceOnly) => false,
        (CancelOnly, PostOnly) | (PostOnly, Open) => true,
        _ => return Err(Reject::ResumeOrder { from }),
    };
    if resumes && row.mark.is_positive() && !state.is_priced(row) {
        return Err(Reject::PriceUnusable { market });
    }
    if resumes && state.index(row.params.index).fallen.is_some() {
        return Err(Reject::IndexOnFallback { index: row.params.index });
    }
    out.emit(Event::MarketStatusSet { market, status, reason: StatusReason::Command });
    triggers::touch(out, market); // orders that wait may be placed now
    Ok(Answer::Done)
}

pub(crate) fn set_funding_rate(out: &mut Output<'_>, market: MarketId, rate: Rate) -> Result<Answer, Reject> {
    let funding = &out.state().find_market(market)?.params.funding;
    if !out.state().has_funding(market) {
        return Err(Reject::NoFunding { market });
    }
    if rate > funding.cap || rate < funding.floor {
        return Err(Reject::ParamOutOfRange { name: ParamName::Rate });
    }
    out.emit(Event::FundingRateSet { market, rate });
    Ok(Answer::Done)
}

pub(crate) fn open_account(out: &mut Output<'_>, owner: OwnerId, role: Role, name: Name) -> Result<Answer, Reject> {
    let state = out.state();
    state.room_for_account()?;
    match role {
        Role::Fund => State::room(state.funds.len(), limits::FUNDS_MAX)?,
        Role::Trading => state.check_subaccounts(owner)?,
    }
    let account = AccountId::at(state.accounts.len());
    out.define(Event::AccountOpened { account, owner }, Definition::Account(role, name));
    Ok(Answer::Account(account))
}

impl State {
    /// The price that bands are taken round and reductions are judged by: the last usable mark.
    ///
    /// # Errors
    /// When the market never had one.
    pub(crate) fn reference_price(&self, market: MarketId) -> Result<Price, Reject> {
        let price = self.market(market).last_usable;
        if price.is_positive() { Ok(price) } else { Err(Reject::PriceUnusable { market }) }
    }

    /// The table of DESIGN section 5, for what increases risk in a market: mark fresh, quorum.
    pub(crate) fn price_for_increase(&self, market: MarketId) -> Result<Price, Reject> {
        let row = self.market(market);
        let usable = row.is_over() || (row.mark.is_positive() && self.is_priced(row));
        if usable { Ok(row.mark) } else { Err(Reject::PriceUnusable { market }) }
    }

    /// The same, for what leaves an account: every price that enters it.
    pub(crate) fn prices_for_outflow(&self, account: AccountId, asset: Option<AssetId>) -> Result<(), Reject> {
        let row = self.account(account);
        let busy = row
            .exposures
            .iter()
            .filter(|e| !e.size.is_zero() || e.buys.count + e.sells.count > 0 || !e.reserved.is_zero());
        let mut any = false;
        for exposure in busy {
            any = true;
            self.price_for_increase(exposure.market)?;
        }
        let debts = row.wallets.iter().any(|w| w.amount.is_negative());
        if !any && !debts {
            return Ok(()); // without positions, orders and debts no price matters
        }
        let held = row.wallets.iter().filter(|w| !w.amount.is_zero()).map(|w| w.asset).chain(asset);
        for asset in held.filter(|asset| row.counts(*asset)) {
            self.asset_price_for_outflow(asset)?;
        }
        let settled =
            row.exposures.iter().filter(|e| !e.size.is_zero()).map(|e| self.market(e.market).params.settlement);
        settled.into_iter().try_for_each(|asset| self.asset_price_for_outflow(asset))
    }

    fn asset_price_for_outflow(&self, asset: AssetId) -> Result<(), Reject> {
        match self.asset(asset).params.index {
            Some(index) if !self.index(index).is_usable(self.now) => Err(Reject::CollateralPriceUnusable { asset }),
            _ => Ok(()),
        }
    }

    /// The worst price that an order of `side` may have: the edge of a band, on the tick.
    pub(crate) fn band_edge(&self, market: MarketId, side: crate::Side, band: Rate) -> Result<Price, Reject> {
        let reference = self.reference_price(market)?;
        let row = self.market(market);
        let params = &row.params;
        let (rate, round) = match side {
            crate::Side::Buy => (band, units::Round::Down),
            crate::Side::Sell => (-band, units::Round::Up),
        };
        if params.option.is_some() {
            return Ok(self.option_edge(row, reference, rate, round));
        }
        let edge = reference.scale(rate, round).and_then(|p| p.to_tick(params.tick, round)).filter(|p| p.is_positive());
        edge.ok_or(Reject::PriceUnusable { market })
    }

    /// The largest size of the order tables.
    pub(crate) fn size_is_good(size: Size, lot: Size) -> Result<(), Reject> {
        if !size.is_positive() {
            return Err(Reject::SizeNotPositive { asked: size });
        }
        if size.is_multiple_of(lot) { Ok(()) } else { Err(Reject::SizeOffLot { asked: size, lot }) }
    }
}
