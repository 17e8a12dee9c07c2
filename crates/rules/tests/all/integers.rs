//! The forms against the integer arithmetic of the venues that have them, over random figures.
//!
//! Each test counts in the venue's own units (a millionth of the quote, a billionth of a base, parts per million) with plain integer
//! division, as `rulebooks/<venue>/SOURCE.md` says it, and wants the same integer from the rule. No function of ours is used on that side.

use plimsoll_rules::*;
use proptest::collection::vec;
use proptest::prelude::*;
use units::{Money, Price, Rate, Round, Size};

const ONE: i128 = 10_000_000_000_000_000;
const MILLION: i128 = 1_000_000;
const BILLION: i128 = 1_000_000_000;

/// A price from a count of millionths, per contract of `parts` of a base.
fn price(micros: i128, parts: i128) -> Price {
    assert_eq!(micros * 100 % parts, 0);
    Price::new(i64::try_from(micros * 100 / parts).unwrap()).unwrap()
}
fn micros(amount: i128) -> Money {
    Money::new(amount * ONE / MILLION).unwrap()
}
/// A rate from a count of parts per million.
fn ppm(parts: i128) -> Rate {
    Rate::new(i64::try_from(parts * 1_000).unwrap()).unwrap()
}
fn size(units: i128) -> Size {
    Size::new(i64::try_from(units).unwrap()).unwrap()
}
/// Ours in its own units, which must be whole.
fn count(amount: Money, per_one: i128) -> i128 {
    assert_eq!(amount.units() % (ONE / per_one), 0, "finer than the venue counts");
    amount.units() / (ONE / per_one)
}
fn ceil(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}
/// Bases of 1e-9 as contracts of 0.1 base, so that its unit is one of 1e-8 contract.
const TENTH: i128 = 10;
/// A millionth of the quote per contract of 0.1 base.
fn tick() -> Price {
    Price::new(10).unwrap()
}

/// BTC at 50,000 and ETH at 3,000 in 1e-8, initial 20 %, maintenance half of it: signed value and maintenance in millionths.
fn value(price: i128, units: i128) -> i128 {
    units * price * MILLION / 100_000_000
}
fn maintenance(price: i128, units: i128) -> i128 {
    ceil(ceil(value(price, units.abs()) * 200_000, MILLION) * 500_000, MILLION)
}
fn ours(price: i128, units: i128) -> (Money, Money) {
    let mark = Price::new(i64::try_from(price * 100_000_000).unwrap()).unwrap();
    let value = value_at_decimals(Contract::Linear, mark, size(units), 6).unwrap();
    let margin = fraction_margin(value.abs(), ppm(200_000), ppm(200_000), ppm(500_000), 6).unwrap();
    (value, margin.maintenance)
}

/// From 1 to 10 to the power of `digits`, with an even spread of magnitudes.
fn any_up_to(digits: u32) -> impl Strategy<Value = i128> {
    (0..digits, 1i128..10, 0i128..MILLION).prop_map(|(digits, first, rest)| {
        let power = 10i128.pow(digits);
        power * first + power * rest / MILLION
    })
}

fn lots() -> impl Strategy<Value = Vec<(i128, i128)>> {
    vec((1i128..40, 1i128..60), 0..5)
}
/// Tenths of a contract at whole prices.
fn in_tenths(lots: &[(i128, i128)]) -> Vec<Lot> {
    lots.iter().map(|&(units, at)| (size(units * 10_000_000), price(at * MILLION, 1))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn dydx_initial_margin_follows_open_interest(
        notional in any_up_to(15), base in 1i128..=MILLION, fraction in 1i128..=MILLION,
        open in 0i128..300_000_000_000_000, lower in 0i128..100_000_000_000_000, range in 1i128..100_000_000_000_000,
    ) {
        let upper = lower + range;
        let rate = match open {
            open if open <= lower => base,
            open if open >= upper => MILLION,
            open => base + (MILLION - base) * (open - lower) / range,
        };
        let ladder = OpenInterestLadder {
            initial: ppm(base), fraction: ppm(fraction), lower: micros(lower), upper: micros(upper),
        };
        let terms = Ladder::OpenInterest(ladder).at(Size::ZERO, micros(notional), micros(open)).unwrap();
        let margin = fraction_margin(micros(notional), terms.initial, ppm(base), ppm(fraction), 6).unwrap();
        prop_assert_eq!(count(margin.initial, MILLION), ceil(notional * rate, MILLION));
        prop_assert_eq!(count(margin.maintenance, MILLION), ceil(ceil(notional * base, MILLION) * fraction, MILLION));
        prop_assert_eq!(terms.maintenance, ppm(base * fraction / MILLION));
    }

    #[test]
    fn dydx_parts_bear_their_share_and_the_fund_the_rest(
        first in -1_000_000_000i128..1_000_000_000, second in -1_000_000_000i128..1_000_000_000, closed in 1i128..=1_000,
        over in -1_000i128..2_000, at in 1i128..100_000, most in 0i128..=MILLION,
    ) {
        prop_assume!(first.abs() > 1_000);
        let (equity, held) = ((value(50_000, first) + value(3_000, second)), maintenance(50_000, first) + maintenance(3_000, second));
        let cash = held * over / 1_000 - equity;
        let delta = -first * closed / 1_000;
        prop_assume!(delta != 0);
        let after = first + delta;
        let freed = (maintenance(50_000, after) - maintenance(50_000, first)).abs();
        let quote = value(50_000, first) - value(50_000, after) - ((cash + equity) * freed).div_euclid(held);
        let filled = -delta * at * MILLION / 100_000_000;
        let left = filled - quote;
        let gained = if left <= 0 { left } else { (filled.abs() * most / MILLION).min(left) };

        let [(value_before, maintenance_before), (value_after, maintenance_after)] = [first, after].map(|units| ours(50_000, units));
        let (other_value, other_maintenance) = ours(3_000, second);
        let account = AccountMargin {
            equity: micros(cash) + value_before + other_value, maintenance: maintenance_before + other_maintenance,
        };
        let part = PartClose { value_before, value_after, maintenance_before, maintenance_after };
        let bankrupt = part_bankruptcy(&account, &part, 6).unwrap();
        prop_assert_eq!(count(bankrupt, MILLION), quote);
        let fund = insurance_delta(micros(filled), bankrupt, ppm(most), 6).unwrap();
        prop_assert_eq!(count(fund, MILLION), gained);
    }

    #[test]
    fn drift_size_covers_a_shortage(
        shortage in any_up_to(10), ratio in 1i128..5_000, fee in 0i128..40_000, fund in 0i128..40_000,
        oracle in any_up_to(11), quote in 900_000i128..1_100_000,
    ) {
        let freed = oracle * quote / MILLION * (ratio * 100 - fee) / MILLION - oracle * fund / MILLION;
        let wanted = if ratio * 100 <= fee || freed <= 0 { None } else { Some(shortage * BILLION / freed) };
        prop_assume!(wanted.is_none_or(|base| base < 1 << 62));
        let terms = ClosingTerms { margin: ppm(ratio * 100), liquidator_fee: ppm(fee), fund_fee: ppm(fund) };
        let size = size_to_cover(micros(shortage), price(oracle, TENTH), price(quote, 1), &terms, tick());
        prop_assert_eq!(size.map(|size| i128::from(size.units())), wanted);
    }

    #[test]
    fn drift_debts_cover_a_shortage_and_pay_the_fund(
        shortage in any_up_to(10), asset in 1i128..12_000, debt in 8_000i128..20_000, gives in 900_000i128..1_200_000,
        takes in 800_000i128..1_100_000, oracle in any_up_to(11), fund in 0i128..40_000, decimals in 6u32..=9,
        tokens in any_up_to(12), most in 0i128..100_000,
    ) {
        let unit = 10i128.pow(decimals);
        let terms = ExchangeTerms {
            asset_weight: ppm(asset * 100), asset_multiplier: ppm(gives), debt_weight: ppm(debt * 100), debt_multiplier: ppm(takes),
        };
        let lost = asset * 10 * gives / takes;
        let freed = oracle * (debt * 10 - lost) - oracle * fund / MILLION * debt * 10;
        let wanted = if asset >= debt || lost >= debt * 10 || freed <= 0 {
            None
        } else {
            Some((shortage * unit / MILLION * 100_000_000_000 / freed).max(1))
        };
        let ours = terms.debt_to_cover(micros(shortage), price(oracle, 1), ppm(fund), price(1, 1), decimals);
        // The venue's first product is exact only from six decimals on, which is all that there are.
        prop_assert_eq!(ours.map(|debt| count(debt, unit)), wanted);

        let left = (debt * 100 - asset * 100 * gives / takes - shortage * MILLION * unit / tokens / oracle).max(0);
        let fee = (left * MILLION / (debt * 100)).min(most);
        let owed = Money::new(tokens * ONE / unit).unwrap();
        prop_assert_eq!(terms.fund_fee(micros(shortage), owed, price(oracle, 1), ppm(most)), ppm(fee));
    }

    #[test]
    fn drift_assets_are_exchanged_for_debts(
        amount in any_up_to(12), rest in 0i128..2_000_000, gives in 900_000i128..1_200_000, takes in 800_000i128..1_100_000,
        asset_price in any_up_to(10), debt_price in any_up_to(10), asset_decimals in 5u32..=9, debt_decimals in 5u32..=9,
    ) {
        let terms = ExchangeTerms { asset_multiplier: ppm(gives), debt_multiplier: ppm(takes), ..ExchangeTerms::default() };
        let [asset_unit, debt_unit] = [asset_decimals, debt_decimals].map(|decimals| 10i128.pow(decimals));
        let of = |units: i128, unit: i128| Money::new(units * (ONE / unit)).unwrap();
        let prices = (price(debt_price, 1), price(asset_price, 1));
        // An asset for a debt: down, at least one unit, all of it when less than 1 of the quote is left.
        let (part, whole) = (debt_price * gives, asset_price * takes);
        let asset = mul(amount, asset_unit, part, debt_unit, whole, Round::Down).max(1);
        prop_assume!(asset < 1 << 90);
        let held = asset + rest;
        let wanted = if rest * asset_price / asset_unit < MILLION { held } else { asset };
        let ours = terms.asset_for_debt(of(amount, debt_unit), prices, of(held, asset_unit), Money::whole(1), asset_decimals);
        prop_assert_eq!(count(ours.unwrap(), asset_unit), wanted);
        // A debt for an asset: up.
        let repaid = mul(amount, debt_unit, whole, asset_unit, part, Round::Up);
        prop_assume!(repaid < 1 << 90);
        let ours = terms.debt_for_asset(of(amount, asset_unit), prices.1, prices.0, debt_decimals);
        prop_assert_eq!(count(ours.unwrap(), debt_unit), repaid);
    }

    #[test]
    fn drift_exchanges_repay_what_is_promised(
        asset in any_up_to(12), near in 0i128..5, gives in 900_000i128..1_200_000, takes in 800_000i128..1_100_000,
        asset_price in any_up_to(8), debt_price in any_up_to(8), asset_decimals in 5u32..=9, debt_decimals in 6u32..=9,
    ) {
        let [asset_unit, debt_unit] = [asset_decimals, debt_decimals].map(|decimals| 10i128.pow(decimals));
        let ideal = mul(asset, debt_unit, asset_price * takes, asset_unit, debt_price * gives, Round::Down);
        prop_assume!(ideal < 1 << 70);
        let repaid = (ideal + near - 3).max(1);
        let wanted = repaid * MILLION / debt_unit * asset_unit / asset >= asset_price * MILLION * takes / debt_price / gives;
        let terms = ExchangeTerms { asset_multiplier: ppm(gives), debt_multiplier: ppm(takes), ..ExchangeTerms::default() };
        let of = |units: i128, unit: i128| Money::new(units * (ONE / unit)).unwrap();
        let ours = terms.is_within(of(asset, asset_unit), of(repaid, debt_unit), price(asset_price, 1), price(debt_price, 1));
        prop_assert_eq!(ours, wanted);
    }

    #[test]
    fn drift_weights_move_with_the_root(units in any_up_to(18), factor in 0i128..200_000, weight in 1_000i128..15_000) {
        let root = i128::try_from((units * 10 + 1).unsigned_abs().isqrt()).unwrap();
        let debt = weight.max(weight - weight / 5 + root * factor / 10_000_000);
        let asset = weight.min(11_000_000_000 / (MILLION + root * factor / 100_000));
        let of = RootWeight { weight: ppm(weight * 100), factor: ppm(factor) };
        let amount = Money::new(units * (ONE / BILLION)).unwrap();
        prop_assert_eq!(of.of_asset(amount), ppm(asset * 100));
        prop_assert_eq!(of.of_debt(amount), (debt <= MILLION).then(|| ppm(debt * 100)));
    }

    #[test]
    fn drift_funds_take_of_what_is_left_and_losses_are_shared(
        shortage in any_up_to(10), base in any_up_to(13), ratio in 1i128..5_000, fee in 0i128..60_000,
        oracle in any_up_to(11), quote in 900_000i128..1_100_000, most in 0i128..100_000, short in any_up_to(13),
    ) {
        let worth = oracle * quote / MILLION;
        let each = shortage * BILLION / base;
        let short_of = if worth == 0 { MILLION } else { each * MILLION / worth };
        let wanted = ((ratio * 100 - fee - short_of).max(0) * 95 / 100).min(most);
        let rule = FundFeeRule { margin: ppm(ratio * 100), liquidator_fee: ppm(fee), taken: ppm(950_000), most: ppm(most) };
        let ours = rule.rate(micros(shortage), size(base), price(oracle, TENTH), price(quote, 1), tick());
        prop_assert_eq!(ours, ppm(wanted));
        let shared = loss_per_contract(micros(shortage), size(base), size(-short), tick());
        let wanted = ceil(shortage * BILLION, base + short) * 10;
        prop_assert_eq!(shared.map(|each| i128::from(each.units())), Some(wanted).filter(|each| i64::try_from(*each).is_ok()));
    }

    #[test]
    fn drift_funding_is_the_spread_in_parts(index in any_up_to(11), more in -60i128..60, offset in 0u32..6_000) {
        let mark = index + index * more / 1_000;
        let added = if offset == 0 { 0 } else { index / i128::from(offset) };
        let spread = (mark - index + added).min(index / 33).max(-(index / 33));
        let rule = SpreadRule { offset_divisor: offset, most_divisor: 33, periods: 24, tick: price(1, 1) };
        let step = rule.step(price(mark, 1), price(index, 1), 100_000_000).unwrap();
        prop_assert_eq!(step, spread * 1_000 / 24 * 100_000_000);
    }

    #[test]
    fn vega_orders_hold_the_worse_side(position in -80i128..80, buys in lots(), sells in lots(), factor in 1i128..=MILLION, auction in 0i128..60) {
        let side = |mut lots: Vec<(i128, i128)>, mut reducing: i128, best: i128| {
            lots.sort_by_key(|lot| lot.1 * best);
            lots.iter().map(|&(units, at)| {
                let free = units.min(reducing);
                reducing -= free;
                (units - free) * at.max(auction)
            }).sum::<i128>()
        };
        let wanted = side(buys.clone(), (-position).max(0), -1).max(side(sells.clone(), position.max(0), 1)) * factor / 10 / MILLION;
        let of = size(position * 10_000_000);
        let ours = isolated_order_margin(of, (&in_tenths(&buys), &in_tenths(&sells)), ppm(factor), price(auction * MILLION, 1), 0);
        prop_assert_eq!(count(ours.unwrap(), 1), wanted);
    }

    #[test]
    fn vega_margin_moves_with_the_position(
        before in -40i128..40, fills in vec((1i128..20, 1i128..40), 1..4), buy in any::<bool>(), balance in 0i128..2_000, mark in 1i128..40,
        factor in 1i128..=MILLION,
    ) {
        let units: i128 = fills.iter().map(|fill| fill.0).sum();
        let worth: i128 = fills.iter().map(|fill| fill.0 * fill.1).sum();
        let after = if buy { before + units } else { before - units };
        let held = |value: i128| value * factor / 10 / MILLION;
        let wanted = if before * after < 0 {
            let mut opens = after.abs();
            let opened: i128 = fills.iter().rev().map(|&(units, at)| {
                let part = units.min(opens);
                opens -= part;
                part * at
            }).sum();
            let net = balance - held(opened);
            if net < 0 { IsolatedTransfer::ToMargin(Money::new(-net * ONE).unwrap()) } else { IsolatedTransfer::Release(Money::new(net * ONE).unwrap()) }
        } else if after.abs() > before.abs() {
            IsolatedTransfer::ToMargin(Money::new(held(worth) * ONE).unwrap())
        } else {
            let tenths = (balance * 10 + before * (worth / units - mark)).max(0);
            IsolatedTransfer::Release(Money::new(tenths * units / (10 * before.abs()) * ONE).unwrap())
        };
        let position = IsolatedPosition { size: size(before * 10_000_000), balance: Money::new(balance * ONE).unwrap(), mark: price(mark * MILLION, 1) };
        let ours = position.transfer(size(after * 10_000_000), &in_tenths(&fills), ppm(factor), (price(MILLION, 1), 0));
        prop_assert_eq!(ours, Some(wanted));
    }

    #[test]
    fn vega_maintenance_is_the_worse_side_in_whole_units(
        position in -500i128..500, buys in 0i128..300, sells in 0i128..300, mark in 1i128..1_000_000, slippage in 0i128..500_000,
        long in 1i128..400_000, short in 1i128..400_000, factor in 100_000i128..500_000,
    ) {
        let side = |held: i128, orders: i128, risk: i128| mark * held * slippage + (held + orders) * risk * mark;
        let of_long = if position + buys > 0 { side(position.max(0), buys, long) } else { 0 };
        let of_short = if position - sells < 0 { side((-position).max(0), sells, short) } else { 0 };
        let wanted = ceil(of_long.max(of_short), 100 * MILLION);
        let rule = SlippageRule { linear: ppm(slippage), risk_long: ppm(long), risk_short: ppm(short), ..SlippageRule::default() };
        let [position, buys, sells] = [position, buys, sells].map(|units| size(units * MILLION));
        let of = WithOrders { size: position, buys, sells };
        let ours = rule.maintenance(price(mark * MILLION, 1), &of, Price::ZERO, 0).unwrap();
        prop_assert_eq!(count(ours, 1), wanted);
        let level = level_above(ours, Rate::new(i64::try_from(factor * 10_000).unwrap()).unwrap(), 0).unwrap();
        prop_assert_eq!(count(level, 1), wanted * factor / 100_000);
    }
}

/// amount × a × b ÷ (c × d) of numbers above zero, which may need more than 128 bits on the way: long division by hand.
fn mul(amount: i128, a: i128, b: i128, c: i128, d: i128, round: Round) -> i128 {
    // a and c are powers of ten: one of them divides out.
    let (a, c) = if a >= c { (a / c, 1) } else { (1, c / a) };
    let (top, bottom) = (amount * a, c * d);
    // top × b ÷ bottom = (top ÷ bottom) × b + (top mod bottom) × b ÷ bottom, each in range.
    let (whole, rest) = ((top / bottom) * b, (top % bottom).checked_mul(b));
    match (rest, round) {
        (Some(rest), Round::Up) => whole + ceil(rest, bottom),
        (Some(rest), _) => whole + rest / bottom,
        (None, _) => 1 << 100,
    }
}
