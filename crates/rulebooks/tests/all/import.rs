//! Tables of venues: what is imported reads back as the tables that went in.
//!
//! `tests/import/` has an excerpt of each form: figures of Binance of 2025-07-15, 2026-09-29 and two earlier days, and those of
//! Hyperliquid of 2026-07-19, as `meta` answers (with a delisted market added) and as captured.

use plimsoll_rulebooks::{
    Added, ImportedContract, ImportedTable, MarketFacts, Problem, Rulebook, RulebookFile, Shipped, Source, VenueTables,
    named, version_text,
};
use rules::{Contract, Ladder, TierTable};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use units::{Decimal, Money, Rate};

pub const BRACKETS: &str = include_str!("../import/leverage_bracket.json");
pub const COINS: &str = include_str!("../import/coin_bracket.json");
pub const BY_SYMBOL: &str = include_str!("../import/rows_by_symbol.json");
pub const BY_DAY: &str = include_str!("../import/rows_by_day.json");
pub const META: &str = include_str!("../import/hyperliquid_meta.json");
pub const CAPTURE: &str = include_str!("../import/hyperliquid_capture.json");

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
        face: None,
        from,
    }
}

/// All tables of a text, or the first problem.
pub fn import(text: &str) -> Result<Vec<ImportedTable>, Box<Problem>> {
    let source = Source { file: "tables.json", text };
    let found = VenueTables::read(&source)?;
    found.all().map(|table| table.check(&added(text))).collect()
}

fn good(text: &str) -> Vec<ImportedTable> {
    import(text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A rulebook that has only the imported markets: the first version of a shipped one without its own, and what was imported.
fn read_back(tables: &[ImportedTable], from: Option<&str>, day: &str) -> Rulebook {
    read_back_with("binance-usdm", tables, &facts(from), day)
}

fn read_back_with(venue: &str, tables: &[ImportedTable], facts: &MarketFacts, day: &str) -> Rulebook {
    let shipped = Shipped::all().find(|shipped| shipped.venue == venue).unwrap();
    let head = shipped.text.split("\n[[version.market]]\n").next().unwrap();
    let added = version_text("tables.json", tables, facts).unwrap_or_else(|problem| panic!("{problem}"));
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
fn brackets_in_coins_read_back_as_an_inverse_market() {
    let coins = MarketFacts { face: Some(100), ..facts(Some("2021-03-02")) };
    let shipped = named("binance-coinm@2021-03-01").unwrap();
    let kept = shipped.market("BTCUSD_PERP").unwrap();
    // As COIN-M spells the floor, and as a portfolio-margin account does.
    for text in [COINS.to_owned(), COINS.replace("qtylFloor", "qtyFloor")] {
        let tables = good(&text);
        assert_eq!((tables[0].settlement.as_str(), tables[0].contract), ("BTC", ImportedContract::Inverse));
        let rulebook = read_back_with("binance-coinm", &tables, &coins, "2021-03-02");
        let read = rulebook.market("BTCUSD_PERP").unwrap();
        assert_eq!(read.rules.contract, Contract::Inverse { face: 100 });
        assert_eq!((&read.settlement, &read.rules.ladder), (&kept.settlement, &kept.rules.ladder));
    }
    // BNBUSD ends with BUSD, which is no quote of a bracket in coins.
    assert_eq!(good(&COINS.replace("BTCUSD_PERP", "BNBUSD_261225"))[0].settlement, "BNB");
    let told = |tables: &str, face| {
        let facts = MarketFacts { face, ..facts(Some("2021-03-02")) };
        version_text("tables.json", &good(tables), &facts).unwrap_err().what
    };
    assert_eq!(told(COINS, None), "BTCUSD_PERP: the table does not say what a contract is worth");
    assert_eq!(told(BRACKETS, Some(100)), "BTCUSDT: its contracts settle in their quote");
}

#[test]
fn brackets_of_one_account_are_marked() {
    let mark = "# notionalCoef 1.5: brackets of one account, moved by Binance\n[[version.market]]\nclause = \"XX-TI-01\"\nsymbol = \"XRPUSDT\"";
    for (coefficient, marked) in [("1.5", true), ("1.0", false), ("1", false)] {
        let new = format!("\"symbol\": \"XRPUSDT\", \"notionalCoef\": {coefficient}");
        let tables = good(&BRACKETS.replace("\"symbol\": \"XRPUSDT\"", &new));
        let text = version_text("tables.json", &tables, &facts(Some("2025-07-15"))).unwrap();
        assert_eq!((text.contains(mark), text.contains('#')), (marked, marked), "{coefficient}");
        assert_eq!(read_back(&tables, Some("2025-07-15"), "2025-07-15").markets.len(), 2);
    }
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
