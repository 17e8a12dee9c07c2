//! Everything that can be asked of the engine. One type; its binary, JSON and text forms come from these definitions.
//!
//! The binary form numbers the variants in the order in which they stand: new ones go to the end.

use crate::params::{AssetParams, Expiry, ExposureLimits, HaircutStep, IndexParams, MarketParams, Reserve, RiskParams};
use crate::{AccountId, AssetId, GroupId, IndexId, Leg, LimitScope, MarketId, Name, OrderId, OwnerId, Split};
use alloc::boxed::Box;
use alloc::vec::Vec;
use rules::Callback;
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Size, Time};

/// A request, or nothing but the time. What is large and rare is boxed, so that a list of orders stays small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Nothing is asked: the clock moves and the work that is due is done.
    Tick,
    /// Lists an asset; the answer is its handle.
    AddAsset(Box<AssetParams>),
    /// Follows an index; the answer is its handle.
    AddIndex(Box<IndexParams>),
    /// Lists a market, open at once; nothing can be increased there before its first price. The answer is its handle.
    ListMarket(Box<MarketParams>),
    /// Replaces the parameters of a market; contract, settlement asset, index, tick and lot stay.
    SetMarketParams {
        /// Which.
        market: MarketId,
        /// All of them, resolved.
        params: Box<MarketParams>,
    },
    /// Replaces haircut and conversion discount of an asset.
    SetAssetParams {
        /// Which.
        asset: AssetId,
        /// All of them; name, decimals and index stay.
        params: Box<AssetParams>,
    },
    /// Replaces the venue's risk parameters.
    SetRiskParams(Box<RiskParams>),
    /// Opens, restricts or halts a market.
    SetMarketStatus {
        /// Which.
        market: MarketId,
        /// The status from now on.
        status: MarketStatus,
    },
    /// The funding rate of the running interval, instead of the one computed from samples.
    SetFundingRate {
        /// Which.
        market: MarketId,
        /// Per interval; + means that longs pay shorts.
        rate: Rate,
    },
    /// Opens a subaccount; the answer is its handle.
    OpenAccount {
        /// Who owns it.
        owner: OwnerId,
        /// For trading, or an insurance fund.
        role: Role,
        /// Name for people.
        name: Name,
    },
    /// Collateral arrived. The same reference of the same asset counts once.
    Deposit {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much, above zero.
        amount: Money,
        /// Number of the transfer outside.
        reference: u64,
    },
    /// Asks for collateral to leave; the answer is the number of the withdrawal.
    RequestWithdrawal {
        /// Whose.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much, above zero.
        amount: Money,
    },
    /// The withdrawal has left the vault.
    ConfirmWithdrawal {
        /// Its number.
        withdrawal: u64,
    },
    /// The withdrawal did not leave: the amount returns to the wallet.
    ReturnWithdrawal {
        /// Its number.
        withdrawal: u64,
    },
    /// Moves collateral between subaccounts.
    Transfer {
        /// The giver.
        from: AccountId,
        /// The receiver.
        to: AccountId,
        /// What.
        asset: AssetId,
        /// How much, above zero.
        amount: Money,
    },
    /// Places an order; the answer is its id.
    PlaceOrder(PlaceOrder),
    /// Changes price and size of a resting order. A smaller size at the same price keeps the place in the queue;
    /// everything else is a new order with a new id, which is the answer.
    AmendOrder {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderRef,
        /// The price from now on.
        price: Price,
        /// The open size from now on.
        size: Size,
    },
    /// Cancels an order.
    CancelOrder {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderRef,
    },
    /// Cancels all orders of a subaccount, those of its isolated positions included.
    CancelAll {
        /// Whose.
        account: AccountId,
        /// Only in this market.
        market: Option<MarketId>,
    },
    /// Sets the leverage of (account, market).
    SetLeverage {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Notional per initial margin, 1 to 1,000.
        leverage: u16,
    },
    /// Sets cross or isolated for (account, market), while flat and without orders there.
    SetMarginMode {
        /// Whose.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// The mode from now on.
        mode: MarginMode,
    },
    /// Adds margin to (+) or takes it from (−) an isolated position.
    AdjustIsolatedMargin {
        /// The parent.
        account: AccountId,
        /// Where.
        market: MarketId,
        /// Settlement asset; + from the parent to the position.
        amount: Money,
        /// Which, in hedge mode.
        #[serde(default)]
        leg: Leg,
    },
    /// Volunteers to take over positions of failing accounts, up to a notional; zero leaves.
    CommitBackstop {
        /// The volunteer.
        account: AccountId,
        /// Greatest notional of positions taken over, numeraire.
        limit: Money,
    },
    /// Quotes of any number of sources and indices. Risk is evaluated once, after all of them.
    SetPrices {
        /// The quotes.
        quotes: Vec<Quote>,
    },
    /// Replaces quorum, deviation, age, speed and weights of an index; its name and number of sources stay.
    SetIndexParams {
        /// Which.
        index: IndexId,
        /// All of them, resolved.
        params: Box<IndexParams>,
    },
    /// Sets one-way or hedge mode of a subaccount, while it has no position and no order, its isolated ones included.
    SetPositionMode {
        /// Whose.
        account: AccountId,
        /// The mode from now on.
        mode: PositionMode,
    },
    /// Sets all limits of a subaccount, owner or group; a limit below what is open forbids only what adds to it.
    SetLimits {
        /// Of what.
        scope: LimitScope,
        /// All of them.
        limits: Box<ExposureLimits>,
    },
    /// Puts an owner into a group of related owners.
    SetOwnerGroup {
        /// Who.
        owner: OwnerId,
        /// Which; none takes it out.
        group: Option<GroupId>,
    },
    /// The operator lets a subaccount and its isolated positions do everything, only reduce, or nothing.
    SetAccountStatus {
        /// Whose.
        account: AccountId,
        /// From now on.
        status: AccountStatus,
        /// Why.
        reason: AccountReason,
    },
    /// Sets how many trading subaccounts an owner may open, instead of the venue's number.
    SetSubaccountLimit {
        /// Who.
        owner: OwnerId,
        /// At most so many; none: the venue's number.
        limit: Option<u32>,
    },
    /// Announces the end of a market, or moves an announced one that has not begun.
    ScheduleSettlement {
        /// Which.
        market: MarketId,
        /// When.
        expiry: Expiry,
    },
    /// Takes an announced end back, before its reduce-only time.
    CancelSettlement {
        /// Which.
        market: MarketId,
    },
    /// Announces that an asset is no collateral any more: deposits end now, its haircut steps down to nothing.
    ScheduleDelisting {
        /// Which.
        asset: AssetId,
        /// Rising times, falling haircuts, the last of them 0.
        steps: Vec<HaircutStep>,
    },
    /// Takes that back, before its first step.
    CancelDelisting {
        /// Which.
        asset: AssetId,
    },
    /// Cancels all orders of a subaccount, those of its isolated positions included, unless it is sent again in time.
    CancelAllAfter {
        /// Whose.
        account: AccountId,
        /// From now, nanoseconds; zero disarms.
        timeout_ns: i64,
    },
    /// Sets the fee tier of an owner, in all markets. Looks at every account.
    SetFeeTier {
        /// Whose.
        owner: OwnerId,
        /// 0 to `FEE_TIERS_MAX`.
        tier: u8,
    },
    /// What a fee paid in another asset than the settlement asset costs less, for the whole venue.
    SetFeeDiscount {
        /// 0 to 1, without 1.
        discount: Rate,
    },
    /// Chooses the asset in which an account pays its fees.
    SetFeeAsset {
        /// Whose.
        account: AccountId,
        /// Which; none: the settlement asset of each market.
        asset: Option<AssetId>,
    },
    /// Several orders, amendments and cancels, each judged in its turn as if sent alone; the answer has one for each.
    Batch {
        /// In this order.
        items: Vec<BatchItem>,
    },
    /// Chooses which wallets are collateral, while the account has no position, no order and no debt.
    SetCollateralMode {
        /// Whose.
        account: AccountId,
        /// Single-asset mode: only this asset counts, and only markets that settle in it are traded; none: all assets.
        only: Option<AssetId>,
    },
    /// Gives an index, and every market that follows it, another unit. All of them must be halted. Looks at every account and at
    /// every order of these markets.
    SplitIndex {
        /// Which.
        index: IndexId,
        /// How many new contracts stand for the old ones.
        split: Split,
    },
    /// Says which fund pays for another when that one cannot, and how much; none: no one.
    SetReserve {
        /// Which fund.
        fund: AccountId,
        /// Its reserve: a fund that has none itself.
        reserve: Option<Reserve>,
    },
    /// Connects an index that follows own trades to its sources, a quorum of which must speak.
    LaunchIndex {
        /// Which.
        index: IndexId,
    },
    /// Takes a position, or part of it, that is auctioned in a liquidation, at the price of the moment.
    BidAuction(Bid),
    /// Closes a long position in a perpetual option at its payoff against shorts, while the book bids less.
    ExitOption {
        /// Whose.
        account: AccountId,
        /// Which option.
        market: MarketId,
        /// Contracts, at most.
        size: Size,
    },
    /// Limits what fills of the account's resting orders in the options of an underlying may come to.
    SetProtection {
        /// Whose.
        account: AccountId,
        /// The underlying.
        index: IndexId,
        /// The limits; none: no longer.
        limits: Option<crate::ProtectionLimits>,
    },
}

/// A bid in the auction of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// Who takes it: a trading subaccount, cross in this market.
    pub bidder: AccountId,
    /// Whose position: the subaccount that is liquidated, or the child of an isolated position.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Which position of that account, in hedge mode.
    #[serde(default)]
    pub leg: Leg,
    /// Contracts, above zero, a multiple of the lot; cut to what brings the account back to its target.
    pub size: Size,
    /// The worst price: the highest for a long that is sold, the lowest for a short that is bought back.
    pub limit: Price,
}

/// One item of a batch: what the command of that name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BatchItem {
    /// Places an order.
    Place(PlaceOrder),
    /// Changes price and size of a resting order.
    Amend {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderRef,
        /// The price from now on.
        price: Price,
        /// The open size from now on.
        size: Size,
    },
    /// Cancels an order.
    Cancel {
        /// Whose.
        account: AccountId,
        /// Which.
        order: OrderRef,
    },
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Whose: a trading subaccount; an isolated position is addressed through its parent.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// Buy or sell.
    pub side: Side,
    /// Contracts, above zero, a multiple of the lot; zero for `Reduce::Close`.
    pub size: Size,
    /// Limit: the worst price. Market orders give their bound; none: the edge of the order band.
    pub price: Option<Price>,
    /// What happens to what does not fill at once.
    pub force: TimeInForce,
    /// Whether it may only reduce a position.
    pub reduce: Reduce,
    /// Number of the caller, unique among the open orders of the account; zero for none.
    pub client_id: u64,
    /// Waits until a price is reached.
    pub trigger: Option<Trigger>,
    /// Which position, in hedge mode: a buy opens the long leg and closes the short one. An order that closes a leg only
    /// reduces, whatever `reduce` says.
    #[serde(default)]
    pub leg: Leg,
    /// From then on it is cancelled, resting or waiting; none: it stays.
    #[serde(default)]
    pub expires: Option<Time>,
    /// What happens when it meets an order of the same owner, or of an owner of the same group.
    #[serde(default)]
    pub self_trade: SelfTrade,
}

impl PlaceOrder {
    /// A limit order of one-way mode that stays until it is cancelled, and nothing more.
    #[must_use]
    pub fn limit(account: AccountId, market: MarketId, side: Side, size: Size, price: Price) -> Self {
        Self {
            account,
            market,
            side,
            size,
            price: Some(price),
            force: TimeInForce::Gtc,
            reduce: Reduce::Any,
            client_id: 0,
            trigger: None,
            leg: Leg::Net,
            expires: None,
            self_trade: SelfTrade::default(),
        }
    }
}

/// What happens when an arriving order meets one of the same owner or group. The arriving order says which; they never trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfTrade {
    /// The resting order is cancelled, and matching goes on.
    #[default]
    CancelResting,
    /// What is left of the arriving order is cancelled.
    CancelArriving,
    /// Both are cancelled.
    CancelBoth,
    /// Both become smaller by the size that would have met; what has nothing left is cancelled.
    Decrement,
}

impl PlaceOrder {
    /// The position that it trades.
    #[must_use]
    pub fn position(&self) -> crate::PositionId {
        self.market.leg(self.leg)
    }
}

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Adds contracts.
    Buy,
    /// Gives contracts.
    Sell,
}

impl Side {
    /// Of a trade of signed contracts: a negative size sells.
    #[must_use]
    pub fn of(size: Size) -> Self {
        if size.is_negative() { Self::Sell } else { Self::Buy }
    }

    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `size` contracts with the sign of this side.
    #[must_use]
    pub fn signed(self, size: Size) -> Size {
        match self {
            Self::Buy => size.abs(),
            Self::Sell => -size.abs(),
        }
    }
}

/// What happens to what does not fill at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Rests until it is filled or cancelled.
    Gtc,
    /// Is cancelled. An order that margin does not allow in full is cut to what it allows.
    Ioc,
    /// All or nothing.
    Fok,
    /// Rests, and is refused if it would fill at once.
    PostOnly,
}

/// Whether an order may only reduce a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduce {
    /// It may open, too.
    Any,
    /// It never increases or flips.
    Only,
    /// It has no size and waits: when its trigger is reached it becomes `Only`, with the size of the position that it closes.
    Close,
}

/// A condition for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Which price.
    pub by: TriggerBy,
    /// From which side.
    pub when: TriggerWhen,
    /// The level; of a trailing trigger the price that activates it, from the other side, and zero for at once.
    pub price: Price,
    /// It follows the best price since it is active at this distance, and never moves away; none: it stays where it is.
    #[serde(default)]
    pub trail: Option<Callback>,
}

impl Trigger {
    /// A level that stays where it is.
    #[must_use]
    pub fn fixed(by: TriggerBy, when: TriggerWhen, price: Price) -> Self {
        Self { by, when, price, trail: None }
    }

    /// The distance of a trailing trigger that is active.
    #[must_use]
    pub fn follows(&self) -> Option<Callback> {
        self.trail.filter(|_| self.price == Price::ZERO)
    }

    /// Which level it waits for first, from which side: its own, or the one that activates a trailing trigger.
    #[must_use]
    pub fn waits_for(&self) -> (TriggerBy, TriggerWhen) {
        (self.by, if self.trail.is_some() { self.when.opposite() } else { self.when })
    }
}

/// The price that a trigger follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerBy {
    /// The mark price.
    Mark,
    /// The last trade.
    Last,
    /// The index price.
    Index,
}

/// From which side a trigger is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerWhen {
    /// The price is at the level or above: the stop of a short, the take-profit of a long.
    AtOrAbove,
    /// The price is at the level or below: the stop of a long, the take-profit of a short.
    AtOrBelow,
}

impl TriggerWhen {
    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::AtOrAbove => Self::AtOrBelow,
            Self::AtOrBelow => Self::AtOrAbove,
        }
    }

    /// Whether a price has reached a level.
    #[must_use]
    pub fn reached(self, price: Price, level: Price) -> bool {
        match self {
            Self::AtOrAbove => price >= level,
            Self::AtOrBelow => price <= level,
        }
    }
}

/// An order by the engine's id or by the caller's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRef {
    /// The engine's id.
    Id(OrderId),
    /// The caller's number.
    Client(u64),
}

/// Cross or isolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginMode {
    /// Margined with everything else in the subaccount.
    #[default]
    Cross,
    /// Margined alone, in a child subaccount.
    Isolated,
}

/// One position a market, or a long and a short one beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionMode {
    /// A sell reduces what a buy opened.
    #[default]
    OneWay,
    /// A long and a short leg, each with its own cost, margin and, when isolated, its own child.
    Hedge,
}

/// What a subaccount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Trading.
    Trading,
    /// An insurance fund: takes over failing positions and unwinds them.
    Fund,
}

/// What a subaccount may do. None of these keeps the ladder, funding or deleveraging away from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Everything.
    #[default]
    Active,
    /// Everything but orders that increase and commitments as a backstop.
    ReduceOnly,
    /// Cancels, deposits, and margin added to its isolated positions; no orders, no outflows, no settings.
    Frozen,
}

/// Why a subaccount has its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountReason {
    /// Nothing special: how an account begins.
    #[default]
    Normal,
    /// Its owner asked for it.
    Owner,
    /// Risk: too large, too concentrated, too often below the line.
    Risk,
    /// Security: keys or sessions may be in other hands.
    Security,
    /// Checks on the owner are open or have failed.
    Compliance,
    /// An order of a court or authority.
    Legal,
}

/// What a market accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketStatus {
    /// Everything.
    Open,
    /// Orders that rest, and cancels.
    PostOnly,
    /// Orders that reduce, and cancels.
    ReduceOnly,
    /// Cancels.
    CancelOnly,
    /// Nothing; no liquidation either.
    Halted,
    /// Nothing: its positions are being closed at the settlement price, at which they are valued and need no margin.
    Settling,
    /// Nothing: it has ended and nobody holds anything of it.
    Settled,
}

/// What one source says about one index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Which index.
    pub index: IndexId,
    /// Number of the source.
    pub source: u8,
    /// The price, above zero.
    pub price: Price,
    /// When the source saw it; not in the future, not before its last.
    pub time: Time,
}

/// The answer to a command that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done; nothing to tell beyond the events.
    Done,
    /// The asset's handle.
    Asset(AssetId),
    /// The index's handle.
    Index(IndexId),
    /// The market's handle.
    Market(MarketId),
    /// The subaccount's handle.
    Account(AccountId),
    /// The order's id.
    Order(OrderId),
    /// The withdrawal's number.
    Withdrawal(u64),
    /// The deposit was counted before; nothing changed.
    Repeated,
    /// One for each item of a batch.
    Batch(Vec<Result<Answer, crate::Reject>>),
}

impl core::fmt::Display for MarketStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::reject::snake_case(self, f)
    }
}

impl core::fmt::Display for PositionMode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::reject::snake_case(self, f)
    }
}

impl core::fmt::Display for Side {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::reject::snake_case(self, f)
    }
}

impl core::fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::reject::snake_case(self, f)
    }
}

impl core::fmt::Display for AccountReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::reject::snake_case(self, f)
    }
}
