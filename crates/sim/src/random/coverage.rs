//! What random work has reached: how often each kind of event was seen, with its stage, reason or outcome.

use engine::{
    AuctionEnd, CancelReason, Event, MoveReason, Outcome, Reduce, SettlementSource, Stage, State, StatusReason, Trigger,
};
use rules::Ladder;
use std::collections::BTreeMap;
use units::Price;

/// Counts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<&'static str, u64>,
    /// Commands applied.
    pub commands: u64,
}

macro_rules! kinds {
    ($( $pattern:pat => $name:literal ),* $(,)?) => {
        /// Every kind.
        const ALL: &[&str] = &[ $( $name ),* ];

        fn kind(event: &Event) -> &'static str {
            match event { $( $pattern => $name, )*
                // A fault of the program: the referee says so at once.
                Event::MarketStatusSet { reason: StatusReason::Broken(_), .. } => "market_status_set by a broken invariant",
                // Needs more accounts than random work has: see `a_settlement_goes_on_over_several_commands`.
                Event::SettlementContinues { .. } => "settlement_continues",
                Event::RealisationContinues { .. } => "realisation_continues" }
        }
    };
}

kinds! {
    Event::Began { .. } => "began",
    Event::Refused { .. } => "refused",
    Event::AssetAdded { .. } => "asset_added",
    Event::IndexAdded { .. } => "index_added",
    Event::IndexParamsSet { .. } => "index_params_set",
    Event::MarketListed { .. } => "market_listed",
    Event::MarketParamsSet { .. } => "market_params_set",
    Event::AssetParamsSet { .. } => "asset_params_set",
    Event::RiskParamsSet => "risk_params_set",
    Event::MarketStatusSet { reason: StatusReason::Command, .. } => "market_status_set by command",
    Event::MarketStatusSet { reason: StatusReason::IndexUnusable, .. } => "market_status_set by an unusable index",
    Event::MarketStatusSet { reason: StatusReason::Schedule, .. } => "market_status_set on schedule",
    Event::FundingRateSet { .. } => "funding_rate_set",
    Event::AccountOpened { .. } => "account_opened",
    Event::IsolatedOpened { .. } => "isolated_opened",
    Event::CollateralModeSet { .. } => "collateral_mode_set",
    Event::RealisationBegan { .. } => "realisation_began",
    Event::RealisationEnded { .. } => "realisation_ended",
    Event::InterestPosted { .. } => "interest_posted",
    Event::InterestCharged { .. } => "interest_charged",
    Event::Deposited { .. } => "deposited",
    Event::WithdrawalRequested { .. } => "withdrawal_requested",
    Event::WithdrawalConfirmed { .. } => "withdrawal_confirmed",
    Event::WithdrawalReturned { .. } => "withdrawal_returned",
    Event::Moved { reason: MoveReason::Transfer, .. } => "moved by transfer",
    Event::Moved { reason: MoveReason::IsolatedMargin, .. } => "moved isolated margin",
    Event::Moved { reason: MoveReason::IsolatedReturn, .. } => "moved back to the parent",
    Event::Moved { reason: MoveReason::Deficit, .. } => "moved for a deficit",
    Event::Moved { reason: MoveReason::AdlPrice, .. } => "moved for the deleveraging price",
    Event::LeverageSet { .. } => "leverage_set",
    Event::MarginModeSet { .. } => "margin_mode_set",
    Event::BackstopCommitted { .. } => "backstop_committed",
    Event::OrderAccepted { reduce: Reduce::Close, .. } => "order_accepted, close position",
    Event::OrderAccepted { .. } => "order_accepted",
    Event::OrderCut { .. } => "order_cut",
    Event::OrderRested { .. } => "order_rested",
    Event::OrderParked { trigger: Trigger { trail: Some(_), price: Price::ZERO, .. }, .. } => "order_parked, trailing",
    Event::OrderParked { trigger: Trigger { trail: Some(_), .. }, .. } => "order_parked, trailing from a price",
    Event::ExtremeMoved { .. } => "extreme_moved",
    Event::OrderParked { .. } => "order_parked",
    Event::OrderTriggered { .. } => "order_triggered",
    Event::ReservationUsed { .. } => "reservation_used",
    Event::OrderReduced { .. } => "order_reduced",
    Event::OrderCancelled { reason: CancelReason::Requested, .. } => "order_cancelled on request",
    Event::OrderCancelled { reason: CancelReason::Amended, .. } => "order_cancelled for an amendment",
    Event::OrderCancelled { reason: CancelReason::Unfilled, .. } => "order_cancelled unfilled",
    Event::OrderCancelled { reason: CancelReason::SelfTrade, .. } => "order_cancelled, self-trade",
    Event::OrderCancelled { reason: CancelReason::Thin, .. } => "order_cancelled, thin",
    Event::OrderCancelled { reason: CancelReason::NothingToReduce, .. } => "order_cancelled, nothing to reduce",
    Event::OrderCancelled { reason: CancelReason::PriceUnusable, .. } => "order_cancelled, price unusable",
    Event::OrderCancelled { reason: CancelReason::Limit, .. } => "order_cancelled, limit",
    Event::OrderCancelled { reason: CancelReason::OpenInterestCap, .. } => "order_cancelled, open interest cap",
    Event::OrderCancelled { reason: CancelReason::MarketStatus, .. } => "order_cancelled, market status",
    Event::OrderCancelled { reason: CancelReason::Liquidation, .. } => "order_cancelled, liquidation",
    Event::OrderCancelled { reason: CancelReason::RefusedAtTrigger { .. }, .. } => "order_cancelled at its trigger",
    Event::OrderCancelled { reason: CancelReason::Settlement, .. } => "order_cancelled, settlement",
    Event::OrderCancelled { reason: CancelReason::Expired, .. } => "order_cancelled, expired",
    Event::OrderCancelled { reason: CancelReason::CountdownRanOut, .. } => "order_cancelled, countdown ran out",
    Event::OrderExpires { .. } => "order_expires",
    Event::CountdownSet { until: Some(_), .. } => "countdown_set",
    Event::CountdownSet { until: None, .. } => "countdown_set to none",
    Event::OrderCancelled { reason: CancelReason::AccountStatus, .. } => "order_cancelled, account status",
    Event::AccountStatusSet { .. } => "account_status_set",
    Event::SubaccountLimitSet { .. } => "subaccount_limit_set",
    Event::Filled { .. } => "filled",
    Event::PositionChanged { .. } => "position_changed",
    Event::LegsOffset { .. } => "legs_offset",
    Event::LimitsSet { .. } => "limits_set",
    Event::OwnerGrouped { .. } => "owner_grouped",
    Event::PositionModeSet { .. } => "position_mode_set",
    Event::FeeCharged { .. } => "fee_charged",
    Event::FundingSettled { .. } => "funding_settled",
    Event::RoundingSwept { .. } => "rounding_swept",
    Event::QuoteTaken { .. } => "quote_taken",
    Event::IndexSet { .. } => "index_set",
    Event::MarkSet { .. } => "mark_set",
    Event::PremiumSampled { .. } => "premium_sampled",
    Event::FundingPosted { .. } => "funding_posted",
    Event::FundingSkipped { .. } => "funding_skipped",
    Event::OptionFundingAccrued { .. } => "option_funding_accrued",
    Event::OrderCancelled { reason: CancelReason::Protection, .. } => "order_cancelled protection",
    Event::OptionEnded { .. } => "option_ended",
    Event::ExitRightSet { .. } => "exit_right_set",
    Event::OptionExited { .. } => "option_exited",
    Event::ProtectionSet { .. } => "protection_set",
    Event::ProtectionCounted { .. } => "protection_counted",
    Event::ProtectionReached { .. } => "protection_reached",
    Event::MarginCalled { .. } => "margin_called",
    Event::RiskEvaluated => "risk_evaluated",
    Event::LiquidationStarted { .. } => "liquidation_started",
    Event::PositionValued { .. } => "position_valued",
    Event::WalletValued { .. } => "wallet_valued",
    Event::GroundsStated { .. } => "grounds_stated",
    Event::LiquidationStep { stage: Stage::Cancel, .. } => "liquidation_step cancel",
    Event::LiquidationStep { stage: Stage::Offset, .. } => "liquidation_step offset",
    Event::LiquidationStep { stage: Stage::Reduce, .. } => "liquidation_step reduce",
    Event::LiquidationStep { stage: Stage::Convert, .. } => "liquidation_step convert",
    Event::LiquidationStep { stage: Stage::Backstop, .. } => "liquidation_step backstop",
    Event::LiquidationStep { stage: Stage::TakeOver, .. } => "liquidation_step take-over",
    Event::LiquidationStep { stage: Stage::Deleverage, .. } => "liquidation_step deleverage",
    Event::LiquidationFee { .. } => "liquidation_fee",
    Event::LiquidationPaused { .. } => "liquidation_paused",
    Event::LiquidationEnded { outcome: Outcome::Restored, .. } => "liquidation_ended restored",
    Event::LiquidationEnded { outcome: Outcome::Closed, .. } => "liquidation_ended closed",
    Event::Converted { .. } => "converted",
    Event::TakenOver { .. } => "taken_over",
    Event::Deleveraged { .. } => "deleveraged",
    Event::LeftUncovered { .. } => "left_uncovered",
    Event::DeficitLeft { .. } => "deficit_left",
    Event::ReserveSet { reserve: Some(_), .. } => "reserve_set",
    Event::ReserveSet { reserve: None, .. } => "reserve_set to none",
    Event::ReserveDrawn { .. } => "reserve_drawn",
    Event::FundWorth { .. } => "fund_worth",
    Event::FundDrawnDown { .. } => "fund_drawn_down",
    Event::FeeTierSet { .. } => "fee_tier_set",
    Event::FeeDiscountSet { .. } => "fee_discount_set",
    Event::FeeAssetSet { .. } => "fee_asset_set",
    Event::SelfTradeSet { .. } => "self_trade_set",
    Event::ItemRefused { .. } => "item_refused",
    Event::SettlementScheduled { .. } => "settlement_scheduled",
    Event::SettlementCancelled { .. } => "settlement_cancelled",
    Event::SettlementPriced { source: SettlementSource::Window, .. } => "settlement_priced",
    Event::SettlementPriced { source: SettlementSource::LastValid, .. } => "settlement_priced, last valid",
    Event::PositionSettled { .. } => "position_settled",
    Event::MarketSettled { .. } => "market_settled",
    Event::DelistingScheduled { .. } => "delisting_scheduled",
    Event::DelistingCancelled { .. } => "delisting_cancelled",
    Event::HaircutStepped { .. } => "haircut_stepped",
    Event::IndexFellBack { .. } => "index_fell_back",
    Event::IndexRestored { .. } => "index_restored",
    Event::OrderCancelled { reason: CancelReason::Split, .. } => "order_cancelled, split",
    Event::PositionSplit { .. } => "position_split",
    Event::MarketSplit { split: engine::Split::Into(_), .. } => "market_split into",
    Event::MarketSplit { split: engine::Split::Join(_), .. } => "market_split join",
    Event::IndexSplit { .. } => "index_split",
    Event::OwnTradesAveraged { .. } => "own_trades_averaged",
    Event::LaunchBegan { .. } => "launch_began",
    Event::Launched { .. } => "launched",
    Event::AuctionStarted { .. } => "auction_started",
    Event::AuctionFilled { .. } => "auction_filled",
    Event::AuctionEnded { reason: AuctionEnd::Restored, .. } => "auction_ended, restored",
    Event::AuctionEnded { reason: AuctionEnd::Closed, .. } => "auction_ended, closed",
    Event::AuctionEnded { reason: AuctionEnd::Expired, .. } => "auction_ended, expired",
    Event::AuctionEnded { reason: AuctionEnd::TakeOver, .. } => "auction_ended, take-over",
    Event::LossShared { .. } => "loss_shared",
    Event::LossSettled { .. } => "loss_settled",
}

/// Forms of ladders under which a position was closed by force.
const FORMS: &[&str] = &[
    "closed under tiers",
    "closed under steps",
    "closed under rates by size",
    "closed under rates by its root",
    "closed under rates by notional",
    "closed under rates by open interest",
    "closed under risk factors",
];

/// The ladder under which an event closes a position by force.
fn form(event: &Event, state: &State) -> Option<&'static str> {
    let (Event::LiquidationStep { market, .. } | Event::LiquidationFee { market, .. }) = event else { return None };
    let row = state.markets.get(market.index())?;
    let at = match row.params.ladder {
        Ladder::Tiers(_) => 0,
        Ladder::Steps(_) => 1,
        Ladder::PerSize(_) => 2,
        Ladder::SizeRoot(_) => 3,
        Ladder::PerNotional(_) => 4,
        Ladder::OpenInterest(_) => 5,
        Ladder::RiskFactors(_) => 6,
    };
    FORMS.get(at).copied()
}

impl Coverage {
    /// Counts an event, with the state after its command.
    pub fn see(&mut self, event: &Event, state: &State) {
        *self.counts.entry(kind(event)).or_insert(0) += 1;
        if let Some(form) = form(event, state) {
            *self.counts.entry(form).or_insert(0) += 1;
        }
        self.commands += u64::from(matches!(event, Event::Began { .. }));
    }

    /// Adds what another has seen.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_insert(0) += count;
        }
        self.commands += other.commands;
    }

    /// Kinds that were never seen.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        ALL.iter().chain(FORMS).filter(|name| !self.counts.contains_key(*name)).copied().collect()
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        ALL.iter()
            .chain(FORMS)
            .try_for_each(|name| writeln!(f, "{:>10}  {name}", self.counts.get(name).copied().unwrap_or(0)))
    }
}
