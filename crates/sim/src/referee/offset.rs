//! Legs of hedge mode that close against each other in a liquidation: at the mark, and no more than the target needs.

use super::Referee;
use super::margin::{Figures, Lens};
use super::mismatch::{Verdict, holds, same};
use super::num::{Dir, at_rate};
use super::value;
use engine::{AccountId, Leg, MarketId};

impl Referee {
    pub(super) fn legs_offset(&mut self, account: AccountId, market: MarketId, (size, paid): (i128, i128)) -> Verdict {
        let (long, short) = (market.leg(Leg::Long), market.leg(Leg::Short));
        let held = (self.model.exposure(account, long).size, self.model.exposure(account, short).size);
        let what = |text: &str| format!("{size} of {held:?} of account {account} offset in market {market}: {text}");
        let most = held.0.min(-held.1);
        holds("I-08", size > 0 && size <= most, || what("both legs have it"))?;
        holds("I-25", self.can_close(market), || what("the price is usable"))?;
        let row = self.model.market(market);
        let (lot, ours) = (row.params.lot, value::value(&row.params, row.mark, size, Dir::Zero));
        same("value", || what("value at the mark"), ours, paid)?;
        let figures = self.figures(account, Lens::Lenient);
        let enough = |size: i128| self.offset_restores(market, held, size, &figures);
        holds("ladder", size == most || enough(size), || what("all, or back at the target"))?;
        let fewer = size - if size % lot == 0 { lot } else { size % lot };
        holds("ladder", fewer == 0 || !enough(fewer), || what("fewer would have been enough"))?;
        self.handed(account, long, -size, -paid, engine::Cause::Liquidation);
        self.handed(account, short, size, paid, engine::Cause::Liquidation);
        Ok(())
    }

    /// Whether the account is back at its target when `size` contracts of both legs are gone; its equity stays.
    fn offset_restores(&self, market: MarketId, held: (i128, i128), size: i128, figures: &Figures) -> bool {
        let row = self.model.market(market);
        let need = |size: i128| {
            self.debt(row.params.settlement, value::maintenance(&row.params, self.model.valuation(row), size))
        };
        let gone = need(held.0) + need(held.1) - need(held.0 - size) - need(held.1 + size);
        let maintenance = figures.maintenance - gone;
        let target = at_rate(maintenance, self.model.risk.target, Dir::Up);
        figures.equity >= target && !self.model.risk.below(figures.equity - maintenance)
    }
}
