//! What must hold for every input.

use crate::number::rows;
use plimsoll_rules::*;
use proptest::collection::vec;
use proptest::prelude::*;
use units::{Money, Price, Rate, Round, Size};

fn price(units: i64) -> Price {
    Price::new(units).unwrap()
}
fn rate(units: i64) -> Rate {
    Rate::new(units).unwrap()
}

/// A count with an even spread of magnitudes.
fn magnitude(digits: std::ops::Range<u32>) -> impl Strategy<Value = i64> {
    (digits, 1i64..10, 0i64..1_000_000).prop_map(|(digits, first, rest)| {
        let power = 10i64.pow(digits);
        power * first + i64::try_from(i128::from(power) * i128::from(rest) / 1_000_000).unwrap()
    })
}

fn ladders() -> impl Strategy<Value = Ladder> {
    let step = (magnitude(0..8), 1_000_000i64..200_000_000);
    vec(step, 1..6).prop_map(|steps| {
        let (mut cap, mut total) = (Money::ZERO, 0);
        let steps: Vec<_> = steps
            .into_iter()
            .map(|(more, rise)| {
                (cap, total) = (cap + Money::whole(more), (total + rise).min(1_000_000_000));
                (cap, Rate::ONE, rate(total))
            })
            .collect();
        Ladder::Tiers(TierTable::derive(&steps).unwrap())
    })
}

#[derive(Clone, Debug)]
struct Account {
    contract: Contract,
    size: Size,
    cost: Money,
    ladder: Ladder,
    closing_fee: Rate,
    mark: Price,
    wallet: Money,
    index_price: Price,
    haircut: Rate,
    slices: [HaircutTier; HAIRCUT_TIERS_MAX],
    other: Money,
    rule: LineRule,
}

impl Account {
    fn line(&self) -> Line<'_> {
        Line {
            contract: self.contract,
            size: self.size,
            cost: self.cost,
            opposite: (Size::ZERO, Money::ZERO),
            ladder: &self.ladder,
            closing_fee: self.closing_fee,
            mark: self.mark,
            wallet: self.wallet,
            index_price: self.index_price,
            haircuts: Haircuts { first: self.haircut, tiers: &self.slices },
            other: self.other,
            rule: self.rule,
        }
    }
}

/// Positions of up to some ten billions, entered near the mark, with up to 1.5 times their notional beside them.
fn accounts(long: bool) -> impl Strategy<Value = Account> {
    let contract =
        prop_oneof![Just(Contract::Linear), Just(Contract::Inverse { face: 1 }), Just(Contract::Inverse { face: 100 })];
    let position = (contract, magnitude(3..13), magnitude(0..9), 700_000_000i64..1_300_000_000);
    let collateral = (-200_000_000i64..1_500_000_000, -50_000_000i64..500_000_000, 1i64..=1_000_000_000);
    let terms = (prop_oneof![Just(100_000_000i64), magnitude(4..13)], 0i64..2_000_000, any::<bool>());
    // A second and a third slice begin at these shares of the notional; the third counts half of the second, or nothing.
    let terms = (terms, prop::option::of((1i64..600_000_000, 0i64..=1_000_000_000, any::<bool>())));
    (position, collateral, terms, ladders()).prop_map(move |(position, collateral, terms, ladder)| {
        let (contract, mark, size, entry) = position;
        let (mark, size) = (price(mark), Size::new(if long { size } else { -size }).unwrap());
        let entry = mark.scale(rate(entry - 1_000_000_000), Round::Up).unwrap();
        let cost = contract.value(entry, size, Round::TowardZero).unwrap();
        let notional = contract.notional(mark, size).unwrap();
        let (terms, further) = terms;
        let index_price = price(terms.0);
        let mut slices = [HaircutTier::default(); HAIRCUT_TIERS_MAX];
        if let Some((from, share, counts)) = further {
            let above = notional.mul_rate(rate(from), Round::Up).max(Money::UNIT);
            let second = rate(collateral.2).units() * (share / 1_000) / 1_000_000;
            slices[0] = HaircutTier { above, haircut: rate(second) };
            let third = if counts { second / 2 } else { 0 };
            slices[1] = HaircutTier { above: above + above, haircut: rate(third) };
        }
        Account {
            contract,
            size,
            cost,
            ladder,
            closing_fee: rate(terms.1),
            mark,
            wallet: notional.mul_rate(rate(collateral.0), Round::Down),
            index_price,
            haircut: rate(collateral.2),
            slices,
            other: notional
                .mul_rate(rate(collateral.1), Round::Down)
                .at_index(index_price, Rate::ONE, Round::Down)
                .unwrap(),
            rule: if terms.2 { LineRule::Below } else { LineRule::At },
        }
    })
}

/// Prices from the mark outward to `end`, each a fifteenth farther: a coarse scan.
fn grid(mark: Price, end: i64) -> Vec<Price> {
    let (low, high) = (mark.units().min(end), mark.units().max(end));
    let farther = |&units: &i64| {
        let next = if end < units { units - units / 16 - 1 } else { units.saturating_add(units / 15 + 1) };
        (units != end).then_some(next.clamp(low, high))
    };
    std::iter::successors(Some(mark.units()), farther).map(price).collect()
}

/// The first price of the scan that is clearly below the line, and whether all after it are.
fn check_side(account: &Account, found: LiquidationPrice, end: i64, toward_mark: i64) -> Result<(), TestCaseError> {
    let line = account.line();
    let slack = line.rounding();
    let beyond = |p: Price, crossing: Price| (p.units() - crossing.units()) * toward_mark <= 0;
    if let LiquidationPrice::At(crossing) = found {
        // I-13, exactly.
        let better = price(crossing.units() + toward_mark);
        prop_assert!(line.rule.is_below(line.headroom(crossing).unwrap()), "not below at {crossing}");
        prop_assert!(!line.rule.is_below(line.headroom(better).unwrap()), "below at {better} already");
        prop_assert!(beyond(crossing, line.mark) && crossing != line.mark);
    }
    for p in grid(line.mark, end) {
        let Some(headroom) = line.headroom(p) else { continue };
        match found {
            LiquidationPrice::At(crossing) if beyond(p, crossing) => {
                prop_assert!(headroom <= slack, "{headroom} at {p}, beyond {crossing}");
            }
            _ => prop_assert!(headroom >= -slack, "{headroom} at {p}, before {found:?}"),
        }
    }
    Ok(())
}

fn check_liquidation_prices(account: &Account) -> Result<(), TestCaseError> {
    let line = account.line();
    let found = liquidation_prices(&line);
    let headroom = line.headroom(line.mark).expect("figures are in bounds");
    if line.rule.is_below(headroom) {
        let already = LiquidationPrice::AlreadyBelow;
        prop_assert_eq!(found, LiquidationPrices { below: already, above: already });
        return Ok(());
    }
    check_side(account, found.below, 1, 1)?;
    check_side(account, found.above, line.mark.units().saturating_mul(1_000_000), -1)
}

/// Maintenance as a sum of slices, tier by tier. Unit: 1e-25, exact.
fn sliced_maintenance(ladder: &Ladder, notional: Money, fee: Rate) -> i128 {
    let slice = |tier: &Tier| {
        let last = Some(tier.cap) == ladder.cap();
        let top = if last { notional } else { notional.min(tier.cap) };
        (top - tier.floor).max(Money::ZERO).units() * i128::from(tier.maintenance_rate.units())
    };
    let charged: i128 = rows(ladder).iter().map(slice).sum();
    charged + notional.units() * i128::from(fee.units())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_long_is_below_its_line_at_its_liquidation_prices_and_not_before(account in accounts(true)) {
        check_liquidation_prices(&account)?;
    }

    #[test]
    fn a_short_is_below_its_line_at_its_liquidation_prices_and_not_before(account in accounts(false)) {
        check_liquidation_prices(&account)?;
    }

    #[test]
    fn a_trigger_lowered_by_the_rounding_misses_nobody(account in accounts(true), flip in any::<bool>()) {
        let mut account = account;
        if flip {
            (account.size, account.cost) = (-account.size, -account.cost);
        }
        let line = account.line();
        let early = liquidation_prices(&Line { other: line.other - line.rounding(), ..line });
        for (found, toward_mark) in [(early.below, 1), (early.above, -1)] {
            let LiquidationPrice::At(trigger) = found else { continue };
            for distance in 1..2_000 {
                let p = price(trigger.units() + distance * toward_mark);
                if (line.mark.units() - p.units()) * toward_mark < 0 {
                    break;
                }
                prop_assert!(!line.rule.is_below(line.headroom(p).unwrap()), "below at {p}, trigger {trigger}");
            }
        }
    }

    #[test]
    fn maintenance_is_the_sum_of_its_slices(tiers in ladders(), mark in magnitude(3..13), size in magnitude(0..9), fee in 0i64..2_000_000) {
        let fee = rate(fee);
        let size = Size::new(size).unwrap();
        let terms = maintenance_margin(Contract::Linear, price(mark), size, &tiers, fee).unwrap();
        let exact = sliced_maintenance(&tiers, terms.notional, fee);
        let over = terms.required.units() * 1_000_000_000 - exact;
        // Charge and fee round up, each deduction down: never less than exact, at most one unit each more.
        prop_assert!((0..8_000_000_000).contains(&over), "{over}");
    }

    #[test]
    fn headroom_is_what_a_slow_sum_says(account in accounts(true), flip in any::<bool>()) {
        let mut account = account;
        if flip {
            (account.size, account.cost) = (-account.size, -account.cost);
        }
        let (line, one) = (account.line(), 1e16);
        let float = |money: Money| money.units() as f64 / one;
        let index = line.index_price.units() as f64 / 1e8;
        let amount = float(line.wallet) + float(line.contract.upnl(line.mark, line.size, line.cost).unwrap());
        let share = |rate: Rate| rate.units() as f64 / 1e9;
        let [second, third, ..] = account.slices;
        let ends = [float(second.above), float(third.above)].map(|end| if end > 0.0 { end } else { f64::MAX });
        let counted = amount.min(ends[0]) * if amount > 0.0 { share(line.haircuts.first) } else { 1.0 }
            + (amount.min(ends[1]) - ends[0]).max(0.0) * share(second.haircut)
            + (amount - ends[1]).max(0.0) * share(third.haircut);
        let notional = line.contract.notional(line.mark, line.size).unwrap();
        let held = sliced_maintenance(line.ladder, notional, line.closing_fee) as f64 / 1e25;
        let slow = counted * index + float(line.other) - held * index;
        let scale = (amount.abs() + float(notional)) * index + float(line.other.abs());
        prop_assert!((float(line.headroom(line.mark).unwrap()) - slow).abs() <= scale * 1e-12 + 1e-14 * (1.0 + index));
    }

    #[test]
    fn nothing_is_left_at_the_bankruptcy_price(account in accounts(true), flip in any::<bool>()) {
        let (mut size, mut cost) = (account.size, account.cost);
        if flip {
            (size, cost) = (-size, -cost);
        }
        let equity = |p: Price| account.wallet + account.contract.upnl(p, size, cost).unwrap();
        let worse = if flip { 1 } else { -1 };
        match bankruptcy_price(account.contract, size, cost, account.wallet) {
            Bankruptcy::At(p) => {
                prop_assert!(!equity(p).is_negative());
                if p.units() + worse > 0 {
                    prop_assert!(equity(price(p.units() + worse)).is_negative());
                }
            }
            // A long is good, or a short not, at every price; or an inverse short is covered.
            Bankruptcy::None => {
                let signs = [1, account.mark.units(), i64::MAX].map(|units| equity(price(units)).is_negative());
                prop_assert!(signs == [false; 3] || signs == [true; 3], "{signs:?}");
            }
        }
    }

    #[test]
    fn the_index_has_half_of_the_weight_on_either_side(sources in vec((100i64..1_000, 0u32..9), 1..=SOURCES_MAX), turn in 0usize..16) {
        let sources: Vec<Source> = sources.into_iter().map(|(p, weight)| Source { price: price(p), weight }).collect();
        let rule = IndexRule { quorum: 1, max_deviation: rate(100_000_000_000) };
        let Some(found) = index_price(&sources, &rule) else {
            prop_assert!(sources.iter().all(|source| source.weight == 0));
            return Ok(());
        };
        let weight = |side: &dyn Fn(Price) -> bool| -> u32 {
            sources.iter().filter(|source| side(source.price)).map(|source| source.weight).sum()
        };
        let total = weight(&|_| true);
        prop_assert!(2 * weight(&|p| p < found.price) <= total);
        prop_assert!(2 * weight(&|p| p > found.price) <= total);
        // In any order; and a source of weight w counts as w sources.
        let mut turned = sources.clone();
        turned.rotate_left(turn % sources.len());
        let facts = |index: plimsoll_rules::IndexPrice| (index.price, index.agreeing, index.quorum);
        prop_assert_eq!(index_price(&turned, &rule).map(facts), Some(facts(found)));
        prop_assert_eq!(found.agreed.count_ones(), u32::from(found.agreeing));
        let split: Vec<Source> = sources.iter().flat_map(|s| vec![Source { weight: 1, ..*s }; s.weight as usize]).collect();
        if split.len() <= SOURCES_MAX {
            prop_assert_eq!(index_price(&split, &rule).map(|index| index.price), Some(found.price));
        }
    }

    #[test]
    fn the_index_stands_among_the_sources_that_agree(sources in vec((900i64..1_100, 1u32..9), 1..=SOURCES_MAX), width in 0i64..200_000_000) {
        let sources: Vec<Source> = sources.into_iter().map(|(p, weight)| Source { price: price(p), weight }).collect();
        let rule = IndexRule { quorum: 3, max_deviation: rate(width) };
        let all = index_price(&sources, &IndexRule { max_deviation: rate(100_000_000_000), ..rule }).unwrap().price;
        let found = index_price(&sources, &rule).unwrap();
        let near: Vec<i64> = sources
            .iter()
            .map(|source| source.price.units())
            .filter(|units| i128::from((units - all.units()).abs()) * 1_000_000_000 <= i128::from(all.units()) * i128::from(width))
            .collect();
        prop_assert_eq!(usize::from(found.agreeing), near.len());
        prop_assert_eq!(found.quorum, near.len() >= 3);
        if let (Some(low), Some(high)) = (near.iter().min(), near.iter().max()) {
            prop_assert!((*low..=*high).contains(&found.price.units()));
        }
    }

    #[test]
    fn the_median_of_three_is_the_sorted_middle(a in any::<i32>(), b in any::<i32>(), c in any::<i32>()) {
        let mut sorted = [a, b, c];
        sorted.sort_unstable();
        prop_assert_eq!(median3(Price::whole(a), Price::whole(b), Price::whole(c)), Price::whole(sorted[1]));
    }

    #[test]
    fn clamps_hold_and_leave_what_is_inside(p in magnitude(0..15), around in magnitude(0..15), width in 0i64..1_000_000_000, elapsed in 0i64..20_000_000_000) {
        let (one, a128, w) = (1_000_000_000i128, i128::from(around), i128::from(width));
        let held = band(price(p), price(around), rate(width));
        let far = |units: i64| (i128::from(units) - a128).abs() * one > a128 * w;
        prop_assert!(!far(held.units()));
        prop_assert!(far(p) || held == price(p));
        let slow = speed_limit(price(p), price(around), rate(width), elapsed);
        let fast = |units: i64| (i128::from(units) - a128).abs() * one * one > a128 * w * i128::from(elapsed);
        prop_assert!(!fast(slow.units()));
        prop_assert!(fast(p) || slow == price(p));
        // Toward the price as far as allowed: one unit more would be too fast.
        let further = slow.units() + (p - around).signum();
        prop_assert!(slow == price(p) || fast(further) || slow.units() == 1);
    }

    #[test]
    fn funding_between_longs_and_shorts_sums_to_minus_the_residue(
        sizes in vec(-1_000_000_000_000i64..1_000_000_000_000, 1..20), mark in magnitude(3..14),
        funding in -1_000_000_000i64..1_000_000_000, inverse in any::<bool>(),
    ) {
        let contract = if inverse { Contract::Inverse { face: 10 } } else { Contract::Linear };
        let step = funding_index_step(contract, price(mark), rate(funding)).unwrap();
        // The last account takes the other side of all others.
        let last = -sizes.iter().sum::<i64>();
        let payments: Vec<Payment> =
            sizes.iter().chain([&last]).map(|&size| funding_payment(Size::new(size).unwrap(), step).unwrap()).collect();
        let paid: i128 = payments.iter().map(|payment| payment.amount.units()).sum();
        let residue: i128 = payments.iter().map(|payment| payment.residue).sum();
        prop_assert_eq!(paid * 1_000_000_000 + residue, 0);
        prop_assert!(payments.iter().all(|payment| (0..1_000_000_000).contains(&payment.residue)));
        // Longs pay when the rate is positive.
        let long = funding_payment(Size::whole(1), step).unwrap().amount;
        let received = if funding > 0 { long } else { -long };
        prop_assert!(!received.is_positive());
    }

    #[test]
    fn a_wide_payment_is_exact(size in any::<i64>(), step in any::<i128>(), narrow in 0u32..64) {
        // Together some 2¹⁴⁴, so that the amount is just in bounds.
        let size = Size::new(size >> narrow).unwrap_or(Size::ZERO);
        let step = step >> (46 - narrow.min(46));
        let Some(payment) = funding_payment(size, step) else { return Ok(()) };
        // Both sides modulo 2¹²⁸: wrapping arithmetic keeps equality.
        let exact = i128::from(size.units()).wrapping_neg().wrapping_mul(step);
        prop_assert_eq!(payment.amount.units().wrapping_mul(1_000_000_000).wrapping_add(payment.residue), exact);
        prop_assert!((0..1_000_000_000).contains(&payment.residue));
    }

    #[test]
    fn a_funding_rate_follows_the_premium_within_its_bounds(
        low in -50_000_000i64..50_000_000, more in 0i64..50_000_000, interest in -1_000_000i64..1_000_000,
        clamp in 0i64..1_000_000, cap in 0i64..50_000_000,
    ) {
        let rule = FundingRule { interval_ns: 1, interest: rate(interest), clamp: rate(clamp), cap: rate(cap), floor: rate(-cap) };
        let (one, other) = (funding_rate(rate(low), &rule), funding_rate(rate(low + more), &rule));
        prop_assert!(one <= other && other.units() - one.units() <= more);
        prop_assert!(one >= rule.floor && one <= rule.cap);
        if (interest - low).abs() <= clamp {
            prop_assert_eq!(one, rule.interest.clamp_to(rule.floor, rule.cap));
        }
        // The pull is never wider than the dead band.
        let free = FundingRule { cap: rate(100_000_000_000), floor: rate(-100_000_000_000), ..rule };
        prop_assert!((funding_rate(rate(low), &free).units() - low).abs() <= clamp);
    }

    #[test]
    fn the_premium_is_bounded_by_the_book(index in 1i64..1_000_000, bid in 0i64..1_000_000, spread in 0i64..1_000) {
        let (one, ask) = (1_000_000_000i128, bid + spread + 1);
        let found = i128::from(premium(price(index), price(bid), price(ask)).units());
        let far = if bid > index { bid - index } else if ask < index { ask - index } else { 0 };
        let exact = (i128::from(far) * one / i128::from(index)).clamp(-100 * one, 100 * one);
        prop_assert_eq!(found, exact);
    }

    #[test]
    fn more_profit_and_more_leverage_of_a_winner_come_first(
        upnl in -1_000_000i64..1_000_000, more in 0i64..1_000_000, cost in 1i64..1_000_000, equity in -10i64..1_000_000, less in 0i64..1_000_000,
    ) {
        let input = |upnl: i64, equity: i64| AdlInput {
            upnl: Money::whole(upnl),
            cost: Money::whole(cost),
            notional: Money::whole(cost) + Money::whole(upnl),
            equity: Money::whole(equity),
        };
        let score = adl_score(&input(upnl, equity)).score;
        prop_assert!(score.signum() * i128::from(upnl.signum()) >= 0);
        prop_assert!(adl_score(&input(upnl, equity.saturating_sub(less))).score >= score);
        if upnl >= 0 {
            prop_assert!(adl_score(&input(upnl + more, equity)).score >= score);
        }
    }
}

/// Rounding can make headroom waver near the line: this is why triggers are lowered by it.
#[test]
fn headroom_of_an_inverse_short_wavers_by_a_unit() {
    let all = Money::whole(1_000_000_000);
    let tiers = Ladder::Tiers(TierTable::derive(&[(all, Rate::ONE, rate(900_000_000))]).unwrap());
    let (contract, size, mark) = (Contract::Inverse { face: 1 }, Size::whole(-1), Price::whole(60_000));
    let line = Line {
        contract,
        size,
        cost: contract.value(mark, size, Round::Down).unwrap(),
        opposite: (Size::ZERO, Money::ZERO),
        ladder: &tiers,
        closing_fee: rate(50_000_000),
        mark,
        wallet: Money::from_units(16_500_000_000),
        index_price: Price::ONE,
        haircuts: Haircuts::flat(Rate::ONE),
        other: Money::ZERO,
        rule: LineRule::Below,
    };
    // As the price rises the coins lose a unit in value, while charge and fee may each need one less.
    let rises =
        (1..1_000).filter(|&i| line.headroom(price(mark.units() + i)) > line.headroom(price(mark.units() + i - 1)));
    assert!(rises.count() > 0);
    assert!(line.rounding() > Money::UNIT);
}
