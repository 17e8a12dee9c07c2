//! The holder's right to leave a perpetual option: while the book bids less than what exercise would pay, a long closes at the payoff
//! against shorts, in the order in which they would be deleveraged. Without it a holder whom nobody buys from pays time value for ever.

use crate::fill::{self, Part};
use crate::margin::{Basis, Change, Need};
use crate::output::Output;
use crate::state::Market;
use crate::{AccountId, Answer, Cause, Event, MarketId, MarketStatus, Reject, Side, State, limits};
use rules::option_payoff;
use units::{Money, Price, Round, Size};

impl State {
    /// The price at which holders may close now: the payoff, and never more than the mark, so that a short loses nothing by it. `None`
    /// while the book is good enough, without a quorum, and where there is no such right.
    pub(crate) fn exit_price(&self, market: &Market) -> Option<Price> {
        let option = market.params.option?;
        let share = option.exit?;
        let spot = self.index(market.params.index).price;
        let live = !market.is_over() && market.status != MarketStatus::Halted && market.mark.is_positive();
        if !live || !self.is_priced(market) {
            return None;
        }
        let payoff = option_payoff(option.right, spot, option.strike);
        let margin = spot.scale(share, Round::Up).map(|moved| moved - spot)?;
        let bid = market.book.best(Side::Buy).map_or(Price::ZERO, |(price, _)| price);
        let below = bid.units().checked_add(margin.units()).is_some_and(|enough| enough < payoff.units());
        Some(payoff.min(market.mark)).filter(|price| below && price.is_positive())
    }
}

/// Says once a second whether the right can be used.
pub(crate) fn announce(out: &mut Output<'_>, market: MarketId) {
    let row = out.state().market(market);
    let open = out.state().exit_price(row).is_some();
    if open != row.exit_open {
        out.emit(Event::ExitRightSet { market, open });
    }
}

/// Closes up to `size` contracts of a long position, as far as shorts are there; a bounded number of them a command.
pub(crate) fn exit(out: &mut Output<'_>, account: AccountId, market: MarketId, size: Size) -> Result<Answer, Reject> {
    let state = out.state();
    let row = state.find_trading(account)?;
    row.check_not_frozen()?;
    let of = state.find_market(market)?;
    State::size_is_good(size, of.params.lot)?;
    if row.liquidation.is_some() {
        return Err(Reject::InLiquidation);
    }
    let price = state.exit_price(of).filter(|_| of.exit_open).ok_or(Reject::ExitNotOpen { market })?;
    let position = state.losing(account, market, -size);
    let held = row.position(position);
    if held < size {
        return Err(Reject::ExitTooLarge { asked: size, held: held.max(Size::ZERO) });
    }
    let mut rows = state.ranking(market, Side::Sell);
    rows.retain(|row| row.account != account);
    rows.truncate(limits::EXITS_PER_COMMAND);
    let there: i128 = rows.iter().map(|row| i128::from(row.size.abs().units())).sum();
    let size = i64::try_from(there).ok().and_then(Size::new).map_or(size, |there| size.min(there));
    if size.is_zero() {
        return Err(Reject::ExitNobody { market });
    }
    let trade = Some((-size, -(price * size), Money::ZERO));
    let change = Change { position, trade, ..Change::default() };
    let equity = state.evaluate(account, Basis::Lenient, Need::Equity, Some(&change)).equity;
    if equity.is_negative() {
        return Err(Reject::WouldBankrupt { equity });
    }
    let mut left = size;
    for row in rows {
        let part = left.min(row.size.abs());
        if part.is_zero() {
            break;
        }
        left -= part;
        let value = price * part;
        let (counterparty, rank) = (row.account, row.rank);
        out.emit(Event::OptionExited { account, counterparty, market, size: part, value, rank });
        fill::change(out, account, position, &Part::plain(-part, -value, Cause::Exit));
        let short = out.state().losing(counterparty, market, part);
        fill::change(out, counterparty, short, &Part::plain(part, value, Cause::Exit));
    }
    Ok(Answer::Done)
}
