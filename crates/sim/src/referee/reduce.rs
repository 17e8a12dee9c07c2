//! Stage two of the ladder: the order of a step is inside the band, within its share of the depth, and no larger than the
//! target needs; the next stage begins only when the book has nothing more to give (I-18, I-19).

use super::Referee;
use super::margin::{Figures, Lens};
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Order};
use super::num::{Dir, at_rate};
use super::value;
use engine::params::LiquidationPolicy;
use engine::{AccountId, Event, MarketId, PositionId, Side, Stage};
use std::collections::BTreeMap;

impl Referee {
    /// The worst price of a step on `side`, and the most contracts that it may take.
    pub(super) fn offer(&self, account: AccountId, position: PositionId) -> Option<(Side, i128, i128)> {
        let market = position.market;
        let row = self.model.market(market);
        let p = &row.params;
        let position = self.model.exposure(account, position).size;
        let (side, bound) =
            if position > 0 { (Side::Sell, p.edge(row.mark, -p.band)) } else { (Side::Buy, p.edge(row.mark, p.band)) };
        let depth = self.depth(market, side, bound);
        let share =
            if p.policy == LiquidationPolicy::FullClose { depth } else { at_rate(depth, p.depth_share, Dir::Down) };
        let allowed = if share < p.lot && depth >= p.lot { p.lot } else { share };
        let most = if allowed >= position.abs() { position.abs() } else { allowed - allowed % p.lot };
        if bound > 0 && most > 0 { Some((side, bound, most)) } else { None }
    }

    /// An order that the ladder has sent.
    pub(super) fn ladder_order(&self, order: &Order) -> Verdict {
        let (account, market) = (order.account, order.market);
        let what = |text: &str| format!("step of account {account} in market {market}: {text}");
        let position = self.model.exposure(account, order.position()).size;
        holds("I-08", order.reduce_only && position * order.sign() < 0, || what("reduces"))?;
        self.not_auctioned(account, order.position())?;
        holds("I-25", self.can_close(market), || what("the price is usable"))?;
        let Some((side, bound, most)) = self.offer(account, order.position()) else {
            return holds("I-19", false, || what("the book offers something"));
        };
        same("I-18", || what("side and worst price"), (side, bound), (order.side, order.price))?;
        let size = order.remaining;
        if self.model.account(account).kind == Kind::Fund && self.model.account(account).liquidating.is_none() {
            return same("ladder", || what("a fund closes all that is offered"), most, size);
        }
        holds("ladder", size <= most, || what(&format!("{size} is within {most}")))?;
        let lot = self.model.market(market).params.lot;
        if let Some(asked) = self.asked_by_policy(market, position.abs()) {
            let whole = if asked % lot == 0 { asked } else { asked - asked % lot + lot };
            return same("ladder", || what("size by the policy"), whole.min(most), size);
        }
        let enough = size == most || self.restores(account, order.position(), order.side, size);
        holds("ladder", enough, || what(&format!("{size} of {most} brings back to the target")))?;
        let fewer = size - if size % lot == 0 { lot } else { size % lot };
        let over = fewer > 0 && self.restores(account, order.position(), order.side, fewer);
        holds("ladder", !over, || what(&format!("{fewer} contracts would have been enough, not {size}")))
    }

    /// What a policy closes of a position in one step, before lots and what the book offers; `None`: what the target needs.
    fn asked_by_policy(&self, market: MarketId, held: i128) -> Option<i128> {
        let row = self.model.market(market);
        let p = &row.params;
        let worth = |size: i128| value::notional(p, row.mark, size);
        match p.policy {
            // `not_auctioned` has seen to the second.
            LiquidationPolicy::ToTarget | LiquidationPolicy::DutchAuction { .. } => None,
            LiquidationPolicy::FullClose => Some(held),
            LiquidationPolicy::Fraction { share, whole_below, .. } => {
                let small = worth(held) <= whole_below.units();
                Some(if small { held } else { at_rate(held, i128::from(share.units()), Dir::Up) })
            }
            LiquidationPolicy::TierStepDown { tiers } => {
                let ends = p.form.ends(worth(held));
                let above = ends.iter().filter(|end| worth(held) > **end).count().min(ends.len() - 1);
                let Some(target) = above.checked_sub(usize::from(tiers)) else { return Some(held) };
                // The most whole lots that fit under the cap.
                let (mut fits, mut not) = (0, held / p.lot + 1);
                while not - fits > 1 {
                    let middle = (fits + not) / 2;
                    if worth(middle * p.lot) <= ends[target] { fits = middle } else { not = middle }
                }
                Some(held - fits * p.lot)
            }
        }
    }

    /// Whether closing `size` at the prices that the book shows brings equity back to the target.
    fn restores(&self, account: AccountId, position: PositionId, side: Side, size: i128) -> bool {
        let market = position.market;
        let p = &self.model.market(market).params;
        let sign = if side == Side::Buy { 1 } else { -1 };
        let mut levels: BTreeMap<i128, i128> = BTreeMap::new();
        for order in self.model.market(market).book.iter().filter_map(|id| self.model.orders.get(id)) {
            if order.side != side {
                // Best first: the lowest ask, the highest bid.
                *levels.entry(order.price * sign).or_insert(0) += order.remaining;
            }
        }
        let (mut left, mut paid) = (size, 0);
        for (price, there) in levels {
            let taken = left.min(there);
            if taken > 0 {
                paid += value::value(p, price * sign, taken * sign, Dir::Up);
                left -= taken;
            }
        }
        left == 0 && self.restored_by(account, position, size * sign, paid)
    }

    /// Whether a trade of `delta` contracts for `paid` brings equity back to the target.
    pub(super) fn restored_by(&self, account: AccountId, position: PositionId, delta: i128, paid: i128) -> bool {
        let row = self.model.market(position.market);
        let fee = at_rate(value::notional(&row.params, row.mark, delta), row.params.liquidation_fee, Dir::Up);
        let after = self.supposing(account, Lens::Lenient, position, delta, paid, fee);
        let target = at_rate(after.maintenance, self.model.risk.target, Dir::Up);
        after.equity >= target && !self.model.risk.below(after.headroom())
    }

    /// I-19: a position is not taken away while the book could still be tried.
    pub(super) fn book_ended(&self, account: AccountId, event: &Event, figures: &Figures) -> Verdict {
        let later = matches!(event, Event::Converted { .. } | Event::TakenOver { .. } | Event::Deleveraged { .. });
        let open = self.model.account(account).exposures.iter().filter(|(_, e)| e.size != 0);
        let open: Vec<PositionId> = open.map(|(position, _)| *position).collect();
        let done = self.ladder.done(account);
        if !later || open.is_empty() || done.iter().any(|stage| *stage >= Stage::Convert) || self.takes_over(figures) {
            return Ok(());
        }
        let tried = done.contains(&Stage::Reduce);
        let offered = open.iter().any(|p| !self.was_tried(account, *p));
        holds("I-19", !tried && !offered, || {
            format!("the book has nothing to offer account {account} before {event:?}")
        })
    }
}
