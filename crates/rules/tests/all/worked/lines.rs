//! Liquidation and bankruptcy prices, tiers, collateral and funding by the rules that the engine uses.

use super::{Inputs, Ours, Outcome, Rule, list};
use crate::number::{ladder, ladder_with, m, p, r, rows};
use plimsoll_rules::*;
use units::{Money, Price, Rate, Round, Size, div_round};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "liquidation_price" => liquidation,
        "position" => position,
        "bankruptcy_price" => bankruptcy,
        "inverse_cross" => inverse_cross,
        "maintenance_with_fee" => maintenance_with_fee,
        "margin" => margin,
        "tier_deductions" => tier_deductions,
        "tier_deduction_next" => tier_deduction_next,
        "tier_leverages" => tier_leverages,
        "collateral" => collateral,
        "funding_rate" => funding,
        "funding_payment" => coin_funding,
        "funding_settlement" => settlement,
        _ => return None,
    };
    Some(rule)
}

/// The adverse crossing; the other side must have none.
fn adverse(line: &Line<'_>) -> Ours {
    let prices = liquidation_prices(line);
    let (adverse, other, toward_mark) = match line.size.is_positive() {
        true => (prices.below, prices.above, 1),
        false => (prices.above, prices.below, -1),
    };
    assert_eq!(other, LiquidationPrice::None);
    match adverse {
        LiquidationPrice::None => Ours::None,
        LiquidationPrice::AlreadyBelow => panic!("below its line at the mark"),
        LiquidationPrice::At(price) => {
            let good = Price::new(price.units() + toward_mark).unwrap();
            Ours::Crossing { first_below: price.into(), last_good: good.into() }
        }
    }
}

fn liquidation(inputs: &Inputs) -> Outcome {
    let tiers = inputs.tiers();
    let mut line = inputs.line(&tiers);
    let (mut others_upnl, mut others_maintenance) = (Money::ZERO, Money::ZERO);
    for other in inputs.each("others") {
        let (contract, mark, size, tiers) = (other.contract(), other.mark(), other.size(), other.tiers());
        others_upnl += contract.upnl(mark, size, other.cost()).unwrap();
        others_maintenance += maintenance_margin(contract, mark, size, &tiers, Rate::ZERO).unwrap().required;
        assert_eq!(other.unread(), [""; 0]);
    }
    line.wallet += others_upnl;
    line.other -= others_maintenance;
    let price = adverse(&line);
    let equity = match &price {
        Ours::Crossing { last_good, .. } => {
            let price = Price::new(i64::try_from(last_good.0 / 100_000_000).unwrap()).unwrap();
            (line.wallet + line.contract.upnl(price, line.size, line.cost).unwrap()).into()
        }
        _ => Ours::None,
    };
    let at_mark = maintenance_margin(line.contract, line.mark, line.size, &tiers, line.closing_fee).unwrap();
    vec![
        ("liquidation_price", price),
        ("equity_at_liquidation_price", equity),
        ("maintenance", at_mark.required.into()),
        ("others_upnl", others_upnl.into()),
        ("others_maintenance", others_maintenance.into()),
    ]
}

/// A position as an account endpoint shows it; a wallet only where the source gives one.
fn position(inputs: &Inputs) -> Outcome {
    let (contract, size, mark, tiers) = (inputs.contract(), inputs.size(), inputs.mark(), inputs.tiers());
    let upnl = contract.upnl(mark, size, inputs.cost()).unwrap();
    let maintenance = maintenance_margin(contract, mark, size, &tiers, Rate::ZERO).unwrap().required;
    let mut outcome = vec![
        ("upnl", upnl.into()),
        ("value", contract.value(mark, size, Round::Down).unwrap().into()),
        ("maintenance", maintenance.into()),
    ];
    if inputs.get("wallet").or(inputs.get("cash")).is_some() {
        outcome.push(("equity", (inputs.wallet() + upnl).into()));
        outcome.push(("liquidation_price", adverse(&inputs.line(&tiers))));
    }
    outcome
}

fn bankrupt_at(contract: Contract, size: Size, cost: Money, wallet: Money) -> Option<Price> {
    match bankruptcy_price(contract, size, cost, wallet) {
        Bankruptcy::None => None,
        Bankruptcy::At(price) => Some(price),
    }
}

/// With `maintenance_rate_at_entry`, maintenance is fixed at the entry price and the result is a liquidation price.
fn bankruptcy(inputs: &Inputs) -> Outcome {
    let (contract, size, cost, wallet) = (inputs.contract(), inputs.size(), inputs.cost(), inputs.wallet());
    let rate = r(inputs.or("maintenance_rate_at_entry", "0.000000001"));
    let tiers = ladder_with(rate, Money::ZERO);
    let mut outcome = Vec::new();
    let mut held = Money::ZERO;
    if inputs.get("maintenance_rate_at_entry").is_some() {
        let entry = p(inputs.text("entry"));
        held = maintenance_margin(contract, entry, size, &tiers, Rate::ZERO).unwrap().required;
        outcome.push(("maintenance_at_entry", held.into()));
        outcome.push(("initial_margin", wallet.into()));
    }
    let price = bankrupt_at(contract, size, cost, wallet - held);
    outcome.push(("bankruptcy_price", price.map_or(Ours::None, Ours::from)));
    if let (Some(price), Some(tick)) = (price, inputs.get("tick")) {
        let round = if size.is_positive() { Round::Up } else { Round::Down };
        outcome.push(("bankruptcy_price_at_tick", price.to_tick(p(tick), round).unwrap().into()));
    }
    if inputs.get("mark").is_some() {
        outcome.push(("equity", (wallet + contract.upnl(inputs.mark(), size, cost).unwrap()).into()));
    }
    if let (Some(theirs), Some(price)) = (inputs.get("counterparty_size"), price) {
        let left = wallet + contract.upnl(price, size, cost).unwrap();
        outcome.push(("equity_at_bankruptcy_price", left.into()));
        let theirs: Size = theirs.parse().unwrap();
        let cost = p(inputs.text("counterparty_entry")) * theirs;
        outcome.push(("counterparty_realised", split_close(theirs, cost, -theirs, price * -theirs).realised.into()));
    }
    outcome
}

/// Older inverse cross margin: maintenance at the entry price and a closing fee at the bankruptcy price, both fixed;
/// bankruptcy is where equity pays no more than that fee.
fn inverse_cross(inputs: &Inputs) -> Outcome {
    let contract = Contract::Inverse { face: 1 };
    let (size, entry, fee, tick) =
        (inputs.size(), p(inputs.text("entry")), r(inputs.text("closing_fee")), p(inputs.text("tick")));
    let cost = contract.value(entry, size, Round::TowardZero).unwrap();
    let wallet = m(inputs.text("wallet"));
    let fee_only = ladder_with(fee, Money::ZERO);
    let line = Line {
        contract,
        size,
        cost,
        opposite: (Size::ZERO, Money::ZERO),
        ladder: &fee_only,
        closing_fee: Rate::ZERO,
        mark: entry,
        wallet,
        index_price: Price::ONE,
        haircuts: Haircuts::flat(Rate::ONE),
        other: Money::ZERO,
        rule: LineRule::Below,
    };
    let LiquidationPrice::At(bankrupt) = liquidation_prices(&line).below else { panic!("no bankruptcy price") };
    let closing = contract.notional(bankrupt, size).unwrap().mul_rate(fee, Round::Up);
    let rate = ladder_with(r(inputs.text("maintenance_rate_at_entry")), Money::ZERO);
    let held = maintenance_margin(contract, entry, size, &rate, Rate::ZERO).unwrap().required;
    let price = bankrupt_at(contract, size, cost, wallet - held - closing).unwrap();
    vec![
        ("bankruptcy_price", bankrupt.into()),
        ("liquidation_price", price.into()),
        ("liquidation_price_at_tick", price.to_tick(tick, Round::Up).unwrap().into()),
    ]
}

/// Maintenance at the entry price plus a fee at the bankruptcy price.
fn maintenance_with_fee(inputs: &Inputs) -> Outcome {
    let (contract, size, tiers) = (inputs.contract(), inputs.size(), inputs.tiers());
    let price = bankrupt_at(contract, size, inputs.cost(), inputs.wallet()).unwrap();
    let fee = contract.notional(price, size).unwrap().mul_rate(r(inputs.text("closing_fee")), Round::Up);
    let charge = maintenance_margin(contract, inputs.mark(), size, &tiers, Rate::ZERO).unwrap().required;
    vec![("bankruptcy_price", price.into()), ("fee_to_close", fee.into()), ("maintenance", (charge + fee).into())]
}

fn margin(inputs: &Inputs) -> Outcome {
    let (contract, size, mark) = (inputs.contract(), inputs.size(), inputs.mark());
    let rates: Vec<Rate> = inputs.texts("maintenance_rates").into_iter().map(r).collect();
    let caps = match inputs.value("caps") {
        Some(_) => inputs.texts("caps").into_iter().map(m).collect(),
        None => vec![Money::whole(1_000_000_000_000)],
    };
    let least = inputs.get("initial_rate").map_or(rates[rates.len() - 1], r);
    let tiers = ladder(&caps, &rates, least);
    let leverage = inputs.get("leverage").map_or(1, |text| text.parse().unwrap());
    let leverage_rate = if leverage == 1 { Rate::ZERO } else { Rate::new(1_000_000_000 / leverage).unwrap() };
    let maintenance = maintenance_margin(contract, mark, size, &tiers, Rate::ZERO).unwrap();
    let initial = initial_margin(contract, mark, size, &tiers, Money::ZERO, leverage_rate, Rate::ZERO).unwrap();
    vec![
        ("notional", maintenance.notional.into()),
        ("maintenance", maintenance.required.into()),
        ("initial", initial.required.into()),
    ]
}

/// Caps as given, or each tier's floor as the cap before it.
fn caps(inputs: &Inputs) -> Vec<Money> {
    if inputs.value("caps").is_some() {
        return inputs.texts("caps").into_iter().map(m).collect();
    }
    let floors = inputs.texts("floors");
    assert_eq!(floors.first(), Some(&"0"));
    floors[1..].iter().map(|floor| m(floor)).chain([Money::whole(1_000_000_000_000)]).collect()
}

fn deductions(ladder: &Ladder) -> Ours {
    list(rows(ladder).iter().map(|tier| tier.deduction))
}

fn tier_deductions(inputs: &Inputs) -> Outcome {
    let rates: Vec<Rate> = inputs.texts("maintenance_rates").into_iter().map(r).collect();
    vec![("deductions", deductions(&ladder(&caps(inputs), &rates, Rate::ONE)))]
}

/// The tier after one whose rate and deduction are known.
fn tier_deduction_next(inputs: &Inputs) -> Outcome {
    let before = ladder_with(r(inputs.text("rate_before")), m(inputs.text("deduction_before")));
    let steps = rows(&before);
    let caps = [steps[0].cap, m(inputs.text("floor")), steps[1].cap];
    let rates = [steps[0].maintenance_rate, steps[1].maintenance_rate, r(inputs.text("rate"))];
    let tiers = ladder(&caps, &rates, Rate::ONE);
    vec![("deduction", rows(&tiers)[2].deduction.into())]
}

/// Maintenance is half of the initial margin at the greatest leverage; the rate rounds up.
fn tier_leverages(inputs: &Inputs) -> Outcome {
    let half = |leverage: &str| {
        let units = div_round(1_000_000_000, 2 * leverage.parse::<i128>().unwrap(), Round::Up).unwrap();
        Rate::new(i64::try_from(units).unwrap()).unwrap()
    };
    let rates: Vec<Rate> = inputs.texts("max_leverages").into_iter().map(half).collect();
    let tiers = ladder(&caps(inputs), &rates, Rate::ONE);
    vec![("maintenance_rates", list(rates)), ("deductions", deductions(&tiers))]
}

fn collateral(inputs: &Inputs) -> Outcome {
    let (amounts, indices, haircuts) =
        (inputs.texts("amounts"), inputs.texts("index_prices"), inputs.texts("haircuts"));
    let terms = amounts.into_iter().zip(indices).zip(haircuts);
    let values = terms.map(|((amount, index), haircut)| {
        collateral_value(m(amount), p(index), &Haircuts::flat(r(haircut))).unwrap().value
    });
    vec![("values", list(values))]
}

/// Premium, interest and dead band are quoted for `parts` intervals and divided evenly; cap and floor are per interval.
fn funding(inputs: &Inputs) -> Outcome {
    let parts: i64 = inputs.text("parts").parse().unwrap();
    let part = |rate: Rate| {
        assert_eq!(rate.units() % parts, 0, "{rate} does not divide by {parts}");
        Rate::new(rate.units() / parts).unwrap()
    };
    let quoted = match inputs.get("average_premium") {
        Some(average) => r(average),
        None => premium(p(inputs.text("index")), p(inputs.text("impact_bid")), p(inputs.text("impact_ask"))),
    };
    let rule = FundingRule {
        interval_ns: 3_600_000_000_000,
        interest: part(r(inputs.text("interest"))),
        clamp: part(r(inputs.text("clamp"))),
        cap: r(inputs.text("cap")),
        floor: r(inputs.text("floor")),
    };
    let rate = funding_rate(part(quoted), &rule);
    let mut outcome = vec![
        ("premium", quoted.into()),
        ("clamp_term", Rate::new((rate.units() - part(quoted).units()) * parts).unwrap().into()),
        ("rate", rate.into()),
        ("rate_of_all_parts", Rate::new(rate.units() * parts).unwrap().into()),
    ];
    if inputs.get("size").is_some() {
        let mark = inputs.get("mark").map_or_else(|| p(inputs.text("index")), p);
        let step = funding_index_step(Contract::Linear, mark, rate).unwrap();
        outcome.push(("payment", funding_payment(inputs.size(), step).unwrap().amount.into()));
    }
    outcome
}

fn coin_funding(inputs: &Inputs) -> Outcome {
    let (contract, size, mark) = (inputs.contract(), inputs.size(), inputs.mark());
    let step = funding_index_step(contract, mark, r(inputs.text("rate"))).unwrap();
    let payment = funding_payment(size, step).unwrap().amount;
    vec![
        ("value", contract.value(mark, size, Round::Down).unwrap().into()),
        ("payment", payment.into()),
        ("net_profit", (m(inputs.or("profit", "0")) + payment).into()),
    ]
}

/// Any unit of size and index: the product is exact.
fn settlement(inputs: &Inputs) -> Outcome {
    let size = Size::new(inputs.text("size_units").parse().unwrap()).unwrap();
    let [now, before] = ["index", "checkpoint"].map(|key| inputs.text(key).parse::<i128>().unwrap());
    let payment = funding_payment(size, now - before).unwrap();
    vec![("exact_units", Ours::Whole(payment.amount.units() * 1_000_000_000 + payment.residue))]
}
