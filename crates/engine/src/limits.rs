//! The bounds of the engine: every list and every loop has one, and it is named here. Bounds of numbers are in
//! `units::limits`.

use units::{Price, Size};

/// Assets one venue lists.
pub const ASSETS_MAX: usize = 16;
/// Indices one venue follows.
pub const INDICES_MAX: usize = 1_024;
/// Markets one venue lists.
pub const MARKETS_MAX: usize = 1_024;
/// Subaccounts, isolated children and funds included.
pub const ACCOUNTS_MAX: usize = 16_000_000;
/// Markets in which one subaccount may hold a position, an order or a setting.
pub const EXPOSURES_MAX: usize = 128;
/// Open orders of one subaccount, triggers included.
pub const ORDERS_PER_ACCOUNT_MAX: u32 = 400;
/// Open orders of the venue: an order's slot is 24 bits of its id.
pub const ORDERS_MAX: usize = 1 << 24;
/// Quotes in one `SetPrices`.
pub const QUOTES_MAX: usize = 4_096;
/// Accounts that the ladder works on in one command; the rest continue at the next.
pub const LIQUIDATIONS_PER_COMMAND: usize = 4_096;
/// Shorts that one exit of an option closes against; the rest needs another command.
pub const EXITS_PER_COMMAND: usize = 64;
/// Positions of one account that the ladder tries in one command.
pub const STEPS_PER_ACCOUNT: usize = 128;
/// Triggered orders placed in one command; the rest follow at the next.
pub const TRIGGERS_PER_COMMAND: usize = 1_024;
/// Orders that the clock ends in one command, counting a countdown as one; the orders of one account end together, the
/// rest follow at the next.
pub const DEADLINES_PER_COMMAND: usize = 1_024;
/// Longest countdown to the end of all orders of an account: a week.
pub const COUNTDOWN_NS_MAX: i64 = 7 * 86_400_000_000_000;
/// Deposits whose reference is remembered: a repeat is recognised.
pub const DEPOSITS_MAX: usize = 64_000_000;
/// Withdrawals that wait for their confirmation.
pub const WITHDRAWALS_MAX: usize = 1_000_000;
/// Withdrawals of one account that wait.
pub const WITHDRAWALS_PER_ACCOUNT_MAX: usize = 64;
/// Longest window of a fund's drawdown, minutes: a day.
pub const DRAWDOWN_MINUTES: i64 = 1_440;
/// Insurance funds.
pub const FUNDS_MAX: usize = 64;
/// Slots of the order table that are kept for the ladder.
pub const ORDERS_RESERVED: usize = 1_024;
/// Resting orders that the depth test of a fill-or-kill order looks at.
pub const FOK_MAKERS_MAX: usize = 1_000;
/// The speed limit of a mark counts at most this much time in which it stood still, seconds.
pub const SPEED_ALLOWANCE_S: i64 = 60;
/// Backstop volunteers.
pub const BACKSTOPS_MAX: usize = 256;
/// Levels of margin calls.
pub const CALL_LEVELS_MAX: usize = 4;
/// Subaccounts, owners and groups that have limits or belong to a group.
pub const LIMITS_MAX: usize = 1_000_000;
/// Largest leverage that can be asked for.
pub const LEVERAGE_MAX: u16 = 1_000;
/// Buckets of the five-minute average of the mark, ten seconds each.
pub const AVERAGE_BUCKETS: usize = 30;
/// Seconds in one bucket of that average.
pub const AVERAGE_BUCKET_S: i64 = 10;
/// Longest name of an asset, index, market or account.
pub const NAME_MAX: usize = 24;
/// Positions that the settlement of markets closes in one command; the rest follow at the next.
pub const SETTLEMENTS_PER_COMMAND: usize = 256;
/// Positions whose result becomes cash in one command; the rest follow at the next.
pub const REALISATIONS_PER_COMMAND: usize = 4_096;
/// Accounts that it, or a realisation, looks at in one command to find them.
pub const SETTLEMENT_LOOKS: usize = 1 << 18;
/// Orders that it cancels in one command.
pub const SETTLEMENT_CANCELS: usize = 1_024;
/// Steps of the haircut of an asset that is delisted.
pub const DELISTING_STEPS_MAX: usize = 8;
/// Minutes of an index in which it was usable that are remembered: the longest averaging window.
pub const HISTORY_MINUTES: usize = 60;
/// Largest factor of a split.
pub const SPLIT_MAX: u32 = 1_000_000;
/// Smallest price after a split, 1e-8: rounding to the new unit then moves no price by a ten-thousandth.
pub const SPLIT_PRICE_MIN: i64 = 10_000;
/// Largest Σ value of trades that an index before its launch averages at once, 1e-16.
pub const TRADED_MAX: i128 = 1 << 120;
/// Largest tick of a market.
pub const TICK_MAX: Price = Price::whole(1_000_000);
/// Largest lot of a market.
pub const LOT_MAX: Size = Size::whole(1_000_000);
/// Longest auction of a position: an hour.
pub const AUCTION_NS_MAX: i64 = 3_600_000_000_000;
/// Owners that have a fee tier, a group or a limit.
pub const OWNERS_MAX: usize = 16_000_000;
/// Items of one batch.
pub const BATCH_MAX: usize = 64;
/// Highest fee tier of an owner; tier 0 is a market's own fees.
pub const FEE_TIERS_MAX: usize = 16;
/// Longest command in binary form, in bytes.
pub const COMMAND_BYTES_MAX: usize = 256 * 1024;
/// Steps of a liquidation map on each side of the prices of now.
pub const MAP_STEPS_MAX: u16 = 1_000;
