//! OKX as far as it is published, a scan in the manner of SPAN, and what is flagged on a surface.

use super::{HOUR_NS, instruments, market, unit};
use crate::number::{m, p, r};
use plimsoll_rules::options::OptionError;
use plimsoll_rules::portfolio::{
    Damp, Held, Instrument, InstrumentKind, Market, OkxCharges, OkxClass, PortfolioError, SpanCharges, SpanRules,
    SurfaceFlag, SurfacePoint, Table, VolatilityShock, okx_grid, okx_margin, okx_minimum, span_margin, surface_flags,
};
use units::{Money, Price, Rate, Size};

fn none() -> OkxCharges {
    let zero = Money::ZERO;
    OkxCharges { theta: zero, vega: zero, basis: zero, rates: zero, minimum_raw: zero, borrowing: zero, depeg: zero }
}

/// OKX, "Scaling factor logic": raw 30,000 becomes 50,000, which is more than the 40,000 of the scan. OKX, "New features", 2024-05-31: basis
/// of 8,053.32 is more than a minimum of 3,020.17.
#[test]
fn okx_worked_examples() {
    assert_eq!(okx_minimum(m("30000")), m("50000"));
    assert_eq!(okx_minimum(m("10000")), m("10000"));
    assert_eq!(
        okx_minimum(m("800000")),
        m("10000") + m("120000") + m("400000") + m("780000") + m("1360000") + m("2300000") + m("1200000")
    );
    let grid = okx_grid(OkxClass::Majors).unwrap();
    let shock = VolatilityShock {
        up: r("0.5"),
        down: r("0.25"),
        short_power: r("0.3"),
        long_power: r("0.13"),
        floor_ns: 1,
        least_up: r("0"),
    };
    let table = Table::build(&grid, &shock, &market(), &instruments(), unit()).unwrap();
    let scan = |size: &str| table.scan(&[Held { instrument: 1, size: size.parse().unwrap() }]).unwrap();
    // 40,000 scanned as 5.555 BTC at 12 %, and a minimum of 50,000.
    let long = okx_margin(&scan("5.555"), &grid, &OkxCharges { minimum_raw: m("30000"), ..none() }, r("1.3"));
    assert_eq!((long.spot_shock, long.minimum, long.maintenance), (m("39996"), m("50000"), m("50000")));
    assert_eq!(long.initial, m("65000"));
    let hedged = okx_margin(
        &scan("0"),
        &grid,
        &OkxCharges { basis: m("8053.32"), minimum_raw: m("3020.17"), ..none() },
        r("1.3"),
    );
    assert_eq!(hedged.maintenance, m("8053.32"));
    let borrowed =
        OkxCharges { theta: m("90000"), vega: m("1"), rates: m("2"), borrowing: m("3"), depeg: m("4"), ..none() };
    assert_eq!(okx_margin(&scan("1"), &grid, &borrowed, r("1.3")).maintenance, m("90010"));
}

#[test]
fn okx_moves_are_the_published_ones() {
    for (class, most, extreme) in
        [(OkxClass::Majors, "0.12", "0.24"), (OkxClass::Named, "0.18", "0.36"), (OkxClass::Others, "0.25", "0.5")]
    {
        let grid = okx_grid(class).unwrap();
        let cells = grid.scenarios();
        assert_eq!(cells.len(), 23);
        assert_eq!((cells[20].price, cells[22].price, cells[22].damp), (r(most), r(extreme), Damp::of(r("0.5"))));
        assert_eq!(cells[0].price, Rate::ZERO - r(most));
    }
}

/// A future worth 500 a point with a range of 20 points and an extreme move that counts for 14: 3,333, 6,667, 10,000 and 7,000 either way.
/// Source: McMillan, "Options as a Strategic Investment", chapter 34, whose table rounds to tens.
#[test]
fn span_array_of_a_future() {
    let rules =
        SpanRules { price_range: r("0.05"), volatility_range: r("0.1"), extreme_times: 2, extreme_share: r("0.35") };
    let grid = rules.grid().unwrap();
    assert_eq!(grid.scenarios().len(), 16);
    // 400 points.
    let kind = InstrumentKind::Future { mark: p("200000"), left_ns: 30 * 24 * HOUR_NS };
    let future = Instrument { kind, lot: Size::whole(1), quote: 0 };
    let market = Market { spot: p("200000"), confidence: Rate::ZERO, horizon_ns: 0 };
    let table = Table::build(&grid, &rules.volatility(), &market, &[future], m("0.01")).unwrap();
    let row: Vec<i64> = table.row(0).unwrap().iter().map(|cents| cents / 100).collect();
    assert_eq!(row[..7], [-10_000, -10_000, -6_666, -6_666, -3_333, -3_333, 0]);
    assert_eq!(row[8..], [3_333, 3_333, 6_666, 6_666, 10_000, 10_000, -7_000, 7_000]);
    let scan = table.scan(&[Held { instrument: 0, size: Size::whole(1) }]).unwrap();
    let zero = Money::ZERO;
    let charges =
        SpanCharges { calendar: zero, delivery: zero, credit: zero, short_option_minimum: zero, option_value: zero };
    assert_eq!(span_margin(scan.worst, &charges).required, m("10000"));
    let spread = SpanCharges { calendar: m("300"), credit: m("100"), ..charges };
    assert_eq!(span_margin(zero, &spread).risk, m("200"));
    let least = SpanCharges { short_option_minimum: m("500"), ..spread };
    assert_eq!(span_margin(zero, &least).risk, m("500"));
    let bought = SpanCharges { option_value: m("4500"), ..charges };
    assert_eq!(span_margin(m("-4000"), &bought).required, zero, "what was paid covers it");
    let sold = SpanCharges { option_value: m("-4500"), ..charges };
    assert_eq!(span_margin(m("-4000"), &sold).required, m("8500"));
}

fn point(days: i64, strike: i32, volatility: &str) -> SurfacePoint {
    let (left_ns, volatility) = (days * 24 * HOUR_NS, r(volatility));
    SurfacePoint { left_ns, forward: Price::whole(60_000), strike: Price::whole(strike), volatility }
}

#[test]
fn arbitrage_on_a_surface_is_flagged_and_priced_all_the_same() {
    let smile = [point(30, 50_000, "0.65"), point(30, 60_000, "0.6"), point(30, 70_000, "0.63")];
    assert_eq!(surface_flags(&smile), Ok(vec![]));
    let peak = [smile[0], point(30, 60_000, "0.9"), smile[2]];
    assert_eq!(surface_flags(&peak), Ok(vec![SurfaceFlag::Butterfly(1)]));
    let steep = [smile[0], smile[1], point(30, 61_000, "0.75")];
    assert_eq!(surface_flags(&steep).unwrap()[0], SurfaceFlag::Slope(2));
    let later = [smile[0], smile[1], smile[2], point(60, 55_000, "0.6"), point(60, 65_000, "0.6")];
    assert_eq!(surface_flags(&later), Ok(vec![]));
    // 60 % for 30 days is 42.4 % for 60.
    let cheap = [smile[1], point(60, 55_000, "0.42"), point(60, 65_000, "0.42")];
    assert_eq!(surface_flags(&cheap), Ok(vec![SurfaceFlag::Calendar(0)]));
    let fair = [smile[1], point(60, 55_000, "0.43"), point(60, 65_000, "0.43")];
    assert_eq!(surface_flags(&fair), Ok(vec![]));
    let bad = [smile[0], point(30, 60_000, "0")];
    assert_eq!(surface_flags(&bad), Err(PortfolioError::NotPriced(1, OptionError::VolatilityZero)));
}
