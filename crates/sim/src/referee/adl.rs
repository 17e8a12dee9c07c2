//! Auto-deleveraging (I-20): the ranking at the start of the round under the market's policy, whose turn it is and for how
//! much, and that nothing is left uncovered while a winner is there.

use super::Referee;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, PRICE, RATE, mul_div};
use super::shares::Most;
use super::value;
use engine::params::AdlPolicy;
use engine::{AccountId, AssetId, Cause, Event, MarketId, MoveReason, PositionId, Side};

/// Winners of one side of a market, best first, with their scores.
pub type Ranking = Vec<(AccountId, i128)>;

/// Both factors of a score are held at this.
const MOST: i128 = 1 << 62;

/// profit × leverage with a gain, profit ÷ leverage without; 1e-9, every step toward zero.
fn score(upnl: i128, cost: i128, notional: i128, equity: i128) -> i128 {
    let profit = mul_div(upnl, RATE, cost.abs().max(1), Dir::Zero).clamp(-MOST, MOST);
    let leverage = mul_div(notional, RATE, equity.max(1), Dir::Zero).clamp(1, MOST);
    if profit > 0 { mul_div(profit, leverage, RATE, Dir::Zero) } else { mul_div(profit, RATE, leverage, Dir::Zero) }
}

/// (mark ÷ entry) × leverage; mark and entry change places for what gains by a fall.
fn growth(rises: bool, mark_over_entry: (i128, i128), notional: i128, equity: i128) -> i128 {
    let (mark, entry) = mark_over_entry;
    let (above, under) = if rises { (mark, entry) } else { (entry, mark) };
    let growth = mul_div(above, RATE, under.max(1), Dir::Zero).clamp(-MOST, MOST);
    let leverage = mul_div(notional, RATE, equity.max(1), Dir::Zero).clamp(-MOST, MOST);
    mul_div(growth, leverage, RATE, Dir::Zero)
}

impl Referee {
    /// The ranking of a market side, made when this run first asks for it.
    fn ranking(&mut self, market: MarketId, side: Side) -> Ranking {
        if let Some(ranking) = self.ladder.rankings.get(&(market, side)) {
            return ranking.clone();
        }
        let ranking = self.ranking_now(market, side);
        self.ladder.rankings.insert((market, side), ranking.clone());
        ranking
    }

    /// A market side as it ranks now.
    pub(super) fn ranking_now(&self, market: MarketId, side: Side) -> Ranking {
        let row = self.model.market(market);
        let sign = if side == Side::Buy { 1 } else { -1 };
        let mut ranking: Ranking = Vec::new();
        for (at, account) in self.model.accounts.iter().enumerate() {
            let id = AccountId::at(at);
            let held = self.model.held(id, market, sign);
            let Some(e) = account.exposures.get(&held).filter(|e| e.size.signum() == sign) else { continue };
            if account.liquidating.is_some() {
                continue;
            }
            let upnl = value::upnl(&row.params, row.mark, e.size, e.cost);
            let notional = value::notional(&row.params, row.mark, e.size);
            let equity = self.in_asset(row.params.settlement, self.figures(id, Lens::Bare).equity);
            ranking.push(match row.params.adl_policy {
                AdlPolicy::ProfitLeverage | AdlPolicy::LeastHedgesBroken => (id, score(upnl, e.cost, notional, equity)),
                AdlPolicy::GrowthLeverage => {
                    // A linear value is proportional to the price, an inverse one to 1 ÷ price.
                    let linear = row.params.face.is_none();
                    let marks = if linear { (notional, e.cost.abs()) } else { (e.cost.abs(), notional) };
                    (id, growth(sign > 0, marks, notional, equity))
                }
                AdlPolicy::ProRata => (id, i128::from(upnl > 0)),
            });
        }
        ranking.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        ranking
    }

    /// An amount of the numeraire in an asset, rounded down.
    pub(super) fn in_asset(&self, asset: AssetId, amount: i128) -> i128 {
        let per = self.model.asset_price(asset);
        if per == 0 { 0 } else { mul_div(amount, PRICE, per, Dir::Down) }
    }

    /// Contracts that a winner can close against what is left, with the sign of its trade; at most `asked`.
    fn part_of(
        &self,
        failing: AccountId,
        market: MarketId,
        left: (i128, i128),
        winner: AccountId,
        asked: i128,
    ) -> i128 {
        let position = self.model.held(winner, market, -left.0.signum());
        let held = self.model.exposure(winner, position).size;
        let other = held.signum() * left.0.signum() < 0;
        if !other || winner == failing || self.model.account(winner).liquidating.is_some() {
            return 0;
        }
        let stands = |size: i128| {
            let part = size * left.0.signum();
            let after = self.supposing(winner, Lens::Lenient, position, part, Self::part_value(left, part), 0);
            !self.model.risk.below(after.headroom())
        };
        // All of it, or as many whole lots as leave it above its own line.
        let most = held.abs().min(left.0.abs()).min(asked);
        if stands(most) {
            return most * left.0.signum();
        }
        let lot = self.model.market(market).params.lot;
        let (mut good, mut bad) = (0, most / lot + 1);
        while bad - good > 1 {
            let middle = (good + bad) / 2;
            if stands(middle * lot) { good = middle } else { bad = middle }
        }
        good * lot * left.0.signum()
    }

    /// Who gives next of what is left, and how much: everyone's turn comes in the order of the policy, once for at most a
    /// part and then as often as it can give.
    fn turn(
        &mut self,
        failing: AccountId,
        position: PositionId,
        left: (i128, i128),
        ranking: &Ranking,
    ) -> Option<(AccountId, i128)> {
        let key = (failing, position);
        if !self.ladder.turns.contains_key(&key) {
            let turns = self.turns(failing, position.market, left, ranking);
            self.ladder.turns.insert(key, (turns, 0));
        }
        let (turns, mut at) = self.ladder.turns.get(&key).cloned().unwrap_or_default();
        let mut found = None;
        while let Some((winner, most)) = turns.get(at).filter(|_| found.is_none()) {
            let asked = match most {
                Most::All => i128::MAX,
                Most::Units(units) => *units,
                Most::Unhedged => self.unhedged(*winner, self.model.held(*winner, position.market, -left.0.signum())),
            };
            let part = self.part_of(failing, position.market, left, *winner, asked);
            if part != 0 {
                found = Some((*winner, part));
            }
            if part == 0 || *most != Most::All {
                at += 1;
            }
        }
        self.ladder.turns.insert(key, (turns, at));
        found
    }

    fn winners(left: (i128, i128)) -> Side {
        if left.0 > 0 { Side::Sell } else { Side::Buy }
    }

    pub(super) fn deleveraged(&mut self, event: &Event) -> Verdict {
        let &Event::Deleveraged { failing, winner, market, size, value: paid, rank, score, leg, policy, hedged } =
            event
        else {
            return Ok(());
        };
        let (part, paid) = (i128::from(size.units()), paid.units());
        let below = self.model.risk.below(self.figures(failing, Lens::Lenient).headroom());
        holds("I-16", below, || format!("account {failing} is below its line when {winner} is deleveraged"))?;
        let failing_position = market.leg(leg);
        let left = self.handover(failing, failing_position);
        let ranking = self.ranking(market, Self::winners(left));
        let place = ranking.iter().position(|(id, _)| *id == winner);
        let theirs = (usize::try_from(rank).ok().and_then(|r| r.checked_sub(1)), Some(score));
        let ours = (place, place.map(|p| ranking[p].1));
        same("I-20", || format!("rank and score of winner {winner} in market {market}"), ours, theirs)?;
        let turn = self.turn(failing, failing_position, left, &ranking);
        same("I-20", || format!("whose turn it is in market {market}, and its size"), turn, Some((winner, part)))?;
        let free = self.unhedged(winner, self.model.held(winner, market, -part));
        let ours = (self.model.market(market).params.adl_policy, (part.abs() - free).max(0));
        let theirs = (policy, i128::from(hedged.units()));
        same("I-20", || format!("policy, and contracts of winner {winner} that hedged"), ours, theirs)?;
        self.funds_first(failing, market, left)?;
        self.ladder.gave.insert((failing, winner));
        // What it lost here is not the doing of an order that it placed in the same command.
        let parent = self.model.parent(winner);
        self.adds_risk.retain(|id| *id != winner && *id != parent);
        self.hand(failing, failing_position, part, paid)?;
        self.pay_difference(winner, market, part, paid);
        self.handed(failing, failing_position, -part, -paid, Cause::Adl);
        self.handed(winner, self.model.held(winner, market, -part), part, paid, Cause::Adl);
        Ok(())
    }

    /// I-19: winners are asked only when the fund cannot take a lot more.
    fn funds_first(&self, failing: AccountId, market: MarketId, left: (i128, i128)) -> Verdict {
        let row = self.model.market(market);
        let fund = row.params.fund;
        let gave = self.ladder.gave.contains(&(failing, fund));
        let stopped = self.drawdown_of(market).is_some();
        // With the open interest that winners have closed, the fund may take more than when it was asked.
        let closed = matches!(row.params.form, super::forms::Form::Interest { .. });
        if fund == failing || gave || stopped || closed || self.model.account(fund).liquidating.is_some() {
            return Ok(());
        }
        let lot = row.params.lot.min(left.0.abs()) * left.0.signum();
        let held = self.model.exposure(fund, market.net()).size;
        let after = if held.signum() * lot.signum() >= 0 { (held + lot).abs() } else { 0 };
        // A little less than the limit: contracts worth it are rounded down.
        let notional = value::notional(&row.params, row.mark, after);
        let room = notional + notional / 1_000 + 4 < row.params.fund_limit;
        let could = room && self.could_take(fund, market, lot, Self::part_value(left, lot));
        holds("I-19", !could, || format!("fund {fund} could still take of account {failing} in market {market}"))
    }

    /// Where winners are closed at the mark, the fund pays the difference to the bankruptcy value as far as it can.
    fn pay_difference(&mut self, winner: AccountId, market: MarketId, part: i128, paid: i128) {
        let row = self.model.market(market);
        let (fund, asset) = (row.params.fund, row.params.settlement);
        let worth = value::value(&row.params, row.mark, part, Dir::Down);
        if row.params.adl_at_mark && paid > worth && fund != winner {
            self.fund_pays(fund, winner, asset, paid - worth, MoveReason::AdlPrice);
        }
    }

    /// I-20: what is left uncovered is what is left, and no winner could close any of it.
    pub(super) fn left_uncovered(&mut self, account: AccountId, position: PositionId, size: i128) -> Verdict {
        let market = position.market;
        let left = self.handover(account, position);
        let held = self.model.exposure(account, position).size;
        same("I-20", || format!("uncovered contracts of account {account}"), (left.0, held), (size, size))?;
        let ranking = self.ranking(market, Self::winners(left));
        // A winner that gave what it could may be able to give more once the fund has paid it: at the next try.
        for (winner, _) in ranking.into_iter().filter(|(winner, _)| !self.ladder.gave.contains(&(account, *winner))) {
            let could = self.part_of(account, market, left, winner, i128::MAX);
            same("I-20", || format!("{winner} could close what is left of account {account}"), 0, could)?;
        }
        self.funds_first(account, market, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_of_a_tenth_at_leverage_five_scores_a_half() {
        assert_eq!(score(500, 5_000, 5_500, 1_100), RATE / 2);
        assert_eq!(score(-500, 5_000, 5_500, 1_100), -RATE / 50);
        assert_eq!(score(500, -5_000, 5_500, -1), 55 * RATE * 10);
    }
}
