//! Fees of trades: the notional of the fill at the rate of the account's tier, and the asset that pays it.

use super::clauses::Rule;
use super::{Memory, Place, Work, money, price};
use crate::scenario::percent;
use engine::{AccountId, AssetId, Cause, Event, MarketId, State};
use rulebooks::Step;
use rules::{Contract, FeeTerms, trading_fee};
use units::{Money, Price, Rate, Size};

/// The fill that a fee belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    market: MarketId,
    price: Price,
    size: Size,
    maker: AccountId,
    taker: AccountId,
    /// The taking order is the ladder's: it pays no fee, and its maker gets no rebate.
    ladder: bool,
}

pub(super) fn remember(memory: &mut Memory, state: &State, event: &Event) {
    match *event {
        Event::Began { .. } => memory.fill = None,
        Event::Filled { market, maker, taker, price, size, .. } => {
            let account = |order| state.order(order).map(|row| row.account);
            memory.fill = account(maker).zip(account(taker)).map(|(maker, taker)| Fill {
                market,
                price,
                size,
                maker,
                taker,
                ladder: false,
            });
        }
        Event::PositionChanged { account, cause: Cause::Liquidation, .. } => {
            if let Some(fill) = memory.fill.as_mut().filter(|fill| fill.taker == account) {
                fill.ladder = true;
            }
        }
        _ => {}
    }
}

pub(super) fn explain(mut place: Place<'_>, event: &Event, work: &mut Work) {
    let (Event::FeeCharged { account, market, fee, asset }, Some(fill)) = (*event, place.memory.fill) else { return };
    let state = place.state;
    let row = state.market(market);
    let tier = state.account(account).fee_tier;
    let rates = row.fees(tier);
    let maker_rate =
        if fill.ladder { rates_of_maker(state, &fill).max(Rate::ZERO) } else { rates_of_maker(state, &fill) };
    let (role, rate) = if account == fill.taker { ("taker", rates.taker) } else { ("maker", maker_rate) };
    let Some(notional) = row.contract().notional(fill.price, fill.size) else { return };
    let terms = trading_fee(notional, rate);
    // What the maker is paid right after the taker has paid.
    let rebate =
        if account == fill.taker { trading_fee(notional, maker_rate).fee.min(Money::ZERO) } else { Money::ZERO };
    let charge = state.charge(account, market, terms.fee, rebate);
    let step = place.terms(&fill, &terms, role, tier);
    let (shown, in_asset) = (money(charge.amount), place.names.of_asset(charge.asset));
    let step = if charge.asset == row.params.settlement {
        step
    } else {
        place.paid_in(step, charge.asset, shown, row.params.settlement)
    };
    work.step(step);
    work.equal("fee", charge.amount, fee, money);
    work.equal("asset", in_asset.as_str(), place.names.of_asset(asset).as_str(), str::to_owned);
}

fn rates_of_maker(state: &State, fill: &Fill) -> Rate {
    state.market(fill.market).fees(state.account(fill.maker).fee_tier).maker
}

impl Place<'_> {
    fn terms(&mut self, fill: &Fill, terms: &FeeTerms, role: &str, tier: u8) -> Step {
        let how = match self.state.market(fill.market).params.contract {
            Contract::Linear => format!("|size| {} × price {} of the fill", fill.size.abs(), price(fill.price)),
            Contract::Inverse { .. } => {
                format!("value of {} at price {} of the fill, rounded up", fill.size.abs(), price(fill.price))
            }
        };
        let rate = Step::new("rate", percent(terms.rate), format!("{role} of fee tier {tier}"));
        let rate = self.by(rate, Rule::Market, Some(fill.market), None);
        let ways = if terms.fee.is_negative() { "the account is paid" } else { "the account pays" };
        let how_fee = format!("notional × rate, rounded up; {ways}");
        Step::new("fee", money(terms.fee), how_fee).of([Step::new("notional", money(terms.notional), how), rate])
    }

    /// The same fee in the asset that the account has chosen.
    fn paid_in(&self, fee: Step, asset: AssetId, shown: String, settlement: AssetId) -> Step {
        let state = self.state;
        let name = self.names.of_asset(asset);
        let how = format!(
            "fee × index {} of {} × (1 − discount {}) ÷ index {} of {name}, rounded up",
            price(state.asset_price(settlement)),
            self.names.of_asset(settlement),
            percent(state.fee_discount),
            price(state.asset_price(asset)),
        );
        Step::new(format!("fee in {name}"), shown, how).of([fee])
    }
}
