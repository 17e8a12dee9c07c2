//! Random accounts under random rules: a liquidation price is where headroom changes sign, by an arithmetic of its own.

use plimsoll_rules::*;
use proptest::collection::vec;
use proptest::prelude::*;
use units::{Money, Price, Rate, Round, Size};

fn rate(units: i64) -> Rate {
    Rate::new(units).unwrap()
}
fn money(units: i128) -> Money {
    Money::new(units).unwrap()
}

/// Ladders of every form, for notionals around `scale` of the settlement asset in units.
fn ladders() -> impl Strategy<Value = Ladder> {
    let share = 1_000_000i64..200_000_000;
    let tiers = vec((1i128..40, share.clone()), 1..6).prop_map(|steps| {
        let (mut cap, mut total) = (0i128, 0);
        let mut rows: Vec<_> = steps
            .into_iter()
            .map(|(more, rise)| {
                (cap, total) = (cap + more * 1_000, (total + rise).min(900_000_000));
                (money(cap * 10i128.pow(16)), Rate::ONE, rate(total))
            })
            .collect();
        // The last tier goes as far as anybody can.
        if let Some(last) = rows.last_mut() {
            last.0 = Money::whole(1_000_000_000_000);
        }
        Ladder::Tiers(TierTable::derive(&rows).unwrap())
    });
    let steps =
        (share.clone(), 1i128..60, 1i128..60, 1_000_000i64..30_000_000).prop_map(|(first, base, step, rise)| {
            let whole = |thousands: i128| money(thousands * 10i128.pow(19));
            let (initial, maintenance) = (rate(first * 2), rate(first));
            Ladder::Steps(StepLadder { initial, maintenance, base: whole(base), step: whole(step), rise: rate(rise) })
        });
    let size = |root: bool| {
        (1_000_000i64..200_000_000, 0i64..3_000_000).prop_map(move |(first, rise)| {
            let ladder = SizeLadder { initial: rate(first * 2), maintenance: rate(first), rise: rate(rise) };
            if root { Ladder::SizeRoot(ladder) } else { Ladder::PerSize(ladder) }
        })
    };
    let risk = (share.clone(), share.clone(), share.clone()).prop_map(|(slippage, long, short)| {
        let initial_factor = rate(1_500_000_000);
        Ladder::RiskFactors(RiskFactors {
            slippage: rate(slippage),
            long: rate(long),
            short: rate(short),
            initial_factor,
        })
    });
    let open_interest = (share, 100_000_000i64..1_000_000_000).prop_map(|(initial, fraction)| {
        let (initial, fraction) = (rate(initial - initial % 1_000), rate(fraction));
        let (lower, upper) = (Money::whole(25_000_000), Money::whole(50_000_000));
        Ladder::OpenInterest(OpenInterestLadder { initial, fraction, lower, upper })
    });
    let notional = (1_000_000i64..200_000_000, 0i64..1_000).prop_map(|(first, rise)| {
        Ladder::PerNotional(SizeLadder { initial: rate(first * 2), maintenance: rate(first), rise: rate(rise) })
    });
    prop_oneof![3 => tiers, 1 => notional, 2 => steps, 1 => size(false), 1 => size(true), 1 => risk, 1 => open_interest]
}

/// The maintenance rate and deduction of a ladder, again: tiers as a sum of slices, steps counted one by one, roots by squaring.
/// Unit of the result: 1e-25 of the settlement asset, exact but for the root.
fn slow_maintenance(ladder: &Ladder, size: i64, notional: i128) -> i128 {
    let at = |rate: i128| notional * rate;
    match ladder {
        Ladder::Tiers(table) => {
            let last = table.tiers().len() - 1;
            let slice = |(n, tier): (usize, &Tier)| {
                let top = if n == last { notional } else { notional.min(tier.cap.units()) };
                (top - tier.floor.units()).max(0) * i128::from(tier.maintenance_rate.units())
            };
            table.tiers().iter().enumerate().map(slice).sum()
        }
        Ladder::Steps(steps) => {
            let (mut rate, mut covered) = (i128::from(steps.maintenance.units()), steps.base.units());
            while covered < notional {
                (rate, covered) = (rate + i128::from(steps.rise.units()), covered + steps.step.units());
            }
            at(rate)
        }
        Ladder::PerSize(ladder) => {
            let rise = i128::from(size.abs()) * i128::from(ladder.rise.units());
            at(i128::from(ladder.maintenance.units()) + (rise + 99_999_999) / 100_000_000)
        }
        Ladder::PerNotional(ladder) => {
            let rise = notional * i128::from(ladder.rise.units());
            let coin = 10i128.pow(16);
            at(i128::from(ladder.maintenance.units()) + (rise + coin - 1) / coin)
        }
        Ladder::SizeRoot(ladder) => {
            let square = i128::from(size.abs()) * 100_000_000;
            let (mut low, mut high) = (0i128, 1i128 << 60);
            while low < high {
                let middle = (low + high) / 2;
                if middle * middle < square { low = middle + 1 } else { high = middle }
            }
            let rise = (low * i128::from(ladder.rise.units()) + 99_999_999) / 100_000_000;
            let base = i128::from(ladder.maintenance.units());
            at(base.max((base * 8 + 9) / 10 + rise))
        }
        Ladder::OpenInterest(ladder) => {
            let rate = i128::from(ladder.initial.units()) * i128::from(ladder.fraction.units()) / 1_000_000_000;
            at(rate - rate % 1_000)
        }
        Ladder::RiskFactors(factors) => {
            let side = if size < 0 { factors.short } else { factors.long };
            at(i128::from(factors.slippage.units()) + i128::from(side.units()))
        }
    }
}

#[derive(Clone, Debug)]
struct Random {
    rules: Vec<MarketRules>,
    /// Size, entry and price in units.
    positions: Vec<(i64, i64, i64)>,
    wallet: i128,
    haircut: i64,
    line: LineRule,
}

impl Random {
    fn with<R>(&self, f: impl FnOnce(&Account<'_>) -> R) -> R {
        let haircuts = Haircuts::flat(rate(self.haircut));
        let collateral = [Collateral { amount: money(self.wallet), index_price: Price::ONE, haircuts }];
        let holdings: Vec<Holding<'_>> = self
            .positions
            .iter()
            .zip(&self.rules)
            .enumerate()
            .map(|(market, (&(size, entry, price), rules))| {
                let size = Size::new(size).unwrap();
                let cost = rules.contract.value(Price::new(entry).unwrap(), size, Round::TowardZero).unwrap();
                let price = Price::new(price).unwrap();
                Holding { rules, size, cost, price, leverage: Rate::ZERO, settlement: 0, market }
            })
            .collect();
        let rules = AccountRules { line: self.line, ..AccountRules::default() };
        f(&Account { rules, collateral: &collateral, positions: &holdings })
    }

    /// Headroom with the first position at `price`, in 1e-25, linear contracts only: sums of products, no terms of the code.
    fn slow_headroom(&self, price: i64) -> i128 {
        let (mut amount, mut held) = (self.wallet, 0i128);
        for (n, (&(size, entry, mark), rules)) in self.positions.iter().zip(&self.rules).enumerate() {
            let at = i128::from(if n == 0 { price } else { mark });
            amount += (at - i128::from(entry)) * i128::from(size);
            let notional = at * i128::from(size.abs());
            held += slow_maintenance(&rules.ladder, size, notional);
            held += notional * i128::from(rules.closing_fee.units());
        }
        let share = if amount > 0 { i128::from(self.haircut) } else { 1_000_000_000 };
        amount * share - held
    }
}

fn randoms() -> impl Strategy<Value = Random> {
    let market = (ladders(), 0i64..2_000_000);
    let position = (any::<bool>(), 1i64..400_000_000, 1_000_000_000i64..100_000_000_000, 800i64..1_250);
    let row = (market, position);
    (vec(row, 1..4), -5i128..60, 500_000_000i64..=1_000_000_000, any::<bool>()).prop_map(
        |(rows, wallet, haircut, at)| {
            let mut random = Random {
                rules: Vec::new(),
                positions: Vec::new(),
                wallet: 0,
                haircut,
                line: if at { LineRule::At } else { LineRule::Below },
            };
            let mut notional = 0i128;
            for ((ladder, fee), (long, size, price, move_)) in rows {
                random.rules.push(MarketRules {
                    contract: Contract::Linear,
                    ladder,
                    open_interest: Money::ZERO,
                    closing_fee: rate(fee),
                    fee_basis: FeeBasis::Notional,
                    fee_in_initial: true,
                    fee_in_price: true,
                    initial_basis: InitialBasis::Price,
                    notional_digits: None,
                    initial_digits: None,
                    maintenance_digits: None,
                    price_form: PriceForm::Solved,
                });
                notional += i128::from(size) * i128::from(price);
                random.positions.push((if long { size } else { -size }, price * move_ / 1_000, price));
            }
            random.wallet = notional * wallet / 20;
            random
        },
    )
}

/// A crossing lies where the slow sum changes its sign, but for what rounding takes: each term less than a unit of 1e-16.
fn check(random: &Random, crossing: Crossing) -> Result<(), TestCaseError> {
    let slack = 1_000_000_000 * i128::try_from(8 * random.positions.len() + 8).unwrap();
    let (good, bad) =
        (random.slow_headroom(crossing.last_good.units()), random.slow_headroom(crossing.first_below.units()));
    prop_assert!(good >= -slack, "{good} at {}, which is not below", crossing.last_good);
    prop_assert!(bad <= slack, "{bad} at {}, which is below", crossing.first_below);
    prop_assert_eq!((crossing.last_good.units() - crossing.first_below.units()).abs(), 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn headroom_changes_sign_at_a_liquidation_price(random in randoms()) {
        random.with(|account| {
            let Some(terms) = account.terms() else { return Ok(()) };
            let (below, above) = account.crossings(&terms, 0).unwrap();
            let holding = &account.positions[0];
            let mark = holding.price.units();
            let line = account.rules.line;
            if line.is_below(terms.headroom()) {
                return Ok(());
            }
            for crossing in [below, above].into_iter().flatten() {
                check(&random, crossing)?;
                // What was computed from the rest of the account is what a whole valuation gives.
                for price in [crossing.last_good, crossing.first_below] {
                    let whole = account.terms_at(|h| Some(if h.market == 0 { price } else { h.price })).unwrap();
                    prop_assert_eq!(line.is_below(whole.headroom()), price == crossing.first_below);
                }
            }
            // Nobody between the price of now and the crossing is below the line.
            for (crossing, end) in [(below, 1), (above, mark.saturating_mul(50))] {
                let end = crossing.map_or(end, |crossing| crossing.last_good.units());
                for n in 0..=64i64 {
                    let price = i128::from(mark) + (i128::from(end) - i128::from(mark)) * i128::from(n) / 64;
                    let headroom = random.slow_headroom(i64::try_from(price).unwrap());
                    prop_assert!(headroom >= -40_000_000_000, "{headroom} at {price}, before {crossing:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn margin_does_not_fall_when_the_size_grows(ladder in ladders(), size in 1i64..400_000_000, more in 1i64..400_000_000, price in 1_000_000_000i64..100_000_000_000) {
        let rules = MarketRules {
            contract: Contract::Linear, ladder, open_interest: Money::ZERO, closing_fee: Rate::ZERO, fee_basis: FeeBasis::Notional,
            fee_in_initial: false, fee_in_price: true, initial_basis: InitialBasis::Price, notional_digits: None,
            initial_digits: None, maintenance_digits: None, price_form: PriceForm::Solved,
        };
        let at = |size: i64| {
            let holding = Holding { rules: &rules, size: Size::new(size).unwrap(), cost: Money::ZERO, price: Price::new(price).unwrap(), leverage: Rate::ZERO, settlement: 0, market: 0 };
            holding.at(holding.price)
        };
        let (Some(less), Some(grown)) = (at(size), at(size + more)) else { return Ok(()) };
        prop_assert!(grown.maintenance.required >= less.maintenance.required);
        prop_assert!(grown.initial.required >= less.initial.required);
        prop_assert!(less.initial.required >= less.maintenance.required || matches!(rules.ladder, Ladder::OpenInterest(_)));
    }

    #[test]
    fn a_ladder_of_tiers_has_no_jump(ladder in ladders()) {
        let Ladder::Tiers(table) = &ladder else { return Ok(()) };
        for tier in &table.tiers()[..table.tiers().len() - 1] {
            let size = Size::whole(1);
            let held = |notional: Money| {
                let terms = ladder.at(size, notional, Money::ZERO).unwrap();
                notional.mul_rate(terms.maintenance, Round::Up) - terms.deduction
            };
            let jump = held(tier.cap + Money::UNIT) - held(tier.cap);
            prop_assert!(jump <= Money::from_units(2) && !jump.is_negative(), "{jump} at {}", tier.cap);
        }
    }

    #[test]
    fn what_is_withdrawn_and_what_is_bought_leave_the_account_covered(random in randoms()) {
        random.with(|account| {
            let Some(terms) = account.terms() else { return Ok(()) };
            let out = account.withdrawable(&terms, 0).unwrap().amount;
            prop_assert!(!out.is_negative() && out <= account.collateral[0].amount.max(Money::ZERO));
            for way in [Way::Buy, Way::Sell] {
                let lot = Size::new(1).unwrap();
                let most = account.largest_size(&terms, 0, way, lot).unwrap().size;
                let covered = |more: i64| {
                    let mut positions = account.positions.to_vec();
                    let holding = &mut positions[0];
                    let change = more * way.signum();
                    let size = Size::new(holding.size.units() + change).unwrap();
                    let value = holding.price * Size::new(change).unwrap();
                    (holding.size, holding.cost) = (size, holding.cost + value);
                    let grown = Account { positions: &positions, ..*account };
                    grown.terms().map(|terms| terms.initial <= terms.equity_for_initial)
                };
                let flat = -account.positions[0].size.units() * way.signum();
                if most.units() > flat.max(0) {
                    prop_assert_eq!(covered(most.units()), Some(true), "{} may be taken", most);
                    prop_assert_ne!(covered(most.units() + 1), Some(true), "one more than {}", most);
                }
            }
            Ok(())
        })?;
    }
}
