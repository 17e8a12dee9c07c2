//! Between cancelling orders and asking the book: the two legs of hedge mode close against each other at the mark, as far
//! as that is needed. It costs nothing, moves no price and needs nobody else.

use crate::ladder::step as tell;
use crate::output::Output;
use crate::{AccountId, Event, Leg, MarketId, PositionMode, Stage, State, fill};
use alloc::vec::Vec;
use units::{Round, Size};

/// Offsets legs, the market with the largest maintenance margin first, until the account is back at its target.
pub(crate) fn run(out: &mut Output<'_>, account: AccountId) {
    if out.state().account(account).mode == PositionMode::OneWay {
        return;
    }
    let mut markets: Vec<MarketId> = Vec::new();
    for position in out.state().closable_positions(account) {
        if !markets.contains(&position.market) {
            markets.push(position.market);
        }
    }
    for market in markets {
        if !out.state().still_below(account) {
            return;
        }
        let size = out.state().offset(account, market);
        let row = out.state().market(market);
        let Some(value) = row.contract().value(row.mark, size, Round::TowardZero).filter(|_| !size.is_zero()) else {
            continue;
        };
        let headroom_before = out.state().lenient(account).headroom();
        out.emit(Event::LegsOffset { account, market, size, value });
        fill::change(out, account, market.leg(Leg::Long), &fill::Part::plain(-size, -value, crate::Cause::Liquidation));
        fill::change(out, account, market.leg(Leg::Short), &fill::Part::plain(size, value, crate::Cause::Liquidation));
        tell(out, account, market.leg(Leg::Long), Stage::Offset, -size, headroom_before);
    }
}

impl State {
    /// The fewest lots of both legs whose maintenance margin has to go for equity to be back at the target; all that face
    /// each other when even that is not enough. Equity stays as it is, since both sides close at one price.
    fn offset(&self, account: AccountId, market: MarketId) -> Size {
        let row = self.account(account);
        let (long, short) = (row.position(market.leg(Leg::Long)), row.position(market.leg(Leg::Short)));
        let most = if long < short.abs() { long } else { short.abs() };
        let terms = self.lenient(account);
        let held = self.maintenance_at(market, long) + self.maintenance_at(market, short);
        let surplus = |size: Size| {
            let left = self.maintenance_at(market, long - size) + self.maintenance_at(market, short + size);
            let maintenance = terms.maintenance - held + left;
            self.over_target(terms.equity, maintenance)
        };
        crate::place::smallest_size(most, self.market(market).params.lot, surplus)
    }
}
