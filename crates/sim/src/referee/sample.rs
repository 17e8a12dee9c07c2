//! Equity and margins of everyone against the engine's, who is below the line, and a sample of the views that people
//! see: liquidation prices are tried out, not computed (I-13).

use super::Referee;
use super::margin::{Figures, Lens};
use super::mismatch::{Mismatch, Verdict, holds, same};
use super::model::Kind;
use engine::{AccountId, Basis, Engine, PositionView, Terms};

fn figures_of(terms: Terms) -> Figures {
    Figures {
        equity: terms.equity.units(),
        initial: terms.initial.units(),
        maintenance: terms.maintenance.units(),
        notional: terms.notional.units(),
    }
}

impl Referee {
    pub(super) fn sample(&self, engine: &Engine, full: bool) -> Verdict {
        let count = self.model.accounts.len();
        if count == 0 {
            return Ok(());
        }
        if full && self.everyone {
            (0..count).try_for_each(|at| self.terms_agree(engine, AccountId::at(at)))?;
        } else {
            self.touched.iter().try_for_each(|id| self.terms_agree(engine, *id))?;
        }
        // Everyone's turn comes: one account is looked at in every way.
        if !full && !self.model.sequence.is_multiple_of(16) {
            return Ok(());
        }
        let turn = self.model.sequence / if full { 1 } else { 16 };
        let turn = usize::try_from(turn).unwrap_or(0) % count;
        let id = AccountId::at(turn);
        for (lens, basis) in [
            (Lens::Worse, Basis::Worse),
            (Lens::Outflow, Basis::Outflow),
            (Lens::Lenient, Basis::Lenient),
            (Lens::Bare, Basis::Bare),
        ] {
            let theirs = figures_of(engine.state().terms_at(id, basis));
            let mut ours = self.figures(id, lens);
            if lens == Lens::Bare || lens == Lens::Lenient {
                ours.initial = theirs.initial;
            }
            same("margin", || format!("account {id} at {basis:?} prices"), ours, theirs)?;
        }
        self.view_agrees(engine, id)
    }

    fn terms_agree(&self, engine: &Engine, id: AccountId) -> Verdict {
        let theirs = figures_of(engine.state().terms(id));
        same("margin", || format!("equity and margins of account {id}"), self.figures(id, Lens::Mark), theirs)?;
        self.line_kept(id)
    }

    fn view_agrees(&self, engine: &Engine, id: AccountId) -> Verdict {
        if matches!(self.model.account(id).kind, Kind::Child { .. }) {
            return Ok(());
        }
        let view = engine.account_view(id).map_err(|reject| Mismatch {
            sequence: 0,
            rule: "view",
            what: format!("view of account {id}"),
            ours: "is there".into(),
            theirs: reject.to_string(),
        })?;
        let ours = self.figures(id, Lens::Mark);
        let what = |number: &str| format!("{number} in the view of account {id}");
        same("view", || what("equity"), ours.equity, view.equity.units())?;
        same("view", || what("initial margin"), ours.initial, view.initial_margin.units())?;
        same("view", || what("maintenance margin"), ours.maintenance, view.maintenance_margin.units())?;
        same("view", || what("headroom"), ours.headroom(), view.headroom.units())?;
        same("view", || what("free collateral"), (ours.equity - ours.initial).max(0), view.free_collateral.units())?;
        let ratio = if ours.maintenance == 0 {
            Some(0)
        } else if ours.equity <= 0 {
            None
        } else {
            let ratio = super::num::mul_div(ours.maintenance, super::num::RATE, ours.equity, super::num::Dir::Up);
            Some(ratio).filter(|r| *r <= 100 * super::num::RATE)
        };
        if let (Some(ours), Some(theirs)) = (ratio, view.margin_ratio) {
            same("view", || what("margin ratio"), ours, i128::from(theirs.units()))?;
        }
        for wallet in &view.wallets {
            same("view", || what("wallet"), self.model.wallet(id, wallet.asset), wallet.wallet.units())?;
            holds("view", wallet.withdrawable <= wallet.wallet || wallet.withdrawable.is_zero(), || {
                what("withdrawable")
            })?;
        }
        view.positions.iter().try_for_each(|p| self.position_agrees(p))
    }

    fn position_agrees(&self, p: &PositionView) -> Verdict {
        let e = self.model.exposure(p.holder, p.market.leg(p.leg));
        let params = &self.model.market(p.market).params;
        let mark = self.model.valuation(self.model.market(p.market));
        let what = |number: &str| format!("{number} of account {} in market {}", p.holder, p.market);
        same("view", || what("size"), e.size, i128::from(p.size.units()))?;
        same("view", || what("cost"), e.cost, p.cost.units())?;
        if e.size == 0 || mark <= 0 {
            return Ok(());
        }
        same("view", || what("upnl"), super::value::upnl(params, mark, e.size, e.cost), p.upnl.units())?;
        same("view", || what("notional"), super::value::notional(params, mark, e.size), p.notional.units())?;
        let maintenance = super::value::maintenance(params, mark, e.size);
        same("view", || what("maintenance margin"), maintenance, p.maintenance_margin.units())?;
        let exposures = &self.model.account(p.holder).exposures;
        let option = |of: &engine::PositionId| self.model.market(of.market).params.option.is_some();
        let options = exposures.iter().any(|(of, e)| e.size != 0 && option(of));
        if options { Ok(()) } else { self.tried(p, mark) }
    }

    /// I-13: at the reported price the account is below its line, one unit nearer to the mark it is not.
    fn tried(&self, p: &PositionView, mark: i128) -> Verdict {
        let prices = serde_json::to_value(p.liquidation_price).unwrap_or_default();
        let risk = &self.model.risk;
        let headroom = |price: i128| self.figures_at(p.holder, Lens::Mark, (p.market, price)).headroom();
        for (side, towards) in [("below", 1), ("above", -1)] {
            let field = &prices[side];
            let what = || format!("liquidation price {side} {field} of account {} in market {}", p.holder, p.market);
            if field.as_str() == Some("already_below") {
                holds("I-13", risk.below(headroom(mark)), what)?;
            } else if let Some(text) = field["at"].as_str() {
                let price: units::Price = text.parse().map_err(|_| Mismatch {
                    sequence: 0,
                    rule: "I-13",
                    what: what(),
                    ours: "a price".into(),
                    theirs: text.into(),
                })?;
                let price = i128::from(price.units());
                holds("I-13", risk.below(headroom(price)), what)?;
                let nearer = price + towards;
                holds("I-13", !risk.below(headroom(nearer)), what)?;
            } else if side == "below" || mark < i128::from(i64::MAX) / 4 {
                let far = if side == "below" { mark / 2 } else { mark * 2 };
                holds("I-13", !risk.below(headroom(far.max(1))), || format!("{} at {far}", what()))?;
            }
        }
        Ok(())
    }
}
