//! What contracts are worth, what a trade does to a position, what margin a notional needs: on paper, with whole numbers.

use super::model::Params;
use super::num::{COIN, Dir, RATE, at_rate, mul_div};

/// Signed value of `size` contracts at `price`: price × size, or −face × size ÷ price coins.
pub fn value(params: &Params, price: i128, size: i128, dir: Dir) -> i128 {
    match params.face {
        None => price * size,
        Some(face) => mul_div(-size * face, COIN, price, dir),
    }
}

/// |value|, rounded up.
pub fn notional(params: &Params, price: i128, size: i128) -> i128 {
    match params.face {
        None => price * size.abs(),
        Some(face) => mul_div(size.abs() * face, COIN, price, Dir::Up),
    }
}

/// Unrealised profit, rounded down.
pub fn upnl(params: &Params, price: i128, size: i128, cost: i128) -> i128 {
    if size == 0 {
        return -cost;
    }
    value(params, price, size, Dir::Down) - cost
}

/// Maintenance margin of a position marked at `price`, with the fee to close.
pub fn maintenance(params: &Params, price: i128, size: i128) -> i128 {
    if size == 0 {
        return 0;
    }
    if let Some(option) = &params.option {
        return option.margins(price, size, params.closing_fee).1;
    }
    let notional = notional(params, price, size);
    let said = params.form.of(size, notional, 0);
    let charge = at_rate(notional, said.maintenance, Dir::Up);
    (charge - said.deduction).max(0) + at_rate(notional, params.closing_fee, Dir::Up)
}

/// 1 ÷ leverage, rounded up; nothing when the owner chose none.
pub fn leverage_rate(leverage: i128) -> i128 {
    if leverage == 0 { 0 } else { super::num::div(RATE, leverage, Dir::Up) }
}

/// Initial margin of `size` contracts marked at `price` in a market with `interest` open, with the fee to close.
pub fn initial(params: &Params, price: i128, size: i128, leverage: i128, interest: i128) -> i128 {
    if size == 0 {
        return 0;
    }
    if let Some(option) = &params.option {
        return option.margins(price, size, params.closing_fee).0;
    }
    let notional = notional(params, price, size);
    let rate = leverage_rate(leverage).max(params.form.of(size, notional, interest).initial);
    at_rate(notional, rate, Dir::Up) + at_rate(notional, params.closing_fee, Dir::Up)
}

/// A position after a trade, and what the trade realised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    pub size: i128,
    pub cost: i128,
    pub realised: i128,
    /// Contracts closed, without sign.
    pub closed: i128,
}

/// A trade of `delta` contracts for `paid`. What closes takes its share of the old cost, and of the price where the
/// trade goes through zero, both toward zero; what opens keeps the rest of the price as its cost.
pub fn trade(size: i128, cost: i128, delta: i128, paid: i128) -> After {
    let opposite = size.signum() * delta.signum() < 0;
    if !opposite {
        return After { size: size + delta, cost: cost + paid, realised: 0, closed: 0 };
    }
    let closed = size.abs().min(delta.abs());
    let paid_closing = mul_div(paid, closed, delta.abs(), Dir::Zero);
    let cost_closing = mul_div(cost, closed, size.abs(), Dir::Zero);
    After {
        size: size + delta,
        cost: cost - cost_closing + paid - paid_closing,
        realised: -paid_closing - cost_closing,
        closed,
    }
}

/// What one 1e-8 contract is charged when a funding rate is posted, in 1e-25 of the settlement asset.
pub fn funding_step(params: &Params, mark: i128, rate: i128) -> i128 {
    match params.face {
        None => mark * rate,
        Some(face) => mul_div(face * rate, COIN, mark, Dir::Zero),
    }
}
