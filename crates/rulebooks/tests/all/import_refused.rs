//! Tables of venues that are refused: a broken one is told with its row and both numbers.

use crate::import::{BRACKETS, BY_DAY, BY_SYMBOL, CAPTURE, COINS, META, import};
use plimsoll_rulebooks::{Added, Source, VenueTables};
use units::Money;

/// In a good table, what is replaced by what, the line and the text there that is shown as wrong, and what is said.
type Broken = (&'static str, &'static str, &'static str, &'static str);

fn assert_told(good: &str, broken: &[Broken]) {
    for (old, new, place, what) in broken {
        assert_eq!(good.matches(old).count(), 1, "{old} must stand once");
        let text = good.replace(old, new);
        let problem = import(&text).map(|_| format!("{new} is taken")).unwrap_err();
        let line = text.lines().nth(problem.line - 1).unwrap();
        let shown: String = line.chars().skip(problem.column - 1).collect();
        assert_eq!(problem.what, *what);
        let (number, wrong) = place.split_once(' ').unwrap();
        assert!(problem.line.to_string() == number && shown.starts_with(wrong), "{place}: {problem}");
    }
}

#[test]
fn a_broken_bracket_in_coins_is_told_with_both_numbers() {
    assert_told(
        COINS,
        &[
            (
                "\"qtylFloor\": 10,",
                "\"qtylFloor\": 11,",
                "6 11,",
                "BTCUSD_PERP, bracket 2: floor 11 leaves a gap: the tier before it ends at 10",
            ),
            (
                "\"cum\": 1.81 }",
                "\"cum\": 1.8 }",
                "9 1.8 }",
                "BTCUSD_PERP, bracket 5: cum 1.8 does not continue the tier before it, which needs 1.81",
            ),
            (
                "\"qtyCap\": 20, \"qtylFloor\": 10,",
                "\"qtyCap\": 20, \"qtylFloor\": 10, \"qtyFloor\": 10,",
                "6 10, \"maint",
                "BTCUSD_PERP, bracket 2: qtylFloor stands twice",
            ),
            (
                "\"qtyCap\": 20,",
                "\"notionalCap\": 20,",
                "6 20,",
                "BTCUSD_PERP, bracket 2: it has notionalCap, the first bracket qtyCap",
            ),
            (
                "\"symbol\": \"BTCUSD_PERP\"",
                "\"symbol\": \"BTCUSDT\"",
                "2 {",
                "BTCUSDT: brackets in coins are those of a name such as BTCUSD_PERP",
            ),
            ("\"symbol\": \"BTCUSD_PERP\"", "\"pair\": \"BTCUSD\"", "2 {", "a table without a symbol"),
        ],
    );
}

#[test]
fn a_broken_bracket_is_told_with_both_numbers() {
    assert_told(
        BRACKETS,
        &[
            (
                "300000, \"notionalFloor\": 0,",
                "300000, \"notionalFloor\": 5000,",
                "5 5000,",
                "BTCUSDT, bracket 1: floor 5000, needed 0: the first tier begins there",
            ),
            (
                "\"notionalFloor\": 300000,",
                "\"notionalFloor\": 300001,",
                "6 300001,",
                "BTCUSDT, bracket 2: floor 300001 leaves a gap: the tier before it ends at 300000",
            ),
            (
                "\"notionalFloor\": 300000,",
                "\"notionalFloor\": 299999.5,",
                "6 299999.5,",
                "BTCUSDT, bracket 2: floor 299999.5 overlaps the tier before it, which ends at 300000",
            ),
            (
                "\"notionalCap\": 800000,",
                "\"notionalCap\": 300000,",
                "6 300000,",
                "BTCUSDT, bracket 2: cap 300000 is not above its floor, 300000",
            ),
            (
                "\"notionalCap\": 800000,",
                "\"notionalCap\": 200000,",
                "6 200000,",
                "BTCUSDT, bracket 2: cap 200000 is not above its floor, 300000",
            ),
            (
                "\"maintMarginRatio\": 0.0065,",
                "\"maintMarginRatio\": 0.0049,",
                "7 0.0049,",
                "BTCUSDT, bracket 3: maintenance rate 0.49% is below that of the tier before it, 0.5%",
            ),
            (
                "\"initialLeverage\": 100,",
                "\"initialLeverage\": 126,",
                "6 126,",
                "BTCUSDT, bracket 2: leverage 126 is above that of the tier before it, 125",
            ),
            (
                "\"initialLeverage\": 3,",
                "\"initialLeverage\": 0.5,",
                "14 0.5,",
                "BTCUSDT, bracket 10: initialLeverage 0.5 is below 1",
            ),
            (
                "300000, \"notionalFloor\": 0, \"maintMarginRatio\": 0.004,",
                "300000, \"notionalFloor\": 0, \"maintMarginRatio\": 0.0081,",
                "5 0.0081,",
                "BTCUSDT, bracket 1: maintenance rate 0.81% is above the initial rate at leverage 125, 0.8%",
            ),
            (
                "\"maintMarginRatio\": 0.15,",
                "\"maintMarginRatio\": 0,",
                "14 0,",
                "BTCUSDT, bracket 10: maintMarginRatio 0 is no rate: needed above 0 and at most 1, at most 9 decimals",
            ),
            (
                "\"maintMarginRatio\": 0.5, \"cum\": 421482000",
                "\"maintMarginRatio\": 1.5, \"cum\": 421482000",
                "16 1.5,",
                "BTCUSDT, bracket 12: maintMarginRatio 1.5 is no rate: needed above 0 and at most 1, at most 9 decimals",
            ),
            (
                "\"maintMarginRatio\": 0.15,",
                "\"maintMarginRatio\": 0.1500000001,",
                "14 0.1500000001,",
                "BTCUSDT, bracket 10: maintMarginRatio 0.1500000001 has 10 digits after the point, at most 9 are allowed",
            ),
            (
                "\"cum\": 1500 }",
                "\"cum\": 1500.01 }",
                "7 1500.01 ",
                "BTCUSDT, bracket 3: cum 1500.01 does not continue the tier before it, which needs 1500",
            ),
            (
                "0.006, \"cum\": 0 }",
                "0.006, \"cum\": 1 }",
                "22 1 }",
                "XRPUSDT, bracket 1: cum 1, needed 0: there is no tier before it",
            ),
            (
                "\"cum\": 1500 }",
                "\"cum\": true }",
                "7 true ",
                "BTCUSDT, bracket 3: cum true is no amount: needed a number from 0, at most 16 decimals",
            ),
            ("\"cum\": 1500 }", "\"sum\": 1500 }", "7 { \"bracket\": 3", "BTCUSDT, bracket 3: has no cum"),
            ("\"cum\": 1500 }", "\"cum\": 1500, \"cum\": 1 }", "7 1 }", "BTCUSDT, bracket 3: cum stands twice"),
            ("\"bracket\": 12,", "\"bracket\": 13,", "16 13,", "BTCUSDT, bracket 12: it is numbered 13, needed 12"),
            (
                "{ \"bracket\": 12, \"initialLeverage\": 1, \"notionalCap\"",
                "{ \"bracket\": 12, \"initialLeverage\": 1, \"qtyCap\"",
                "16 1800000000,",
                "BTCUSDT, bracket 12: it has qtyCap, the first bracket notionalCap",
            ),
            ("\"symbol\": \"XRPUSDT\"", "\"symbol\": \"BTCUSDT\"", "19 {", "BTCUSDT stands twice"),
            (
                "\"symbol\": \"XRPUSDT\"",
                "\"symbol\": \"XRPU\"",
                "19 {",
                "XRPU: the file does not say what it settles in",
            ),
            ("\"symbol\": \"XRPUSDT\"", "\"symbol\": 7", "19 {", "a table without a symbol"),
        ],
    );
    let told = import(&BRACKETS.replace("\"cum\": 1500 }", "\"cum\": 1501 }")).unwrap_err();
    assert_eq!(told.hint.as_deref(), Some("800000 × (0.65% − 0.5%) + 300 = 1500"));
    // A file of one symbol that is kept broken: the docs show it.
    let told = import(include_str!("../import/wrong_bracket.json")).unwrap_err();
    assert_eq!(told.what, "XRPUSDT, bracket 5: cum 8965 does not continue the tier before it, which needs 8695");
    let none = import("[{\"symbol\": \"BTCUSDT\", \"brackets\": []}]").unwrap_err();
    assert_eq!(none.what, "BTCUSDT: 0 tiers, needed 1 to 64");
}

#[test]
fn broken_rows_and_margin_tables_are_told() {
    assert_told(
        BY_SYMBOL,
        &[
            (
                "[\"300000\", \"800000\", \"0.005\"",
                "[\"310000\", \"800000\", \"0.005\"",
                "7 \"310000\"",
                "BTCUSDT, row 2: floor 310000 leaves a gap: the tier before it ends at 300000",
            ),
            (
                "100, \"300.0\"]",
                "100, \"300.5\"]",
                "7 \"300.5\"",
                "BTCUSDT, row 2: cum 300.5 does not continue the tier before it, which needs 300",
            ),
            (
                "100, \"300.0\"]",
                "100]",
                "7 [\"300000\"",
                "BTCUSDT, row 2: expected [notional_floor, notional_cap, maint_margin_rate, max_leverage, maint_amount(cum)], found 4 cells",
            ),
            (
                "\"notional_floor\", \"notional_cap\"",
                "\"notional_cap\", \"notional_floor\"",
                "3 [\"notional_cap\"",
                "columns are [\"notional_cap\", \"notional_floor\", \"maint_margin_rate\", \"max_leverage\", \"maint_amount(cum)\"], \
             needed notional_floor, notional_cap, maint_margin_rate, max_leverage, maint_amount(cum)",
            ),
            (
                "\"2026-09-29\"",
                "\"2026-09-31\"",
                "2 \"2026-09-31\"",
                "as_of \"2026-09-31\" is no day such as \"2025-10-10\"",
            ),
            (
                "ETH/BTC:BTC",
                "BTC/USD:BTC",
                "19 [",
                "BTC/USD:BTC: quoted in USD and settled in BTC; only contracts settled in their quote have these brackets",
            ),
        ],
    );
    assert_told(
        META,
        &[
            (
                "\"0.0\", \"maxLeverage\": 40",
                "\"10.0\", \"maxLeverage\": 40",
                "14 \"10.0\"",
                "BTC, tier 1: lowerBound 10, needed 0: the first tier begins there",
            ),
            (
                "\"150000000.0\"",
                "\"0.0\"",
                "15 \"0.0\"",
                "BTC, tier 2: lowerBound 0 is not above that of the tier before it, 0",
            ),
            (
                "\"150000000.0\", \"maxLeverage\": 20",
                "\"150000000.0\", \"maxLeverage\": 41",
                "15 41 ",
                "BTC, tier 2: leverage 41 is above that of the tier before it, 40",
            ),
            (
                "\"BTC\", \"maxLeverage\": 40",
                "\"BTC\", \"maxLeverage\": 50",
                "14 40 ",
                "BTC, tier 1: maxLeverage 40, where the market's is 50",
            ),
            (
                "\"150000000.0\"",
                "\"10000000000\"",
                "15 \"10000000000\"",
                "BTC: the last tier begins at 10000000000, not below --cap 10000000000",
            ),
            ("\"marginTableId\": 56", "\"marginTableId\": 57", "3 57 ", "BTC: there is no margin table 57"),
            (
                "\"marginTableId\": 5 }",
                "\"marginTableId\": 6 }",
                "6 6 ",
                "DYDX: marginTableId 6 is one tier of that leverage, and maxLeverage is 5",
            ),
            ("\"szDecimals\": 4", "\"szDecimals\": 9", "4 9,", "ETH: szDecimals 9, needed 0 to 8"),
            (
                "\"collateralToken\": 0",
                "\"collateralToken\": 235",
                "3 {",
                "BTC: the file does not say what it settles in",
            ),
        ],
    );
}

#[test]
fn what_a_table_does_not_say_is_asked_for() {
    let check = |text: &str, added: &Added| {
        let source = Source { file: "tables.json", text };
        let found = VenueTables::read(&source)?;
        found.all().map(|table| table.check(added)).collect::<Result<Vec<_>, _>>()
    };
    let said = |text: &str, settlement: Option<&str>, cap: Option<i64>| {
        let added = Added { settlement: settlement.map(str::to_owned), cap: cap.map(Money::whole) };
        check(text, &added).map(|tables| tables[0].settlement.clone()).map_err(|problem| (problem.what, problem.hint))
    };
    let refused = |what: &str, hint: &str| Err((what.to_owned(), Some(hint.to_owned())));
    let no_end = "BTC: a margin table does not say where its last tier ends";
    assert_eq!(said(META, None, None), refused(no_end, "add --cap 10000000000: the largest notional of a position"));
    assert_eq!(
        said(BRACKETS, None, Some(5)),
        refused("BTCUSDT: its last row says where the table ends", "leave --cap away")
    );
    let wrong = "BTCUSDT settles in USDT, not in USDC";
    assert_eq!(said(BRACKETS, Some("USDC"), None), refused(wrong, "leave --settlement away"));
    let unnamed = BRACKETS.replace("BTCUSDT", "BTCU").replace("XRPUSDT", "XRPU");
    assert_eq!(said(&unnamed, Some("U"), None), Ok("U".to_owned()));
    assert_eq!(said(&unnamed, Some("U U"), None), refused("BTCU: an asset is one word", "write --settlement USDT"));
}

#[test]
fn another_shape_is_refused_with_those_that_are_known() {
    for text in ["7", "\"BTCUSDT\"", "[]", "[7]", "{}", "{\"code\": -2015}", "{\"2023-02-30\": {}}", "null"] {
        let problem = import(text).unwrap_err();
        assert_eq!((problem.what.as_str(), problem.line), ("the shape of this JSON is not known", 1), "{text}");
        assert!(problem.hint.unwrap().contains("leverageBracket"), "{text}");
    }
    for (text, place) in [("", 1), ("[1,\n2", 2), ("{\"a\": 1}\n x", 2), ("[\"é\",\n01]", 2)] {
        let problem = import(text).unwrap_err();
        assert!(problem.what.starts_with("this is no JSON: ") && problem.line == place, "{text}: {problem}");
    }
    // Values of another kind than is expected, at every place, are told and do not end the process.
    for good in [BRACKETS, BY_SYMBOL, BY_DAY, META, CAPTURE] {
        let mut refused = 0;
        for (at, _) in good.match_indices([',', ':']).filter(|(at, _)| good[at + 1..].starts_with(' ')) {
            let end = at + 2 + good[at + 2..].find([',', '}', ']', '\n']).unwrap();
            for other in ["null", "[]", "{}", "-1", "1e30", "\"\"", "\"é\""] {
                let text = format!("{} {other}{}", &good[..=at], &good[end..]);
                refused += usize::from(import(&text).is_err());
            }
        }
        assert!(refused > 30, "only {refused} were refused");
    }
}
