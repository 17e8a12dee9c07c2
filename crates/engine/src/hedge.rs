//! How much of a position hedges something else in its account. It knows nothing of who asks, and moves nothing.
//!
//! One number says which way an account leans: its *net exposure*, the sum of its signed notionals at the marks and of what
//! its wallets hold in assets that have an index, numeraire. All prices are taken to move together: in the crashes for
//! which this is made they did. The part of a position that the net exposure covers is *unhedged*: closing it makes the
//! account lean less. The rest *hedges*: closing it makes the account lean more to the other side.

use crate::{AccountId, PositionId, State};
use units::{Money, Rate, Round, Size};

/// Contracts, without sign, of a position that hedge nothing: whole lots, or all of it.
///
/// Short 0.1 BTC at 60,000 (−6,000) beside long 4,500 of another market: the net is −1,500, which is 0.025 BTC; the other
/// 0.075 hedge. With nothing else, all 0.1 is unhedged; beside 0.1 BTC as collateral, none.
pub(crate) fn unhedged(state: &State, account: AccountId, id: PositionId) -> Size {
    let (market, position) = (id.market, state.account(account).position(id));
    let net = net_exposure(state, account);
    let leans = net.units().signum() * i128::from(position.units().signum());
    if leans <= 0 {
        return Size::ZERO;
    }
    let row = state.market(market);
    let size = state.contracts_worth(market, state.credit_of(row.params.settlement, net.abs()));
    if size < position.abs() { size.to_lot(row.params.lot) } else { position.abs() }
}

/// Σ signed notional + coins at index, numeraire; + leans long. Notionals are rounded up, coins down.
fn net_exposure(state: &State, account: AccountId) -> Money {
    let row = state.account(account);
    let positions = row.exposures.iter().filter(|e| !e.size.is_zero()).map(|e| {
        let market = state.market(e.market);
        let notional = market.contract().notional(state.valuation(market), e.size).unwrap_or(Money::ZERO);
        let worth = state.debt(market.params.settlement, notional);
        if e.size.is_positive() { worth } else { -worth }
    });
    let coins = row
        .wallets
        .iter()
        .filter(|w| row.counts(w.asset) && state.asset(w.asset).params.index.is_some())
        .map(|w| w.amount.at_index(state.asset_price(w.asset), Rate::ONE, Round::Down).unwrap_or(Money::ZERO));
    positions.chain(coins).sum()
}
