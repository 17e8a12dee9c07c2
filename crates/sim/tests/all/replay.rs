//! Replays: the same twice and in every build, money conserved, figures refused with their row.

use engine::{Command, Engine, Event};
use plimsoll_sim::replay::{
    BOOK_COLUMNS, BookReader, CandleReader, Config, FeedbackKnobs, Figures, FundingReader, NAMES, RawTable,
    ReplayError, Report, RowError, Sources, TierBook, TierOrigin, Window, book_rows, named, run, run_with,
};
use std::collections::BTreeMap;
use units::{Money, Price, Rate};

const HEADER: [&str; 7] = ["open_time_ms", "symbol", "open", "high", "low", "close", "volume"];

fn small(accounts: u32) -> Config {
    Config { accounts, ..Config::default() }
}

fn figures(name: &str) -> Figures {
    Figures::new(&named(name).unwrap(), &Window::default()).unwrap()
}

/// wallets + clearing + fees + rounding + pending withdrawals = vault, per asset.
fn assert_conserved(engine: &Engine) {
    let state = engine.state();
    let mut sums: Vec<Money> = state.assets.iter().map(|a| a.fees + a.rounding + a.pending).collect();
    for wallet in state.accounts.iter().flat_map(|a| &a.wallets) {
        sums[wallet.asset.index()] += wallet.amount;
    }
    for market in &state.markets {
        sums[market.params.settlement.index()] += market.clearing;
    }
    let vaults: Vec<Money> = state.assets.iter().map(|a| a.vault).collect();
    assert_eq!(sums, vaults);
}

fn checked(name: &str) -> Report {
    let mut seen = 0u64;
    let report = run(
        &small(2_000),
        &figures(name),
        &mut |_, command, _, events, engine| {
            assert!(matches!(events.first(), Some(Event::Began { .. })));
            seen += 1;
            if matches!(command, Command::SetPrices { .. }) {
                assert_conserved(engine);
            }
        },
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(seen, report.commands);
    report
}

#[test]
fn named_replays_are_the_same_twice_and_in_every_build() {
    let mut lines =
        String::from("# name, event digest, state digest of each named replay with 2,000 accounts and default knobs\n");
    for name in NAMES {
        let report = checked(name);
        let again = run(&small(2_000), &figures(name), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
        assert_eq!(serde_json::to_string(&report).unwrap(), serde_json::to_string(&again).unwrap());
        assert!(report.total.liquidations > 0 && report.total.counts.below_line > 0, "{name} has no liquidation");
        assert!(report.total.counts.forced().is_positive());
        lines += &format!("{name} {} {}\n", report.event_digest, report.state_digest);
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digests.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        lines, golden,
        "hint: UPDATE_GOLDEN=1 cargo test -p plimsoll-sim --test all replay, when the engine was meant to change"
    );
}

#[test]
fn another_seed_is_another_population() {
    let one = run(&small(200), &figures("2021-05-19"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    let two =
        run(&Config { seed: 2, ..small(200) }, &figures("2021-05-19"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    assert_ne!(one.event_digest, two.event_digest);
    assert_eq!(one.markets[0].index, two.markets[0].index);
}

#[test]
fn the_opening_is_accepted_whole_and_both_sides_hold_the_same() {
    let report = run(
        &small(500),
        &figures("2025-10-10"),
        &mut |_, _, _, _, engine| {
            for (at, market) in
                engine.state().markets.iter().enumerate().filter(|_| engine.state().sequence.is_multiple_of(5_000))
            {
                let size = |a: &engine::Account| a.position(engine::MarketId::at(at).net()).units();
                let (long, net) = engine
                    .state()
                    .accounts
                    .iter()
                    .map(size)
                    .fold((0i128, 0i128), |(long, net), s| (long + i128::from(s.max(0)), net + i128::from(s)));
                assert_eq!((net, long), (0, market.open_interest));
            }
        },
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(report.refusals.get("setup"), None);
    assert_eq!(report.refusals.get("population"), None);
    assert_eq!(report.population.accounts, 500);
    assert!(report.population.isolated > 0 && report.population.coin_collateral > 0 && report.population.orders > 0);
    let positions = report.markets.iter().filter(|m| m.interest_before.is_positive()).count();
    assert!(positions >= 6, "{positions} of {} markets have positions", report.markets.len());
}

#[test]
fn the_index_follows_the_published_prices_and_funding_is_the_real_one() {
    let report = run(&small(50), &figures("2020-03-12"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    let btc = &report.markets[0];
    // The low of last is 3,621.81, that of the mark 3,801.83057975: the index is held inside the mark's range.
    assert_eq!((btc.symbol.as_str(), btc.index.low.as_str()), ("BTCUSDT", "3801.83057975"));
    assert_eq!(btc.funding.len(), 1);
    assert_eq!(
        (btc.funding[0].at.to_string().as_str(), btc.funding[0].rate),
        ("2020-03-13T00:00:00Z", "-0.00016073".parse().unwrap())
    );
    assert_eq!((btc.tiers_date.as_str(), btc.tiers_origin), ("2023-08-28", TierOrigin::Later));
    assert!(report.statements[0].contains("already contain the cascade"));
    let october = run(&small(50), &figures("2025-10-10"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    let avax = october.markets.iter().find(|m| m.symbol == "AVAXUSDT").unwrap();
    assert_eq!(avax.funding.iter().map(|f| f.rate).collect::<Vec<_>>(), ["-0.00841627".parse::<Rate>().unwrap()]);
}

#[test]
fn knobs_outside_their_range_are_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = small(100);
        change(&mut config);
        let mut ran = false;
        let result = run(&config, &figures("2021-05-19"), &mut |_, _, _, _, _| ran = true, &mut |_| {});
        assert!(!ran, "commands were sent");
        result.unwrap_err().to_string()
    };
    assert!(refused(&|c| c.accounts = 1).contains("accounts cannot be 1"));
    assert!(refused(&|c| c.step_ms = 7_000).contains("whole number of steps"));
    assert!(refused(&|c| c.step_ms = 1_200_000).contains("at least 4 per candle"));
    assert!(refused(&|c| c.step_ms = 0).contains("step"));
    assert!(refused(&|c| c.ladder.fund = Rate::bps(20_000)).contains("fund cannot be 2"));
    assert!(refused(&|c| c.liquidity.calm = Rate::ZERO).contains("calm-bps cannot be 0"));
    assert!(refused(&|c| c.liquidity.makers = 0).contains("makers cannot be 0"));
    assert!(refused(&|c| c.ladder.target = Rate::bps(9_999)).contains("target"));
}

fn table(rows: &[&str]) -> Result<RawTable, RowError> {
    let mut reader = CandleReader::new("t.csv", &HEADER)?;
    for (row, line) in (2u64..).zip(rows) {
        reader.push(row, &line.split(',').collect::<Vec<_>>())?;
    }
    reader.finish()
}

const A: &str = "1760122800000,BTCUSDT,100,110,90,105,1";
const B: &str = "1760123100000,BTCUSDT,105,106,104,105,1";
const C: &str = "1760123400000,BTCUSDT,105,106,104,105,1";

#[test]
fn each_bad_row_is_refused_with_its_number_and_what_was_expected() {
    let cases: [(&[&str], &str, &str); 22] = [
        (&["1760122800000,BTCUSDT,100,110,90,105"], "row 2: 6 cells", "7 cells"),
        (&["1760122800000,BTCUSDT,100,110,90,105,1,1"], "row 2: 8 cells", "7 cells"),
        (&["1760122800,BTCUSDT,100,110,90,105,1"], "row 2: time is `1760122800`", "Unix milliseconds"),
        (&["soon,BTCUSDT,100,110,90,105,1"], "row 2: time is `soon`", "Unix milliseconds"),
        (&["+1760122800000,BTCUSDT,100,110,90,105,1"], "row 2: time", "Unix milliseconds"),
        (&["1760122800000,,100,110,90,105,1"], "row 2: symbol", "1 to 20"),
        (&["1760122800000,BTC USDT,100,110,90,105,1"], "row 2: symbol", "1 to 20"),
        (&["1760122800000,BTCUSDT,,110,90,105,1"], "row 2: open is ``", "decimal number"),
        (&["1760122800000,BTCUSDT,100,NaN,90,105,1"], "row 2: high is `NaN`", "decimal number"),
        (&["1760122800000,BTCUSDT,100,1.1e999,90,105,1"], "row 2: high", "decimal number"),
        (&["1760122800000,BTCUSDT,100,110,0,105,1"], "row 2: low is 0", "above zero"),
        (&["1760122800000,BTCUSDT,100,110,-90,105,1"], "row 2: low is -90", "above zero"),
        (&["1760122800000,BTCUSDT,100,90,110,105,1"], "row 2: open 100, high 90, low 110", "low <= open"),
        (&["1760122800000,BTCUSDT,100,104,90,105,1"], "row 2: open 100, high 104", "low <= open"),
        (&["1760122800000,BTCUSDT,100,110,90,105,-1"], "row 2: volume is -1", "zero or more"),
        (&["1760122800000,BTCUSDT,100,110,90,105,x"], "row 2: volume is `x`", "decimal number"),
        (&[A, A], "row 3: BTCUSDT at 1760122800000 is duplicated", "a later time"),
        (&[A, B, A], "row 4: BTCUSDT at 1760122800000 is out of order", "time 1760123400000"),
        (&[A, B, B], "row 4: BTCUSDT at 1760123100000 is duplicated", "time 1760123400000"),
        (&[A, B, "1760123700000,BTCUSDT,105,106,104,105,1"], "row 4: BTCUSDT has a gap", "time 1760123400000"),
        (
            &[A, B, "1760123300000,BTCUSDT,105,106,104,105,1"],
            "row 4: BTCUSDT at 1760123300000 comes 200000 ms after",
            "time 1760123400000",
        ),
        (&[A], "1 rows do not show an interval", "two candles"),
    ];
    for (rows, what, expected) in cases {
        let text = table(rows).unwrap_err().to_string();
        assert!(text.starts_with("t.csv") && text.contains(what), "{text}");
        assert!(text.contains(&format!("expected: {expected}")) || text.contains(expected), "{text}");
        assert!(text.contains("hint: "), "{text}");
    }
    assert_eq!(table(&[A, B, C]).unwrap().series["BTCUSDT"].candles.len(), 3);
}

#[test]
fn wrong_columns_are_refused() {
    let made = |header: &[&str]| CandleReader::new("t.csv", header).map(|_| ()).map_err(|e| e.to_string());
    assert!(made(&HEADER).is_ok());
    assert!(made(&["ts", "symbol", "open", "high", "low", "close", "volume"]).is_ok());
    assert!(made(&["volume", "close", "low", "high", "open", "symbol", "open_time"]).is_ok());
    assert!(made(&HEADER[..6]).unwrap_err().contains("t.csv row 1: no column `volume`"));
    assert!(
        made(&["ts", "open_time", "symbol", "open", "high", "low", "close", "volume"])
            .unwrap_err()
            .contains("two columns")
    );
    assert!(
        made(&["ts", "symbol", "open", "high", "low", "close", "volume", "trades"])
            .unwrap_err()
            .contains("unknown column `trades`")
    );
    assert!(FundingReader::new("f.csv", &["ts", "symbol"]).unwrap_err().to_string().contains("no column `rate`"));
}

#[test]
fn a_rate_with_an_exponent_is_read_exactly_and_other_rows_are_refused() {
    let read = |rows: &[[&str; 3]]| {
        let mut reader = FundingReader::new("f.csv", &["ts", "symbol", "rate"]).unwrap();
        let pushed = (2u64..).zip(rows).try_for_each(|(row, cells)| reader.push(row, cells));
        pushed.map(|()| reader.finish()).map_err(|e| e.to_string())
    };
    let table = read(&[["1758700800000", "BTCUSDT", "1.004e-05"], ["1758729600000", "BTCUSDT", "-6.94E-05"]]).unwrap();
    let rates: Vec<String> = table.rates["BTCUSDT"].iter().map(|(_, rate)| rate.to_string()).collect();
    assert_eq!(rates, ["0.00001004", "-0.0000694"]);
    for (row, what) in [
        (["1758700800000", "BTCUSDT", "1.0004e-09"], "row 2: rate is `1.0004e-09`"),
        (["1758700800000", "BTCUSDT", "1"], "row 2: rate is `1`"),
        (["1758700800000", "BTCUSDT", "0.01%"], "row 2: rate is `0.01%`"),
        (["x", "BTCUSDT", "0.01"], "row 2: time is `x`"),
        (["1758700800000", "", "0.01"], "row 2: symbol"),
    ] {
        let text = read(&[row]).unwrap_err();
        assert!(text.contains(what) && text.contains("expected: ") && text.contains("hint: "), "{text}");
    }
    let twice = read(&[["1758700800000", "X", "0"], ["1758700800000", "X", "0"]]).unwrap_err();
    assert!(twice.contains("row 3: X at 1758700800000 is duplicated"), "{twice}");
}

fn sources(rows: &[&str]) -> Sources {
    Sources {
        name: "test".into(),
        notes: Vec::new(),
        prices: table(rows).unwrap(),
        marks: None,
        funding: None,
        turnover: BTreeMap::new(),
        generated: false,
        tiers: TierBook::default(),
    }
}

#[test]
fn figures_that_do_not_fit_together_are_refused() {
    let rows = [A, B, C, "1760123100000,ETHUSDT,5,6,4,5,1", "1760123400000,ETHUSDT,5,6,4,5,1"];
    let with = |window: Window| Figures::new(&sources(&rows), &window).map_err(|e| e.to_string());
    assert_eq!(with(Window::default()).unwrap().candles, 2);
    let only = |symbol: &str| Window { symbols: vec![symbol.to_owned()], ..Window::default() };
    assert_eq!(with(only("BTCUSDT")).unwrap().candles, 3);
    assert!(with(only("XRPUSDT")).unwrap_err().contains("unknown symbol XRPUSDT"));
    let from = |ms| Window { from_ms: Some(ms), ..Window::default() };
    assert!(with(from(1_760_122_800_000)).unwrap_err().contains("ETHUSDT has candles from"));
    assert!(with(from(1_760_123_100_001)).unwrap_err().contains("cuts a candle"));
    assert!(with(from(1_760_123_700_000)).unwrap_err().contains("has candles from"));
    let mut odd = sources(&rows);
    odd.marks = Some(table(&["1760122800000,XRPUSDT,1,1,1,1,0", "1760123100000,XRPUSDT,1,1,1,1,0"]).unwrap());
    assert!(Figures::new(&odd, &Window::default()).unwrap_err().to_string().contains("unknown symbol XRPUSDT"));
    assert!(Figures::new(&odd, &only("BTCUSDT")).unwrap_err().to_string().contains("marks of BTCUSDT do not cover"));
    assert!(
        named("2025-10-09")
            .unwrap_err()
            .to_string()
            .contains("expected: 2020-03-12, 2021-05-19, 2025-04-07, 2025-10-10")
    );
}

#[test]
fn a_small_price_gets_a_contract_of_more_base_units() {
    let rows = [
        "1760122800000,PEPEUSDT,0.0000084212,0.0000084442,0.0000083923,0.0000084379,1",
        "1760123100000,PEPEUSDT,0.0000084379,0.0000084379,0.0000084379,0.0000084379,1",
    ];
    let figures = Figures::new(&sources(&rows), &Window::default()).unwrap();
    let market = &figures.markets[0];
    assert_eq!((market.power, market.candles[0].open), (4, "0.084212".parse::<Price>().unwrap()));
    let config = Config { accounts: 20, ..Config::default() };
    let report = run(&config, &figures, &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    assert_eq!((report.markets[0].index.low.as_str(), report.markets[0].contract_base_units), ("0.0000083923", 10_000));
    assert_eq!(report.markets[0].tiers_origin, TierOrigin::Generic);
}

/// The rows of a population, opened again: they come out as they went in.
fn reopened(rows: &[[String; 8]], balance: Option<&str>) -> Result<(Report, Vec<[String; 8]>), ReplayError> {
    let mut reader = BookReader::new("book.csv", &BOOK_COLUMNS)?;
    for (number, row) in (2u64..).zip(rows) {
        reader.push(number, &row.each_ref().map(String::as_str))?;
    }
    let book = reader.finish(balance)?;
    let (config, figures) = (small(2), short_figures());
    let symbols: Vec<(String, u32)> = figures.markets.iter().map(|m| (m.symbol.clone(), m.power)).collect();
    let mut out = Vec::new();
    let mut opened = |state: &engine::State, first| out = book_rows(state, first, &symbols);
    let report =
        run_with(&config, &figures, Some(&book), &mut opened, &mut |_, _, _, _, e| assert_conserved(e), &mut |_| {})?;
    Ok((report, out))
}

fn short_figures() -> Figures {
    let window = Window { to_ms: Some(1_760_122_800_000 + 600_000), ..Window::default() };
    Figures::new(&named("2025-10-10").unwrap(), &window).unwrap()
}

#[test]
fn a_population_that_was_written_opens_again_as_it_was() {
    let figures = short_figures();
    let symbols: Vec<(String, u32)> = figures.markets.iter().map(|m| (m.symbol.clone(), m.power)).collect();
    let mut rows = Vec::new();
    let mut opened = |state: &engine::State, first| rows = book_rows(state, first, &symbols);
    run_with(&small(150), &figures, None, &mut opened, &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    assert!(rows.iter().any(|row| !row[5].is_empty()) && rows.iter().any(|row| row[6] == "BTC"));
    // Hedgers are not of the population: what they held goes to the house.
    let refused = reopened(&rows, None).unwrap_err().to_string();
    assert!(refused.contains("longs and shorts do not balance: ") && refused.contains("--balance house"), "{refused}");
    let (first, with_house) = reopened(&rows, Some("house")).unwrap();
    assert_eq!(with_house.get(..rows.len()), Some(rows.as_slice()));
    let (second, again) = reopened(&with_house, None).unwrap();
    assert_eq!(again, with_house);
    assert_eq!(second.population.digest, first.population.digest);
}

#[test]
fn an_entry_that_is_off_the_tick_leaves_equity_exact() {
    let row = |cells: &str| <[String; 8]>::try_from(cells.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap();
    let rows: Vec<_> = [
        "ann,,,,,,USDT,30000.123456789",
        "ann,BTCUSDT,0.5,110000.123456789,20,,,",
        "bob,,,,,,USDT,40000",
        "bob,BTCUSDT,-0.5,118000,,3000.5,,",
    ]
    .map(row)
    .to_vec();
    let (report, out) = reopened(&rows, None).unwrap();
    assert_eq!(report.population.accounts, 2);
    let ann: Vec<&str> = out[0].iter().map(String::as_str).collect();
    let entry: units::Money = out[1][3].parse().unwrap();
    let wallet: units::Money = ann[7].parse().unwrap();
    // wallet − 0.5 × entry is what was asked for.
    let half = units::Money::from_units(entry.units() / 2);
    assert_eq!((wallet - half).to_string(), "-24999.9382716055");
    assert_eq!(out.iter().find(|r| r[0] == "bob" && r[1] == "BTCUSDT").unwrap()[5], "3000.5");
}

#[test]
fn rows_of_a_population_that_cannot_be_used_say_where_and_what() {
    let row = |cells: &str| <[String; 8]>::try_from(cells.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap();
    let money = "ann,,,,,,USDT,1000";
    for (cells, wanted) in [
        ("ann,XRPUSDT,1,2,,,,", "row 3: unknown symbol XRPUSDT"),
        ("ann,BTCUSDT,0.00000001,,,,,", "row 3: size of BTCUSDT is off the lot"),
        ("ann,BTCUSDT,one,,,,,", "row 3: size is `one`"),
        ("ann,BTCUSDT,0.1,1,,,,", "row 3: entry_price of BTCUSDT cannot be opened at"),
        ("ann,BTCUSDT,0.1,,0,,,", "row 3: leverage is `0`"),
        ("ann,BTCUSDT,0.1,,,-5,,", "row 3: margin cannot be used"),
        ("ann,,,,,,DOGE,5", "row 3: unknown asset DOGE"),
        ("ann,,,,,,USDT,0", "row 3: amount of USDT is not above zero"),
        ("ann,BTCUSDT,0.1,,,,USDT,5", "row 3: neither collateral nor a position"),
        ("ann,,,,5,,USDT,5", "row 3: collateral with cells of a position"),
        (",,,,,,USDT,5", "row 3: account is ``"),
        ("ann,BTCUSDT,100,,,,,", "row 3: the position was refused: insufficient margin"),
    ] {
        let text = reopened(&[row(money), row(cells)], Some("house")).unwrap_err().to_string();
        assert!(text.contains(wanted), "{cells}: {text}");
    }
    let twice = [row(money), row("ann,BTCUSDT,1,,,,,"), row("ann,BTCUSDT,1,,,,,")];
    assert!(reopened(&twice, None).unwrap_err().to_string().contains("row 4: a second position of ann in BTCUSDT"));
}

#[test]
fn the_series_add_up_to_the_totals() {
    let report = run(&small(500), &figures("2025-10-10"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    let (series, total) = (&report.series, &report.total);
    assert_eq!(series.at.len(), 301, "a point a minute and one at the first price");
    assert_eq!((series.at[0], *series.at.last().unwrap()), (report.from, report.to));
    assert_eq!(series.below_line.iter().sum::<u64>(), total.counts.below_line);
    assert_eq!(series.receipts.iter().sum::<u64>(), total.adl_receipts);
    assert_eq!(series.hedges_broken.iter().sum::<u64>(), total.counts.hedges_broken.steps);
    assert_eq!(series.fund_paid.iter().copied().sum::<Money>(), total.fund.paid);
    assert_eq!((*series.fund.last().unwrap(), *series.deficits.last().unwrap()), (total.fund.after, total.deficits));
    assert_eq!(series.fund_low.iter().min(), Some(&total.fund.low));
    for (series, market) in series.markets.iter().zip(&report.markets) {
        let sum = |list: &[Money]| list.iter().copied().sum::<Money>();
        let closed = [&series.reduced, &series.backstop, &series.taken_over, &series.deleveraged, &series.unwound];
        let counts = &market.counts;
        let wanted = [counts.reduced, counts.backstop, counts.taken_over, counts.deleveraged, counts.unwound];
        assert_eq!(closed.map(|list| sum(list)), wanted.map(|c| c.notional), "{}", market.symbol);
        assert_eq!(series.index.last(), Some(&market.index.last));
        assert!(series.index_low.contains(&market.index.low), "{}", market.symbol);
    }
}

#[test]
fn a_broken_hedge_is_what_its_receipt_says() {
    let mut told: BTreeMap<usize, (u64, Money)> = BTreeMap::new();
    let mut largest = Money::ZERO;
    let mut observer = |_, _: &_, _: &_, events: &[Event], engine: &Engine| {
        for event in events {
            let Event::Deleveraged { market, size, hedged, .. } = *event else { continue };
            assert!(!hedged.is_negative() && hedged <= size.abs());
            let mark = engine.state().market(market).mark;
            largest = largest.max(mark * size.abs());
            if hedged.is_positive() {
                let (receipts, notional) = told.entry(market.index()).or_default();
                *receipts += 1;
                *notional += mark * hedged;
            }
        }
    };
    let report = run(&small(500), &figures("2025-10-10"), &mut observer, &mut |_| {}).unwrap();
    for (at, market) in report.markets.iter().enumerate() {
        let broken = market.counts.hedges_broken;
        assert_eq!((broken.steps, broken.notional), told.get(&at).copied().unwrap_or_default(), "{}", market.symbol);
    }
    let total = report.total.counts.hedges_broken;
    assert_eq!(total.steps, told.values().map(|(receipts, _)| *receipts).sum::<u64>());
    assert!(total.steps > 0 && total.steps < report.total.adl_receipts, "{} broken hedges", total.steps);
    let listed = &report.largest_receipts;
    assert!(listed[0].notional == largest && listed.is_sorted_by(|a, b| a.notional >= b.notional));
    assert!(listed.iter().any(|r| r.hedged.is_positive()) && listed.iter().all(|r| r.hedged <= r.notional));
}

#[test]
fn everyone_is_somewhere_in_the_pictures_of_a_moment() {
    let report = run(&small(500), &figures("2025-10-10"), &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap();
    assert_eq!(report.distributions.iter().map(|d| d.when).collect::<Vec<_>>(), ["before", "low", "after"]);
    let [before, low, after] = &report.distributions[..] else { panic!("three moments") };
    assert_eq!(before.bins.len(), 11);
    assert!(low.without_position > before.without_position && after.at == report.to);
    let notional = |d: &plimsoll_sim::replay::Distribution| d.bins.iter().map(|b| b.notional).sum::<Money>();
    let in_maps = |at: usize| {
        let maps = report.liquidation_maps.iter().map(|m| &m.maps[at]);
        let all = maps.map(|m| {
            let steps: Money = m.steps.iter().map(|s| s.long + s.short).sum();
            steps + m.far_long + m.far_short + m.below_line
        });
        all.sum::<Money>()
    };
    // Every position of the population stands in one ratio and at one place of one map.
    assert_eq!((notional(before), notional(after)), (in_maps(0), in_maps(2)));
    assert!(before.bins[10].subaccounts == 0, "nobody is below the line at the opening");
    // Who needs all of its equity as margin is who stands at the present prices of the map of all marks.
    for (shocks, distribution) in report.shock_maps.iter().zip(&report.distributions) {
        assert_eq!((shocks.when, shocks.at), (distribution.when, distribution.at));
        let now: u64 = shocks.steps.iter().filter(|s| s.moved == Rate::ZERO).map(|s| s.subaccounts).sum();
        assert_eq!(now, distribution.bins[10].subaccounts, "{}", shocks.when);
        assert!(shocks.steps.len() > 20 && shocks.candidates < shocks.accounts, "{shocks:?}");
    }
    assert_eq!(report.shock_maps.len(), 3);
}

#[test]
fn a_long_window_has_no_more_points_than_a_short_one() {
    let rows = (0..24 * 120).map(|n| format!("{},BTCUSDT,100,101,99,100,1", 1_760_122_800_000i64 + n * 300_000));
    let rows: Vec<String> = rows.collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let figures = Figures::new(&sources(&rows), &Window::default()).unwrap();
    let config = Config { accounts: 2, step_ms: 60_000, ..Config::default() };
    let series = run(&config, &figures, &mut |_, _, _, _, _| {}, &mut |_| {}).unwrap().series;
    assert!((400..=480).contains(&series.at.len()), "{} points", series.at.len());
    assert_eq!(series.interval_ms, 1_860_000);
    assert_eq!(series.markets[0].index_low.iter().filter(|low| *low == "99").count(), series.at.len() - 1);
}

#[test]
fn feedback_moves_the_index_of_the_same_accounts_and_says_so_everywhere() {
    let with = |feedback| {
        let config = Config { feedback, ..small(300) };
        run(&config, &figures("2021-05-19"), &mut |_, _, _, _, _| {}, &mut |_| {})
    };
    let knobs = |bps, half_life_ms| Some(FeedbackKnobs { impact: Rate::bps(bps), half_life_ms });
    let (off, on) = (with(None).unwrap(), with(knobs(1_000, 600_000)).unwrap());
    assert_eq!(off.population, on.population);
    let low = |report: &Report| report.markets[0].index.low.parse::<Price>().unwrap();
    assert!(low(&on) < low(&off), "longs were closed, so the index fell farther");
    assert!(on.feedback.as_ref().unwrap()[0].low.is_negative() && off.feedback.is_none());
    assert!(on.statements[0].starts_with("FEEDBACK IS ON") && !off.statements[0].contains("FEEDBACK"));
    let json = serde_json::to_value(&off).unwrap();
    assert!(json.get("feedback").is_none() && json["config"].get("feedback").is_none());
    for (knobs, wanted) in [
        (knobs(0, 600_000), "feedback cannot be 0"),
        (knobs(10_001, 600_000), "feedback cannot be 1.0001"),
        (knobs(-100, 600_000), "feedback cannot be -0.01"),
        (knobs(100, 0), "feedback-half-life cannot be 0 minutes"),
        (knobs(100, 86_460_000), "feedback-half-life cannot be 1441 minutes"),
    ] {
        let text = with(knobs).unwrap_err().to_string();
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn a_rulebook_sets_the_markets_of_a_replay_and_refuses_what_it_cannot() {
    let two = |symbols: &[&str]| {
        let symbols = symbols.iter().map(|s| (*s).to_owned()).collect();
        Figures::new(&named("2025-10-10").unwrap(), &Window { symbols, ..Window::default() }).unwrap()
    };
    let under = |name: &str, symbols: &[&str]| {
        let (mut config, mut figures) = (Config::default(), two(symbols));
        let rulebook = rulebooks::named_near(name, &figures.day()).unwrap();
        plimsoll_sim::replay::apply_rulebook(&rulebook, &mut config, &mut figures).map(|()| (config, figures))
    };
    fn tiers(figures: &Figures) -> &[rules::Tier] {
        let rules::Ladder::Tiers(table) = &figures.markets[0].tiers.ladder else { panic!("tiers") };
        table.tiers()
    }
    let both = ["BTCUSDT", "ETHUSDT"];
    let (config, figures) = under("hyperliquid", &both).unwrap();
    let book = config.rulebook.as_ref().unwrap();
    assert_eq!(
        (book.version.as_str(), book.line, book.outflow_share),
        ("2024-02-22", rules::LineRule::Below, Rate::bps(1_000))
    );
    assert_eq!(config.ladder.liquidation_fee, Rate::ZERO);
    // 50 times, half of it for maintenance.
    assert_eq!(tiers(&figures)[0].maintenance_rate, Rate::bps(100));
    let (binance, figures) = under("binance-usdm", &both).unwrap();
    assert_eq!(binance.rulebook.unwrap().line, rules::LineRule::At);
    assert_eq!(tiers(&figures)[0].maintenance_rate, Rate::bps(40));
    // A ladder of any form is the venue's own.
    for name in ["deribit", "dydx", "drift", "vega"] {
        let (config, figures) = under(name, &["BTCUSDT"]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!matches!(figures.markets[0].tiers.ladder, rules::Ladder::Tiers(_)), "{name}");
        let config = Config { accounts: 300, ..config };
        let report = plimsoll_sim::replay::run(&config, &figures, &mut |_, _: &_, _: &_, _, _| {}, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        println!("{name}: {} liquidations", report.total.liquidations);
        assert!(report.total.liquidations > 0, "{name}");
    }
    let refused = |name: &str, symbols: &[&str]| under(name, symbols).unwrap_err().to_string();
    let lacks = refused("plimsoll", &["BTCUSDT", "AAVEUSDT"]);
    assert!(lacks.contains("no market for AAVEUSDT\n  hint: --symbols BTCUSDT"), "{lacks}");
}

/// What a shipped rulebook says of the figures with one word of its newest version changed.
fn refusal(venue: &str, word: (&str, &str), mut figures: Figures) -> String {
    let shipped = rulebooks::Shipped::all().find(|shipped| shipped.venue == venue).unwrap();
    let text = shipped.text.replace(word.0, word.1);
    assert!(word.0 == word.1 || text != shipped.text, "{venue} does not say {}", word.0);
    let source = rulebooks::Source { file: "rulebook.toml", text: &text };
    let rulebook = rulebooks::RulebookFile::read(&source).unwrap().on(&source, None).unwrap();
    let mut config = Config::default();
    let refused = plimsoll_sim::replay::apply_rulebook(&rulebook, &mut config, &mut figures).unwrap_err();
    assert!(config.rulebook.is_none(), "a refused rulebook is not part of the run");
    refused.to_string()
}

#[test]
fn a_rulebook_whose_liquidation_has_no_form_in_a_replay_is_refused_by_its_name() {
    let btc = || {
        let window = Window { symbols: vec!["BTCUSDT".to_owned()], ..Window::default() };
        Figures::new(&named("2025-10-10").unwrap(), &window).unwrap()
    };
    let text = refusal("derive", ("", ""), btc());
    assert!(text.contains("derive@2026-01-21: liquidation by Auction (DV-LQ-01) has no form in a replay"), "{text}");
    assert!(text.contains("hint: a venue that closes through its book, such as hyperliquid"), "{text}");
}

#[test]
fn an_inverse_market_of_a_rulebook_is_refused() {
    let candles = ["1760122800000,BTCUSD_PERP,100,101,99,100,1", "1760123100000,BTCUSD_PERP,100,101,99,100,1"];
    let figures = Figures::new(&sources(&candles), &Window::default()).unwrap();
    let text = refusal("binance-coinm", ("", ""), figures);
    let wanted = "BTCUSD_PERP is inverse (BC-TI-01), the markets of a replay are linear";
    assert!(text.contains(wanted) && text.contains("hint: a venue with a linear market of that coin"), "{text}");
}

#[test]
fn a_rulebook_of_a_later_day_than_the_replay_says_so() {
    let note = |name: &str| {
        let (mut config, mut figures) = (Config::default(), figures("2021-05-19"));
        let rulebook = rulebooks::named_near(name, &figures.day()).unwrap();
        plimsoll_sim::replay::apply_rulebook(&rulebook, &mut config, &mut figures).unwrap();
        figures.notes.into_iter().find(|note| note.starts_with("rulebook: ")).unwrap()
    };
    let later = "a LATER day than 2021-05-19";
    assert_eq!(note("hyperliquid"), format!("rulebook: hyperliquid@2023-03-27, {later}"));
    assert_eq!(note("binance-usdm"), "rulebook: binance-usdm@2021-03-01");
    // A day that is asked for is taken, though an older version is known.
    assert_eq!(note("binance-usdm@2023-08-28"), format!("rulebook: binance-usdm@2023-08-28, {later}"));
}

#[test]
fn the_same_rulebook_gives_the_same_digests_and_another_one_others() {
    let run_under = |name: &str| {
        let window = Window { symbols: vec!["BTCUSDT".to_owned()], ..Window::default() };
        let mut figures = Figures::new(&named("2025-10-10").unwrap(), &window).unwrap();
        let mut config = Config { step_ms: 15_000, ..small(60) };
        let rulebook = rulebooks::named_near(name, &figures.day()).unwrap();
        plimsoll_sim::replay::apply_rulebook(&rulebook, &mut config, &mut figures).unwrap();
        let mut hashes = Vec::new();
        let mut look = |_, _: &_, _: &_, _: &[Event], engine: &Engine| {
            if let (true, Some(market)) = (hashes.is_empty(), engine.state().markets.first()) {
                hashes.push(market.params.rulebook);
            }
        };
        let report = run(&config, &figures, &mut look, &mut |_| {}).unwrap();
        assert_eq!(hashes, [rulebook.hash]);
        (report.event_digest, report.state_digest)
    };
    let binance = run_under("binance-usdm");
    assert_eq!(binance, run_under("binance-usdm"));
    assert_ne!(binance.1, run_under("hyperliquid").1);
}
