//! Refusals: the caller asked for something that cannot be done. Each has a number that never changes and is never used
//! again, and says what was asked and what was allowed.

use crate::{AccountId, AssetId, MarketId, MarketStatus};
use core::fmt;
use rules::{LadderError, TierError};
use serde::{Deserialize, Serialize};
use units::{Money, Price, Rate, Size, Time};

macro_rules! rejects {
    ($( $(#[$doc:meta])* $code:literal $name:ident $({ $($field:ident : $type:ty),* $(,)? })? => $text:literal ),* $(,)?) => {
        /// Why a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)] // the fields are named in the message of each variant
        pub enum Reject {
            $( $(#[$doc])* $name $({ $($field: $type),* })? ),*
        }

        impl Reject {
            /// The stable number.
            #[must_use]
            pub fn code(&self) -> u16 {
                match self { $( Self::$name $({ $($field: _),* })? => $code ),* }
            }

            /// Name of a number, in the form that scenarios print; none for a number never given.
            #[must_use]
            pub fn name_of(code: u16) -> Option<&'static str> {
                match code { $( $code => Some(stringify!($name)), )* _ => None }
            }

            /// The same with every amount within the bounds of its unit, which what an account is worth may leave: an answer that is
            /// kept has to be readable.
            #[must_use]
            pub(crate) fn within_bounds(self) -> Self {
                match self {
                    $( Self::$name $({ $($field),* })? => Self::$name $({ $($field: $field.within_bounds()),* })? ),*
                }
            }

            /// Every number and name.
            pub const ALL: &'static [(u16, &'static str)] = &[ $( ($code, stringify!($name)) ),* ];
        }

        impl fmt::Display for Reject {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$name $({ $($field),* })? => write!(f, $text) ),* }
            }
        }
    };
}

/// What a refusal says a number of.
trait Bounded: Sized {
    fn within_bounds(self) -> Self {
        self
    }
}

impl Bounded for Money {
    fn within_bounds(self) -> Self {
        self.clamp(-Self::MAX, Self::MAX)
    }
}

macro_rules! within_bounds_as_they_are {
    ($($type:ty),* $(,)?) => { $( impl Bounded for $type {} )* };
}

within_bounds_as_they_are!(
    Price,
    Rate,
    Size,
    Time,
    AccountId,
    AssetId,
    MarketId,
    MarketStatus,
    LadderError,
    TierError,
    ParamName,
    bool,
    i64,
    u8,
    u16,
    u32,
    u64,
    usize,
    crate::AccountReason,
    crate::AccountStatus,
    crate::IndexId,
    crate::LimitScope,
    crate::OwnerId,
    crate::PositionMode,
    crate::Side,
);

rejects! {
    /// The clock would go backwards.
    1 TimeBackwards { asked: Time, now: Time } => "time goes backwards: asked {asked}, now {now}",
    /// No such subaccount, or one that cannot be addressed this way.
    2 UnknownAccount { account: AccountId } => "unknown account {account}",
    /// No such asset.
    3 UnknownAsset { asset: AssetId } => "unknown asset {asset}",
    /// No such market.
    4 UnknownMarket { market: MarketId } => "unknown market {market}",
    /// No such index.
    5 UnknownIndex { index: crate::IndexId } => "unknown index {index}",
    /// No such source of an index.
    6 UnknownSource { index: crate::IndexId, source: u8 } => "index {index} has no source {source}",
    /// No such open order of this account.
    7 UnknownOrder => "no such open order of this account",
    /// No such pending withdrawal.
    8 UnknownWithdrawal { withdrawal: u64 } => "no pending withdrawal {withdrawal}",
    /// A list is full.
    9 TooMany { limit: u64 } => "too many: at most {limit}",
    /// An amount that must be above zero.
    10 AmountNotPositive { asked: Money } => "amount must be above zero: asked {asked}",
    /// An amount beyond what state may hold.
    11 AmountTooLarge { asked: Money, limit: Money } => "amount too large: asked {asked}, limit {limit}",
    /// More digits than the asset has.
    12 AmountTooFine { asked: Money, below: Money, above: Money } => "amount has more digits than the asset: asked {asked}, nearest {below} and {above}",
    /// More than may leave.
    13 ExceedsWithdrawable { asked: Money, withdrawable: Money } => "exceeds withdrawable: asked {asked}, withdrawable {withdrawable}",
    /// More than the wallet holds.
    14 ExceedsWallet { asked: Money, wallet: Money } => "exceeds wallet: asked {asked}, wallet {wallet}",
    /// A transfer to the same account.
    15 SameAccount => "giver and receiver are the same account",
    /// The account is being liquidated: deposits, added margin and cancels only.
    16 InLiquidation => "account is in liquidation: deposits, added margin and cancels only",
    /// A price that this needs is stale or without quorum.
    17 PriceUnusable { market: MarketId } => "no usable price in market {market}: stale or without quorum",
    /// The index of a collateral asset that this needs is stale or without quorum.
    18 CollateralPriceUnusable { asset: AssetId } => "no usable price of asset {asset}: stale or without quorum",
    /// The market's status does not allow it.
    19 MarketStatusForbids { status: MarketStatus } => "market is {status}: this is not accepted",
    /// A size that must be above zero.
    20 SizeNotPositive { asked: Size } => "size must be above zero: asked {asked}",
    /// Not a multiple of the lot.
    21 SizeOffLot { asked: Size, lot: Size } => "size is not a multiple of the lot: asked {asked}, lot {lot}",
    /// A price that must be above zero, or is missing.
    22 PriceNotPositive { asked: Price } => "price must be above zero: asked {asked}",
    /// Not a multiple of the tick.
    23 PriceOffTick { asked: Price, tick: Price } => "price is not a multiple of the tick: asked {asked}, tick {tick}",
    /// Too far from the mark.
    24 PriceOutsideBand { asked: Price, bound: Price } => "price is outside the order band: asked {asked}, bound {bound}",
    /// The largest position of the tiers.
    25 PositionTooLarge { notional: Money, cap: Money } => "position too large: notional {notional}, cap {cap}",
    /// Not enough margin.
    26 InsufficientMargin { equity: Money, needed: Money } => "insufficient margin: equity {equity}, needed {needed}",
    /// A reduction that would leave equity below zero.
    27 WouldBankrupt { equity: Money } => "equity after would be below zero: {equity}",
    /// Nothing to reduce on that side.
    28 NothingToReduce { position: Size } => "nothing to reduce: position {position}",
    /// It would fill at once.
    29 PostOnlyWouldCross { best: Price } => "post-only would cross: best opposite price {best}",
    /// Not enough depth for all of it.
    30 FillOrKillUnfilled { asked: Size, available: Size } => "cannot be filled whole: asked {asked}, available {available}",
    /// The number is used by another open order of the account.
    31 DuplicateClientId { client_id: u64 } => "client id {client_id} is used by another open order",
    /// The caller's number cannot be zero where it names an order.
    32 NoClientId => "client id 0 names no order",
    /// Leverage outside 1 to the market's greatest.
    33 LeverageOutOfRange { asked: u16, greatest: u16 } => "leverage out of range: asked {asked}, 1 to {greatest}",
    /// A position is open there.
    34 PositionOpen { size: Size } => "a position of {size} is open there",
    /// Orders are open there.
    35 OrdersOpen => "orders are open there",
    /// No isolated position there.
    36 NotIsolated => "no isolated position there",
    /// The mode or status is the same already.
    37 AlreadySo => "already so",
    /// A name that is used.
    38 NameTaken => "name is taken",
    /// A parameter outside its range.
    39 ParamOutOfRange { name: ParamName } => "parameter out of range: {name}",
    /// Tiers that do not hold together.
    40 TiersInvalid { error: TierError } => "tiers: {error}",
    /// A quote with a price that is not above zero.
    41 QuoteNotPositive { index: crate::IndexId, asked: Price } => "quote must be above zero: index {index}, asked {asked}",
    /// A quote from the future.
    42 QuoteFromFuture { time: Time, now: Time } => "quote from the future: {time}, now {now}",
    /// A quote older than the source's last, or a second one of the same source in one command.
    43 QuoteOutOfOrder { time: Time, last: Time } => "quote out of order: {time}, last {last}",
    /// The market's fund is not an insurance fund.
    44 NotAFund { account: AccountId } => "account {account} is not an insurance fund",
    /// The order's status or kind does not allow it.
    45 OrderNotResting => "order waits for its trigger: cancel it and place another",
    /// A trigger that is reached already.
    46 TriggerReached { current: Price } => "trigger is reached already: price is {current}",
    /// A price that the trigger needs does not exist yet.
    47 NoTriggerPrice => "the trigger's price does not exist yet",
    /// Resuming has an order: cancel-only, post-only, open.
    48 ResumeOrder { from: MarketStatus } => "from {from} a market resumes by cancel-only, post-only, open",
    /// Fields that contradict each other.
    49 FieldsConflict => "these fields do not go together: post-only and fill-or-kill need a price, a trigger no post-only",
    /// The isolated position itself would be below its initial margin.
    50 IsolatedMarginLow { equity: Money, needed: Money } => "isolated margin too low: equity {equity}, needed {needed}",
    /// A quote that no sum of this venue could hold.
    51 QuoteOutOfRange { index: crate::IndexId, asked: Price } => "quote is out of range for what is open: index {index}, asked {asked}",
    /// A commitment while a wallet is below zero.
    52 WalletBelowZero { asset: AssetId, wallet: Money } => "a wallet is below zero: asset {asset}, wallet {wallet}",
    /// A leg that the account's position mode does not have.
    53 LegOfOtherMode { mode: crate::PositionMode } => "account is in {mode} mode: an order names the net position in one_way mode, the long or short leg in hedge mode",
    /// One order more than a limit allows.
    54 OrderLimit { scope: crate::LimitScope, open: u32, limit: u32 } => "order limit of {scope}: {open} open, limit {limit}",
    /// A side of a market above a limit.
    55 PositionLimit { scope: crate::LimitScope, notional: Money, limit: Money } => "position limit of {scope}: notional with resting orders {notional}, limit {limit}",
    /// All markets together above a limit.
    56 OpenLimit { scope: crate::LimitScope, notional: Money, limit: Money } => "open limit of {scope}: notional of all markets {notional}, limit {limit}",
    /// A limit of a part above that of the whole.
    57 LimitsContradict { part: crate::LimitScope, asked: Money, above: Money } => "limit of {part} would be {asked}, above the {above} of what it is a part of",
    /// A side of a market above its cap.
    58 OpenInterestCapReached { side: crate::Side, notional: Money, cap: Money } => "open interest with the orders that {side} would be {notional}, cap {cap}",
    /// Too far behind the mark.
    59 PriceTooFarAway { asked: Price, bound: Price } => "price is too far from the mark: asked {asked}, bound {bound}",
    /// A time of a schedule is not in the future.
    105 ScheduleInPast { asked: Time, now: Time } => "schedule is not in the future: asked {asked}, now {now}",
    /// Settlement before, or at, the time from which positions can only be reduced.
    106 ScheduleOrder { reduce_only_at: Time, settle_at: Time } => "settlement at {settle_at} must come after reduce-only at {reduce_only_at}",
    /// A window that begins before now.
    107 WindowTooLong { asked_s: i64, left_s: i64 } => "averaging window is longer than the time left: asked {asked_s} s, left {left_s} s",
    /// A time that is not on a minute, or a window that is not 1 to 60 of them.
    108 ScheduleOffMinute { asked_ns: i64 } => "schedule is off the grid: times are whole minutes, the window is 1 to 60 of them; asked {asked_ns} ns",
    /// The market's end was not announced.
    109 NoSchedule { market: MarketId } => "the end of market {market} is not announced",
    /// The reduce-only time of the schedule has passed.
    110 ScheduleBegun { market: MarketId } => "the end of market {market} has begun: it can be neither changed nor undone",
    /// The end of a dated contract is part of the contract.
    111 ExpiryFixed { market: MarketId } => "the expiry of market {market} is part of the contract",
    /// A funding rate for a market without funding.
    112 NoFunding { market: MarketId } => "market {market} has no funding",
    /// Quanto contracts are not supported.
    113 QuantoUnsupported => "quanto contracts are not supported: settle in the quote (linear) or in the base (inverse)",
    /// Power contracts are not supported.
    114 PowerUnsupported { exponent: u8 } => "power contracts are not supported: asked exponent {exponent}, only 1",
    /// More of an asset than the venue takes.
    175 VenueCapReached { asset: AssetId, held: Money, asked: Money, cap: Money } => "the venue takes no more of asset {asset}: it holds {held}, asked {asked}, cap {cap}",
    /// A market whose index stands on another one only reduces.
    115 IndexOnFallback { index: crate::IndexId } => "index {index} has no quorum of its own: its markets only reduce",
    /// The asset is on its way out.
    116 AssetDelisting { asset: AssetId } => "asset {asset} is being delisted: no deposits, no new parameters, no new market",
    /// Steps that do not lead to nothing, or not in order.
    117 DelistingSteps { haircut: units::Rate } => "steps of a delisting: 1 to 8, times rising, haircuts falling from {haircut}, the last one 0",
    /// The numeraire, or the settlement asset of a market that has not ended.
    118 AssetInUse { asset: AssetId } => "asset {asset} is the numeraire, or a market that has not ended settles in it",
    /// Nothing announced, or its first step is done.
    119 NoDelisting { asset: AssetId } => "no delisting of asset {asset} that could be taken back",
    /// An order that would have expired already.
    145 ExpiryNotInFuture { asked: Time, now: Time } => "expiry is not in the future: asked {asked}, now {now}",
    /// An expiry of an order that is over at once.
    146 ExpiryWithoutRest => "an immediate-or-cancel or fill-or-kill order without a trigger cannot expire",
    /// A countdown below zero or beyond the longest.
    147 CountdownOutOfRange { asked: i64, most: i64 } => "countdown out of range: asked {asked} ns, 0 to {most} ns",
    /// A close-position order without a trigger: a reduce-only order of the position's size does that.
    148 CloseNeedsTrigger => "a close-position order waits for a trigger: there is none",
    /// A close-position order takes the size of the position.
    149 CloseHasSize { asked: Size } => "a close-position order has no size of its own: asked {asked}",
    /// A close-position order on the side that opens its leg.
    150 CloseOpensLeg { side: crate::Side } => "a close-position order of this leg cannot {side}: that opens it",
    /// A trailing trigger too near to the price that it starts from, or too far behind it.
    151 CallbackOutOfRange { price: Price } => "callback out of range: 0.01 % to 50 % of the price that it starts from, {price}",
    /// The status of the subaccount does not allow it.
    160 AccountStatusForbids { status: crate::AccountStatus, reason: crate::AccountReason } => "account is {status} ({reason}): this is not accepted",
    /// A market that settles in another asset than the one that counts.
    162 OtherSettlementAsset { asset: AssetId } => "account is in single-asset mode: it trades markets that settle in asset {asset}",
    /// One subaccount more than an owner may open.
    161 SubaccountLimit { owner: crate::OwnerId, open: u32, limit: u32 } => "subaccounts of owner {owner}: {open} open, limit {limit}",
    /// A split by nothing, by one, or by too much.
    210 SplitFactor { asked: u32, most: u32 } => "factor of a split: asked {asked}, 2 to {most}",
    /// Trading and liquidation would go on in two units.
    211 SplitNeedsHalt { market: MarketId, status: MarketStatus } => "market {market} is {status}: it splits while halted",
    /// A contract worth an amount of quote has no part in the unit of the coin.
    212 SplitInverse { market: MarketId } => "market {market} is inverse: its contract is an amount of quote and does not split",
    /// Wallets would keep the old unit.
    213 SplitOfCollateral { index: crate::IndexId, asset: AssetId } => "index {index} values asset {asset}, whose amounts do not split",
    /// One of the two indices would keep the old unit.
    214 SplitOfFallback { index: crate::IndexId, fallback: crate::IndexId } => "index {index} shares its unit with fallback {fallback}: take the fallback away first",
    /// Tick or lot would not be exact, or leave its range.
    215 SplitOffGrid { market: MarketId, tick: Price, lot: Size } => "tick {tick} or lot {lot} of market {market} does not divide, or leaves its range",
    /// A position would not fit.
    216 SplitTooLarge { account: AccountId, size: Size } => "position of account {account} would be too large: {size} contracts now",
    /// A price would lose digits that matter, or not fit.
    217 SplitPriceOutOfRange { index: crate::IndexId, price: Price } => "a price of index {index} would be out of range: {price} now",
    /// The quote is in the unit of before a split.
    218 QuoteBeforeSplit { index: crate::IndexId, time: Time, split_at: Time } => "quote of index {index} is from before its split: {time}, split at {split_at}",
    /// The strike would keep the old unit.
    260 SplitOfOption { index: crate::IndexId, market: MarketId } => "index {index} is read by option market {market}, whose strike and volatility do not split",
    /// A volatility next to nothing, or absurd.
    261 VolatilityOutOfRange { index: crate::IndexId, asked: Price } => "volatility out of range: index {index} is asked to be {asked}, 0.001 (0.1 % a year) to 20 (2,000 %)",
    /// An option is margined across, by its own rule.
    262 OptionCrossOnly { market: MarketId } => "market {market} is an option: it is margined across and has no leverage of its own",
    /// The book is good enough, or nobody has said otherwise at the last sample.
    263 ExitNotOpen { market: MarketId } => "holders of market {market} cannot close at its payoff now: a perpetual option with that right, a quorum, and a best bid below the payoff by its margin since the last second",
    /// More than the long position.
    264 ExitTooLarge { asked: Size, held: Size } => "exit is larger than the long position: asked {asked}, held {held}",
    /// No short is there that is not in liquidation.
    265 ExitNobody { market: MarketId } => "nobody is short market {market} who could be closed against",
    /// Fills have reached a limit of the account's own.
    266 ProtectionReached { until: Time } => "orders are refused until {until}: fills have reached a limit that the account has set",
    /// A reserve behind a reserve.
    190 ReserveChain { account: AccountId } => "a reserve has no reserve of its own: account {account} is one, or has one",
    /// It would be valued at trades that anyone can make.
    219 PreLaunchIndex { index: crate::IndexId } => "index {index} follows its own market until its launch: nothing else may follow it",
    /// Only the market whose trades make the index follows it.
    220 PreLaunchIndexTaken { index: crate::IndexId, market: MarketId } => "index {index} follows the trades of market {market}",
    /// It has sources already.
    221 NotPreLaunch { index: crate::IndexId } => "index {index} is launched",
    /// There is nothing to move to.
    222 LaunchWithoutQuorum { index: crate::IndexId } => "index {index} cannot be launched: no quorum of fresh quotes",
    /// Nothing of this position is auctioned.
    240 NoAuction { account: AccountId, market: MarketId } => "no auction of account {account} in market {market}",
    /// Its time is over, or the ladder has gone on.
    241 AuctionOver { account: AccountId, market: MarketId } => "the auction of account {account} in market {market} is over",
    /// A bid of the same owner, or of an owner of the same group.
    242 AuctionOfOwn { account: AccountId } => "bidder and account {account} belong together",
    /// The price of the moment is worse for the bidder than its limit.
    243 AuctionPriceBeyondLimit { price: Price, limit: Price } => "auction price is beyond the limit: price {price}, limit {limit}",
    /// Nobody healthy is closed.
    244 AccountAboveLine { account: AccountId } => "account {account} is above its line again: nothing of it is sold",
    /// What is bought would need margin that is set aside nowhere.
    245 BidNeedsCross { market: MarketId } => "a bidder takes a position in cross margin: market {market} is isolated",
    /// One sharing of a loss could take all that a winner must hold.
    230 SocialiseOutOfRange { asked: Rate, below: Rate } => "socialise out of range: asked {asked}, must be from 0 to below the first maintenance rate, {below}",
    /// A margin ladder other than tiers that does not hold together.
    250 LadderInvalid { error: LadderError } => "ladder: {error}",
    /// A rate that grows with the position would be above ten times the notional.
    251 BeyondLadder { size: Size, notional: Money } => "beyond the ladder: {size} contracts worth {notional} would need more than ten times their notional",
}

/// The parameter that a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // named after the fields of `params`
pub enum ParamName {
    Decimals,
    Haircut,
    ConversionDiscount,
    Weights,
    Quorum,
    MaxDeviation,
    Stale,
    Speed,
    ReduceOnlyAfter,
    Face,
    Tick,
    Lot,
    Fee,
    MarkBand,
    MarkSpeed,
    OrderBand,
    Funding,
    ImpactNotional,
    Liquidation,
    Target,
    Takeover,
    Pause,
    Calls,
    OutflowShare,
    StaleFavour,
    Rate,
    Fixed,
    OpenInterestCap,
    Kind,
    VenueCap,
    Redemption,
    LastResort,
    LiquidationPolicy,
    FeeTiers,
    FeeDiscount,
    Borrow,
    Realisation,
    Drawdown,
    Reserve,
    OwnTrades,
    PreLaunch,
    Option,
    Protection,
}

impl fmt::Display for ParamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        snake_case(self, f)
    }
}

/// The form of the API: `ReduceOnly` is `reduce_only`.
pub(crate) fn snake_case(variant: &impl fmt::Debug, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, letter) in alloc::format!("{variant:?}").chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            f.write_str("_")?;
        }
        write!(f, "{}", letter.to_ascii_lowercase())?;
    }
    Ok(())
}
