//! What an account gives up for a price of the moment: collateral that is converted, a position that is auctioned, two legs that
//! close against each other.

use super::clauses::Rule;
use super::{Place, Work, money, price};
use crate::scenario::percent;
use engine::{AccountId, AssetId, Auction, Basis, Event, HandoverTerms, Leg, Market, MarketId, PositionId, State};
use rulebooks::Step;
use rules::{auction_distance, auction_price};
use units::{Money, Price, Rate, Round, Size, Time, limits, mul_div2};

pub(super) fn explain(mut place: Place<'_>, event: &Event, work: &mut Work) {
    match *event {
        Event::Converted { account, fund, sold, sold_amount, bought, bought_amount } => {
            let sale = Sale { account, fund, sold: (sold, sold_amount), bought: (bought, bought_amount) };
            place.converted(&sale, work);
        }
        Event::AuctionStarted { account, market, size, start, worst, discount, since, until, leg } => {
            let auction = Auction { position: market.leg(leg), since, until, discount, over: false };
            let Some(now) = place.auctioned("start", account, &auction, since) else { return };
            let Some(end) = place.auctioned("worst", account, &auction, until) else { return };
            work.step(now.0);
            work.step(end.0);
            work.equal("start", now.1, start, price);
            work.equal("worst", end.1, worst, price);
            work.equal("size", place.state.account(account).position(auction.position), size, |s| s.to_string());
        }
        Event::AuctionFilled { account, market, size, price: paid, value, leg, .. } => {
            place.auction_filled(account, market.leg(leg), (size, paid, value), work);
        }
        Event::LegsOffset { account, market, size, value } => place.offset(account, market, size, value, work),
        _ => {}
    }
}

/// A conversion as its event tells it.
struct Sale {
    account: AccountId,
    fund: AccountId,
    sold: (AssetId, Money),
    bought: (AssetId, Money),
}

/// What collateral goes for, and how much of it goes for an amount.
struct Exchange {
    sold_price: Price,
    bought_price: Price,
    /// One less the discount.
    rate: Rate,
}

impl Exchange {
    /// Rounded down, since the account gets it.
    fn worth(&self, sold: Money) -> Option<Money> {
        sold.at_index(self.sold_price, self.rate, Round::Down)?.from_index(self.bought_price, Round::Down)
    }

    /// Rounded up, since the account gives it.
    fn needed(&self, bought: Money) -> Option<Money> {
        let debt = bought.at_index(self.bought_price, Rate::ONE, Round::Up)?;
        let (price_one, rate_one) = (i128::from(Price::ONE.units()), i128::from(limits::RATE_ONE));
        let divisor = i128::from(self.sold_price.units()) * i128::from(self.rate.units());
        mul_div2(debt.units(), price_one, rate_one, divisor, Round::Up).map(Money::from_units)
    }
}

impl Place<'_> {
    fn converted(&mut self, sale: &Sale, work: &mut Work) {
        let (state, (sold, sold_amount), (bought, bought_amount)) = (self.state, sale.sold, sale.bought);
        let rate = Rate::ONE - state.asset(sold).params.conversion_discount;
        let (sold_price, bought_price) = (state.asset_price(sold), state.asset_price(bought));
        let exchange = Exchange { sold_price, bought_price, rate };
        let working = state.working(sale.account, Basis::Lenient);
        let amount_in =
            |asset| working.collateral.iter().find(|row| row.asset == asset).map_or(Money::ZERO, |r| r.amount);
        let missing = -amount_in(bought);
        let spare = state.account(sale.account).wallet(sold).min(amount_in(sold));
        let (Some(worth), Some(needed)) = (exchange.worth(spare), exchange.needed(bought_amount)) else { return };
        let (of_sold, of_bought) = (self.names.of_asset(sold), self.names.of_asset(bought));
        let all = sold_amount == spare && bought_amount == worth;
        let at = format!(
            "index {} of {of_sold} × (1 − discount {}) ÷ index {} of {of_bought}",
            price(sold_price),
            percent(Rate::ONE - rate),
            price(bought_price)
        );
        let missing_step = Step::new("missing", money(missing), format!("what the account is short of in {of_bought}"));
        let spare_step =
            Step::new("spare", money(spare), format!("its {of_sold}: the wallet, less losses that settle in it"));
        let step = if all {
            Step::new("bought_amount", money(worth), format!("all that is spare × {at}, rounded down"))
        } else {
            let how = format!("bought_amount {} ÷ ({at}), rounded up", money(bought_amount));
            Step::new("sold_amount", money(needed.min(spare)), how)
        };
        let market = state.account(sale.account).exposures.first().map(|e| e.market);
        let step = self.by(step.of([missing_step, spare_step]), Rule::Liquidation, market, None);
        work.step(step);
        if all {
            work.equal("bought_amount", worth, bought_amount, money);
        } else {
            work.equal("sold_amount", needed.min(spare), sold_amount, money);
        }
        work.at_most(("bought_amount", bought_amount), ("what is missing", missing), money);
        let there = state.account(sale.fund).wallet(bought);
        work.at_most(("bought_amount", bought_amount), ("what the fund has", there), money);
    }

    /// The price of an auction at a moment, by the account as it is now.
    fn auctioned(&mut self, name: &str, account: AccountId, auction: &Auction, at: Time) -> Option<(Step, Price)> {
        let Auction { position, since, until, discount, .. } = *auction;
        let row = self.state.market(position.market);
        let terms = self.state.handover_terms(account, position)?;
        let discount = discount.min(row.params.liquidation.band);
        let bankruptcy = bankruptcy_of(row, &terms);
        let distance = auction_distance(row.mark, discount, bankruptcy, terms.size);
        let times = (at.since(since), until.since(since));
        let found = auction_price(row.mark, distance, times, row.params.tick, terms.size)?;
        let (seconds, way) = (
            |ns: i64| Money::from_units(i128::from(ns) * 10_000_000),
            if terms.size.is_negative() { "+" } else { "−" },
        );
        let how = format!(
            "mark {} {way} distance × {} s ÷ {} s, to a tick of {} in the account's favour",
            price(row.mark),
            seconds(times.0.min(times.1)),
            seconds(times.1),
            price(row.params.tick)
        );
        let how_distance = match bankruptcy {
            None => format!("{} of the mark: no price is as bad as the bankruptcy price", percent(discount)),
            Some(bankruptcy) => format!(
                "the smaller of {} of the mark and the way to the bankruptcy price {}, rounded down; zero where that is no worse",
                percent(discount),
                price(bankruptcy)
            ),
        };
        let parts = [
            Step::new("worth", money(terms.worth), "of the position at the mark, rounded down"),
            Step::new("share of equity", money(terms.share), "that its bankruptcy price gives up"),
        ];
        let step =
            Step::new(name, price(found), how).of([Step::new("distance", price(distance), how_distance).of(parts)]);
        Some((self.by(step, Rule::Liquidation, Some(position.market), None), found))
    }

    fn auction_filled(
        &mut self,
        account: AccountId,
        position: PositionId,
        (size, paid, value): (Size, Price, Money),
        work: &mut Work,
    ) {
        let rows = self.state.auctions.get(&account);
        let Some(auction) = rows.into_iter().flatten().find(|row| row.position == position).copied() else { return };
        let Some((step, found)) = self.auctioned("price", account, &auction, self.state.now) else { return };
        work.step(step);
        let worth = self.state.market(position.market).contract().value(paid, size, Round::TowardZero);
        let explained = worth.unwrap_or(Money::ZERO);
        let how = format!("{size} at price {}, toward zero: what the bidder pays", price(paid));
        work.step(Step::new("value", money(explained), how));
        work.equal("price", found, paid, price);
        work.equal("value", explained, value, money);
        let held = self.state.account(account).position(position).abs();
        work.at_most(("size", size.abs()), ("what the account holds", held), |s| s.to_string());
    }

    fn offset(&mut self, account: AccountId, market: MarketId, size: Size, value: Money, work: &mut Work) {
        let row = self.state.market(market);
        let explained = row.contract().value(row.mark, size, Round::TowardZero).unwrap_or(Money::ZERO);
        let how = format!(
            "{size} at mark {}, toward zero: both legs close at one price, so that equity stays",
            price(row.mark)
        );
        let held = |leg| held(self.state, account, market.leg(leg));
        let (long, short) = (held(Leg::Long), held(Leg::Short));
        let legs = [Step::new("long leg", long, "before the event"), Step::new("short leg", short, "before the event")];
        let step = self.by(Step::new("value", money(explained), how).of(legs), Rule::Liquidation, Some(market), None);
        work.step(step);
        work.equal("value", explained, value, money);
        work.at_most(("size", size), ("the smaller leg", long.abs().min(short.abs())), |s| s.to_string());
    }
}

fn held(state: &State, account: AccountId, position: PositionId) -> Size {
    state.account(account).position(position)
}

/// Where nothing is left; the mark where nothing is left already, `None` where no price is that bad.
fn bankruptcy_of(row: &Market, terms: &HandoverTerms) -> Option<Price> {
    if terms.value >= terms.worth {
        return Some(row.mark);
    }
    let round = if terms.size.is_positive() { Round::Up } else { Round::Down };
    row.contract().price_of(terms.value, terms.size, round)
}
