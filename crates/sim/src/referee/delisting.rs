//! An asset on its way out: every announced step at its time, none before, and nothing comes in any more.

use super::Referee;
use super::facts::Turn;
use super::mismatch::{Verdict, holds, same};
use engine::{Command, Event};

impl Referee {
    pub(super) fn delisting(&mut self, turn: &Turn<'_>, event: &Event) -> Verdict {
        match (event, turn.command) {
            (Event::DelistingScheduled { asset }, Command::ScheduleDelisting { asset: asked, steps }) => {
                same("facts", || "asset that is delisted".into(), asked, asset)?;
                let steps: Vec<_> = steps.iter().map(|s| (s.at.ns(), i128::from(s.haircut.units()))).collect();
                let start = (self.model.now, self.model.assets[asset.index()].haircut);
                let path: Vec<_> = std::iter::once(start).chain(steps.iter().copied()).collect();
                let falls = path.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 > w[1].1);
                let begun = self.model.delistings.get(asset).is_some_and(|d| d.1);
                let ends = steps.last().is_some_and(|s| s.1 == 0);
                holds("delisting", falls && ends && !begun, || format!("steps {path:?} lead to nothing"))?;
                let open = |m: &super::model::Market| m.status != engine::MarketStatus::Settled;
                let used = self.model.markets.iter().any(|m| m.params.settlement == *asset && open(m));
                holds("delisting", !used, || format!("no market settles in asset {asset}"))?;
                self.model.delistings.insert(*asset, (steps, false));
                Ok(())
            }
            (Event::DelistingCancelled { asset }, Command::CancelDelisting { asset: asked }) => {
                same("facts", || "asset that stays".into(), asked, asset)?;
                let gone = self.model.delistings.remove(asset);
                holds("delisting", gone.is_some_and(|d| !d.1), || format!("delisting of {asset} had not begun"))
            }
            (Event::HaircutStepped { asset, haircut }, _) => {
                let now = self.model.now;
                let row = self.model.delistings.get_mut(asset);
                let next = row.and_then(|d| {
                    d.1 = true;
                    (!d.0.is_empty()).then(|| d.0.remove(0))
                });
                let theirs = i128::from(haircut.units());
                holds("delisting", next.is_some_and(|n| n.0 <= now && n.1 == theirs), || {
                    format!("step of asset {asset} to {theirs}")
                })?;
                self.everyone = true;
                self.model.asset(*asset).haircut = theirs;
                Ok(())
            }
            _ => holds("facts", false, || format!("{event:?} was asked for")),
        }
    }

    /// After every command no step is late by more than the second in which the clock looks.
    pub(super) fn haircuts_kept(&self) -> Verdict {
        for (asset, (steps, _)) in &self.model.delistings {
            let late = steps.first().is_some_and(|s| s.0 + 1_000_000_000 <= self.model.now);
            holds("delisting", !late, || format!("haircut of asset {asset} steps in time"))?;
        }
        Ok(())
    }
}
