//! Results that become cash in a rhythm: when, at which price, and that everyone got exactly theirs.

use super::Referee;
use super::mismatch::{Verdict, holds, same};
use super::value;
use engine::{Event, MarketId, PositionId};

impl Referee {
    /// Its time has come, it has a usable price and is not halted, and it is realised at its mark.
    pub(super) fn realisation(&mut self, event: &Event) -> Verdict {
        match *event {
            Event::RealisationBegan { market, price, next } => {
                let now = self.model.now;
                let row = self.model.market(market);
                let every = row.params.realise_every_ns;
                let good = every > 0
                    && now >= row.realise_next
                    && self.is_priced(market)
                    && row.status != engine::MarketStatus::Halted
                    && !row.over();
                holds("realisation", good, || format!("realisation of market {market} is due"))?;
                let ours = (row.mark, (now.div_euclid(every) + 1) * every);
                let theirs = (i128::from(price.units()), next.ns());
                same("realisation", || format!("price and next realisation of market {market}"), ours, theirs)?;
                self.model.market_mut(market).realise_next = next.ns();
                self.model.realising.insert(market, ours.0);
                self.realisation_began.insert(market);
                Ok(())
            }
            Event::RealisationContinues { market, .. } => {
                holds("realisation", self.model.realising.contains_key(&market), || format!("market {market} realises"))
            }
            Event::RealisationEnded { market } => {
                let began = self.model.realising.remove(&market).is_some();
                holds("realisation", began, || format!("market {market} realises"))?;
                self.everyone_realised(market)
            }
            _ => Ok(()),
        }
    }

    /// In one command, nobody was left out. (Over several, others trade in between.)
    fn everyone_realised(&self, market: MarketId) -> Verdict {
        if !self.realisation_began.contains(&market) {
            return Ok(());
        }
        for (at, row) in self.model.accounts.iter().enumerate() {
            for (position, e) in row.exposures.iter().filter(|(p, e)| p.market == market && e.size != 0) {
                let id = engine::AccountId::at(at);
                holds("realisation", e.size == 0 || self.realised.contains(&(id, *position)), || {
                    format!("account {id} got the result of its position in market {market}")
                })?;
            }
        }
        Ok(())
    }

    /// One position: the result at the price moves from the clearing account to the wallet, and into the cost.
    pub(super) fn position_realised(&mut self, event: &Event) -> Verdict {
        let &Event::PositionChanged { account, market, size, cost, realised, leg, .. } = event else { return Ok(()) };
        let position = PositionId { market, leg };
        let Some(price) = self.model.realising.get(&market).copied() else {
            return holds("realisation", false, || format!("market {market} realises"));
        };
        let due = self.settle(account, position);
        let due = due.is_some() || self.owes_losses(account, position);
        holds("realisation", !due, || format!("funding of account {account} comes before its result"))?;
        let row = self.model.market(market);
        let (settlement, held) = (row.params.settlement, self.model.exposure(account, position));
        let ours = value::upnl(&row.params, price, held.size, held.cost);
        let told = (i128::from(size.units()), cost.units(), realised.units());
        same("realisation", || format!("position of account {account}"), (held.size, held.cost + ours, ours), told)?;
        self.model.exposure_mut(account, position).cost += ours;
        self.model.credit(account, settlement, ours);
        self.model.market_mut(market).clearing -= ours;
        self.note_result(account, (market, held.size > 0), ours);
        self.touch(account);
        self.realised.insert((account, position));
        Ok(())
    }

    /// What was late and has lost its price before the clock looked at it waits again.
    pub(super) fn unusable_by_now(&mut self) {
        let late = std::mem::take(&mut self.late);
        self.late = late.into_iter().filter(|(market, _)| self.is_priced(*market)).collect();
    }

    /// No realisation that could begin waits for longer than the second in which the clock looks again.
    pub(super) fn realisations_kept(&mut self) -> Verdict {
        let now = self.model.now;
        for at in 0..self.model.markets.len() {
            let market = MarketId::at(at);
            let row = self.model.market(market);
            let free = self.is_priced(market) && row.status != engine::MarketStatus::Halted && !row.over();
            let late = row.params.realise_every_ns > 0 && now >= row.realise_next;
            if !free || !late || self.model.realising.contains_key(&market) {
                self.late.remove(&market);
                continue;
            }
            let since = *self.late.entry(market).or_insert(now);
            holds("realisation", now - since < 1_000_000_000, || format!("realisation of market {market} began"))?;
        }
        Ok(())
    }
}
