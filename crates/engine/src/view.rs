//! What a person asks: account, market, fund, queue, what-if. Computed from state by the same functions that decide.

use crate::margin::{Basis, Need};
use crate::orders::{Order, Place};
use crate::{
    AccountId, AccountKind, AccountReason, AccountStatus, AssetId, Auction, Engine, Exposure, Leg, MarginMode,
    MarketId, MarketStatus, OrderId, OwnerId, Reduce, Reject, Side, State, Trigger,
};
use alloc::vec::Vec;
use rules::{Bankruptcy, LiquidationPrice, LiquidationPrices};
use serde::Serialize;
use units::{Money, Price, Rate, Size, Time};

/// A subaccount with every number of its margin, numeraire where not said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// Which.
    pub account: AccountId,
    /// Whose.
    pub owner: OwnerId,
    /// What it is.
    pub kind: AccountKind,
    /// Collateral at index after haircuts, with unrealised results, unsettled funding and shared losses owed.
    pub equity: Money,
    /// Needed to open, resting orders and reservations included.
    pub initial_margin: Money,
    /// Needed to stay open.
    pub maintenance_margin: Money,
    /// equity − initial margin, not below zero.
    pub free_collateral: Money,
    /// equity − maintenance margin.
    pub headroom: Money,
    /// maintenance ÷ equity, rounded up; none when equity is not positive and maintenance is.
    pub margin_ratio: Option<Rate>,
    /// True while the ladder works on it.
    pub liquidating: bool,
    /// By asset.
    pub wallets: Vec<WalletView>,
    /// By market; isolated ones are those of the children.
    pub positions: Vec<PositionView>,
    /// Open orders, children's included, oldest first.
    pub orders: Vec<OrderView>,
    /// When all its orders are cancelled unless the countdown is renewed.
    pub cancel_all_at: Option<Time>,
    /// What it may do.
    pub status: AccountStatus,
    /// Why.
    pub status_reason: AccountReason,
}

/// One asset of a subaccount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WalletView {
    /// What.
    pub asset: AssetId,
    /// Settled.
    pub wallet: Money,
    /// wallet − interest due + unrealised results + unsettled funding − shared losses owed that settle in it.
    pub amount: Money,
    /// Interest on a debt that has not been charged yet.
    pub interest_due: Money,
    /// What that counts, numeraire.
    pub value: Money,
    /// The most that may leave now.
    pub withdrawable: Money,
}

/// One position, settlement asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PositionView {
    /// Where.
    pub market: MarketId,
    /// The subaccount that holds it.
    pub holder: AccountId,
    /// Cross or isolated.
    pub mode: MarginMode,
    /// Notional per initial margin.
    pub leverage: u16,
    /// Contracts; + long.
    pub size: Size,
    /// Signed sum of what was paid.
    pub cost: Money,
    /// cost per contract, shown.
    pub entry_price: Option<Price>,
    /// The mark.
    pub mark_price: Price,
    /// |size| × mark.
    pub notional: Money,
    /// + is a gain.
    pub upnl: Money,
    /// Posted funding on its way to the wallet; + is owed to the account.
    pub unsettled_funding: Money,
    /// Of the position alone.
    pub initial_margin: Money,
    /// Of the position alone.
    pub maintenance_margin: Money,
    /// Marks at which the whole subaccount reaches its line, all else unchanged.
    pub liquidation_price: LiquidationPrices,
    /// The mark at which its equity without haircuts is zero, all else unchanged.
    pub bankruptcy_price: Bankruptcy,
    /// Which position of the market.
    pub leg: Leg,
    /// Losses of others that it shares and has not paid yet; + is owed by the account.
    pub shared_loss: Money,
}

/// One open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// Its id.
    pub order: OrderId,
    /// Where.
    pub market: MarketId,
    /// Buy or sell.
    pub side: Side,
    /// Worst price.
    pub price: Price,
    /// Open contracts.
    pub remaining: Size,
    /// The caller's number.
    pub client_id: u64,
    /// Whether it may only reduce.
    pub reduce: Reduce,
    /// What it waits for.
    pub trigger: Option<Trigger>,
    /// Which position it trades.
    pub leg: Leg,
    /// When it ends by the clock.
    pub expires: Option<Time>,
    /// Where its trigger is reached as things are; none without one, and for a trailing one that is not active yet.
    pub level: Option<Price>,
}

/// A market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarketView {
    /// Which.
    pub market: MarketId,
    /// What it accepts.
    pub status: MarketStatus,
    /// Of the underlying.
    pub index_price: Price,
    /// What margin is computed from.
    pub mark_price: Price,
    /// Fresh and agreed by a quorum.
    pub usable: bool,
    /// Five-minute average of the mark.
    pub average_price: Option<Price>,
    /// Last trade.
    pub last_price: Price,
    /// Highest buy.
    pub best_bid: Option<Price>,
    /// Lowest sell.
    pub best_ask: Option<Price>,
    /// What the next settlement would charge from the samples so far.
    pub funding_rate: Rate,
    /// The next settlement.
    pub funding_next: Time,
    /// Contracts of all longs, 1e-8.
    pub open_interest: i128,
    /// The clearing account, settlement asset.
    pub clearing: Money,
    /// Of an option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionView>,
}

/// An option now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OptionView {
    /// What a contract would pay at the index.
    pub payoff: Price,
    /// Mark less payoff.
    pub time_value: Price,
    /// A year, as its mark takes it.
    pub volatility: Rate,
    /// Change of the mark per whole one of the underlying.
    pub delta: Rate,
    /// Change of the mark per 100 % of volatility.
    pub vega: Price,
    /// What holding a contract for a day would cost as things are, settlement asset; + is paid by longs. None of a dated one.
    pub funding_per_day: Option<Money>,
    /// Holders may close at the payoff.
    pub exit_open: bool,
}

/// One place in the queue of an auto-deleveraging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AdlRow {
    /// Place, from 1.
    pub rank: u32,
    /// Who.
    pub account: AccountId,
    /// The position; + long.
    pub size: Size,
    /// Under the market's policy, 1e-9; with equal shares 1 for a gain, 0 without.
    pub score: i128,
    /// Which of its positions.
    pub leg: Leg,
}

/// An auction that takes bids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AuctionView {
    /// Whose position.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Which position.
    pub leg: Leg,
    /// Contracts that are open; + long: bidders buy.
    pub size: Size,
    /// Contracts that a bid gets now, at most, without sign.
    pub most: Size,
    /// What a bid pays now.
    pub price: Price,
    /// Where it would be at the end, all else unchanged.
    pub worst: Price,
    /// The mark.
    pub mark_price: Price,
    /// When it began.
    pub since: Time,
    /// Then it is over.
    pub until: Time,
}

impl Engine {
    /// Every auction that takes bids now, in the order of accounts: none of an account above its line, none without a usable
    /// price.
    #[must_use]
    pub fn auctions(&self) -> Vec<AuctionView> {
        let state = self.state();
        state.auctions.keys().filter_map(|account| state.auction_view(*account)).collect()
    }

    /// A subaccount with every number of its margin. An isolated child can be asked for by its own handle, too.
    ///
    /// # Errors
    /// When the handle points at nothing.
    pub fn account_view(&self, account: AccountId) -> Result<AccountView, Reject> {
        let state = self.state();
        let row = state.find_account(account)?;
        let terms = state.terms(account);
        let (equity, maintenance) = (terms.equity, terms.maintenance);
        let ratio =
            units::mul_div(maintenance.units(), i128::from(Rate::ONE.units()), equity.units().max(0), units::Round::Up);
        let margin_ratio = if maintenance.is_zero() {
            Some(Rate::ZERO)
        } else {
            ratio.and_then(|r| i64::try_from(r).ok()).and_then(Rate::new)
        };
        Ok(AccountView {
            account,
            owner: row.owner,
            kind: row.kind,
            equity,
            initial_margin: terms.initial,
            maintenance_margin: maintenance,
            free_collateral: (equity - terms.initial).max(Money::ZERO),
            headroom: terms.headroom(),
            margin_ratio,
            liquidating: state.liquidating.contains(&account),
            wallets: row.wallets.iter().map(|w| state.wallet_view(account, w.asset)).collect(),
            positions: state.position_views(account, row),
            orders: state.orders_with_children(account).iter().map(|order| order_view(state, order)).collect(),
            cancel_all_at: state.deadlines.of_account(account),
            status: row.status,
            status_reason: row.reason,
        })
    }

    /// The positions of a subaccount and of its isolated children, each with its liquidation and bankruptcy price; none
    /// for a handle that points at nothing.
    #[must_use]
    pub fn positions(&self, account: AccountId) -> Vec<PositionView> {
        self.state().find_account(account).map_or(Vec::new(), |row| self.state().position_views(account, row))
    }

    /// A market.
    ///
    /// # Errors
    /// When the handle points at nothing.
    pub fn market_view(&self, market: MarketId) -> Result<MarketView, Reject> {
        let state = self.state();
        let row = state.find_market(market)?;
        let index = state.index(row.params.index);
        Ok(MarketView {
            market,
            status: row.status,
            index_price: index.price,
            mark_price: row.mark,
            usable: row.mark.is_positive() && index.is_usable(state.now),
            average_price: row.average.price(),
            last_price: row.last,
            best_bid: row.book.best(Side::Buy).map(|(price, _)| price),
            best_ask: row.book.best(Side::Sell).map(|(price, _)| price),
            funding_rate: row.expected_funding(),
            funding_next: row.funding_next,
            open_interest: row.open_interest,
            clearing: row.clearing,
            option: state.option_view(market),
        })
    }

    /// Who would be deleveraged first among those with a long (`Buy`) or short (`Sell`) position.
    ///
    /// # Errors
    /// When the handle points at nothing.
    pub fn adl_queue(&self, market: MarketId, side: Side) -> Result<Vec<AdlRow>, Reject> {
        self.state().find_market(market)?;
        Ok(self.state().ranking(market, side))
    }
}

impl State {
    fn auction_view(&self, account: AccountId) -> Option<AuctionView> {
        let auction = self.open_auction(account).filter(|a| self.now < a.until && self.can_close(a.position.market))?;
        let Auction { position, since, until, .. } = auction;
        if !self.still_below(account) || self.take_over_now(&self.lenient(account)) {
            return None;
        }
        let price = self.auction_price(account, &auction, self.now)?;
        Some(AuctionView {
            account,
            market: position.market,
            leg: position.leg,
            size: self.account(account).position(position),
            most: self.needed_at(account, position, price),
            price,
            worst: self.auction_price(account, &auction, until)?,
            mark_price: self.market(position.market).mark,
            since,
            until,
        })
    }

    fn position_views(&self, account: AccountId, row: &crate::Account) -> Vec<PositionView> {
        let own = row.exposures.iter().filter(|e| !e.size.is_zero()).map(|e| (account, e));
        let children = row
            .exposures
            .iter()
            .filter_map(|e| e.child)
            .filter_map(|child| Some((child, self.account(child).exposures.first()?)));
        let positions = own.chain(children).filter(|(_, e)| !e.size.is_zero());
        positions.map(|(holder, e)| self.position_view(holder, e)).collect()
    }

    fn wallet_view(&self, account: AccountId, asset: AssetId) -> WalletView {
        let row = self.account(account);
        let amount = self.amount_in(account, asset);
        let value = if row.counts(asset) { self.collateral(asset, amount, Basis::Mark) } else { Money::ZERO };
        let blocked = self.prices_for_outflow(account, Some(asset)).is_err();
        let withdrawable = if blocked { Money::ZERO } else { self.withdrawable(account, asset) };
        WalletView {
            asset,
            wallet: row.wallet(asset),
            amount,
            interest_due: self.interest_due(account, asset),
            value,
            withdrawable,
        }
    }

    fn position_view(&self, holder: AccountId, e: &Exposure) -> PositionView {
        let market = self.market(e.market);
        let (contract, mark) = (market.contract(), self.valuation(market));
        let zero = Money::ZERO;
        let initial = self.initial_terms(market, mark, e.size, e.leverage);
        let maintenance = self.maintenance_terms(market, mark, e.size);
        let isolated = matches!(self.account(holder).kind, AccountKind::Isolated { .. });
        PositionView {
            market: e.market,
            holder,
            mode: if isolated { MarginMode::Isolated } else { MarginMode::Cross },
            leverage: if e.leverage == 0 { market.leverage_max() } else { e.leverage },
            size: e.size,
            cost: e.cost,
            entry_price: contract.price_of(e.cost, e.size, units::Round::Down),
            mark_price: mark,
            notional: contract.notional(mark, e.size).unwrap_or(zero),
            upnl: contract.upnl(mark, e.size, e.cost).unwrap_or(zero),
            unsettled_funding: e.unsettled(market),
            initial_margin: initial.filter(|_| !market.is_over()).map_or(zero, |m| m.required),
            maintenance_margin: maintenance.filter(|_| !market.is_over()).map_or(zero, |m| m.required),
            liquidation_price: match self.has_options(holder) {
                false => self.liquidation_price(holder, e),
                // No price moves alone: index, volatility and time move every mark of an option, and what it needs.
                true => LiquidationPrices { below: LiquidationPrice::None, above: LiquidationPrice::None },
            },
            bankruptcy_price: self.bankruptcy_price(holder, e),
            leg: e.leg,
            shared_loss: self.loss_owed(holder, e),
        }
    }

    /// Solved on the whole subaccount; every other price stays, that of the settlement asset included.
    fn liquidation_price(&self, holder: AccountId, e: &Exposure) -> LiquidationPrices {
        let market = self.market(e.market);
        let (p, mark) = (&market.params, self.valuation(market));
        let terms = self.terms(holder);
        let row = self.account(holder);
        let amount = self.amount_in(holder, p.settlement);
        let opposite = row.exposures_in(e.market).find(|o| o.leg != e.leg && !o.size.is_zero());
        let opposite = opposite.map_or((Size::ZERO, Money::ZERO), |o| (o.size, o.cost));
        let own_upnl = market.contract().upnl(mark, e.size, e.cost).unwrap_or(Money::ZERO)
            + market.contract().upnl(mark, opposite.0, opposite.1).unwrap_or(Money::ZERO);
        let counted = self.collateral(p.settlement, amount, Basis::Mark);
        let both = row.exposures_in(e.market).map(|e| self.maintenance_of(holder, e.position())).sum();
        let other = (terms.equity - counted) - (terms.maintenance - both);
        rules::liquidation_prices(&rules::Line {
            contract: p.contract,
            size: e.size,
            cost: e.cost,
            opposite,
            ladder: &p.ladder,
            closing_fee: p.closing_fee,
            mark,
            wallet: amount - own_upnl,
            index_price: self.asset_price(p.settlement),
            haircuts: self.asset(p.settlement).params.haircuts(),
            other,
            rule: self.risk.line,
        })
    }

    /// The mark at which equity without haircuts is zero, all else unchanged.
    fn bankruptcy_price(&self, holder: AccountId, e: &Exposure) -> Bankruptcy {
        let market = self.market(e.market);
        let mark = self.valuation(market);
        let equity = self.evaluate(holder, Basis::Bare, Need::Equity, None).equity;
        // Both legs of hedge mode move with the mark.
        let legs = || self.account(holder).exposures_in(e.market);
        let (size, cost) =
            (legs().map(|e| e.size).fold(Size::ZERO, |sum, size| sum + size), legs().map(|e| e.cost).sum());
        let own_upnl = market.contract().upnl(mark, size, cost).unwrap_or(Money::ZERO);
        let wallet = self.credit_of(market.params.settlement, equity) - own_upnl;
        rules::bankruptcy_price(market.contract(), size, cost, wallet)
    }
}

fn order_view(state: &State, order: &Order) -> OrderView {
    let trigger = match order.place {
        Place::Parked { trigger, .. } => Some(trigger),
        Place::Resting | Place::Working => None,
    };
    let Order { id, market, side, price, remaining, client_id, reduce, leg, .. } = *order;
    OrderView {
        order: id,
        market,
        side,
        price,
        remaining,
        client_id,
        reduce,
        trigger,
        leg,
        expires: state.expiry(order),
        level: trigger.and_then(|trigger| state.market(market).book.level_of(id, &trigger)),
    }
}
