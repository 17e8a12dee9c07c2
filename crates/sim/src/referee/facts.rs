//! From events to facts: one line per kind of event. Primary facts move the model; every other event must be one that
//! the referee expected, to the last digit.

use super::Referee;
use super::mismatch::{Mismatch, Verdict, holds, same};
use engine::{AccountId, Answer, Command, Event, MarketId, Reject};
use units::Time;

/// The command that is judged.
pub struct Turn<'a> {
    pub at: Time,
    pub command: &'a Command,
    pub answer: &'a Result<Answer, Reject>,
}

impl Referee {
    pub(super) fn facts(&mut self, turn: &Turn<'_>, events: &[Event]) -> Verdict {
        // An answer to a clock that would go backwards is the one that leaves no trace.
        if matches!(turn.answer, Err(Reject::TimeBackwards { .. })) {
            return holds("time", turn.at.ns() < self.model.now && events.is_empty(), || {
                format!("refused time {} is earlier", turn.at)
            });
        }
        self.deadlines = super::deadlines::Turn::of(turn.command, turn.answer);
        for (at, event) in events.iter().enumerate() {
            self.prices_came(event);
            self.fact(turn, event, &events[at + 1..])?;
            self.trails_after(event)?;
        }
        self.no_more_prices();
        self.settled()?;
        holds("stated", self.awaiting.is_none(), || "the grounds of a liquidation are stated".into())?;
        self.orders_allowed(turn)?;
        self.split_done(turn)?;
        let refused = events.iter().any(|e| matches!(e, Event::Refused { .. }));
        same("answer", || "whether the request was refused".into(), turn.answer.is_err(), refused)
    }

    fn fact(&mut self, turn: &Turn<'_>, event: &Event, rest: &[Event]) -> Verdict {
        if !is_consequence(event) {
            self.settled()?;
            self.grounds_awaited(event)?;
        }
        self.ladder_opens(event, rest)?;
        let verdict = self.one_fact(turn, event, rest);
        self.expected.append(&mut self.model.interest_taken);
        verdict
    }

    fn one_fact(&mut self, turn: &Turn<'_>, event: &Event, rest: &[Event]) -> Verdict {
        match *event {
            Event::Began { sequence, time } => self.began(turn, sequence, time),
            Event::Refused { code } => {
                let ours = turn.answer.as_ref().err().map(Reject::code);
                same("answer", || "code of the refusal".into(), ours, Some(code))
            }
            Event::AssetAdded { .. }
            | Event::IndexAdded { .. }
            | Event::IndexParamsSet { .. }
            | Event::MarketListed { .. }
            | Event::MarketParamsSet { .. }
            | Event::AssetParamsSet { .. }
            | Event::RiskParamsSet
            | Event::MarketStatusSet { .. }
            | Event::FundingRateSet { .. }
            | Event::AccountOpened { .. }
            | Event::IsolatedOpened { .. }
            | Event::LeverageSet { .. }
            | Event::MarginModeSet { .. }
            | Event::PositionModeSet { .. }
            | Event::BackstopCommitted { .. } => self.setting(turn, event),
            Event::OrderExpires { order, expires } => self.order_expires(order, expires.ns()),
            Event::CountdownSet { account, until } => self.countdown_set(turn, account, until.map(Time::ns)),
            Event::AccountStatusSet { .. } | Event::SubaccountLimitSet { .. } => self.standing(turn, event),
            Event::LimitsSet { .. } | Event::OwnerGrouped { .. } => self.limit_setting(turn, event),
            Event::Deposited { .. }
            | Event::WithdrawalRequested { .. }
            | Event::WithdrawalConfirmed { .. }
            | Event::WithdrawalReturned { .. }
            | Event::Moved { .. } => self.money(turn, event),
            Event::OrderAccepted { .. } => self.accepted(event, rest),
            Event::OrderCut { order, asked, allowed } => {
                self.cut(order, i128::from(asked.units()), i128::from(allowed.units()))
            }
            Event::OrderRested { order, remaining } => self.rested(order, i128::from(remaining.units())),
            Event::OrderParked { order, force, trigger } => self.parked(order, force, trigger),
            Event::OrderTriggered { order, .. } => self.triggered(order),
            Event::RiskEvaluated => self.risk_evaluated(),
            Event::ReservationUsed { .. } => self.reservation_used(event),
            Event::OrderReduced { order, remaining, reserved } => {
                self.reduced(order, i128::from(remaining.units()), reserved.units())
            }
            Event::CollateralModeSet { .. } => self.collateral_mode(turn, event),
            Event::FeeTierSet { .. } | Event::FeeDiscountSet { .. } | Event::FeeAssetSet { .. } => {
                self.fee_setting(turn, event)
            }
            Event::SelfTradeSet { order, self_trade } => self.self_trade_set(order, self_trade),
            Event::ItemRefused { item, code } => {
                let ours = match turn.answer {
                    Ok(Answer::Batch(answers)) => answers.get(usize::from(item)).and_then(|a| a.as_ref().err()),
                    _ => None,
                };
                same("answer", || format!("refusal of item {item}"), ours.map(Reject::code), Some(code))
            }
            Event::OrderCancelled { order, remaining, reason: engine::CancelReason::SelfTrade } => {
                self.met_own(order)?;
                self.cancelled(order, i128::from(remaining.units()))
            }
            Event::OrderCancelled { order, remaining, reason: engine::CancelReason::Protection } => {
                self.protected(Some(order))?;
                self.cancelled(order, i128::from(remaining.units()))
            }
            Event::OrderCancelled { order, remaining, reason } => {
                self.cancelled_at_end(order, reason)?;
                self.cancelled_for_split(turn, order, reason)?;
                self.ends_for(order, reason)?;
                self.close_ends(order, reason)?;
                self.cancelled(order, i128::from(remaining.units()))
            }
            Event::Filled { .. } => {
                self.protected(None)?;
                self.filled(event)
            }
            Event::PositionChanged { cause: engine::Cause::Realisation, .. } => self.position_realised(event),
            Event::RealisationBegan { .. } | Event::RealisationContinues { .. } | Event::RealisationEnded { .. } => {
                self.realisation(event)
            }
            Event::PositionChanged { .. }
            | Event::FeeCharged { .. }
            | Event::PositionValued { .. }
            | Event::WalletValued { .. } => self.derived(event),
            Event::GroundsStated { account, .. } => self.grounds_stated(account),
            Event::InterestPosted { .. } => self.interest_posted(event),
            Event::InterestCharged { .. } => self.interest_charged(event),
            Event::FundingSettled { account, market, leg, .. } => self.funding_settled(event, account, market.leg(leg)),
            Event::RoundingSwept { market, amount } => self.swept(market, amount.units()),
            Event::QuoteTaken { .. } => {
                self.debts_of_settlements_kept()?;
                self.settled.clear();
                self.price(turn, event)
            }
            Event::IndexSet { .. } | Event::MarkSet { .. } => self.price(turn, event),
            Event::PremiumSampled { .. }
            | Event::FundingPosted { .. }
            | Event::FundingSkipped { .. }
            | Event::OptionFundingAccrued { .. } => self.funding(event),
            Event::ExitRightSet { market, open } => self.exit_right(market, open),
            Event::OptionExited { .. } => self.option_exited(turn, event),
            Event::ProtectionSet { .. } | Event::ProtectionCounted { .. } | Event::ProtectionReached { .. } => {
                self.protection(turn, event)
            }
            Event::OptionEnded { market, index, price } => {
                self.option_ended(market, i128::from(index.units()), i128::from(price.units()))
            }
            Event::MarginCalled { .. } => self.called(event),
            Event::ReserveSet { fund, reserve } => self.reserve_set(turn, fund, reserve),
            Event::ReserveDrawn { .. } => self.reserve_drawn(event),
            Event::FundWorth { fund, worth } => self.fund_worth(fund, worth.units()),
            Event::FundDrawnDown { fund, market, worth, peak } => {
                self.fund_drawn_down((fund, market), (worth.units(), peak.units()))
            }
            Event::LiquidationStarted { .. }
            | Event::LiquidationStep { .. }
            | Event::LiquidationFee { .. }
            | Event::LiquidationPaused { .. }
            | Event::LiquidationEnded { .. }
            | Event::Converted { .. }
            | Event::TakenOver { .. }
            | Event::LegsOffset { .. }
            | Event::Deleveraged { .. }
            | Event::LeftUncovered { .. }
            | Event::DeficitLeft { .. } => self.ladder_event(event),
            Event::LossShared { .. } => self.loss_shared(event),
            Event::LossSettled { account, market, leg, .. } => self.loss_settled(event, account, market.leg(leg)),
            Event::SettlementScheduled { .. }
            | Event::SettlementCancelled { .. }
            | Event::SettlementPriced { .. }
            | Event::PositionSettled { .. }
            | Event::SettlementContinues { .. }
            | Event::MarketSettled { .. } => self.settlement(turn, event),
            Event::DelistingScheduled { .. } | Event::DelistingCancelled { .. } | Event::HaircutStepped { .. } => {
                self.delisting(turn, event)
            }
            Event::OwnTradesAveraged { .. } | Event::LaunchBegan { .. } | Event::Launched { .. } => {
                self.prelaunch(turn, event)
            }
            Event::PositionSplit { .. } | Event::MarketSplit { .. } | Event::IndexSplit { .. } => {
                self.split(turn, event)
            }
            Event::AuctionStarted { .. } | Event::AuctionFilled { .. } | Event::AuctionEnded { .. } => {
                self.auction(turn, event)
            }
            Event::IndexFellBack { index, fallback } => self.fell_back(index, fallback),
            Event::ExtremeMoved { .. } => Ok(()), // `trails_after`
            Event::IndexRestored { index } => self.index_restored(index),
        }
    }

    fn began(&mut self, turn: &Turn<'_>, sequence: u64, time: Time) -> Verdict {
        same("sequence", || "number of the command".into(), self.model.sequence + 1, sequence)?;
        same("time", || "time of the command".into(), turn.at.ns().max(self.model.now), time.ns())?;
        self.watch_funds(time.ns());
        self.model.sequence = sequence;
        self.model.now = time.ns();
        self.unusable_by_now();
        Ok(())
    }

    /// Says that `event` must still come.
    pub(super) fn expect(&mut self, event: Event) {
        self.expected.push(event);
    }

    /// An event that follows from others: it must have been expected, with these numbers.
    pub(super) fn derived(&mut self, event: &Event) -> Verdict {
        if let Some(at) = self.expected.iter().position(|e| e == event) {
            self.expected.remove(at);
            return Ok(());
        }
        if is_nothing(event) {
            return Ok(());
        }
        Err(Mismatch {
            sequence: 0,
            rule: "I-10 consequences",
            what: "an event that follows from a trade or payment".into(),
            ours: format!("{:?}", self.expected),
            theirs: format!("{event:?}"),
        })
    }

    /// Everything that must have come has come.
    fn settled(&mut self) -> Verdict {
        let missing: Vec<Event> = self.expected.drain(..).filter(|e| !is_nothing(e)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Mismatch {
            sequence: 0,
            rule: "I-10 consequences",
            what: "events that must follow".into(),
            ours: format!("{missing:?}"),
            theirs: "none of them".into(),
        })
    }

    /// The account's numbers moved.
    pub(super) fn touch(&mut self, account: AccountId) {
        self.touched.insert(account);
        let parent = self.model.parent(account);
        self.touched.insert(parent);
    }

    /// A handle that must be the next of its table.
    pub(super) fn next_handle(what: &'static str, rows: usize, handle: usize) -> Verdict {
        same("handles", || format!("handle of a new {what}"), rows, handle)
    }

    pub(super) fn known_market(&self, market: MarketId) -> Verdict {
        holds("handles", market.index() < self.model.markets.len(), || format!("market {market} exists"))
    }
}

/// Events that follow from one before them, and may come in any order after it.
fn is_consequence(event: &Event) -> bool {
    matches!(
        event,
        Event::PositionChanged { .. }
            | Event::FeeCharged { .. }
            | Event::FundingSettled { .. }
            | Event::LossSettled { .. }
            | Event::RoundingSwept { .. }
            | Event::InterestCharged { .. }
            | Event::ReserveDrawn { .. }
            | Event::AuctionEnded { reason: engine::AuctionEnd::Closed, .. }
            | Event::Moved { .. }
            | Event::PositionValued { .. }
            | Event::WalletValued { .. }
    )
}

/// An event that says that nothing happened need not come.
fn is_nothing(event: &Event) -> bool {
    match event {
        Event::FeeCharged { fee, .. } => fee.is_zero(),
        Event::FundingSettled { amount, residue, .. } => amount.is_zero() && *residue == 0,
        Event::Moved { amount, .. } => amount.is_zero(),
        _ => false,
    }
}
