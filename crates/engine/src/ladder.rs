//! The ladder below the line: cancel, offset legs, reduce, convert, backstop, take-over, deleverage. Worst account first, bounded per
//! command; each step is an event with the numbers before and after.

use crate::adl::Rankings;
use crate::margin::{Basis, Need, Terms};
use crate::output::Output;
use crate::{
    AccountId, AccountKind, AssetId, AuctionEnd, CancelReason, Event, MarketId, MoveReason, Outcome, PositionId,
    Reduce, Stage, State, auction, limits, reduce, takeover,
};
use alloc::vec::Vec;
use units::{Money, Rate, Round, Time};

/// Works on every account whose next step is due, and lets the funds unwind. `moved`: prices, parameters or funding did.
pub(crate) fn run(out: &mut Output<'_>, moved: bool) {
    let mut rankings = Rankings::default();
    for account in due(out.state(), moved) {
        work(out, account, &mut rankings);
    }
    let mut at = 0;
    while let Some(fund) = out.state().funds.get(at).copied() {
        at += 1;
        if !out.state().liquidating.contains(&fund) {
            unwind(out, fund);
        }
    }
}

/// Accounts whose pause is over, whose equity fell below the take-over share, or which a price has lifted out of their
/// auction: lowest equity ÷ maintenance first, ties by account number.
fn due(state: &State, moved: bool) -> Vec<AccountId> {
    let mut rows: Vec<(i128, AccountId)> = Vec::new();
    for id in &state.liquidating {
        let progress = state.account(*id).liquidation;
        let waits = progress.is_some_and(|l| state.now < l.next);
        let book_was_last = progress.is_some_and(|l| l.stage <= Stage::Reduce);
        if waits && !(moved && book_was_last) {
            continue;
        }
        let terms = state.lenient(*id);
        if waits && !state.take_over_now(&terms) && !state.auction_is_needless(*id, &terms) {
            continue;
        }
        let ratio = terms.equity.units().checked_mul(1_000_000).unwrap_or(if terms.equity.is_negative() {
            i128::MIN
        } else {
            i128::MAX
        });
        let ratio = ratio.checked_div(terms.maintenance.units()).unwrap_or(i128::MIN);
        rows.push((ratio, *id));
    }
    rows.sort_unstable();
    rows.truncate(limits::LIQUIDATIONS_PER_COMMAND);
    rows.into_iter().map(|(_, id)| id).collect()
}

impl State {
    pub(crate) fn lenient(&self, account: AccountId) -> Terms {
        self.evaluate(account, Basis::Lenient, Need::Maintenance, None)
    }

    /// Equity is below the rulebook's share of maintenance: the book is not tried any more.
    pub(crate) fn take_over_now(&self, terms: &Terms) -> bool {
        terms.equity < terms.maintenance.mul_rate(self.risk.takeover, Round::Up)
    }

    /// Asked again before every step: nobody healthy is closed.
    pub(crate) fn still_below(&self, account: AccountId) -> bool {
        self.risk.line.is_below(self.lenient(account).headroom())
    }

    /// Positions of an account that may be closed, largest maintenance margin first; with options, those first whose closing brings the
    /// account's delta in their underlying down most, so that a hedge goes after what it hedges.
    pub(crate) fn closable_positions(&self, account: AccountId) -> Vec<PositionId> {
        let row = self.account(account);
        let mut rows: Vec<(Option<i128>, Money, PositionId)> = Vec::new();
        for e in row.exposures.iter().filter(|e| !e.size.is_zero() && self.can_close(e.market)) {
            let reduced = self.delta_reduced(row, e.market, e.size);
            rows.push((reduced, self.maintenance_of(account, e.position()), e.position()));
        }
        rows.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
        rows.truncate(limits::STEPS_PER_ACCOUNT);
        rows.into_iter().map(|(.., position)| position).collect()
    }

    /// Maintenance margin of one position at the mark, numeraire.
    pub(crate) fn maintenance_of(&self, account: AccountId, position: PositionId) -> Money {
        self.maintenance_at(position.market, self.account(account).position(position))
    }

    /// Maintenance margin of `size` contracts at the mark, numeraire.
    pub(crate) fn maintenance_at(&self, market: MarketId, size: units::Size) -> Money {
        let row = self.market(market);
        let margin = self.maintenance_terms(row, self.valuation(row), size);
        self.debt(row.params.settlement, margin.map_or(Money::ZERO, |m| m.required))
    }

    /// The fund that stands behind an account: that of its open position with the largest maintenance margin; without one,
    /// that of the first market it has been in, or the first fund.
    pub(crate) fn fund_of(&self, account: AccountId) -> Option<AccountId> {
        let row = self.account(account);
        let open = row.exposures.iter().filter(|e| !e.size.is_zero());
        let largest =
            open.max_by_key(|e| (self.maintenance_of(account, e.position()), core::cmp::Reverse(e.position())));
        let of_market = largest.or(row.exposures.first()).map(|e| self.market(e.market).params.fund);
        of_market.or(self.funds.first().copied()).filter(|fund| *fund != account)
    }
}

/// One account, as far as its next pause.
fn work(out: &mut Output<'_>, account: AccountId, rankings: &mut Rankings) {
    if !out.state().still_below(account) {
        return end(out, account, Outcome::Restored);
    }
    let fund = out.state().fund_of(account);
    cancel_orders(out, account);
    crate::offset::run(out, account);
    if !out.state().still_below(account) {
        return end(out, account, Outcome::Restored);
    }
    auction::expire(out, account);
    let book = !out.state().take_over_now(&out.state().lenient(account));
    match if book { reduce::step(out, account) } else { reduce::Step::None } {
        reduce::Step::None => auction::stop(out, account, AuctionEnd::TakeOver),
        reduce::Step::Auction(until) => {
            let stage = Stage::Reduce;
            return out.emit(Event::LiquidationPaused { account, stage, until });
        }
        reduce::Step::Done(least) if out.state().account(account).has_position() => {
            if !out.state().still_below(account) {
                return end(out, account, Outcome::Restored);
            }
            if !out.state().take_over_now(&out.state().lenient(account)) {
                return pause(out, account, Stage::Reduce, least);
            }
        }
        reduce::Step::Done(_) => {}
    }
    convert(out, account, fund);
    takeover::run(out, account, rankings);
    if out.state().account(account).has_position() {
        return if out.state().still_below(account) {
            pause(out, account, Stage::Deleverage, Time::SECOND_NS)
        } else {
            end(out, account, Outcome::Restored)
        };
    }
    clear(out, account, fund);
    end(out, account, Outcome::Closed);
}

/// Until the next step: the venue's pause, or longer where the policy says so. After the last stage was tried in vain it is
/// at least a second, and a falling equity does not end it.
fn pause(out: &mut Output<'_>, account: AccountId, stage: Stage, least_ns: i64) {
    let pause = out.state().risk.pause_ns.max(least_ns);
    let until = out.state().now.plus_ns(pause);
    out.emit(Event::LiquidationPaused { account, stage, until });
}

fn end(out: &mut Output<'_>, account: AccountId, outcome: Outcome) {
    auction::stop(out, account, AuctionEnd::Restored);
    let equity = out.state().lenient(account).equity;
    out.emit(Event::LiquidationEnded { account, outcome, equity });
    let row = out.state().account(account);
    let AccountKind::Isolated { parent, market, .. } = row.kind else { return };
    let asset = out.state().market(market).params.settlement;
    let amount = row.wallet(asset);
    if !row.has_position() && amount.is_positive() {
        out.emit(Event::Moved { from: account, to: parent, asset, amount, reason: MoveReason::IsolatedReturn });
    }
}

/// Cancels the orders that hold margin: its own, and those of its children, whose reservations it holds. Orders that can
/// only reduce stay.
fn cancel_orders(out: &mut Output<'_>, account: AccountId) {
    let orders = out.state().orders_with_children(account);
    let mut cancelled = false;
    let headroom_before = out.state().lenient(account).headroom();
    for order in orders {
        let holds = order.reduce == Reduce::Any && (order.account == account || order.reserved.is_positive());
        if holds {
            out.emit(Event::OrderCancelled {
                order: order.id,
                remaining: order.remaining,
                reason: CancelReason::Liquidation,
            });
            cancelled = true;
        }
    }
    if cancelled {
        step(out, account, NO_MARKET.net(), Stage::Cancel, units::Size::ZERO, headroom_before);
    }
}

/// The market of a step that is not about one.
pub(crate) const NO_MARKET: MarketId = MarketId(u16::MAX);

/// Tells a step that was just done.
pub(crate) fn step(
    out: &mut Output<'_>,
    account: AccountId,
    position: PositionId,
    stage: Stage,
    size: units::Size,
    headroom_before: Money,
) {
    let headroom_after = out.state().lenient(account).headroom();
    let PositionId { market, leg } = position;
    out.emit(Event::LiquidationStep { account, market, stage, size, headroom_before, headroom_after, leg });
}

/// Sells collateral to the fund, at index less the discount, for the assets that are short; within what the fund has.
fn convert(out: &mut Output<'_>, account: AccountId, fund: Option<AccountId>) {
    let Some(fund) = fund else { return };
    let done = |state: &State| state.account(account).has_position() && !state.still_below(account);
    let assets = out.state().assets.len();
    for short in (0..assets).map(AssetId::at) {
        for sold in (0..assets).map(AssetId::at) {
            if sold == short || done(out.state()) {
                continue;
            }
            let headroom_before = out.state().lenient(account).headroom();
            if let Some((sold_amount, bought_amount)) = out.state().conversion(account, fund, sold, short) {
                out.emit(Event::Converted { account, fund, sold, sold_amount, bought: short, bought_amount });
                out.touch_account(fund);
                step(out, account, NO_MARKET.net(), Stage::Convert, units::Size::ZERO, headroom_before);
            }
        }
    }
}

impl State {
    /// What a fund can give away: cash, as far as its own initial margin stays met.
    pub(crate) fn fund_can_pay(&self, fund: AccountId, asset: AssetId) -> Money {
        let row = self.account(fund);
        if !row.has_position() && !row.wallets.iter().any(|w| w.amount.is_negative()) {
            return row.wallet(asset);
        }
        let terms = self.evaluate(fund, Basis::Mark, Need::Initial, None);
        let spare = self.credit_of(asset, (terms.equity - terms.initial).max(Money::ZERO));
        row.wallet(asset).min(spare).max(Money::ZERO)
    }

    /// Whether the fund would buy enough of an account's collateral to end a debt, or all of it: less is not worth a
    /// liquidation of its own, it would be repeated at every price.
    pub(crate) fn can_convert(&self, account: AccountId) -> bool {
        let Some(fund) = self.fund_of(account) else { return false };
        let wallets = &self.account(account).wallets;
        let debts = wallets.iter().filter(|w| w.amount.is_negative());
        let pairs = debts.flat_map(|debt| wallets.iter().map(move |held| (held, debt)));
        pairs.filter(|(held, debt)| held.asset != debt.asset).any(|(held, debt)| {
            let conversion = self.conversion(account, fund, held.asset, debt.asset);
            let owed = self.interest_due(account, debt.asset) - debt.amount;
            conversion.is_some_and(|(sold, bought)| sold >= held.amount || bought >= owed)
        })
    }

    /// How much of `sold` goes for how much of `short`; `None` when nothing can. What is bought rounds down, what is sold up.
    pub(crate) fn conversion(
        &self,
        account: AccountId,
        fund: AccountId,
        sold: AssetId,
        short: AssetId,
    ) -> Option<(Money, Money)> {
        let usable =
            |asset: AssetId| self.asset(asset).params.index.is_none_or(|index| self.index(index).is_usable(self.now));
        let row = self.account(account);
        if row.only.is_some() {
            return None; // its other wallets are not collateral, and nothing is taken from them
        }
        let missing = -self.amount_in(account, short);
        let spare = row.wallet(sold).min(self.amount_in(account, sold));
        let there = self.fund_can_pay(fund, short);
        if !missing.is_positive() || !spare.is_positive() || !there.is_positive() || !usable(sold) || !usable(short) {
            return None;
        }
        let rate = self.conversion_rate(sold);
        let worth = |amount: Money| self.credit_of(short, self.collateral_at(sold, amount, rate));
        let bought = missing.min(there);
        if worth(spare) <= bought {
            let got = worth(spare);
            return got.is_positive().then_some((spare, got));
        }
        // Enough is sold to buy `bought`, rounded up by less than a unit of what was asked.
        let needed = units::mul_div2(
            self.debt(short, bought).units(),
            i128::from(units::Price::ONE.units()),
            i128::from(units::limits::RATE_ONE),
            i128::from(self.asset_price(sold).units()) * i128::from(rate.units()),
            Round::Up,
        )?;
        Some((Money::from_units(needed).min(spare), bought))
    }

    fn collateral_at(&self, asset: AssetId, amount: Money, rate: Rate) -> Money {
        amount.at_index(self.asset_price(asset), rate, Round::Down).unwrap_or(Money::ZERO)
    }
}

/// Without positions: what is still short is sold for, then paid by the funds, then left as a reported deficit.
fn clear(out: &mut Output<'_>, account: AccountId, fund: Option<AccountId>) {
    convert(out, account, fund);
    for asset in (0..out.state().assets.len()).map(AssetId::at) {
        crate::deficit::pay(out, account, asset, fund);
    }
}

/// A fund closes what it took over by the same steps, all of it, one step a pause.
fn unwind(out: &mut Output<'_>, fund: AccountId) {
    let row = out.state().account(fund);
    if !row.has_position() || row.liquidation.is_some_and(|l| out.state().now < l.next) {
        return;
    }
    // A book that gives nothing is not asked again at every command.
    let (stage, least) =
        if reduce::unwind(out, fund) { (Stage::Reduce, 0) } else { (Stage::Deleverage, Time::SECOND_NS) };
    if out.state().account(fund).has_position() {
        pause(out, fund, stage, least);
    }
}
