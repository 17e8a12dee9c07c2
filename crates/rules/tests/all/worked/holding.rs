//! What positions, orders and collateral hold or count.

use super::{Inputs, Ours, Outcome, Rule, list};
use crate::number::{Fixed, m, p, r};
use plimsoll_rules::*;
use units::{Money, Price, Rate, Round, Size};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "value_at_decimals" => value,
        "fraction_margin" => fraction,
        "size_ladder" => size_ladder,
        "step_ladder" => step_ladder,
        "root_margin" => root_margin,
        "strict_margin" => strict_margin,
        "slippage_margin" => slippage,
        "funding_in_margin" => funding_in_margin,
        "line_price" => line,
        "shown_position" => shown_position,
        "position_with_fee" => position_with_fee,
        "isolated_margin" => isolated,
        "isolated_order_margin" => order_margin,
        "isolated_transfer" => transfer,
        "root_weight" => root_weight,
        "scaled_weight" => scaled,
        "worst_fill" => worst_fill,
        "confidence_charge" => confidence,
        "auto_exchange" => exchange,
        _ => return None,
    };
    Some(rule)
}

fn s(text: &str) -> Size {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn value(inputs: &Inputs) -> Outcome {
    let value = value_at_decimals(Contract::Linear, inputs.mark(), inputs.size(), inputs.whole("decimals"));
    vec![("value", value.unwrap().into())]
}

/// Open interest is a total of the market: its contracts may be more than a size can hold.
fn open_interest(inputs: &Inputs) -> Money {
    match (inputs.get("open_notional"), inputs.get("open_interest")) {
        (Some(notional), _) => m(notional),
        (None, Some(contracts)) => {
            let units = m(contracts).units() / 100_000_000;
            Money::from_units(units.checked_mul(i128::from(inputs.mark().units())).unwrap())
        }
        (None, None) => Money::ZERO,
    }
}

fn fraction(inputs: &Inputs) -> Outcome {
    let (initial, fraction) = (r(inputs.text("initial_rate")), r(inputs.text("fraction")));
    let (lower, upper) = (m(inputs.or("lower", "0")), m(inputs.or("upper", "0")));
    let ladder = Ladder::OpenInterest(OpenInterestLadder { initial, fraction, lower, upper });
    let (size, notional) = match inputs.get("notional") {
        Some(notional) => (Size::ZERO, m(notional)),
        None => {
            let size = inputs.size().abs();
            (size, value_at_decimals(Contract::Linear, inputs.mark(), size, 6).unwrap())
        }
    };
    let terms = ladder.at(size, notional, open_interest(inputs)).unwrap();
    let margin = fraction_margin(notional, terms.initial, initial, fraction, 6).unwrap();
    vec![
        ("initial_rate", terms.initial.into()),
        ("maintenance_rate", terms.maintenance.into()),
        ("initial", margin.initial.into()),
        ("maintenance", margin.maintenance.into()),
    ]
}

/// Margin of a notional by a ladder without a closing fee.
fn margins(terms: &LadderTerms, notional: Money) -> [Money; 2] {
    [terms.initial, terms.maintenance].map(|rate| notional.mul_rate(rate, Round::Up) - terms.deduction)
}

fn size_ladder(inputs: &Inputs) -> Outcome {
    let (initial, maintenance) = (r(inputs.text("initial_rate")), r(inputs.or("maintenance_rate", "0")));
    let ladder = Ladder::PerSize(SizeLadder { initial, maintenance, rise: r(inputs.text("rise")) });
    let notional = Contract::Linear.notional(inputs.mark(), inputs.size()).unwrap();
    let terms = ladder.at(inputs.size(), notional, Money::ZERO).unwrap();
    let [initial, maintenance] = margins(&terms, notional);
    vec![("initial_rate", terms.initial.into()), ("initial", initial.into()), ("maintenance", maintenance.into())]
}

fn step_ladder(inputs: &Inputs) -> Outcome {
    let ladder = Ladder::Steps(StepLadder {
        initial: r(inputs.text("initial_rate")),
        maintenance: r(inputs.text("maintenance_rate")),
        base: m(inputs.text("base")),
        step: m(inputs.text("step")),
        rise: r(inputs.text("rise")),
    });
    let notionals: Vec<Money> = inputs.texts("notionals").into_iter().map(m).collect();
    let terms: Vec<LadderTerms> =
        notionals.iter().map(|&notional| ladder.at(Size::ZERO, notional, Money::ZERO).unwrap()).collect();
    vec![
        ("initial_rates", list(terms.iter().map(|terms| terms.initial))),
        ("maintenance_rates", list(terms.iter().map(|terms| terms.maintenance))),
        ("first_maintenance", margins(&terms[0], notionals[0])[1].into()),
    ]
}

/// Margin at a rate that grows with the root of the size, cut to `decimals` at each step.
fn root_margin(inputs: &Inputs) -> Outcome {
    let weight = RootWeight { weight: r(inputs.text("rate")), factor: r(inputs.text("factor")) };
    let (size, decimals) = (inputs.size(), inputs.whole("decimals"));
    let bases = m(inputs.text("bases_per_contract")).units() / 100_000_000;
    let amount = Money::from_units(i128::from(size.units()) * bases);
    let notional = value_at_decimals(Contract::Linear, inputs.mark(), size.abs(), decimals).unwrap();
    let margin = notional.mul_rate(weight.of_debt(amount).unwrap(), Round::Down);
    vec![("margin", to_decimals(margin, decimals, Round::Down).unwrap().into())]
}

fn strict_margin(inputs: &Inputs) -> Outcome {
    let price = p(inputs.text("quote_index"));
    let margin = Contract::Linear.notional(inputs.mark(), inputs.size()).unwrap();
    let margin = margin.mul_rate(r(inputs.text("rate")), Round::Up);
    let averages: Vec<Price> = inputs.texts("quote_averages").into_iter().map(p).collect();
    let at = |amount: Money, is_debt, round| {
        let of = |&average: &Price| amount.at_index(strict_price(price, average, is_debt), Rate::ONE, round);
        list(averages.iter().map(|average| of(average).unwrap()))
    };
    vec![("margins", at(margin, true, Round::Up)), ("collateral", at(m(inputs.text("deposit")), false, Round::Down))]
}

pub fn slippage_rule(inputs: &Inputs) -> SlippageRule {
    // A rate with more digits than ours is charged as the next greater.
    let rate = |key| {
        let text = inputs.or(key, "0");
        let digits = text.find('.').map_or(0, |point| text.len() - point - 1);
        if digits <= 9 { r(text) } else { r(&text[..text.len() + 9 - digits]) + Rate::new(1).unwrap() }
    };
    SlippageRule {
        linear: rate("slippage"),
        quadratic: rate("quadratic_slippage"),
        risk_long: rate("risk_long"),
        risk_short: rate("risk_short"),
        funding_share: rate("funding_share"),
    }
}

fn slippage(inputs: &Inputs) -> Outcome {
    let rule = slippage_rule(inputs);
    let of = WithOrders { size: inputs.size(), buys: s(inputs.or("buys", "0")), sells: s(inputs.or("sells", "0")) };
    let decimals = inputs.whole("decimals");
    let maintenance = rule.maintenance(inputs.mark(), &of, Price::ZERO, decimals).unwrap();
    let level = |key| level_above(maintenance, r(inputs.or(key, "1")), decimals).unwrap().into();
    vec![
        ("maintenance", maintenance.into()),
        ("search", level("search_factor")),
        ("initial", level("initial_factor")),
        ("release", level("release_factor")),
    ]
}

/// Cases of a base and a funding per contract, which each position may owe.
fn funding_in_margin(inputs: &Inputs) -> Outcome {
    let rule = slippage_rule(inputs);
    let totals = inputs.each("cases").into_iter().map(|case| {
        let of = WithOrders { size: case.size(), ..WithOrders::default() };
        let owed = rule.maintenance(Price::ZERO, &of, p(case.text("funding")), 16).unwrap();
        let total = m(case.text("base")) + owed;
        assert_eq!(case.unread(), [""; 0]);
        total
    });
    vec![("totals", list(totals))]
}

/// Both directions of rounding, which a bracket wants one unit apart.
fn both_ways(of: impl Fn(Round) -> Option<Price>) -> Ours {
    let (down, up) = (of(Round::Down).unwrap(), of(Round::Up).unwrap());
    if down == up { down.into() } else { Ours::Crossing { first_below: down.into(), last_good: up.into() } }
}

/// Where collateral that is a multiple of maintenance, with all of the funding that is owed, is used up.
fn line(inputs: &Inputs) -> Outcome {
    let rule = SlippageRule { funding_share: Rate::ONE, ..slippage_rule(inputs) };
    let (size, mark) = (inputs.size(), inputs.mark());
    let of = WithOrders { size, ..WithOrders::default() };
    let maintenance = rule.maintenance(mark, &of, p(inputs.or("funding", "0")), 16).unwrap();
    let at = |times: &str| {
        let headroom = money_times(maintenance, times) - maintenance;
        both_ways(|round| line_price(mark, headroom, size, rule.slope(size).unwrap(), round))
    };
    vec![
        ("maintenance", maintenance.into()),
        ("liquidation_price", at(inputs.text("collateral_over_maintenance"))),
        ("liquidation_price_at_maintenance", at("1")),
    ]
}

/// A multiple that may be above the largest rate.
fn money_times(amount: Money, times: &str) -> Money {
    amount.share(m(times).units(), Money::whole(1).units(), Round::Down)
}

/// A position as its venue shows it: margin of its value, and the price at which what is left to the account is used up.
fn shown_position(inputs: &Inputs) -> Outcome {
    let (size, value) = (inputs.size(), m(inputs.text("value")));
    let mark = Contract::Linear.price_of(value, size.abs(), Round::Down).unwrap();
    assert_eq!(mark * size.abs(), value, "the mark has more digits than a price");
    let rate = r(inputs.or("maintenance_rate", "0"));
    let held = match inputs.get("maintenance") {
        Some(held) => m(held),
        None => to_decimals(value.mul_rate(rate, Round::Down), 6, Round::Down).unwrap(),
    };
    let equity = inputs.get("equity").map_or_else(|| m(inputs.or("cash", "0")) + value, m);
    let slope = i128::from(size.abs().units()) * i128::from(rate.units());
    let price = both_ways(|round| line_price(mark, equity - held, size, slope, round));
    let is_none = matches!(price, Ours::Number(Fixed(0)));
    let margin = inputs.get("leverage").map(|leverage| value.share(1, leverage.parse().unwrap(), Round::Down));
    let used = margin.unwrap_or(equity);
    vec![
        ("upnl", Contract::Linear.upnl(mark, size, inputs.cost()).unwrap().into()),
        ("margin_used", to_decimals(used, 6, Round::Down).unwrap().into()),
        ("liquidation_price", if is_none { Ours::None } else { price }),
    ]
}

/// Initial and maintenance margin with the fee to close at the bankruptcy price of the leverage, by entry and by mark, and the
/// account's in the numeraire.
fn position_with_fee(inputs: &Inputs) -> Outcome {
    let (size, cost, wallet) = (inputs.size(), inputs.cost(), m(inputs.text("wallet")));
    let (leverage, rate) = (inputs.whole("leverage"), r(inputs.text("maintenance_rate")));
    let Bankruptcy::At(bankrupt) =
        bankruptcy_price(Contract::Linear, size, cost, cost.abs().share(1, leverage, Round::Down))
    else {
        panic!("no bankruptcy price")
    };
    let fee = (bankrupt * size.abs()).mul_rate(r(inputs.text("closing_fee")), Round::Up);
    let initial = |value: Money| value.abs().share(1, leverage, Round::Up) + fee;
    let maintenance = |value: Money| value.abs().mul_rate(rate, Round::Up) + fee;
    let value = inputs.mark() * size;
    let (equity, counted) = (m(inputs.text("equity")), m(inputs.text("equity_value")));
    let in_numeraire = |amount: Money| amount.share(counted.units(), equity.units(), Round::Up);
    let share = |amount: Money| Money::whole(1).share(in_numeraire(amount).units(), counted.units(), Round::Up);
    let price = cross_price(inputs, wallet, counted.share(100_000_000, equity.units(), Round::Up).units());
    vec![
        ("upnl", Contract::Linear.upnl(inputs.mark(), size, cost).unwrap().into()),
        ("initial", initial(cost).into()),
        ("maintenance", maintenance(cost).into()),
        ("initial_by_mark", initial(value).into()),
        ("maintenance_by_mark", maintenance(value).into()),
        ("account_initial", in_numeraire(initial(cost)).into()),
        ("account_maintenance", in_numeraire(maintenance(cost)).into()),
        ("account_initial_rate", share(initial(cost)).into()),
        ("account_maintenance_rate", share(maintenance(cost)).into()),
        ("liquidation_price", price.into()),
    ]
}

/// The liquidation price of an account of this position alone, with the index of its asset in 1e-8.
fn cross_price(inputs: &Inputs, wallet: Money, index: i128) -> Price {
    let leverage = Rate::new(1_000_000_000 / inputs.whole::<i64>("leverage")).unwrap();
    let step = (Money::whole(1_000_000_000_000), leverage, r(inputs.text("maintenance_rate")));
    let rules = MarketRules {
        contract: Contract::Linear,
        ladder: Ladder::Tiers(TierTable::derive(&[step]).unwrap()),
        open_interest: Money::ZERO,
        closing_fee: r(inputs.text("closing_fee")),
        fee_basis: FeeBasis::Bankruptcy,
        fee_in_initial: true,
        fee_in_price: false,
        initial_basis: InitialBasis::Price,
        notional_digits: None,
        initial_digits: None,
        maintenance_digits: None,
        price_form: PriceForm::UndividedAtEntry,
    };
    let (size, cost, price) = (inputs.size(), inputs.cost(), inputs.mark());
    let positions = [Holding { rules: &rules, size, cost, price, leverage, settlement: 0, market: 0 }];
    let index_price = Price::new(i64::try_from(index).unwrap()).unwrap();
    let collateral = [Collateral { amount: wallet, index_price, haircuts: Haircuts::flat(Rate::ONE) }];
    let account = Account { rules: AccountRules::default(), collateral: &collateral, positions: &positions };
    let terms = account.terms().unwrap();
    let LiquidationPrice::At(price) = account.liquidation_prices(&terms, 0).unwrap().below else { panic!("no price") };
    price
}

fn lots(inputs: &Inputs, key: &str) -> Vec<Lot> {
    inputs.pairs(key).iter().map(|(size, price)| (s(size), p(price))).collect()
}

fn isolated(inputs: &Inputs) -> Outcome {
    let (factor, decimals) = (r(inputs.text("factor")), inputs.whole("decimals"));
    let margin = isolated_margin(inputs.size(), p(inputs.text("entry")), factor, decimals).unwrap();
    let buys = lots(inputs, "buys");
    let orders = isolated_order_margin(inputs.size(), (&buys, &[]), factor, Price::ZERO, decimals).unwrap();
    vec![("position_margin", margin.into()), ("order_margin", orders.into())]
}

fn order_margin(inputs: &Inputs) -> Outcome {
    let (buys, sells) = (lots(inputs, "buys"), lots(inputs, "sells"));
    let (factor, auction) = (r(inputs.text("factor")), p(inputs.or("auction_price", "0")));
    let margin = isolated_order_margin(inputs.size(), (&buys, &sells), factor, auction, inputs.whole("decimals"));
    vec![("order_margin", margin.unwrap().into())]
}

fn transfer(inputs: &Inputs) -> Outcome {
    let position = IsolatedPosition {
        size: s(inputs.text("before")),
        balance: m(inputs.text("balance")),
        mark: p(inputs.or("mark", "0")),
    };
    let granularity = (p(inputs.text("tick")), inputs.whole("decimals"));
    let fills = lots(inputs, "fills");
    let moved = position.transfer(s(inputs.text("after")), &fills, r(inputs.text("factor")), granularity);
    let (direction, amount) = match moved.unwrap() {
        IsolatedTransfer::ToMargin(amount) => ("to_margin", amount),
        IsolatedTransfer::Release(amount) => ("release", amount),
    };
    vec![("direction", Ours::Word(direction)), ("amount", amount.into())]
}

fn root_weight(inputs: &Inputs) -> Outcome {
    let weight = RootWeight { weight: r(inputs.text("weight")), factor: r(inputs.text("factor")) };
    let amount = m(inputs.text("amount"));
    let ours = match inputs.text("of") {
        "asset" => weight.of_asset(amount),
        "debt" => weight.of_debt(amount).unwrap(),
        other => panic!("weight of {other:?}"),
    };
    vec![("weight", ours.into())]
}

fn scaled(inputs: &Inputs) -> Outcome {
    let deposits = m(inputs.text("deposits")).at_index(p(inputs.text("index")), Rate::ONE, Round::Down).unwrap();
    vec![("weight", scaled_weight(r(inputs.text("weight")), deposits, m(inputs.text("start"))).into())]
}

/// One asset with orders beside cash; a fixed charge for each side that has some.
fn worst_fill(inputs: &Inputs) -> Outcome {
    let of = |key| m(inputs.or(key, "0"));
    let orders = SpotOrders { held: of("held"), bids: of("bids"), asks: of("asks") };
    let (index, debt_weight) = (p(inputs.text("index")), r(inputs.text("debt_weight")));
    let fill = orders.worst_fill(index, r(inputs.or("asset_weight", "1")), debt_weight).unwrap();
    vec![
        ("margin", (fill.required + m(inputs.text("order_charge"))).into()),
        ("collateral", (m(inputs.text("cash")) + fill.collateral).into()),
    ]
}

fn confidence(inputs: &Inputs) -> Outcome {
    let value = m(inputs.text("amount")).at_index(p(inputs.text("index")), Rate::ONE, Round::Down).unwrap();
    let held = value.mul_rate(r(inputs.text("margin_factor")), Round::Down);
    let of = |key| r(inputs.text(key));
    let charge = confidence_charge(value, of("confidence"), of("threshold"), of("factor"));
    vec![("charge", (-charge).into()), ("maintenance", held.into()), ("initial", (held - charge).into())]
}

fn exchange(inputs: &Inputs) -> Outcome {
    let sold = auto_exchange(m(inputs.text("balance")), m(inputs.text("threshold")), r(inputs.text("ratio")));
    vec![("triggered", Ours::Flag(sold.is_some())), ("sold", sold.map_or(Ours::None, Ours::from))]
}
