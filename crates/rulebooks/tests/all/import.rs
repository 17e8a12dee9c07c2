//! Tables of venues: what is imported reads back as the tables that went in, and a broken one is told with its row.
//!
//! `tests/import/` has an excerpt of each form: figures of Binance of 2025-07-15, 2026-09-29 and two earlier days, and those of
//! Hyperliquid of 2026-07-19, as `meta` answers (with a delisted market added) and as captured.

use plimsoll_rulebooks::{
    Added, ImportedTable, MarketFacts, Problem, Rulebook, RulebookFile, Shipped, Source, VenueTables, named,
    version_text,
};
use rules::{Ladder, TierTable};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use units::{Decimal, Money, Rate};

const BRACKETS: &str = include_str!("../import/leverage_bracket.json");
const BY_SYMBOL: &str = include_str!("../import/rows_by_symbol.json");
const BY_DAY: &str = include_str!("../import/rows_by_day.json");
const META: &str = include_str!("../import/hyperliquid_meta.json");
const CAPTURE: &str = include_str!("../import/hyperliquid_capture.json");

/// A tier as its venue states it: where it begins, where it ends, greatest leverage, maintenance rate and deduction, the last
/// two where they are stated.
type Stated = (Money, Money, Money, Option<(Rate, Money)>);

fn added(text: &str) -> Added {
    let cap = (text.contains("universe") || text.contains("perpUniverse")).then(|| Money::whole(10_000_000_000));
    Added { settlement: None, cap }
}

fn facts(from: Option<&str>) -> MarketFacts {
    let [clause, taker_fee, maker_fee] = ["XX-TI-01", "0.05%", "-0.01%"];
    let from = from.map(|day| day.parse().unwrap());
    MarketFacts {
        clause: clause.parse().unwrap(),
        taker_fee: taker_fee.parse().unwrap(),
        maker_fee: maker_fee.parse().unwrap(),
        from,
    }
}

/// All tables of a text, or the first problem.
fn import(text: &str) -> Result<Vec<ImportedTable>, Box<Problem>> {
    let source = Source { file: "tables.json", text };
    let found = VenueTables::read(&source)?;
    found.all().map(|table| table.check(&added(text))).collect()
}

fn good(text: &str) -> Vec<ImportedTable> {
    import(text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A rulebook that has only the imported markets: the first version of a shipped one without its own, and what was imported.
fn read_back(tables: &[ImportedTable], from: Option<&str>, day: &str) -> Rulebook {
    let shipped = Shipped::all().find(|shipped| shipped.venue == "binance-usdm").unwrap();
    let head = shipped.text.split("\n[[version.market]]\n").next().unwrap();
    let added = version_text("tables.json", tables, &facts(from)).unwrap_or_else(|problem| panic!("{problem}"));
    let text = format!("{head}\n{added}");
    let source = Source { file: "rulebook.toml", text: &text };
    let read = RulebookFile::read(&source).unwrap_or_else(|problem| panic!("{problem}"));
    read.on(&source, Some(day)).unwrap_or_else(|problem| panic!("{problem}"))
}

fn ladder<'a>(rulebook: &'a Rulebook, symbol: &str) -> &'a TierTable {
    match &rulebook.market(symbol).unwrap_or_else(|| panic!("{symbol} was not read back")).rules.ladder {
        Ladder::Tiers(table) => table,
        _ => panic!("{symbol} has no tiers"),
    }
}

/// A number of JSON, quoted or not, by a way that has nothing in common with the import but the reader of decimals.
fn units(value: &Value, decimals: u32) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Decimal::parse(&text).and_then(|number| number.to_units(decimals)).unwrap_or_else(|| panic!("{value}"))
}

fn money(value: &Value) -> Money {
    Money::new(units(value, 16)).unwrap()
}

fn rate(value: &Value) -> Rate {
    Rate::new(units(value, 9).try_into().unwrap()).unwrap()
}

fn of_row(row: &Value) -> Stated {
    (money(&row[0]), money(&row[1]), money(&row[3]), Some((rate(&row[2]), money(&row[4]))))
}

fn of_bracket(row: &Value) -> Stated {
    let deduction = Some((rate(&row["maintMarginRatio"]), money(&row["cum"])));
    (money(&row["notionalFloor"]), money(&row["notionalCap"]), money(&row["initialLeverage"]), deduction)
}

/// The ladder has the figures that the venue states.
fn assert_same(name: &str, ladder: &TierTable, stated: &[Stated]) {
    assert_eq!(ladder.tiers().len(), stated.len(), "{name}");
    for (n, (tier, (floor, cap, leverage, rest))) in (1..).zip(ladder.tiers().iter().zip(stated)) {
        assert_eq!((tier.floor, tier.cap), (*floor, *cap), "{name}, tier {n}");
        // 1 ÷ leverage, rounded up: the product is at least one, and with one unit less it is not.
        let (scaled, one) = (leverage.units() / 10i128.pow(9), 10i128.pow(16));
        let initial = i128::from(tier.initial_rate.units());
        assert!(initial * scaled >= one && (initial - 1) * scaled < one, "{name}, tier {n}: {}", tier.initial_rate);
        match rest {
            Some((maintenance, cum)) => {
                assert_eq!((tier.maintenance_rate, tier.deduction), (*maintenance, *cum), "{name}, tier {n}");
            }
            None => {
                let half = i128::from(tier.maintenance_rate.units());
                assert!(half * 2 * scaled >= one && (half - 1) * 2 * scaled < one, "{name}, tier {n}");
            }
        }
    }
}

#[test]
fn brackets_read_back_as_they_went_in() {
    let json: Value = serde_json::from_str(BRACKETS).unwrap();
    let rulebook = read_back(&good(BRACKETS), Some("2025-07-15"), "2025-07-15");
    assert_eq!(rulebook.markets.len(), 2);
    for symbol in json.as_array().unwrap() {
        let stated: Vec<Stated> = symbol["brackets"].as_array().unwrap().iter().map(of_bracket).collect();
        let name = symbol["symbol"].as_str().unwrap();
        assert_same(name, ladder(&rulebook, name), &stated);
    }
    // One symbol, as the venue answers when it is asked for one; its markets have the fees that were given.
    let one = serde_json::to_string(&json[1]).unwrap();
    let rulebook = read_back(&good(&one), Some("2025-07-15"), "2025-08-01");
    let market = rulebook.market("XRPUSDT").unwrap();
    assert_eq!((market.settlement.as_str(), market.clause.as_str()), ("USDT", "XX-TI-01"));
    assert_eq!((market.taker_fee, market.maker_fee), ("0.0005".parse().unwrap(), "-0.0001".parse().unwrap()));
}

#[test]
fn numbers_are_read_exactly() {
    // Exponents are a shift of the point, quotes make no difference, and no digit is lost on the way through a float:
    // 3.0000000000000001 is not one that a float of 64 bits can hold.
    let same = BRACKETS
        .replace("\"maintMarginRatio\": 0.004,", "\"maintMarginRatio\": 4e-03,")
        .replace("\"notionalCap\": 800000,", "\"notionalCap\": 8E5,")
        .replace("\"cum\": 421482000 ", "\"cum\": \"4.21482E+8\" ");
    assert_ne!(same, BRACKETS);
    let text = |tables: &str| version_text("tables.json", &good(tables), &facts(Some("2025-07-15"))).unwrap();
    assert_eq!(text(&same), text(BRACKETS));
    let near = r#"{ "symbol": "XUSDT", "brackets": [
        { "bracket": 1, "initialLeverage": 12.5, "notionalCap": 3.0000000000000001, "notionalFloor": 0, "maintMarginRatio": 0.004, "cum": 0.0 },
        { "bracket": 2, "initialLeverage": 10, "notionalCap": 4, "notionalFloor": 3, "maintMarginRatio": 0.005, "cum": 0.003 } ] }"#;
    let problem = import(near).unwrap_err();
    assert_eq!(problem.what, "XUSDT, bracket 2: floor 3 overlaps the tier before it, which ends at 3.0000000000000001");
    let joined = near
        .replace("\"notionalFloor\": 3,", "\"notionalFloor\": 3.0000000000000001,")
        .replace("0.003 }", "0.0030000000000000 }");
    let tables = good(&joined);
    assert_eq!(tables[0].tiers.tiers()[1].deduction, "0.003".parse().unwrap());
    assert_eq!(tables[0].leverages, ["12.5", "10"]);
}

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
                "\"maintMarginRatio\": 0.15,",
                "\"maintMarginRatio\": 0.1500000001,",
                "14 0.1500000001,",
                "BTCUSDT, bracket 10: maintMarginRatio 0.1500000001 is no rate: needed above 0 and at most 1, at most 9 decimals",
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
                "16 { \"bracket\"",
                "BTCUSDT, bracket 12: qtyCap is an amount of coins: these are COIN-M brackets, only those of USD-M are read",
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
    let none = import("[{\"symbol\": \"BTCUSDT\", \"brackets\": []}]").unwrap_err();
    assert_eq!(none.what, "BTCUSDT: 0 tiers, needed 1 to 64");
}

#[test]
fn rows_read_back_as_they_went_in() {
    let json: Value = serde_json::from_str(BY_SYMBOL).unwrap();
    let rulebook = read_back(&good(BY_SYMBOL), None, "2026-09-29");
    let names = [
        ("BTC/USDT:USDT", "BTCUSDT", "USDT"),
        ("ETH/BTC:BTC", "ETHBTC", "BTC"),
        ("BTC/USDT:USDT-261225", "BTCUSDT_261225", "USDT"),
    ];
    assert_eq!((rulebook.markets.len(), rulebook.from.as_str()), (names.len(), "2026-09-29"));
    for (given, symbol, settlement) in names {
        let stated: Vec<Stated> = json["symbols"][given].as_array().unwrap().iter().map(of_row).collect();
        assert_same(symbol, ladder(&rulebook, symbol), &stated);
        assert_eq!(rulebook.market(symbol).unwrap().settlement, settlement);
    }
}

#[test]
fn a_history_becomes_a_version_a_day() {
    let json: Value = serde_json::from_str(BY_DAY).unwrap();
    // As the recorded history writes large numbers.
    let tables = good(&BY_DAY.replace("\"5663915.0\"", "\"5.663915E6\""));
    for day in ["2023-08-28", "2024-10-24"] {
        let stated: Vec<Stated> = json[day]["DOGE/USDT:USDT"].as_array().unwrap().iter().map(of_row).collect();
        let rulebook = read_back(&tables, None, day);
        assert_eq!(rulebook.from, day);
        assert_same(day, ladder(&rulebook, "DOGEUSDT"), &stated);
        // The file that is shipped has the same figures of these days.
        let shipped = named(&format!("binance-usdm@{day}")).unwrap();
        assert_eq!(ladder(&rulebook, "DOGEUSDT"), ladder(&shipped, "DOGEUSDT"), "{day}");
    }
    let problem = version_text("tables.json", &tables, &facts(Some("2023-08-28"))).unwrap_err();
    assert_eq!(problem.what, "--from 2023-08-28 is one day, the tables are of 2023-08-28 to 2024-10-24");
    let problem = version_text("tables.json", &good(BRACKETS), &facts(None)).unwrap_err();
    assert_eq!(problem.what, "it does not say from when its tables hold");
}

#[test]
fn margin_tables_read_back_as_they_went_in() {
    let stated = |rows: &[(i64, i64, i64)]| -> Vec<Stated> {
        rows.iter().map(|(from, to, by)| (Money::whole(*from), Money::whole(*to), Money::whole(*by), None)).collect()
    };
    let (from, shipped) = (Some("2026-07-19"), named("hyperliquid@2026-07-19").unwrap());
    let of_meta = read_back(&good(META), from, "2026-07-19");
    let captured = read_back(&good(CAPTURE), None, "2026-07-19");
    for (symbol, rows) in [
        ("BTC", &[(0, 150_000_000, 40), (150_000_000, 10_000_000_000, 20)][..]),
        ("ETH", &[(0, 100_000_000, 25), (100_000_000, 10_000_000_000, 15)]),
        ("DYDX", &[(0, 10_000_000_000, 5)]),
    ] {
        assert_same(symbol, ladder(&of_meta, symbol), &stated(rows));
        for rulebook in [&of_meta, &captured].iter().filter(|rulebook| rulebook.market(symbol).is_some()) {
            assert_eq!(ladder(rulebook, symbol), ladder(&shipped, symbol), "{symbol}");
            let (read, kept) = (rulebook.market(symbol).unwrap(), shipped.market(symbol).unwrap());
            assert_eq!((read.lot, &read.settlement), (kept.lot, &kept.settlement), "{symbol}");
        }
    }
    // Half of 2.5 % of what is above 150,000,000, by hand: 150,000,000 × (2.5 % − 1.25 %).
    assert_eq!(ladder(&of_meta, "BTC").tiers()[1].deduction, Money::whole(1_875_000));
    let names = |rulebook: &Rulebook| rulebook.markets.iter().map(|market| market.symbol.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&of_meta), names(&captured)),
        (vec!["BTC".to_owned(), "ETH".to_owned(), "DYDX".to_owned()], vec!["ETH".to_owned(), "DYDX".to_owned()],)
    );
    // The answer to metaAndAssetCtxs begins with that to meta.
    assert_eq!(good(&format!("[{META}, []]")).len(), 3);
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
fn tables_are_chosen_by_day_and_name() {
    let source = Source { file: "tables.json", text: BY_DAY };
    let found = VenueTables::read(&source).unwrap();
    let chosen = |day: Option<&str>, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let tables = found.chosen(day, &names).map_err(|problem| problem.hint.unwrap());
        tables.map(|tables| tables.iter().map(|table| table.day.clone().unwrap()).collect::<Vec<_>>())
    };
    let both = vec!["2023-08-28".to_owned(), "2024-10-24".to_owned()];
    assert_eq!(chosen(None, &[]), Ok(both.clone()));
    assert_eq!(chosen(None, &["DOGEUSDT"]), Ok(both.clone()));
    assert_eq!(chosen(Some("2024-10-24"), &["DOGE/USDT:USDT"]), Ok(both[1..].to_vec()));
    assert_eq!(chosen(Some("2024-10-25"), &[]), Err("it has 2023-08-28, 2024-10-24".to_owned()));
    assert_eq!(chosen(None, &["DOGE"]), Err("did you mean DOGEUSDT?".to_owned()));
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

/// Every table of the recorded files passes and reads back, and those of the markets that are shipped are the shipped ones. The
/// files are no part of the project: where they are not beside it, this says so.
#[test]
fn recorded_tables_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/tiers");
    let recorded = [
        ("binance_tiers_all_2026-09-29.json", 907, "binance-usdm"),
        ("binance_tiers_history_6syms.json", 36, "binance-usdm"),
        ("hyperliquid_margin_tables_2026-07-19.json", 3, "hyperliquid"),
    ];
    for (file, count, venue) in recorded {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            // Written past the capture of tests, so that it is seen where they pass.
            let note = format!("recorded_tables_pass: {} is not there, not checked\n", folder.join(file).display());
            std::io::stderr().write_all(note.as_bytes()).unwrap();
            continue;
        };
        let source = Source { file, text: &text };
        let found = VenueTables::read(&source).unwrap_or_else(|problem| panic!("{problem}"));
        let (mut passed, mut refused) = (Vec::new(), String::new());
        for table in found.all() {
            match table.check(&added(&text)) {
                Ok(good) => passed.push(good),
                Err(problem) => refused += &format!("{problem}\n"),
            }
        }
        assert!(refused.is_empty(), "{file}: tables are refused\n{refused}");
        assert_eq!(passed.len(), count, "{file}");
        let mut by_day: BTreeMap<&str, Vec<ImportedTable>> = BTreeMap::new();
        for table in &passed {
            by_day.entry(table.day.as_deref().unwrap()).or_default().push(table.clone());
        }
        let (json, mut compared): (Value, usize) = (serde_json::from_str(&text).unwrap(), 0);
        for (day, tables) in by_day {
            let (rulebook, shipped) = (read_back(&tables, None, day), named(&format!("{venue}@{day}")).unwrap());
            assert_eq!(rulebook.markets.len(), tables.len(), "{file}: {day}");
            for table in tables {
                assert_eq!(ladder(&rulebook, &table.symbol), &table.tiers, "{file}: {day} {}", table.symbol);
                if shipped.from == day
                    && let Some(market) = shipped.market(&table.symbol)
                {
                    compared += 1;
                    let kept = ladder(&shipped, &market.symbol);
                    assert_eq!(kept, &table.tiers, "{venue}@{day} {} is not as recorded", market.symbol);
                }
            }
            let symbols = if json.get("symbols").is_some() { &json["symbols"] } else { &json[day] };
            for (given, rows) in symbols.as_object().into_iter().flatten() {
                let stated: Vec<Stated> = rows.as_array().unwrap().iter().map(of_row).collect();
                let (pair, settles) = given.split_once(':').unwrap();
                let delivery = settles.split_once('-').map_or(String::new(), |(_, day)| format!("_{day}"));
                let symbol = pair.replace('/', "") + &delivery;
                assert_same(&symbol, ladder(&rulebook, &symbol), &stated);
            }
        }
        assert!(compared >= 3, "{file}: only {compared} tables are shipped");
    }
}
