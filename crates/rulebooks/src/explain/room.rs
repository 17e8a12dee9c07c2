//! The working of what follows from an account's figures: how far all prices may move together, how far a position may grow, and
//! what may leave.

use super::{Step, Working, percent, upnl};
use crate::book::{Position, Wallet};
use rules::{Grown, PositionTerms, Way};
use units::{Money, Price, Rate, Round};

impl Working<'_> {
    /// The least common move downward or upward to the line.
    pub(super) fn common_move(&self, name: &str) -> Step {
        let (fall, rise) = self.account.common_moves(self.terms);
        let (found, word, toward) = if name == "liquidation_fall" { (fall, "fall", -1) } else { (rise, "rise", 1) };
        let account = &self.rulebook.sections.account;
        let clause = account.clauses.line(&account.clause.0);
        match found {
            None => {
                let range = if toward < 0 { "of less than 100%" } else { "of up to 900%" };
                let how = format!("no {word} of all prices together {range} puts the account below its line");
                Step::new(name, "none", how).by(clause).of([self.equity(), self.maintenance()])
            }
            Some(rate) if rate == Rate::ZERO => {
                let how = "the account is below its line at the prices of now";
                Step::new(name, percent(rate), how).by(clause).of([self.equity(), self.maintenance()])
            }
            Some(rate) => {
                let how = format!(
                    "least {word} of the prices of all positions together, in steps of 0.0000001%, at which the account is below its line"
                );
                let before = Rate::new(rate.units() - toward);
                let checks = [before, Some(rate)].into_iter().flatten().filter_map(|rate| self.moved(rate));
                Step::new(name, percent(rate), how).by(clause).of(checks)
            }
        }
    }

    /// The account with all prices moved.
    fn moved(&self, rate: Rate) -> Option<Step> {
        let price_of = |holding: &rules::Holding<'_>| holding.price.scale(rate, Round::Down);
        let terms = self.account.terms_at(price_of)?;
        let rows = self.account.positions.iter().zip(&self.unit.positions).zip(&terms.positions);
        let parts = rows.filter_map(|((holding, held), row)| Some(moved_position(held, row, price_of(holding)?)));
        Some(Step::new(format!("check at {}", percent(rate)), "", self.standing(&terms)).of(parts))
    }

    /// How far a position may grow.
    pub(super) fn largest_size(&self, at: usize, held: &Position, way: Way) -> Option<Step> {
        let growth = self.account.largest_size(self.terms, at, way, held.lot)?;
        let (name, done) = match way {
            Way::Buy => ("largest_buy", "bought"),
            Way::Sell => ("largest_sell", "sold"),
        };
        let how = format!(
            "the most lots of {} {done} besides at price {}, fees apart, with initial_margin ≤ {} and the last tier not passed",
            held.lot,
            held.price,
            self.for_initial_name()
        );
        let others = Step::new("other initial_margin", growth.others, "of the other positions");
        let mut parts = vec![self.equity_for_initial(), others.of(self.initial_margins(Some(at)))];
        match growth.last {
            Some(grown) => parts.push(self.grown(held, &grown)),
            None => parts.push(Step::new(
                "check at size 0",
                "",
                "a flat position needs nothing: to close is always allowed",
            )),
        }
        match growth.next {
            Some(grown) => parts.push(self.grown(held, &grown)),
            None => parts.push(Step::new("one lot further", "", "the figures are out of range")),
        }
        Some(Step::new(name, growth.size, how).of(parts))
    }

    fn for_initial_name(&self) -> &'static str {
        if self.terms.equity_for_initial == self.terms.equity { "equity" } else { "equity_for_initial" }
    }

    /// Whether a size fits, and by what figures.
    fn grown(&self, held: &Position, grown: &Grown) -> Step {
        let equity = self.terms.equity_for_initial;
        let said = match (grown.initial <= equity, grown.is_beyond_ladder, held.rules().ladder.cap()) {
            (_, true, Some(cap)) => {
                format!("notional {} is beyond the last tier, which ends at {cap}", grown.terms.notional)
            }
            (true, ..) => format!("initial_margin {} ≤ {equity}: it may be held", grown.initial),
            (false, ..) => format!("initial_margin {} > {equity}: too much", grown.initial),
        };
        let row = &grown.terms;
        let terms = &row.initial;
        let how = format!("notional {} × rate {}", terms.notional, percent(terms.rate));
        let fee =
            if terms.closing_fee.is_zero() { String::new() } else { format!(" + fee to close {}", terms.closing_fee) };
        let margin = Step::new(format!("{} initial_margin", held.market), terms.required, how + &fee);
        Step::new(format!("check at size {}", grown.size), "", said).of([margin])
    }

    /// What may leave of an asset.
    pub(super) fn withdrawable(&self, at: usize, wallet: &Wallet) -> Option<Step> {
        let terms = self.account.withdrawable(self.terms, at)?;
        let account = &self.rulebook.sections.account;
        let how =
            "the most that may leave: no more than the wallet; what stays covers what is needed, gains counted as zero";
        let step = Step::new(format!("{} withdrawable", wallet.asset), terms.amount, how)
            .by(account.clauses.outflow_share(&account.clause.0));
        let own = Step::new("wallet", wallet.amount, "from the book");
        if terms.has_debt {
            return Some(step.of([own, Step::new("debt", "", "nothing leaves while a wallet is below zero")]));
        }
        let mut counted = vec![own];
        for (held, row) in self.unit.positions.iter().zip(&self.terms.positions) {
            if held.settlement == at && row.upnl.is_negative() {
                let part = upnl(held, row);
                counted.push(Step { name: format!("{} {}", held.market, part.name), ..part });
            }
        }
        let mut parts = vec![Step::new("counted", terms.counted, "wallet + Σ losses").of(counted)];
        if self.unit.wallets.len() > 1 {
            let how = "of the other assets: (wallet + Σ losses) × index × haircut, rounded down";
            parts.push(Step::new("counted beside it", terms.others, how));
        }
        parts.push(self.needed(terms.needed, terms.outflow_share));
        if let Some(stays) = terms.stays {
            let how = match (terms.amount.is_zero(), stays < terms.needed) {
                (true, true) => {
                    "at index after haircuts with nothing withdrawn: less than needed, so nothing may leave"
                }
                _ if terms.amount == wallet.amount => {
                    "at index after haircuts with all of the wallet withdrawn: no less than needed"
                }
                _ => {
                    "at index after haircuts with that withdrawn: no less than needed, and 1e-16 more would leave too little"
                }
            };
            parts.push(Step::new("stays", stays, how));
        }
        Some(step.of(parts))
    }

    fn needed(&self, needed: Money, share: Money) -> Step {
        let rate = self.rulebook.account.outflow_share;
        if rate == Rate::ZERO {
            return Step::new("needed", needed, "initial_margin").of([self.initial()]);
        }
        let how = format!("{} of notional {}, rounded up", percent(rate), self.terms.notional);
        let share = Step::new("share of notional", share, how);
        let how = "the larger of initial_margin and the share of notional";
        Step::new("needed", needed, how).of([self.initial(), share])
    }
}

fn moved_position(held: &Position, row: &PositionTerms, price: Price) -> Step {
    let terms = &row.maintenance;
    let mut margin = format!("{} × {}", terms.notional, percent(terms.rate));
    for (sign, part) in [("−", terms.deduction), ("+", terms.closing_fee)] {
        if !part.is_zero() {
            margin += &format!(" {sign} {part}");
        }
    }
    let how = format!("upnl {}, maintenance_margin {} = {margin}", row.upnl, terms.required);
    Step::new(format!("{} price", held.market), price, how)
}
