//! The ladder of a liquidation: who is on it, in which order its stages come (I-19), what each step changed (I-16, I-18),
//! how it ended (I-15). The stages themselves are in files of their own.

use super::Referee;
use super::adl::Ranking;
use super::fills::money;
use super::margin::Lens;
use super::mismatch::{Verdict, holds, same};
use super::model::{Kind, Ladder};
use super::num::{Dir, at_rate, mul_div};
use super::shares::Turns;
use super::value;
use engine::params::LiquidationPolicy;
use engine::{AccountId, AssetId, CancelReason, Event, MarketId, MoveReason, Outcome, PositionId, Side, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// An account before a step: what the step is measured against.
#[derive(Clone, Debug, Default)]
pub struct Before {
    pub headroom: i128,
    pub sizes: BTreeMap<PositionId, i128>,
    /// The ladder's fee in this step.
    pub fee: i128,
    /// What discounts of conversions may cost in this step, numeraire.
    pub discount: i128,
}

/// What one command's ladder has done so far.
#[derive(Clone, Debug, Default)]
pub struct Round {
    pub open: BTreeMap<AccountId, Before>,
    /// Stages done in this piece of work on an account, by market for the last three.
    stages: BTreeMap<AccountId, Vec<(Stage, PositionId)>>,
    /// Accounts whose work has ended in this run.
    worked: BTreeSet<AccountId>,
    /// What is left of a position that is handed over, and its value.
    pub handovers: BTreeMap<(AccountId, PositionId), (i128, i128)>,
    pub rankings: BTreeMap<(MarketId, Side), Ranking>,
    /// Whose turns come in a deleveraging, and how far they have come.
    pub turns: BTreeMap<(AccountId, PositionId), (Turns, usize)>,
    /// Accounts that were due when this run began, worst first, and how far it has come.
    order: Vec<AccountId>,
    reached: usize,
    /// Winners that were deleveraged against a failing account in this piece of work.
    pub gave: BTreeSet<(AccountId, AccountId)>,
    /// The fund behind each account that is worked on.
    pub funds: BTreeMap<AccountId, Option<AccountId>>,
    /// A volunteer's limit that the engine must report next.
    pub backstop: Option<(AccountId, i128)>,
    /// Whose position a bid took, until the step is told.
    pub bid: Option<AccountId>,
    /// What is left to ask of funds for a deficit, in turn.
    pub parts: BTreeMap<(AccountId, AssetId), super::reserve::Parts>,
    /// What each fund that was asked left of its part.
    pub unpaid: BTreeMap<(AccountId, AssetId), Vec<(AccountId, i128)>>,
    /// How winners share what is left: these events must come, in turn.
    pub sharings: BTreeMap<(AccountId, AssetId), Vec<Event>>,
}

impl Round {
    pub fn begin(&mut self) {
        *self = Self::default();
    }

    /// Stages done in this piece of work.
    pub fn done(&self, account: AccountId) -> Vec<Stage> {
        self.stages.get(&account).into_iter().flatten().map(|(stage, _)| *stage).collect()
    }

    /// A new run begins: rankings are made again.
    pub fn forget_rankings(&mut self) {
        self.rankings.clear();
        self.worked.clear();
        self.order.clear();
        self.reached = 0;
    }
}

impl Referee {
    /// Whether an order of this account is the ladder's: it is in liquidation, or a fund that unwinds.
    pub(super) fn by_ladder(&self, id: AccountId) -> bool {
        let row = self.model.account(id);
        row.liquidating.is_some() || row.kind == Kind::Fund
    }

    /// The account that an event is a step on, if it is one. A child's order may be cancelled for its parent: the step that
    /// tells it follows.
    fn stepping(&self, event: &Event, rest: &[Event]) -> Option<AccountId> {
        match event {
            Event::OrderCancelled { reason: CancelReason::Liquidation, .. } => {
                rest.iter().find_map(|next| match next {
                    Event::LiquidationStep { account, stage: Stage::Cancel, .. } => Some(*account),
                    _ => None,
                })
            }
            Event::OrderAccepted { account, .. } if self.by_ladder(*account) => Some(*account),
            // Outside of the ladder it repays a debt that has grown too large.
            Event::Converted { account, .. } if self.model.account(*account).liquidating.is_some() => Some(*account),
            Event::TakenOver { from, .. } => Some(*from),
            Event::LegsOffset { account, .. } | Event::AuctionStarted { account, .. } => Some(*account),
            Event::Deleveraged { failing, .. } => Some(*failing),
            _ => None,
        }
    }

    /// Before the first event of a step: the numbers that it is measured against, and whether it may be taken at all.
    pub(super) fn ladder_opens(&mut self, event: &Event, rest: &[Event]) -> Verdict {
        let outside = matches!(event, Event::OrderAccepted { account, .. } if !self.by_ladder(*account));
        if outside || matches!(event, Event::LiquidationStarted { .. }) {
            self.ladder.forget_rankings();
        }
        let Some(account) = self.stepping(event, rest) else { return Ok(()) };
        if self.ladder.worked.contains(&account) {
            self.ladder.forget_rankings();
        }
        self.in_order(account)?;
        if self.ladder.open.contains_key(&account) {
            return Ok(());
        }
        let fund = self.fund_behind(account);
        self.ladder.funds.insert(account, fund);
        let figures = self.figures(account, Lens::Lenient);
        self.book_ended(account, event, &figures)?;
        let row = self.model.account(account);
        let sizes: BTreeMap<PositionId, i128> = row.exposures.iter().map(|(m, e)| (*m, e.size)).collect();
        let holds_any = sizes.values().any(|s| *s != 0);
        if let Some(ladder) = row.liquidating {
            let below = self.model.risk.below(figures.headroom());
            holds("I-16", below || !holds_any, || {
                format!("account {account} with headroom {} is below its line", figures.headroom())
            })?;
            // A falling equity ends a pause after the book, not one after the last stage was tried in vain.
            let falls = ladder.stage.is_none_or(|stage| stage <= Stage::Reduce) && self.takes_over(&figures);
            let due = self.model.now >= ladder.paused_until || falls || self.ladder.stages.contains_key(&account);
            holds("ladder", due, || format!("the pause of account {account} is over"))?;
        } else {
            holds("I-16", row.kind == Kind::Fund, || {
                format!("account {account} is in liquidation when a step is taken")
            })?;
        }
        let before = Before { headroom: figures.headroom(), sizes, ..Before::default() };
        self.ladder.open.insert(account, before);
        Ok(())
    }

    /// Within a run the worst account comes first: lowest equity ÷ maintenance (1e-6), ties by account number.
    fn in_order(&mut self, account: AccountId) -> Verdict {
        if self.model.account(account).liquidating.is_none() {
            return Ok(());
        }
        if self.ladder.order.is_empty() {
            let all = (0..self.model.accounts.len()).map(AccountId::at);
            let due = all.filter(|id| self.model.account(*id).liquidating.is_some());
            let mut rows: Vec<(i128, AccountId)> = due
                .map(|id| {
                    let f = self.figures(id, Lens::Lenient);
                    let worst = f.maintenance == 0;
                    let ratio = if worst { i128::MIN } else { mul_div(f.equity, 1_000_000, f.maintenance, Dir::Zero) };
                    (ratio, id)
                })
                .collect();
            rows.sort_unstable();
            self.ladder.order = rows.into_iter().map(|(_, id)| id).collect();
        }
        let place = self.ladder.order.iter().position(|id| *id == account).unwrap_or(0);
        let good = place >= self.ladder.reached;
        self.ladder.reached = place;
        holds("ladder", good, || format!("account {account} comes after a better one: {:?}", self.ladder.order))
    }

    /// Equity is below the take-over share of maintenance.
    pub(super) fn takes_over(&self, figures: &super::margin::Figures) -> bool {
        figures.equity < at_rate(figures.maintenance, self.model.risk.takeover, Dir::Up)
    }

    pub(super) fn ladder_event(&mut self, event: &Event) -> Verdict {
        match *event {
            Event::LiquidationStarted { account, equity, maintenance_margin } => {
                let figures = self.figures(account, Lens::Lenient);
                let theirs = (equity.units(), maintenance_margin.units());
                same(
                    "I-16",
                    || format!("equity and maintenance of account {account}"),
                    (figures.equity, figures.maintenance),
                    theirs,
                )?;
                let below = self.below_line(account) || self.settled_below(account);
                let starts = self.model.account(account).liquidating.is_none() && below;
                holds("I-16", starts, || format!("account {account} is below its line"))?;
                self.model.account_mut(account).liquidating = Some(Ladder::default());
                self.values_follow(account);
                Ok(())
            }
            Event::LiquidationStep { account, market, stage, size, headroom_before, headroom_after, leg } => {
                let theirs = (i128::from(size.units()), headroom_before.units(), headroom_after.units());
                self.stepped(account, market.leg(leg), stage, theirs)?;
                // A bid is a piece of work of its own.
                if self.ladder.bid == Some(account) {
                    self.ladder.bid = None;
                    self.work_ends(account);
                }
                Ok(())
            }
            Event::LiquidationFee { account, market, fund, fee } => self.ladder_fee(account, market, fund, fee.units()),
            Event::LiquidationPaused { account, stage, until } => {
                let least = if stage == Stage::Deleverage { 1_000_000_000 } else { self.cooldown(account) };
                let due = self.model.now.saturating_add(self.model.risk.pause_ns.max(least));
                let due = self.auction_pause(account).filter(|_| stage == Stage::Reduce).unwrap_or(due);
                same("ladder", || format!("end of the pause of account {account}"), due, until.ns())?;
                self.work_ends(account);
                if let Some(ladder) = &mut self.model.account_mut(account).liquidating {
                    *ladder = Ladder { stage: Some(stage), paused_until: due };
                }
                Ok(())
            }
            Event::LiquidationEnded { account, outcome, equity } => self.ended(account, outcome, equity.units()),
            Event::Converted { .. } => self.converted(event),
            Event::TakenOver { .. } => self.taken_over(event),
            Event::LegsOffset { account, market, size, value } => {
                self.legs_offset(account, market, (i128::from(size.units()), value.units()))
            }
            Event::Deleveraged { .. } => self.deleveraged(event),
            Event::LeftUncovered { account, market, size, leg } => {
                self.left_uncovered(account, market.leg(leg), i128::from(size.units()))
            }
            Event::DeficitLeft { account, asset, wallet } => self.deficit_left(account, asset, wallet.units()),
            _ => Ok(()),
        }
    }

    /// The least pause that the policy of the market of an account's last step wants; funds unwind without.
    fn cooldown(&self, account: AccountId) -> i64 {
        let mut steps = self.ladder.stages.get(&account).into_iter().flatten();
        let last = steps.rfind(|(stage, _)| *stage == Stage::Reduce);
        let policy = last.map(|(_, market)| self.model.market(market.market).params.policy);
        match policy {
            Some(LiquidationPolicy::Fraction { cooldown_ns, .. })
                if self.model.account(account).liquidating.is_some() =>
            {
                cooldown_ns
            }
            _ => 0,
        }
    }

    fn work_ends(&mut self, account: AccountId) {
        self.ladder.worked.insert(account);
        self.ladder.stages.remove(&account);
        self.ladder.open.remove(&account);
        self.ladder.funds.remove(&account);
        self.ladder.parts.retain(|(who, _), _| *who != account);
        self.ladder.unpaid.retain(|(who, _), _| *who != account);
        self.ladder.sharings.retain(|(who, _), _| *who != account);
        self.ladder.turns.retain(|(who, _), _| *who != account);
        self.ladder.gave.retain(|(failing, _)| *failing != account);
        self.ladder.handovers.retain(|(who, _), _| *who != account);
    }

    fn stepped(
        &mut self,
        account: AccountId,
        position: PositionId,
        stage: Stage,
        theirs: (i128, i128, i128),
    ) -> Verdict {
        let market = position.market;
        let Some(before) = self.ladder.open.remove(&account) else {
            return holds("ladder", false, || format!("a step of account {account} at {stage:?} did something"));
        };
        let after = self.figures(account, Lens::Lenient).headroom();
        let size_before = before.sizes.get(&position).copied().unwrap_or(0);
        let moved = if market.index() < self.model.markets.len() {
            self.model.exposure(account, position).size - size_before
        } else {
            0
        };
        let what =
            || format!("step {stage:?} of account {account} in market {market}: size, headroom before and after");
        same("ladder", what, (moved, before.headroom, after), theirs)?;
        self.step_cost(account, market, stage, moved, &before, after)?;
        self.stage_order(account, position, stage)
    }

    /// I-18: a step through the book or a conversion costs no more than its fee plus the slippage limit or the discount.
    fn step_cost(
        &mut self,
        account: AccountId,
        market: MarketId,
        stage: Stage,
        moved: i128,
        before: &Before,
        after: i128,
    ) -> Verdict {
        let lost = before.headroom - after;
        let allowed = match stage {
            Stage::Cancel => 0,
            Stage::Offset => 8,
            Stage::Reduce => {
                let row = self.model.market(market);
                let base = row.params.option.as_ref().map_or(row.mark, |option| option.spot.max(row.mark));
                let notional = value::notional(&row.params, base, moved);
                // An inverse contract's value moves by more than the band when its price falls by the band.
                let band =
                    row.params.band + row.params.band * row.params.band / (super::num::RATE - row.params.band) + 1;
                let slippage =
                    at_rate(notional, if row.params.face.is_some() { band } else { row.params.band }, Dir::Up);
                self.debt(row.params.settlement, before.fee + slippage) + 8
            }
            Stage::Convert => before.discount + 8,
            _ => return Ok(()),
        };
        if stage == Stage::Reduce {
            let expected = if self.model.account(account).kind == Kind::Fund {
                0
            } else {
                self.fee_due(account, market, moved, before.fee)
            };
            same("fees", || format!("fee of the step of account {account}"), expected, before.fee)?;
        }
        holds("I-18", lost <= allowed, || {
            format!("step {stage:?} of account {account} lost {lost} of headroom, at most {allowed}")
        })
    }

    /// I-19: cancel, reduce, convert, then per market volunteers, fund, winners; conversions again when all is closed.
    fn stage_order(&mut self, account: AccountId, position: PositionId, stage: Stage) -> Verdict {
        let closed = self.model.account(account).exposures.values().all(|e| e.size == 0);
        let done = self.ladder.stages.entry(account).or_default();
        let late = |s: Stage| s >= Stage::Backstop;
        let good = done.iter().all(|(s, m)| match stage {
            Stage::Convert => *s <= Stage::Convert || closed,
            _ if late(stage) && late(*s) => *m != position || *s <= stage,
            _ => *s <= stage,
        });
        let text = format!("{done:?} before {stage:?}");
        done.push((stage, position));
        let fund = self.model.account(account).kind == Kind::Fund && self.model.account(account).liquidating.is_none();
        holds("I-19", good || fund, || format!("stages of account {account} in order: {text}"))
    }

    /// The ladder's fee on `moved` contracts, as far as there is equity; `charged` was taken from it already.
    fn fee_due(&self, account: AccountId, market: MarketId, moved: i128, charged: i128) -> i128 {
        let row = self.model.market(market);
        let fee = at_rate(value::notional(&row.params, row.mark, moved), row.params.liquidation_fee, Dir::Up);
        let mut there = self.model.account(account).clone();
        *there.wallets.entry(row.params.settlement).or_insert(0) += charged;
        let equity = self.figures_of(account, &there, Lens::Lenient, None).equity;
        let per = self.model.asset_price(row.params.settlement);
        fee.min(mul_div(equity.max(0), super::num::PRICE, per.max(1), Dir::Down))
    }

    fn ladder_fee(&mut self, account: AccountId, market: MarketId, fund: AccountId, fee: i128) -> Verdict {
        let row = self.model.market(market);
        same("fees", || format!("fund of market {market}"), row.params.fund, fund)?;
        let settlement = row.params.settlement;
        let before = |p: &PositionId| self.ladder.open.get(&account).and_then(|b| b.sizes.get(p)).copied().unwrap_or(0);
        // One leg moves in a step.
        let moved: i128 = engine::Leg::ALL
            .map(|leg| self.model.exposure(account, market.leg(leg)).size - before(&market.leg(leg)))
            .iter()
            .sum();
        same("I-17", || format!("fee of account {account}"), self.fee_due(account, market, moved, 0), fee)?;
        self.shift(account, fund, settlement, fee);
        if let Some(open) = self.ladder.open.get_mut(&account) {
            open.fee += fee;
        }
        Ok(())
    }

    fn ended(&mut self, account: AccountId, outcome: Outcome, equity: i128) -> Verdict {
        let figures = self.figures(account, Lens::Lenient);
        same("ladder", || format!("equity of account {account} at the end"), figures.equity, equity)?;
        let row = self.model.account(account);
        holds("ladder", row.liquidating.is_some(), || format!("account {account} was in liquidation"))?;
        let open = row.exposures.values().any(|e| e.size != 0);
        match outcome {
            Outcome::Restored => {
                let below = self.model.risk.below(figures.headroom());
                holds("ladder", !below, || format!("account {account} is above its line again"))?;
            }
            Outcome::Closed => {
                holds("ladder", !open, || format!("account {account} has no position left"))?;
                self.all_shared(account)?;
                self.deficits_reported(account)?;
            }
        }
        holds("auction", self.open_auction(account).is_none(), || format!("no auction of {account} is left"))?;
        self.model.account_mut(account).liquidating = None;
        self.model.results.remove(&account);
        self.model.auctions.remove(&account);
        self.work_ends(account);
        if let Kind::Child { parent, market, .. } = self.model.account(account).kind {
            let asset = self.model.market(market).params.settlement;
            let amount = self.model.wallet(account, asset);
            if !open && amount > 0 {
                self.shift(account, parent, asset, amount);
                let (amount, reason) = (money(amount), MoveReason::IsolatedReturn);
                self.expect(Event::Moved { from: account, to: parent, asset, amount, reason });
            }
        }
        Ok(())
    }
}
