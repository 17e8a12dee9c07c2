//! The bounds that make `+`, `−`, price × size and a sum over a subaccount safe.
//!
//! The argument: |price| and |size| are below 2⁶³, so their product is below 2¹²⁶ and fits an `i128`. A position is
//! accepted only while its notional is at most 2¹⁰⁶ units (8.1e15 of the quote), and any money in state is at most
//! 2¹¹⁶. A subaccount holds at most 2⁸ terms of that size, so a sum over it is below 2¹²⁴, and a rate of at most 100
//! (2³⁷ units) is applied by `mul_rate`, which splits the money into a whole part and a remainder. Nothing wraps,
//! nothing saturates; a value outside is refused at the door.

/// Digits after the point of a price.
pub const PRICE_DECIMALS: u32 = 8;
/// Digits after the point of a size.
pub const SIZE_DECIMALS: u32 = 8;
/// Digits after the point of an amount of money.
pub const MONEY_DECIMALS: u32 = 16;
/// Digits after the point of a rate.
pub const RATE_DECIMALS: u32 = 9;
/// One, as a rate.
pub const RATE_ONE: i64 = 1_000_000_000;
/// The largest rate: 100, that is 10,000 %.
pub const RATE_MAX: i64 = 100 * RATE_ONE;
/// The largest notional of one position, in units of 1e-16.
pub const NOTIONAL_MAX: i128 = 1 << 106;
/// The largest amount of money in state, in units of 1e-16.
pub const MONEY_MAX: i128 = 1 << 116;
/// The longest decimal text that is read.
pub const TEXT_MAX: usize = 48;
