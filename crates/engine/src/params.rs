//! What a venue resolves before the engine sees it: parameters of assets, indices, markets and of the venue's risk.
//!
//! A rulebook is read elsewhere; commands carry its resolved values.

use crate::{AccountId, AssetId, IndexId, Name};
use alloc::vec::Vec;
use rules::options::Right;
use rules::{Contract, FundingRule, HAIRCUT_TIERS_MAX, HaircutTier, Haircuts, IndexRule, Ladder, LineRule, MarkRule};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Size};

/// An asset that can be held as collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetParams {
    /// Name for people.
    pub name: Name,
    /// Digits after the point that deposits and withdrawals may have.
    pub decimals: u8,
    /// Its price in the numeraire; none: it is the numeraire, worth 1.
    pub index: Option<IndexId>,
    /// Share of its index that a positive amount counts as collateral, 0 to 1.
    pub haircut: Rate,
    /// What the converter takes off the index when it is sold for another asset, 0 to 1.
    pub conversion_discount: Rate,
    /// Further slices of the haircut, and the most that the venue takes.
    #[serde(default)]
    pub schedule: CollateralSchedule,
    /// What a wallet below zero costs, and when it is repaid from other collateral.
    #[serde(default)]
    pub borrow: BorrowTerms,
}

/// What a wallet below zero costs. With an interval of zero: nothing, and only a liquidation repays it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BorrowTerms {
    /// Interest per interval on what is owed, 0 to 0.01.
    pub rate: Rate,
    /// Time between two postings, nanoseconds: whole minutes, at most a day; postings are at its multiples since the epoch.
    pub interval_ns: i64,
    /// This much of a debt bears no interest.
    pub free: Money,
    /// Who owes more than this at a posting repays it from other collateral, at index less the conversion discount, to the
    /// fund; none: only a liquidation does.
    pub allowance: Option<Money>,
}

/// How large amounts of an asset count, and how much of it the venue takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollateralSchedule {
    /// Slices above the first: rising amounts, haircuts that do not rise. A last one of 0 is the most of it that counts in one
    /// subaccount.
    pub tiers: [HaircutTier; HAIRCUT_TIERS_MAX],
    /// Deposits that would bring the vault above this are refused; zero: no cap.
    pub venue_cap: Money,
}

impl AssetParams {
    /// What a positive amount counts, slice by slice.
    #[must_use]
    pub fn haircuts(&self) -> Haircuts<'_> {
        Haircuts { first: self.haircut, tiers: &self.schedule.tiers }
    }
}

/// A price from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexParams {
    /// Name for people.
    pub name: Name,
    /// Weight of each source, in the order of their numbers; 1 to 16 of them.
    pub weights: Vec<u32>,
    /// Quorum and greatest distance from the median.
    pub rule: IndexRule,
    /// A quote older than this is not used, nanoseconds.
    pub stale_ns: i64,
    /// Greatest move per second of what fewer than a quorum say.
    pub speed: Rate,
    /// Without a quorum for this long, its markets become cancel-and-reduce-only, nanoseconds.
    pub reduce_only_after_ns: i64,
    /// Of an asset that its issuer redeems: the source that says at which price.
    #[serde(default)]
    pub redemption: Option<Redemption>,
    /// What follows when even that does not bring a quorum back; nothing where it is left out.
    #[serde(default)]
    pub last_resort: LastResort,
    /// Before its underlying has a price outside: it follows the trades of its one market until it is launched.
    #[serde(default)]
    pub own: Option<OwnTrades>,
}

/// An index that follows the trades of its one market. Its `speed` is the greatest move of a second, and of the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTrades {
    /// Where it begins: a price of the operator, who answers for it.
    pub first: Price,
    /// How trades move it, and how far they can.
    pub rule: rules::OwnRule,
}

/// A source that quotes what the issuer pays for the asset, not what a venue trades it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// Its number. It has no part in the median nor in the quorum, whatever its weight.
    pub source: u8,
    /// While its quote is fresh the index stays within this share of it, 0 to 1: whoever can redeem and issue would trade
    /// what is further away. Without a fresh quote (redemption paused) the median stands alone.
    pub band: Rate,
}

/// What becomes of an index, and of the markets that follow it, when it has had no quorum for longer than its reduce-only time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LastResort {
    /// Another index, whose price it takes over while that one is usable and stands on its own quorum.
    pub fallback: Option<IndexId>,
    /// Without a quorum for this long, nanoseconds; longer than the reduce-only time.
    pub fallback_after_ns: i64,
    /// While it does, a mark may be this far from it, where the market's own band is not wider.
    pub fallback_band: Rate,
    /// Without an own quorum for this long its markets are settled at its last valid time-weighted price, nanoseconds; zero for
    /// never, otherwise longer than the times above and than the window.
    pub settle_after_ns: i64,
    /// The window of that price: whole minutes, 1 to 60, nanoseconds.
    pub settle_window_ns: i64,
}

/// How the ladder closes positions of one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiquidationParams {
    /// Fee on the notional closed by the ladder, taken as far as there is equity; goes to the fund.
    pub fee: Rate,
    /// Greatest distance of a step's price from the mark: the slippage limit.
    pub band: Rate,
    /// Share of the visible depth inside the band that one step may take, 0 to 1.
    pub depth_share: Rate,
    /// Largest notional that the fund may hold in this market, settlement asset.
    pub fund_limit: Money,
    /// At which price winners are deleveraged.
    pub adl_price: AdlPrice,
    /// How much a step of stage two closes, and at which price.
    #[serde(default)]
    pub policy: LiquidationPolicy,
    /// Who is deleveraged first.
    #[serde(default)]
    pub adl_policy: AdlPolicy,
    /// Who bears what, beyond the fund; nothing of it where it is left out.
    #[serde(default)]
    pub loss: LossRules,
}

/// Rules of the last stages that a market need not have. Zero: not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossRules {
    /// When the fund takes over no more, although it could.
    pub drawdown: Drawdown,
    /// What neither fund nor reserve can pay of a deficit is shared by the winning side: at most this share of the mark per contract
    /// in one command, below the maintenance rate of the first tier; zero: it stays a debt.
    pub socialise: Rate,
}

/// Another fund that pays for one when that one cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// Which.
    pub fund: AccountId,
    /// At most this much in a window, numeraire, above 0.
    pub limit: Money,
    /// A window begins with the first payment after the last one has ended: a second to a year, nanoseconds.
    pub window_ns: i64,
}

/// A fund that has lost this much within this time takes no further position of the market over: winners are deleveraged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Drawdown {
    /// Share of its highest worth within the window, above 0, at most 1; zero: not used.
    pub share: Rate,
    /// The window, counted in whole minutes: a minute to a day, nanoseconds.
    pub window_ns: i64,
}

impl Drawdown {
    /// Whether there is such a rule.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.share.is_positive()
    }
}

/// How much one step of stage two closes, and at which price. Every one of them closes inside the band, all but the last
/// through the book, never more than the position, and costs the account no more than its fee and the band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LiquidationPolicy {
    /// The fewest lots that bring equity back to the venue's target, at most the share of the depth.
    #[default]
    ToTarget,
    /// The whole position at once, as far as the book has it inside the band; the share of the depth does not apply.
    FullClose,
    /// A fixed share of the position, rounded up to lots, at most the share of the depth.
    Fraction {
        /// Share of the position that is left, above 0, at most 1.
        share: Rate,
        /// A position worth no more than this is closed whole, settlement asset; zero: never.
        whole_below: Money,
        /// Least pause after a step, nanoseconds.
        cooldown_ns: i64,
    },
    /// Down to the cap of a lower tier or step; a position in the lowest ones is closed whole. At most the share of the depth.
    /// Only for a ladder of tiers or steps.
    TierStepDown {
        /// Tiers down in one step: 1 as Bybit, 2 as OKX.
        tiers: u8,
    },
    /// Nothing is sent to the book: the position is offered to bidders at a price that moves away from the mark with time.
    DutchAuction {
        /// How long, nanoseconds: a second to an hour.
        duration_ns: i64,
        /// Greatest distance from the mark, reached at the end: above 0, at most the band. It never passes bankruptcy.
        discount: Rate,
    },
}

/// Who is deleveraged first. `docs/loss.md` has a worked case of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlPolicy {
    /// The highest profit × leverage (profit ÷ leverage with a loss): BitMEX's published form, which Binance names, too.
    #[default]
    ProfitLeverage,
    /// The highest (mark ÷ entry) × (notional ÷ account value), mark and entry exchanged for a short: Hyperliquid's form.
    GrowthLeverage,
    /// Every winner the same share of its position, by largest remainders; who has no gain gives only what those cannot.
    ProRata,
    /// First the parts of positions that hedge nothing in their accounts, then the rest; each by profit × leverage.
    LeastHedgesBroken,
}

/// The price of an auto-deleveraging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlPrice {
    /// The bankruptcy price: the fund pays nothing.
    Bankruptcy,
    /// The mark where the fund can pay the difference, the bankruptcy price for the rest.
    Mark,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketParams {
    /// Name for people.
    pub name: Name,
    /// Linear or inverse.
    pub contract: Contract,
    /// Asset in which profit, loss, fees and funding are paid.
    pub settlement: AssetId,
    /// The index of the underlying.
    pub index: IndexId,
    /// Prices of orders are multiples of this.
    pub tick: Price,
    /// Sizes of orders are multiples of this.
    pub lot: Size,
    /// Fee of the order that takes, per notional.
    pub taker_fee: Rate,
    /// Fee of the order that rests, per notional; negative pays the maker.
    pub maker_fee: Rate,
    /// Fee to close that is part of margin, per notional; zero where the venue leaves it out.
    pub closing_fee: Rate,
    /// How margin grows with a position; where it has an end, that is the largest position.
    pub ladder: Ladder,
    /// How the mark is made.
    pub mark: MarkRule,
    /// The mark stays within this share of the index.
    pub mark_band: Rate,
    /// Greatest move of the mark per second, as a share; the band wins over it.
    pub mark_speed: Rate,
    /// An order may not be worse for its owner than the mark by more than this share.
    pub order_band: Rate,
    /// Funding interval, interest, clamp and caps.
    pub funding: FundingRule,
    /// Notional at which the premium is sampled from the book.
    pub impact_notional: Money,
    /// Funding missed for longer than this is not paid, nanoseconds.
    pub funding_gap_ns: i64,
    /// The ladder.
    pub liquidation: LiquidationParams,
    /// The insurance fund of this market's group.
    pub fund: AccountId,
    /// Hash of the rulebook version that these values were resolved from; for people and auditors.
    pub rulebook: [u8; 16],
    /// Bands by kind of order, caps on open interest; none where it is left out.
    #[serde(default)]
    pub guards: MarketGuards,
    /// How the contract lives and ends.
    #[serde(default)]
    pub kind: Kind,
    /// Its contract is an option on the index: dated with [`Kind::Dated`], perpetual with [`Kind::Perpetual`].
    #[serde(default)]
    pub option: Option<OptionTerms>,
    /// Fees of owners of tier 1, 2, …; tier 0 pays `maker_fee` and `taker_fee`, a tier beyond the last pays the last.
    #[serde(default)]
    pub fee_tiers: Vec<FeeRates>,
    /// The result of every position becomes cash at the mark in this rhythm, at its multiples since the epoch: whole minutes,
    /// at most a week, nanoseconds; zero for never. A gain that was realised can leave.
    #[serde(default)]
    pub realise_every_ns: i64,
}

/// What keeps single orders and the market as a whole within bounds. Zero: not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketGuards {
    /// The band of market orders, instead of the order band.
    pub market_band: Rate,
    /// The band of orders whose trigger was reached, instead of the order band.
    pub triggered_band: Rate,
    /// How far behind the mark an order may rest: a buy below it, a sell above it.
    pub away_band: Rate,
    /// No fill raises open interest above this at the mark, settlement asset.
    pub open_interest_cap: Money,
    /// No order is taken that would bring open interest and the resting buys above this at the mark.
    pub longs_cap: Money,
    /// The same for resting sells.
    pub shorts_cap: Money,
    /// An order that waits for the last price fires only while that is within this share of the mark, and the mark is usable: one
    /// trade far away triggers nothing.
    pub trigger_protect: Rate,
}

/// Limits of a subaccount (with its isolated positions), an owner or a group of owners. None: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExposureLimits {
    /// Open orders, waiting ones included.
    pub orders: Option<u32>,
    /// Either side of one market with its resting orders that may increase, at the mark, numeraire.
    pub position: Option<Money>,
    /// The larger side of every market in sum, numeraire.
    pub open: Option<Money>,
}

/// How a contract lives and ends. Linear or inverse is another question: see [`MarketParams::contract`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Without an end, held to its index by funding.
    #[default]
    Perpetual,
    /// Ends at its expiry at the time-weighted index of a window before it; no funding.
    Dated(Expiry),
    /// Settles in an asset that is neither its quote nor its base: not supported, always refused.
    Quanto,
    /// Pays a power of the price: not supported, always refused.
    Power {
        /// Of the price.
        exponent: u8,
    },
}

/// What an option pays, what it is marked from, and what it needs. Its market's price is the option's: premium, cost and result go
/// through the same arithmetic as those of any position. Bands of orders and of the ladder are shares of the index, not of the
/// mark; the ladder of margins caps the position and has no rate in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionTerms {
    /// Call or put.
    pub right: Right,
    /// Strike, a multiple of the tick.
    pub strike: Price,
    /// The index that says its volatility: 1 is 100 % a year, from 0.001 to 20. Sources, quorum and age as of any index.
    pub volatility: IndexId,
    /// Of a perpetual option: what a holder pays its time value over, a minute to a year, nanoseconds; zero of a dated one.
    #[serde(default)]
    pub period_ns: i64,
    /// Of a perpetual option: interest in its price, a year, within ±50 %.
    #[serde(default)]
    pub interest: Rate,
    /// What positions need.
    pub margin: rules::OptionMarginRule,
    /// Of a perpetual option: while the best bid is below the payoff by more than this share of the index, a holder can close at
    /// the payoff; none: never.
    #[serde(default)]
    pub exit: Option<Rate>,
}

/// One step of a haircut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HaircutStep {
    /// When.
    pub at: units::Time,
    /// Share of the index that a positive amount counts from then on.
    pub haircut: Rate,
}

/// When a market ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// From here on positions can only be reduced, and no funding accrues; a whole minute.
    pub reduce_only_at: units::Time,
    /// Here every position is closed at the time-weighted index; a whole minute.
    pub settle_at: units::Time,
    /// Length of the window before `settle_at` over which the index is averaged: whole minutes, 1 to 60, nanoseconds.
    pub window_ns: i64,
}

/// What an owner pays for a trade, per notional; a negative maker fee pays the maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRates {
    /// For an order that rests.
    pub maker: Rate,
    /// For an order that takes.
    pub taker: Rate,
}

/// What the whole venue has in common: the line, the target, calls, pauses, outflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskParams {
    /// Whether equity equal to maintenance is below the line.
    pub line: LineRule,
    /// A liquidation stops when equity is this multiple of maintenance, at least 1.
    pub target: Rate,
    /// Below this share of maintenance the book is not tried any more, 0 to 1.
    pub takeover: Rate,
    /// Pause between two steps of one account, nanoseconds.
    pub pause_ns: i64,
    /// Levels of maintenance ÷ equity at which a call is sent, rising, zero for unused.
    pub calls: [Rate; crate::limits::CALL_LEVELS_MAX],
    /// A call is taken back when the ratio is this much below its level.
    pub call_hysteresis: Rate,
    /// What must stay after an outflow, as a share of gross notional.
    pub outflow_share: Rate,
    /// A position whose price is unusable counts at its last usable price moved in the account's favour by this share.
    pub stale_favour: Rate,
    /// That favour, at most this much per position, numeraire.
    pub stale_favour_cap: Money,
    /// Trading subaccounts that one owner may open; zero: any number.
    #[serde(default)]
    pub subaccounts: u32,
}

impl Default for RiskParams {
    /// Line below, target 1, take-over at 2/3 of maintenance, one second between steps, no calls, no outflow share.
    fn default() -> Self {
        Self {
            line: LineRule::Below,
            target: Rate::ONE,
            takeover: Rate::new(666_666_667).unwrap_or(Rate::ONE),
            pause_ns: units::Time::SECOND_NS,
            calls: [Rate::ZERO; crate::limits::CALL_LEVELS_MAX],
            call_hysteresis: Rate::ZERO,
            outflow_share: Rate::ZERO,
            stale_favour: Rate::ZERO,
            stale_favour_cap: Money::ZERO,
            subaccounts: 0,
        }
    }
}
