//! The one margin formula, on a subaccount: equity, initial margin, maintenance margin. The slow path of views and the
//! fast path of checks are the same function.

use crate::caps::total_notional;
use crate::fault::fault;
use crate::state::{Account, AccountKind, Exposure, Market, OrderTotals};
use crate::working::{Listener, PositionWorking};
use crate::{AccountId, AssetId, Leg, MarginMode, MarketStatus, PositionId, Side, State, limits};
use rules::{Haircuts, Ladder, MarginTerms, collateral_value, split_close};
use serde::Serialize;
use units::{Money, Price, Rate, Round, Size};

/// Which prices a term is computed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The mark; the last usable one while fewer than a quorum speak, in every basis.
    Mark,
    /// Each market at the worse of the mark and its five-minute average: for what increases risk.
    Worse,
    /// As `Worse`, gains counted as zero, losses in full: for what leaves.
    Outflow,
    /// Unusable prices at their last usable value, moved in the account's favour: for what is closed by force.
    Lenient,
    /// The mark, collateral at index without haircuts: for bankruptcy.
    Bare,
}

/// The terms of a subaccount's margin, numeraire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// Collateral at index after haircuts, with unrealised results, unsettled funding and shared losses owed.
    pub equity: Money,
    /// Initial margin, resting orders and reservations included; zero where it was not asked for.
    pub initial: Money,
    /// Maintenance margin; zero where it was not asked for.
    pub maintenance: Money,
    /// Σ |size| × price.
    pub notional: Money,
}

impl Terms {
    /// equity − maintenance.
    #[must_use]
    pub fn headroom(&self) -> Money {
        self.equity - self.maintenance
    }
}

/// What would be different: one trade, one order more, one less.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change {
    pub position: PositionId,
    /// Contracts (signed), what is paid for them, and the fee.
    pub trade: Option<(Size, Money, Money)>,
    /// Orders that rest more.
    pub add: Option<(Side, Size, Price)>,
    /// Orders that rest less.
    pub remove: Option<(Side, Size, Price)>,
    /// More set aside for a child's order, settlement asset.
    pub reserved: Money,
    /// More in the wallet of the settlement asset.
    pub wallet: Money,
    /// Another leverage.
    pub leverage: Option<u16>,
    /// A fee in another asset than the settlement asset.
    pub paid: Option<crate::fees::Charge>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Equity,
    Initial,
    Maintenance,
    Both,
}

impl Need {
    fn initial(self) -> bool {
        matches!(self, Self::Initial | Self::Both)
    }

    fn maintenance(self) -> bool {
        matches!(self, Self::Maintenance | Self::Both)
    }
}

/// Amounts by settlement or collateral asset, netted before haircuts.
struct Amounts {
    rows: [(AssetId, Money); limits::ASSETS_MAX],
    len: usize,
}

impl Amounts {
    fn add(&mut self, asset: AssetId, amount: Money) {
        let (used, free) = self.rows.split_at_mut_checked(self.len).unwrap_or((&mut [], &mut []));
        if let Some(row) = used.iter_mut().find(|row| row.0 == asset) {
            row.1 += amount;
        } else if let Some(row) = free.first_mut() {
            *row = (asset, amount);
            self.len += 1;
        }
    }
}

fn fits<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => fault("a sum over a subaccount fits: the bounds are checked at the door"),
    }
}

impl State {
    /// Equity and margins of a subaccount at the marks.
    #[must_use]
    pub fn terms(&self, account: AccountId) -> Terms {
        self.evaluate(account, Basis::Mark, Need::Both, None)
    }

    /// Equity and margins of a subaccount at other prices.
    #[must_use]
    pub fn terms_at(&self, account: AccountId, basis: Basis) -> Terms {
        self.evaluate(account, basis, Need::Both, None)
    }

    pub(crate) fn evaluate(&self, id: AccountId, basis: Basis, need: Need, change: Option<&Change>) -> Terms {
        self.evaluate_heard(id, basis, need, change, &mut ())
    }

    /// The same; `listener` hears each term as it is made.
    pub(crate) fn evaluate_heard(
        &self,
        id: AccountId,
        basis: Basis,
        need: Need,
        change: Option<&Change>,
        listener: &mut impl Listener,
    ) -> Terms {
        let account = self.account(id);
        let mut terms = Terms::default();
        let mut amounts = Amounts { rows: [(AssetId(0), Money::ZERO); limits::ASSETS_MAX], len: 0 };
        for wallet in account.wallets.iter().filter(|w| account.counts(w.asset)) {
            amounts.add(wallet.asset, wallet.amount);
            if wallet.amount.is_negative() {
                amounts.add(wallet.asset, -self.interest_due(id, wallet.asset));
            }
        }
        if let Some(paid) = change.and_then(|c| c.paid).filter(|paid| account.counts(paid.asset)) {
            amounts.add(paid.asset, -paid.amount);
        }
        let mut pending = change;
        for exposure in &account.exposures {
            let own = pending.filter(|c| c.position == exposure.position());
            if own.is_some() {
                pending = None;
            }
            self.add_exposure(account, exposure, basis, need, own, &mut terms, &mut amounts, listener);
        }
        if let Some(change) = pending {
            self.add_exposure(
                account,
                &Exposure::new(change.position),
                basis,
                need,
                Some(change),
                &mut terms,
                &mut amounts,
                listener,
            );
        }
        if !self.losses.indices.is_empty() {
            for exposure in &account.exposures {
                let owed = self.loss_owed(id, exposure);
                if owed.is_positive() {
                    amounts.add(self.market(exposure.market).params.settlement, -owed);
                }
            }
        }
        for (asset, amount) in amounts.rows.iter().take(amounts.len) {
            let value = self.collateral(*asset, *amount, basis);
            listener.collateral(*asset, *amount, value);
            terms.equity += value;
        }
        terms
    }

    /// Adds one market: its result to the amounts, its margins to the terms.
    #[expect(
        clippy::too_many_arguments,
        reason = "one loop body, split out of `evaluate` so that a change can use it, too"
    )]
    fn add_exposure(
        &self,
        account: &Account,
        row: &Exposure,
        basis: Basis,
        need: Need,
        change: Option<&Change>,
        terms: &mut Terms,
        amounts: &mut Amounts,
        listener: &mut impl Listener,
    ) {
        let idle = row.size.is_zero() && row.buys.count == 0 && row.sells.count == 0 && row.reserved.is_zero();
        if idle && change.is_none() {
            return;
        }
        let market = self.market(row.market);
        let asset = market.params.settlement;
        let (mut size, mut cost, mut extra) = (row.size, row.cost, row.unsettled(market));
        let mut reserved = row.reserved;
        if let Some(change) = change {
            if let Some((delta, value, fee)) = change.trade {
                let split = split_close(size, cost, delta, value);
                (size, cost) = (split.size, split.cost);
                extra += split.realised - fee;
            }
            extra += change.wallet;
            reserved += change.reserved;
        }
        let to_numeraire = |amount: Money| self.debt(asset, amount);
        let priced = self.price_terms(market, size, cost, basis);
        amounts.add(asset, priced.upnl + extra);
        if need == Need::Both || basis == Basis::Outflow {
            terms.notional += to_numeraire(fits(market.contract().notional(priced.price, size)));
        }
        // What is being settled has its price: there is nothing left to hold margin for.
        let margined = market.status != MarketStatus::Settling;
        let mut maintenance = MarginTerms::default();
        if need.maintenance() && !size.is_zero() && margined {
            maintenance = fits(self.maintenance_terms(market, priced.price, size));
            terms.maintenance += to_numeraire(maintenance.required);
        }
        listener.position(|| PositionWorking {
            position: row.position(),
            size,
            cost,
            price: priced.price,
            upnl: priced.upnl,
            favour: priced.favour,
            unsettled_funding: row.unsettled(market),
            maintenance,
        });
        if need.initial() && margined {
            let orders_at = |price: Price| {
                if matches!(account.kind, AccountKind::Isolated { .. }) || row.mode == MarginMode::Isolated {
                    // The margin of an isolated position's orders is what the parent has set aside.
                    (OrderTotals::default(), OrderTotals::default(), Money::ZERO)
                } else {
                    self.order_terms(market, row, account, change, price)
                }
            };
            let orders = orders_at(priced.price);
            let leverage = change.and_then(|c| c.leverage).unwrap_or(row.leverage);
            let margin = self.initial_of(market, size, &orders, leverage, priced.price) + reserved;
            terms.initial += to_numeraire(margin);
            if matches!(basis, Basis::Worse | Basis::Outflow)
                && let Some(average) = market.average.price().filter(|average| *average != priced.price)
            {
                // The worse of the two prices, counted as equity − initial of this market.
                let upnl = fits(market.contract().upnl(average, size, cost));
                let upnl = if self.gains_are_nothing(market, basis) { upnl.min(Money::ZERO) } else { upnl };
                let there = self.initial_of(market, size, &orders_at(average), leverage, average) + reserved;
                let lost = (priced.upnl - margin) - (upnl - there);
                if lost.is_positive() {
                    terms.initial += to_numeraire(lost);
                }
            }
        }
    }

    /// Initial margin of a position with its orders, settlement asset.
    fn initial_of(
        &self,
        market: &Market,
        size: Size,
        orders: &(OrderTotals, OrderTotals, Money),
        leverage: u16,
        price: Price,
    ) -> Money {
        let (buys, sells, loss_and_fees) = orders;
        let longest = fits(size.checked_add(buys.size));
        let shortest = fits(size.checked_add(-sells.size));
        let (larger, smaller) = if longest.abs() > shortest.abs() { (longest, shortest) } else { (shortest, longest) };
        let of = |size| fits(self.initial_terms(market, price, size, leverage)).required;
        let worse = of(larger);
        // With a rate for each side the smaller may need more.
        let sides = matches!(market.params.ladder, Ladder::RiskFactors(_)) || market.params.option.is_some();
        let worse = if sides { worse.max(of(smaller)) } else { worse };
        worse + *loss_and_fees
    }

    /// Open interest as a ladder that depends on it counts it: as it is before what is judged, at the price that positions are
    /// valued at, settlement asset; nothing where no ladder asks. It raises what is needed to open, never what is needed to stay.
    pub(crate) fn ladder_interest(&self, market: &Market) -> Money {
        if !matches!(market.params.ladder, Ladder::OpenInterest(_)) {
            return Money::ZERO;
        }
        total_notional(market.contract(), market.open_interest, self.valuation(market)).unwrap_or(Money::MAX)
    }

    /// Totals of both sides with a change, and the loss that the orders would realise against a price plus their fees.
    fn order_terms(
        &self,
        market: &Market,
        row: &Exposure,
        account: &Account,
        change: Option<&Change>,
        at: Price,
    ) -> (OrderTotals, OrderTotals, Money) {
        let (mut buys, mut sells) = (row.buys, row.sells);
        let fee_rate = market.fee_reserved(account.fee_tier);
        let mut loss = self.loss_of_side(market, account, row.leg, Side::Buy, &buys, at)
            + self.loss_of_side(market, account, row.leg, Side::Sell, &sells, at);
        if let Some(change) = change {
            for (order, sign) in [(change.add, 1i64), (change.remove, -1)] {
                let Some((side, size, price)) = order else { continue };
                let totals = if side == Side::Buy { &mut buys } else { &mut sells };
                let notional = fits(market.contract().notional(price, size));
                let own = self.loss_of_order(market, side, size, price, at);
                if sign > 0 {
                    (totals.size, totals.notional, loss) = (totals.size + size, totals.notional + notional, loss + own);
                } else {
                    (totals.size, totals.notional, loss) = (totals.size - size, totals.notional - notional, loss - own);
                }
            }
        }
        let fees = (buys.notional + sells.notional).mul_rate(fee_rate, Round::Up);
        (buys, sells, loss + fees)
    }

    /// Σ over a side's orders of what each would lose against a price; no order is looked at when none can.
    fn loss_of_side(
        &self,
        market: &Market,
        account: &Account,
        leg: Leg,
        side: Side,
        totals: &OrderTotals,
        at: Price,
    ) -> Money {
        let harmless = match side {
            Side::Buy => totals.worst <= at,
            Side::Sell => totals.worst >= at,
        };
        if totals.count == 0 || harmless {
            return Money::ZERO;
        }
        let of_side = |o: &&crate::Order| {
            o.side == side
                && o.place == crate::Place::Resting
                && o.reduce == crate::Reduce::Any
                && o.leg == leg
                && core::ptr::eq(self.market(o.market), market)
        };
        self.orders_of(account)
            .filter(of_side)
            .map(|o| self.loss_of_order(market, side, o.remaining, o.price, at))
            .sum()
    }

    /// What an order would lose against a price if it filled at its own; nothing when its price is not worse.
    pub(crate) fn loss_of_order(&self, market: &Market, side: Side, size: Size, price: Price, at: Price) -> Money {
        let worse = match side {
            Side::Buy => price > at,
            Side::Sell => price < at,
        };
        if !worse {
            return Money::ZERO; // before any rounding: an order at the mark loses nothing
        }
        let signed = side.signed(size);
        let paid = fits(market.contract().value(price, signed, Round::Up));
        let worth = fits(market.contract().value(at, signed, Round::Down));
        (paid - worth).max(Money::ZERO)
    }

    /// Open orders of a subaccount, youngest first.
    pub(crate) fn orders_of<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = &'a crate::Order> {
        core::iter::successors(account.order_head.and_then(|id| self.order(id)), |o| {
            o.own.after.and_then(|id| self.order(id))
        })
    }

    fn price_terms(&self, market: &Market, size: Size, cost: Money, basis: Basis) -> Priced {
        let price = self.valuation(market);
        if size.is_zero() {
            return Priced { price, upnl: Money::ZERO, favour: Money::ZERO };
        }
        let mut upnl = fits(market.contract().upnl(price, size, cost));
        if self.gains_are_nothing(market, basis) {
            upnl = upnl.min(Money::ZERO);
        }
        let mut favour = Money::ZERO;
        let final_price = market.status == MarketStatus::Settling;
        if basis == Basis::Lenient && !final_price && !self.index(market.params.index).is_usable(self.now) {
            let notional = fits(market.contract().notional(price, size));
            let cap = self.credit_of(market.params.settlement, self.risk.stale_favour_cap);
            favour = notional.mul_rate(self.risk.stale_favour, Round::Down).min(cap);
        }
        Priced { price, upnl: upnl + favour, favour }
    }

    /// For what leaves gains count as zero; those that a market's own trades say carry no new risk either.
    fn gains_are_nothing(&self, market: &Market, basis: Basis) -> bool {
        basis == Basis::Outflow || (basis == Basis::Worse && self.index(market.params.index).own.is_some())
    }

    /// What an amount of an asset counts, numeraire.
    pub(crate) fn collateral(&self, asset: AssetId, amount: Money, basis: Basis) -> Money {
        let params = &self.asset(asset).params;
        let haircuts = if basis == Basis::Bare { Haircuts::flat(Rate::ONE) } else { params.haircuts() };
        let value = fits(collateral_value(amount, self.asset_price(asset), &haircuts)).value;
        let stale = |index: crate::IndexId| !self.index(index).is_usable(self.now);
        if basis == Basis::Lenient && params.index.is_some_and(stale) {
            return value + value.abs().mul_rate(self.risk.stale_favour, Round::Down).min(self.risk.stale_favour_cap);
        }
        value
    }

    /// An amount that must be held, in the numeraire: rounded up.
    pub(crate) fn debt(&self, asset: AssetId, amount: Money) -> Money {
        fits(amount.at_index(self.asset_price(asset), Rate::ONE, Round::Up))
    }

    /// An amount of the numeraire, in an asset: rounded down; nothing while the asset has no price.
    pub(crate) fn credit_of(&self, asset: AssetId, amount: Money) -> Money {
        amount.from_index(self.asset_price(asset), Round::Down).unwrap_or(Money::ZERO)
    }

    /// wallet − interest due + unrealised result + unsettled funding − shared losses owed that settle in an asset.
    pub(crate) fn amount_in(&self, id: AccountId, asset: AssetId) -> Money {
        let account = self.account(id);
        let results = account.exposures.iter().filter(|e| !e.size.is_zero()).map(|e| (e, self.market(e.market)));
        let results = results.filter(|(_, m)| m.params.settlement == asset);
        account.wallet(asset) - self.interest_due(id, asset)
            + results
                .map(|(e, m)| {
                    let upnl = fits(m.contract().upnl(self.valuation(m), e.size, e.cost));
                    upnl + e.unsettled(m) - self.loss_owed(id, e)
                })
                .sum::<Money>()
    }
}

struct Priced {
    price: Price,
    /// With the favour.
    upnl: Money,
    /// What an unusable price is moved in the account's favour.
    favour: Money,
}
