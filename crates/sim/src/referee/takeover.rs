//! Positions that are handed over: at which value (equity at index without haircuts becomes zero, each position giving up
//! its share by maintenance margin), to whom, within which limits (I-19, I-21, I-25).

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::model::Kind;
use super::num::{Dir, PRICE, mul_div};
use super::value;
use engine::{AccountId, Cause, Event, MarketId, PositionId};

impl Referee {
    /// What is left of a position to hand over and what a taker pays for it, worked out when its turn comes.
    pub(super) fn handover(&mut self, account: AccountId, position: PositionId) -> (i128, i128) {
        if let Some(left) = self.ladder.handovers.get(&(account, position)) {
            return *left;
        }
        let left = self.handover_now(account, position);
        self.ladder.handovers.insert((account, position), left);
        left
    }

    /// A position, and what a taker would pay for all of it as things are.
    pub(super) fn handover_now(&self, account: AccountId, position: PositionId) -> (i128, i128) {
        let market = position.market;
        let bare = self.figures(account, Lens::Bare).equity;
        let need = |m: MarketId, size: i128| {
            let row = self.model.market(m);
            self.debt(row.params.settlement, value::maintenance(&row.params, self.model.valuation(row), size))
        };
        let row = self.model.account(account);
        let size = row.exposures.get(&position).map_or(0, |e| e.size);
        let all: i128 = row.exposures.iter().map(|(p, e)| need(p.market, e.size)).sum();
        let own = need(market, size);
        let share = if own == all || all == 0 { bare } else { mul_div(bare, own, all, Dir::Down) };
        let at = self.model.market(market);
        let per = self.model.asset_price(at.params.settlement);
        let share = if per == 0 { 0 } else { mul_div(share, PRICE, per, Dir::Down) };
        let worth = if size == 0 { 0 } else { value::value(&at.params, at.mark, size, Dir::Down) };
        (size, worth - share)
    }

    /// The value of a part of what is handed over; the last part takes what is left.
    pub(super) fn part_value(left: (i128, i128), part: i128) -> i128 {
        if part.abs() == left.0.abs() { left.1 } else { mul_div(left.1, part.abs(), left.0.abs(), Dir::Zero) }
    }

    /// Takes a part out of what is left.
    pub(super) fn hand(&mut self, account: AccountId, position: PositionId, part: i128, paid: i128) -> Verdict {
        let market = position.market;
        let left = self.handover(account, position);
        let fits = part != 0 && part.signum() == left.0.signum() && part.abs() <= left.0.abs();
        holds("I-08", fits, || format!("{part} handed over of {} by account {account}", left.0))?;
        same(
            "bankruptcy",
            || format!("value of {part} of account {account} in market {market}"),
            Self::part_value(left, part),
            paid,
        )?;
        holds("I-25", self.can_close(market), || {
            format!("market {market} has a usable price when {account} is closed there")
        })?;
        self.ladder.handovers.insert((account, position), (left.0 - part, left.1 - paid));
        Ok(())
    }

    pub(super) fn taken_over(&mut self, event: &Event) -> Verdict {
        let &Event::TakenOver { from, to, market, size, value: paid, leg } = event else { return Ok(()) };
        let (part, paid) = (i128::from(size.units()), paid.units());
        let gives = market.leg(leg);
        let left = self.handover(from, gives);
        let row = self.model.market(market);
        let params = row.params.clone();
        let worth = value::value(&params, row.mark, left.0, Dir::Down);
        let notional = self.debt(params.settlement, value::notional(&params, row.mark, part));
        let kind = self.model.account(to).kind;
        let lots = part % params.lot == 0 || part == left.0;
        holds("lot", lots, || format!("{part} taken over in market {market} is whole lots or all"))?;
        if kind == Kind::Fund {
            same("I-19", || format!("fund of market {market}"), params.fund, to)?;
            self.not_drawn_down(market)?;
            self.volunteers_first(from, market, left)?;
        } else {
            let limit = self.model.backstops.get(&to).copied().unwrap_or(0);
            let slack = 2 + self.model.asset_price(params.settlement) / PRICE;
            holds("I-21", notional <= limit + slack, || format!("volunteer {to} takes {notional} within {limit}"))?;
            holds("backstop", left.1 <= worth, || {
                format!("volunteer {to} is not asked to take a loss: {} for {worth}", left.1)
            })?;
            let other = self.model.account(to).owner != self.model.account(from).owner;
            holds("backstop", other && kind == Kind::Trading, || format!("volunteer {to} is not {from} itself"))?;
            self.active(to)?;
            self.ladder.backstop = Some((to, (limit - notional).max(0)));
            self.may_open(to, market, part)?;
            self.settles_in(to, market)?;
        }
        holds("backstop", self.model.account(to).liquidating.is_none(), || {
            format!("taker {to} is not in liquidation")
        })?;
        self.hand(from, gives, part, paid)?;
        self.handed(from, gives, -part, -paid, Cause::TakeOver);
        self.handed(to, self.model.held(to, market, part), part, paid, Cause::TakeOver);
        if kind == Kind::Fund {
            let limit = params.fund_limit;
            let held = self.model.exposure(to, market.net()).size;
            let grew = held.signum() == part.signum();
            let mark = self.model.market(market).mark;
            let notional = value::notional(&params, mark, held);
            let one = value::notional(&params, mark, 1);
            holds("fund limit", !grew || notional <= limit + one, || {
                format!("fund {to} holds {notional}, limit {limit}")
            })?;
        }
        self.above_initial(to)
    }

    /// The fund takes over only what no volunteer could take a lot more of.
    fn volunteers_first(&self, from: AccountId, market: MarketId, left: (i128, i128)) -> Verdict {
        let row = self.model.market(market);
        let worth = value::value(&row.params, row.mark, left.0, Dir::Down);
        if left.1 > worth {
            return Ok(());
        }
        for (id, limit) in &self.model.backstops {
            let account = self.model.account(*id);
            let own = account.owner == self.model.account(from).owner;
            let isolated = account.exposures.iter().any(|(p, e)| p.market == market && e.isolated);
            if own || isolated || account.liquidating.is_some() || account.status != engine::AccountStatus::Active {
                continue;
            }
            let lot = row.params.lot.min(left.0.abs()) * left.0.signum();
            let notional = self.debt(row.params.settlement, value::notional(&row.params, row.mark, lot));
            let could = notional < *limit - notional / 1_000 - 4
                && self.could_take(*id, market, lot, Self::part_value(left, lot));
            holds("I-19", !could, || format!("volunteer {id} could still take of account {from} in market {market}"))?;
        }
        Ok(())
    }

    /// In single-asset mode an account only holds positions that settle in its asset.
    pub(super) fn settles_in(&self, id: AccountId, market: MarketId) -> Verdict {
        let only = self.model.account(self.model.parent(id)).only;
        let settlement = self.model.market(market).params.settlement;
        holds("mode", only.is_none_or(|only| only == settlement), || format!("account {id} trades market {market}"))
    }

    /// Limits allow what a part of `part` contracts opens; what it closes is always allowed.
    pub(super) fn may_open(&self, id: AccountId, market: MarketId, part: i128) -> Verdict {
        let before = self.model.exposure(id, self.model.held(id, market, part)).size;
        let closes = if before.signum() * part.signum() < 0 { before.abs() } else { 0 };
        let side = if part > 0 { engine::Side::Buy } else { engine::Side::Sell };
        if part.abs() > closes { self.within_limits(id, market, side, (part.abs() - closes, closes)) } else { Ok(()) }
    }

    /// Whether an account meets initial margin and the largest position after it took a part over.
    pub(super) fn could_take(&self, id: AccountId, market: MarketId, part: i128, paid: i128) -> bool {
        let row = self.model.market(market);
        let position = self.model.held(id, market, part);
        let size = self.model.exposure(id, position).size + part;
        let worth = value::notional(&row.params, row.mark, size);
        let allowed = row.params.form.allows(size, worth, self.interest_worth(market, Lens::Mark));
        let figures = self.supposing(id, Lens::Mark, position, part, paid, 0);
        let within = self.may_open(id, market, part).is_ok();
        let traded = self.model.account(id).only.is_none_or(|only| only == row.params.settlement);
        traded && allowed && within && figures.equity >= figures.initial
    }

    /// A volunteer's limit after it took something over.
    pub(super) fn backstop_left(&mut self, account: AccountId, limit: i128) -> Verdict {
        same(
            "I-21",
            || format!("limit left of volunteer {account}"),
            self.ladder.backstop.take(),
            Some((account, limit)),
        )?;
        if limit == 0 {
            self.model.backstops.remove(&account);
        } else {
            self.model.backstops.insert(account, limit);
        }
        Ok(())
    }
}
