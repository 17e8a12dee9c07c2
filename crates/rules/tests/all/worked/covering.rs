//! Making up for a shortage: sizes, exchanges, fees and shared losses.

use super::{Inputs, Ours, Outcome, Rule};
use crate::number::{m, p, r};
use plimsoll_rules::*;
use units::{Price, Rate, Size};

pub fn rule(name: &str) -> Option<Rule> {
    let rule: Rule = match name {
        "size_to_cover" => size,
        "debt_to_cover" => debt,
        "debt_for_asset" => debt_for_asset,
        "asset_for_debt" => asset_for_debt,
        "exchange_within" => within,
        "growing_fee" => growing_fee,
        "fund_fee_of_position" => fund_fee_of_position,
        "fund_fee_of_debt" => fund_fee_of_debt,
        "loss_per_contract" => per_contract,
        "loss_per_deposit" => per_deposit,
        _ => return None,
    };
    Some(rule)
}

fn rate(inputs: &Inputs, key: &str, default: &str) -> Rate {
    r(inputs.or(key, default))
}

fn tick(inputs: &Inputs) -> Price {
    p(inputs.text("tick"))
}

fn terms(inputs: &Inputs) -> ExchangeTerms {
    ExchangeTerms {
        asset_weight: rate(inputs, "asset_weight", "1"),
        asset_multiplier: rate(inputs, "asset_multiplier", "1"),
        debt_weight: rate(inputs, "debt_weight", "1"),
        debt_multiplier: rate(inputs, "debt_multiplier", "1"),
    }
}

fn size(inputs: &Inputs) -> Outcome {
    let terms = ClosingTerms {
        margin: rate(inputs, "margin", "0"),
        liquidator_fee: rate(inputs, "liquidator_fee", "0"),
        fund_fee: rate(inputs, "fund_fee", "0"),
    };
    let size =
        size_to_cover(m(inputs.text("shortage")), inputs.mark(), p(inputs.text("quote_index")), &terms, tick(inputs));
    vec![("size", size.map_or(Ours::None, |size: Size| (Price::ONE * size).into()))]
}

fn debt(inputs: &Inputs) -> Outcome {
    let (shortage, fee) = (m(inputs.text("shortage")), rate(inputs, "fund_fee", "0"));
    let (price, decimals) = (p(inputs.text("debt_price")), inputs.whole("decimals"));
    let debt = terms(inputs).debt_to_cover(shortage, price, fee, tick(inputs), decimals);
    vec![("debt", debt.map_or(Ours::None, Ours::from))]
}

fn debt_for_asset(inputs: &Inputs) -> Outcome {
    let [asset_price, debt_price] = ["asset_price", "debt_price"].map(|key| p(inputs.text(key)));
    let decimals = inputs.whole("decimals");
    let debt = terms(inputs).debt_for_asset(m(inputs.text("asset")), asset_price, debt_price, decimals);
    vec![("debt", debt.unwrap().into())]
}

fn asset_for_debt(inputs: &Inputs) -> Outcome {
    let prices = (p(inputs.text("debt_price")), p(inputs.text("asset_price")));
    let [debt, held, dust] = ["debt", "held", "dust"].map(|key| m(inputs.text(key)));
    let asset = terms(inputs).asset_for_debt(debt, prices, held, dust, inputs.whole("decimals"));
    vec![("asset", asset.unwrap().into())]
}

fn within(inputs: &Inputs) -> Outcome {
    let [asset, repaid] = ["asset", "repaid"].map(|key| m(inputs.text(key)));
    let [asset_price, debt_price] = ["asset_price", "debt_price"].map(|key| p(inputs.text(key)));
    vec![("accepted", Ours::Flag(terms(inputs).is_within(asset, repaid, asset_price, debt_price)))]
}

fn growing_fee(inputs: &Inputs) -> Outcome {
    let fee = GrowingFee {
        base: rate(inputs, "base", "0"),
        most: rate(inputs, "most", "0"),
        grace: inputs.whole("grace"),
        per_slot: rate(inputs, "per_slot", "0"),
    };
    vec![("fee", fee.after(inputs.whole("slots")).into())]
}

fn fund_fee_of_position(inputs: &Inputs) -> Outcome {
    let rule = FundFeeRule {
        margin: rate(inputs, "margin", "0"),
        liquidator_fee: rate(inputs, "liquidator_fee", "0"),
        taken: rate(inputs, "taken", "1"),
        most: rate(inputs, "most", "0"),
    };
    let (shortage, index) = (m(inputs.text("shortage")), p(inputs.text("quote_index")));
    vec![("fee", rule.rate(shortage, inputs.size(), inputs.mark(), index, tick(inputs)).into())]
}

fn fund_fee_of_debt(inputs: &Inputs) -> Outcome {
    let [shortage, debt] = ["shortage", "debt"].map(|key| m(inputs.text(key)));
    let most = rate(inputs, "most", "0");
    vec![("fee", terms(inputs).fund_fee(shortage, debt, p(inputs.text("debt_price")), most).into())]
}

fn per_contract(inputs: &Inputs) -> Outcome {
    let [long, short] = ["long", "short"].map(|key| inputs.text(key).parse().unwrap());
    vec![("each", loss_per_contract(m(inputs.text("loss")), long, short, tick(inputs)).unwrap().into())]
}

fn per_deposit(inputs: &Inputs) -> Outcome {
    let [index, loss, deposits] = ["index", "loss", "deposits"].map(|key| m(inputs.text(key)));
    vec![("fall", loss_per_deposit(index, loss, deposits, inputs.whole("decimals")).unwrap().into())]
}
