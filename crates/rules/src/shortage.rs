//! How much must be closed or handed over so that an account is no longer short of margin, and what is exchanged for what.
//!
//! A shortage is maintenance margin (with its buffer) minus collateral, in the quote. It knows no accounts; each price is a
//! number that the caller brings, in the granularity (`tick`, `decimals`) of the venue.

use crate::grain::{price, price_share, rate, rate_down, to_decimals};
use units::{Money, Price, Rate, Round, Size, limits, mul_div, mul_div2};

/// Granularity of weights that are compared with each other: 1e-5.
const WEIGHT_GRAIN: i64 = 10_000;

/// What closing a contract costs beside its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClosingTerms {
    /// Margin per notional that is set free.
    pub margin: Rate,
    /// To the one who takes the position, per notional.
    pub liquidator_fee: Rate,
    /// To the insurance fund, per notional.
    pub fund_fee: Rate,
}

/// Contracts whose closing makes up for `shortage`: shortage ÷ [price × (margin − liquidator fee) − mark × fund fee], where
/// price = mark × `quote_index`. Every price and product is cut to `tick`, the size rounds down to 1e-8.
///
/// Drift counts 1e-9 of a base: a contract of 0.1 base makes its unit ours. `None` when closing frees nothing, so that no size is
/// enough: close all.
///
/// Short of 10 at 100 with 10 %, no fees: 10 ÷ 10 = 1. With 1 % to each: 10 ÷ (9 − 1) = 1.25. Source: venues.md section 9, item 5.
#[must_use]
pub fn size_to_cover(
    shortage: Money,
    mark: Price,
    quote_index: Price,
    terms: &ClosingTerms,
    tick: Price,
) -> Option<Size> {
    if !mark.is_positive() || terms.margin <= terms.liquidator_fee {
        return None;
    }
    let worth = in_quote(mark, quote_index, tick)?;
    let freed =
        price_share(worth, terms.margin - terms.liquidator_fee, tick)? - price_share(mark, terms.fund_fee, tick)?;
    if !freed.is_positive() {
        return None;
    }
    let units = units::div_round(shortage.units(), i128::from(freed.units()), Round::Down)?;
    i64::try_from(units).ok().and_then(Size::new)
}

/// `of` × `index`, in whole ticks, down.
pub(crate) fn in_quote(of: Price, index: Price, tick: Price) -> Option<Price> {
    let one = i128::from(Price::ONE.units());
    let units = mul_div(i128::from(of.units()), i128::from(index.units()), one, Round::Down)?;
    price(units)?.to_tick(tick, Round::Down)
}

/// What an asset is handed over for and what a debt is taken at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExchangeTerms {
    /// Share of its price that an asset counts as collateral.
    pub asset_weight: Rate,
    /// Multiple of its price that it is handed over for: above 1, since who takes it is paid with it.
    pub asset_multiplier: Rate,
    /// Multiple of its price that a debt is charged as.
    pub debt_weight: Rate,
    /// Multiple of its price that it is taken at.
    pub debt_multiplier: Rate,
}

impl ExchangeTerms {
    /// What of the collateral is lost for each unit of debt's value that is repaid by it: asset weight × asset multiplier ÷ debt
    /// multiplier, cut to `grain`.
    fn lost(&self, grain: i64) -> Option<Rate> {
        let (weight, times) = (i128::from(self.asset_weight.units()), i128::from(self.asset_multiplier.units()));
        let exact = mul_div(weight, times, i128::from(self.debt_multiplier.units()), Round::Down)?;
        Some(rate_down(rate(exact)?, grain))
    }

    /// Units of a debt whose repayment out of an asset makes up for `shortage`: shortage ÷ [price × (debt weight − lost) − price ×
    /// fund fee × debt weight]. What is lost is cut to 1e-5, the fee's price to `tick`; rounds down to `decimals`, at least one
    /// unit of them. `None` when repaying frees nothing.
    ///
    /// Short of 10 at 100, weights 0.8 and 1.2: 10 ÷ (100 × 0.4) = 0.25. With 1 % for the fund 10 ÷ 38.8.
    /// Source: venues.md section 9, item 5.
    #[must_use]
    pub fn debt_to_cover(
        &self,
        shortage: Money,
        debt_price: Price,
        fund_fee: Rate,
        tick: Price,
        decimals: u32,
    ) -> Option<Money> {
        let lost = self.lost(WEIGHT_GRAIN)?;
        if self.asset_weight >= self.debt_weight || lost >= self.debt_weight {
            return None;
        }
        let product = |price: Price, rate: Rate| i128::from(price.units()) * i128::from(rate.units());
        let fee = price_share(debt_price, fund_fee, tick)?;
        let freed = product(debt_price, self.debt_weight - lost) - product(fee, self.debt_weight);
        if freed <= 0 {
            return None;
        }
        let units = mul_div(shortage.units(), PRICE_RATE_ONE, freed, Round::Down)?;
        let least = to_decimals(Money::UNIT, decimals, Round::Up)?;
        Some(to_decimals(Money::from_units(units), decimals, Round::Down)?.max(least))
    }

    /// The share of a debt's value that the insurance fund may take of a repayment while the account still gains by it: (debt weight −
    /// lost − shortage ÷ debt's value) ÷ debt weight, from 0 to `most`. Each term is cut to 1e-6. Zero without a debt.
    ///
    /// 1 at 100, short of 5, weights 1 × 1.01 and 1.1: (0.09 − 0.05) ÷ 1.1 = 0.036363. Source: venues.md section 9, item 5.
    #[must_use]
    pub fn fund_fee(&self, shortage: Money, debt: Money, debt_price: Price, most: Rate) -> Rate {
        self.fund_fee_left(shortage, debt, debt_price).unwrap_or(Rate::ZERO).min(most)
    }

    fn fund_fee_left(&self, shortage: Money, debt: Money, debt_price: Price) -> Option<Rate> {
        // 1e-16 of the quote for each unit of the debt, then over its price: 1e-6.
        let each = mul_div(shortage.units(), 10i128.pow(limits::MONEY_DECIMALS), debt.units(), Round::Down)?;
        let short = units::div_round(each, i128::from(debt_price.units()).checked_mul(100)?, Round::Down)?;
        let short = short.checked_mul(i128::from(PPM))?;
        let left = i128::from((self.debt_weight - self.lost(PPM)?).units()).checked_sub(short)?.max(0);
        let one = i128::from(limits::RATE_ONE);
        let of_weight = mul_div(left, one, i128::from(self.debt_weight.units()), Round::Down)?;
        Some(rate_down(rate(of_weight)?, PPM))
    }

    /// How much of a debt an amount of an asset repays: asset × asset price × debt multiplier ÷ (debt price × asset multiplier),
    /// rounded up to the debt's `decimals`. `None` when a price or multiplier is zero.
    ///
    /// 10 at 1 for a debt at 100, multipliers 1.01 and 0.99: 0.0980198. Source: venues.md section 9, item 5.
    #[must_use]
    pub fn debt_for_asset(&self, asset: Money, asset_price: Price, debt_price: Price, decimals: u32) -> Option<Money> {
        let (gives, takes) = (self.debt_multiplier, self.asset_multiplier);
        to_decimals(exchanged(asset, (asset_price, gives), (debt_price, takes), Round::Up)?, decimals, Round::Up)
    }

    /// How much of an asset goes for a debt that is repaid: debt × debt price × asset multiplier ÷ (asset price × debt multiplier),
    /// rounded down to the asset's `decimals`, at least one unit of them. All of the asset when that differs from it by less than
    /// `dust` in value. `None` when a price or multiplier is zero.
    ///
    /// A debt of 1 at 100 takes 102.020202 of an asset at 1, multipliers 1.01 and 0.99. Source: venues.md section 9, item 5.
    #[must_use]
    pub fn asset_for_debt(
        &self,
        debt: Money,
        (debt_price, asset_price): (Price, Price),
        held: Money,
        dust: Money,
        decimals: u32,
    ) -> Option<Money> {
        let (gives, takes) = (self.asset_multiplier, self.debt_multiplier);
        let exact = exchanged(debt, (debt_price, gives), (asset_price, takes), Round::Down)?;
        let least = to_decimals(Money::UNIT, decimals, Round::Up)?;
        let asset = to_decimals(exact, decimals, Round::Down)?.max(least);
        let rest = (held - asset).abs().at_index(asset_price, Rate::ONE, Round::Down)?;
        Some(if rest < dust { held } else { asset })
    }

    /// Whether an exchange gives the account at least what the terms promise: debt repaid (cut to 1e-6) per unit of asset, at 1e-6 and
    /// down, against asset price × debt multiplier ÷ (debt price × asset multiplier), at 1e-6 and down.
    ///
    /// 1 at 200 with a multiplier of 1.01 must repay 198.019801: 200 is good, 198 is not. Source: venues.md section 9, item 5.
    #[must_use]
    pub fn is_within(&self, asset: Money, repaid: Money, asset_price: Price, debt_price: Price) -> bool {
        let per_unit = |part: i128, whole: i128| mul_div(part, 1_000_000, whole, Round::Down);
        let promised = exchanged(
            Money::whole(1),
            (asset_price, self.debt_multiplier),
            (debt_price, self.asset_multiplier),
            Round::Down,
        );
        let promised = promised.and_then(|promised| per_unit(promised.units(), Money::whole(1).units()));
        let got = to_decimals(repaid, 6, Round::Down).and_then(|repaid| per_unit(repaid.units(), asset.units()));
        match (got, promised) {
            (Some(got), Some(promised)) => got >= promised,
            _ => false,
        }
    }
}

/// One, in the unit of price × rate.
const PRICE_RATE_ONE: i128 = 100_000_000_000_000_000;

/// One part per million, in the unit of rates.
const PPM: i64 = limits::RATE_ONE / 1_000_000;

/// amount × price × multiple of what is given ÷ the same of what is taken.
fn exchanged(amount: Money, gives: (Price, Rate), takes: (Price, Rate), round: Round) -> Option<Money> {
    let whole = i128::from(takes.0.units()) * i128::from(takes.1.units());
    let (price, rate) = (i128::from(gives.0.units()), i128::from(gives.1.units()));
    mul_div2(amount.units(), price, rate, whole, round).map(Money::from_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn r(text: &str) -> Rate {
        text.parse().unwrap()
    }
    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn terms(asset_weight: &str, asset_multiplier: &str, debt_weight: &str, debt_multiplier: &str) -> ExchangeTerms {
        let [asset_weight, asset_multiplier, debt_weight, debt_multiplier] =
            [asset_weight, asset_multiplier, debt_weight, debt_multiplier].map(r);
        ExchangeTerms { asset_weight, asset_multiplier, debt_weight, debt_multiplier }
    }

    #[test]
    fn closing_what_covers_a_shortage() {
        let size = |margin, liquidator_fee, fund_fee, mark: &str, index: &str| {
            let terms = ClosingTerms { margin: r(margin), liquidator_fee: r(liquidator_fee), fund_fee: r(fund_fee) };
            size_to_cover(m("10"), p(mark), p(index), &terms, p("0.000001"))
        };
        let s = |text: &str| Some(text.parse::<Size>().unwrap());
        assert_eq!(size("0.1", "0", "0", "100", "1"), s("1"));
        assert_eq!(size("0.1", "0.01", "0.01", "100", "1"), s("1.25"));
        assert_eq!(size("0.1", "0.01", "0", "100", "1"), s("1.11111111"));
        assert_eq!(size("0.1", "0", "0", "100", "0.99"), s("1.01010101"));
        // What frees nothing covers nothing.
        for (liquidator, fund, mark) in [("0.1", "0", "100"), ("0.05", "0.05", "100"), ("0", "0", "0")] {
            assert_eq!(size("0.1", liquidator, fund, mark, "1"), None);
        }
    }

    #[test]
    fn repaying_what_covers_a_shortage() {
        let debt = |terms: ExchangeTerms, shortage, fund_fee| {
            terms.debt_to_cover(m(shortage), p("100"), r(fund_fee), p("0.000001"), 9)
        };
        assert_eq!(debt(terms("0.8", "1", "1.2", "1"), "10", "0"), Some(m("0.25")));
        assert_eq!(debt(terms("0.8", "1", "1.2", "1"), "10", "0.01"), Some(m("0.257731958")));
        // 0.8 × 1.1 ÷ 0.9 is cut to 0.97777.
        assert_eq!(debt(terms("0.8", "1.1", "1.2", "0.9"), "10", "0"), Some(m("0.44998425")));
        assert_eq!(debt(terms("0.8", "1", "1.2", "1"), "0.00000000001", "0"), Some(m("0.000000001")));
        assert_eq!(debt(terms("1.2", "1", "1.2", "1"), "10", "0"), None);
        assert_eq!(debt(terms("1.1", "1.1", "1.2", "1"), "10", "0"), None);
        assert_eq!(debt(terms("0.8", "1", "1.2", "1"), "10", "0.4"), None);
        let fee =
            |shortage, tokens| terms("1", "1.01", "1.1", "1").fund_fee(m(shortage), m(tokens), p("100"), r("0.05"));
        assert_eq!(
            (fee("5", "1"), fee("0", "1"), fee("100", "1"), fee("5", "0")),
            (r("0.036363"), r("0.05"), r("0"), r("0"))
        );
    }

    #[test]
    fn what_is_exchanged_is_worth_the_same_but_for_the_multipliers() {
        let terms = terms("1", "1.01", "1", "0.99");
        assert_eq!(terms.debt_for_asset(m("10"), p("1"), p("100"), 9), Some(m("0.098019802")));
        let asset = |debt: &str, held| terms.asset_for_debt(m(debt), (p("100"), p("1")), m(held), m("1"), 6);
        assert_eq!(
            (asset("1", "200"), asset("1", "103"), asset("1", "104")),
            (Some(m("102.020202")), Some(m("103")), Some(m("102.020202")))
        );
        // A rest worth just 1 stays.
        assert_eq!(asset("1", "103.020202"), Some(m("102.020202")));
        assert_eq!(asset("0.000000000000001", "200"), Some(m("0.000001")));
        let good = |repaid| terms.is_within(m("1"), m(repaid), p("200"), p("1"));
        assert_eq!((good("196.039603"), good("196.039602")), (true, false));
        // Repaid is cut first: 0.0000019 is 0.000001, which is 1 for a millionth.
        let small = |repaid| terms.is_within(m("0.000001"), m(repaid), p("1.8"), p("1"));
        assert_eq!((small("0.0000019"), small("0.000002")), (false, true));
        assert!(!terms.is_within(Money::ZERO, m("1"), p("1"), p("1")));
    }
}
