//! `plimsoll-pm`: each term by a case that can be checked by hand, and what must hold for every book.

use super::{HOUR_NS, Random, instruments, market, option, rules, unit};
use crate::number::{m, p, r};
use plimsoll_rules::portfolio::{
    Held, Instrument, InstrumentKind, Market, Offset, PlimsollRules, PortfolioError, Table, UnderlyingTerms,
};
use units::{Money, Price, Rate, Size};

const DEEP: i64 = 1_000_000_000;

fn terms_of(rules: &PlimsollRules, table: &Table, depth: i64, held: &[(usize, &str)]) -> UnderlyingTerms {
    let held = held.iter().map(|(instrument, size)| Held { instrument: *instrument, size: size.parse().unwrap() });
    let held: Vec<Held> = held.collect();
    rules.underlying(table, p("60000"), Money::whole(depth), &held).unwrap()
}

fn terms(held: &[(usize, &str)]) -> UnderlyingTerms {
    let rules = rules();
    terms_of(&rules, &rules.table(&market(), &instruments(), unit()).unwrap(), DEEP, held)
}

fn needed(parts: &[UnderlyingTerms]) -> (Money, Money) {
    let all = rules().portfolio(parts, &[], Price::ONE).unwrap();
    (all.initial, all.maintenance)
}

#[test]
fn one_perpetual_needs_sixteen_percent() {
    let long = terms(&[(1, "1")]);
    assert_eq!((long.loss, long.worst_move, long.delta), (m("9600"), r("-0.16"), m("60000")));
    assert_eq!(long.charges(), long.rounding);
    assert_eq!(long.rounding, m("0.000005"), "half of 1e-8 for each of 1,000 lots");
    assert_eq!(needed(&[long]), (m("9600.000005"), m("7680.000005")));
    let short = terms(&[(1, "-1")]);
    assert_eq!((short.loss, short.worst_move), (m("9600"), r("0.16")));
    assert_eq!(needed(&[]), (Money::ZERO, Money::ZERO));
}

/// Spot, perpetual, future and options of one underlying net: what is hedged is charged for basis only.
#[test]
fn instruments_of_one_underlying_net() {
    let covered = terms(&[(0, "1"), (1, "-1")]);
    assert_eq!((covered.loss, covered.basis, covered.delta), (Money::ZERO, Money::ZERO, Money::ZERO));
    let calendar = terms(&[(1, "1"), (2, "-1")]);
    // Marks of 60,000 and 60,300, 30 days: 4 % of 300 per 1 %, and 1 % and 1.3288 % of both deltas.
    assert_eq!(calendar.loss, m("48"));
    let gross =
        m("60000").mul_rate(r("0.01"), units::Round::Up) + m("60300").mul_rate(r("0.013287672"), units::Round::Up);
    let expected = gross.share(m("120000").units(), m("120300").units(), units::Round::Up);
    assert_eq!(calendar.basis, expected);
    assert_eq!(calendar.basis.to_string(), "1397.7522409975062345");
}

/// The farther the expiry, the more: and none for a book of one direction.
#[test]
fn basis_is_charged_where_expiries_hedge_each_other() {
    assert_eq!(terms(&[(1, "1"), (2, "1")]).basis, Money::ZERO);
    let some = terms(&[(1, "1"), (2, "-0.5")]);
    let all = terms(&[(1, "1"), (2, "-1")]);
    assert!(some.basis.is_positive() && some.basis < all.basis);
    let rate = |days: i64| {
        let mut instruments = instruments();
        instruments[2].kind = InstrumentKind::Future { mark: p("60000"), left_ns: days * 24 * HOUR_NS };
        let table = rules().table(&market(), &instruments, unit()).unwrap();
        terms_of(&rules(), &table, DEEP, &[(1, "1"), (2, "-1")]).basis
    };
    assert!(rate(7) < rate(90) && rate(90) < rate(365));
    assert_eq!(rate(365), m("3600"), "1 % and 5 % of 60,000");
    assert_eq!(rate(3_000), m("6600"), "1 % and at most 10 %");
}

/// Expected funding is in every cell, and a stress of it in two.
#[test]
fn funding_is_part_of_the_grid() {
    let with = |funding: &str, stress: &str, size: &str| {
        let mut all = instruments();
        let (funding, funding_stress) = (r(funding), r(stress));
        all[1].kind = InstrumentKind::Perpetual { mark: p("60000"), funding, funding_stress };
        let table = rules().table(&market(), &all, unit()).unwrap();
        terms_of(&rules(), &table, DEEP, &[(1, size)]).loss
    };
    assert_eq!(with("0.001", "0", "1"), m("9660"), "16 % and 0.1 %");
    assert_eq!(with("0.001", "0", "-1"), m("9540"), "shorts receive it");
    // Hedged with spot, funding is all that is left.
    let hedged = |size: [&str; 2]| {
        let mut all = instruments();
        all[1].kind = InstrumentKind::Perpetual { mark: p("60000"), funding: r("0.001"), funding_stress: r("0.002") };
        let table = rules().table(&market(), &all, unit()).unwrap();
        terms_of(&rules(), &table, DEEP, &[(0, size[0]), (1, size[1])])
    };
    assert_eq!(hedged(["-1", "1"]).loss, m("180"), "0.1 % + 0.2 %, paid by longs");
    assert_eq!(hedged(["1", "-1"]).loss, m("60"), "0.2 % − 0.1 %, paid by shorts");
    let premium = terms(&[(9, "1")]);
    let zero = premium.scan.results[11];
    assert!(zero.is_negative(), "a perpetual option pays its time value: {zero}");
}

/// Price moves are as much wider as the price is in doubt; where the price stays it stays.
#[test]
fn confidence_is_part_of_the_grid() {
    let with = |confidence: &str| {
        let market = Market { confidence: r(confidence), ..market() };
        rules().table(&market, &instruments(), unit()).unwrap()
    };
    let loss = |confidence: &str, size: &str| terms_of(&rules(), &with(confidence), DEEP, &[(1, size)]).loss;
    assert_eq!(loss("0.01", "1"), m("10200"), "17 %");
    assert_eq!(loss("0.01", "-1"), m("10200"));
    assert_eq!(with("0.01").moves()[11], Rate::ZERO);
    assert_eq!(terms_of(&rules(), &with("0.01"), DEEP, &[(1, "1")]).delta, m("60000"), "deltas are per price move");
}

/// A far call that no scenario reaches still needs 1 % of spot.
#[test]
fn short_options_have_a_minimum() {
    let mut all = instruments();
    all.push(option(p("600000"), 7));
    let far = all.len() - 1;
    let table = rules().table(&market(), &all, unit()).unwrap();
    let of = |held: &[(usize, &str)]| terms_of(&rules(), &table, DEEP, held);
    let wing = of(&[(far, "-1")]);
    assert!(wing.loss < m("1"), "{}", wing.loss);
    assert_eq!(wing.scanned(), m("600"));
    assert_eq!(of(&[(far, "1")]).short_options, Money::ZERO, "what is bought has none");
    assert_eq!(of(&[(far, "-1"), (1, "-1")]).short_options, Money::ZERO, "9,600 are scanned already");
    // A call sold against a put bought at the same strike and expiry is covered.
    assert_eq!(of(&[(3, "-1"), (5, "1")]).short_options, Money::ZERO);
}

/// Sold in one month and bought in another: a share of the vega that nets.
#[test]
fn vega_is_charged_where_expiries_net() {
    let near = terms(&[(3, "-1")]);
    let far = terms(&[(6, "1")]);
    let both = terms(&[(3, "-1"), (6, "1")]);
    assert_eq!((near.vega, far.vega), (Money::ZERO, Money::ZERO));
    let of = |terms: &UnderlyingTerms| terms.scan.results[12];
    assert!(of(&near).is_negative() && of(&far).is_positive());
    let smaller = of(&near).abs().min(of(&far).abs());
    assert_eq!(both.vega, smaller.mul_rate(r("0.3"), units::Round::Up));
}

/// Delta within the depth costs nothing; at twice the depth 2 % of it, and never more than 20 %.
#[test]
fn concentration_grows_with_the_delta_over_the_depth() {
    let rules = rules();
    let table = rules.table(&market(), &instruments(), unit()).unwrap();
    let of = |depth: i64, held: &[(usize, &str)]| terms_of(&rules, &table, depth, held).concentration;
    assert_eq!(of(60_000, &[(1, "1")]), Money::ZERO);
    assert_eq!(of(30_000, &[(1, "1")]), m("1200"));
    assert_eq!(of(1_000, &[(1, "1")]), m("12000"));
    assert!(of(30_000, &[(1, "1"), (2, "-1")]).is_positive(), "hedged by another expiry: each must be closed");
    assert_eq!(of(30_000, &[(1, "1"), (0, "-1")]), Money::ZERO, "hedged by the same");
}

/// Long in one quote asset, short in another: 1 % of what they hedge; a settlement asset below 98 cents raises both factors.
#[test]
fn quote_assets_can_part() {
    let mut all = instruments();
    all.push(Instrument { quote: 1, ..all[1] });
    let table = rules().table(&market(), &all, unit()).unwrap();
    let held = [(1, "1"), (all.len() - 1, "-1")];
    let parted = terms_of(&rules(), &table, DEEP, &held);
    assert_eq!((parted.loss, parted.quotes), (Money::ZERO, m("600")));
    let long = terms(&[(1, "1")]);
    let at = |price: &str| rules().portfolio(std::slice::from_ref(&long), &[], p(price)).unwrap();
    assert_eq!(at("0.98").initial, m("9600.000005"));
    let depegged = at("0.96");
    assert_eq!((depegged.peg, depegged.initial), (r("0.04"), m("9984.000005")), "2 cents twice");
    assert_eq!(depegged.maintenance, m("8064.000005"));
}

/// Only by the stated matrix, only for worsts on opposite sides, and never more than the smaller loss.
#[test]
fn underlyings_offset_by_the_matrix_only() {
    let (long, short) = (terms(&[(1, "1")]), terms(&[(1, "-0.5")]));
    let parts = [long.clone(), short.clone(), short.clone()];
    let offset = |parts: &[UnderlyingTerms], rows: &[(usize, usize, &str)]| {
        let rows = rows.iter().map(|(first, second, rate)| Offset { first: *first, second: *second, rate: r(rate) });
        rules().portfolio(parts, &rows.collect::<Vec<_>>(), Price::ONE).unwrap().offset
    };
    assert_eq!(offset(&parts, &[]), Money::ZERO);
    assert_eq!(offset(&parts, &[(0, 1, "0.4")]), m("3840"), "40 % of 4,800, twice");
    assert_eq!(offset(&parts, &[(1, 2, "0.4")]), Money::ZERO, "both are worst as prices rise");
    assert_eq!(offset(&parts, &[(0, 1, "0.4"), (0, 2, "0.4")]), m("7680"), "what is left of 9,600");
    assert_eq!(offset(&parts, &[(0, 1, "0.4"), (0, 1, "0.4")]), m("3840"), "nothing is used twice");
    let refused = rules().portfolio(&parts, &[Offset { first: 0, second: 0, rate: r("0.4") }], Price::ONE);
    assert_eq!(refused.unwrap_err(), PortfolioError::OffsetOutOfRange);
}

/// For random books: initial is at least maintenance, no charge is negative, both grow in proportion, and two books together scan no
/// worse than apart.
#[test]
fn requirements_behave_for_random_books() {
    let rules = rules();
    let table = rules.table(&market(), &instruments(), unit()).unwrap();
    let mut random = Random(11);
    let mut book = |n: i64| -> Vec<Held> {
        (0..n)
            .map(|_| {
                let instrument = random.place(table.instruments().len());
                Held { instrument, size: Size::new((random.below(2_001) - 1_000) * 100_000).unwrap() }
            })
            .collect()
    };
    for _ in 0..300 {
        let (a, b) = (book(6), book(6));
        let of = |held: &[Held]| rules.underlying(&table, p("60000"), Money::whole(200_000), held).unwrap();
        let (one, other) = (of(&a), of(&b));
        for charge in [one.loss, one.short_options, one.basis, one.vega, one.concentration, one.quotes, one.rounding] {
            assert!(!charge.is_negative());
        }
        let (initial, maintenance) = needed(std::slice::from_ref(&one));
        assert!(initial >= maintenance);
        let twice: Vec<Held> = a.iter().map(|held| Held { size: held.size + held.size, ..*held }).collect();
        assert_eq!(of(&twice).scan.worst, one.scan.worst + one.scan.worst);
        let together: Vec<Held> = a.iter().chain(&b).copied().collect();
        assert!(of(&together).scan.worst >= one.scan.worst + other.scan.worst, "netting never costs");
    }
}
