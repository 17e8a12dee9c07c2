//! The figures that the project carries against the files they came from, and bad files.

use super::files::{candles, funding};
use sim::replay::{NAMES, RawCandle, RawTable, named};
use std::path::{Path, PathBuf};

fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// Prices of the carried figures are those of the file, candle by candle.
fn assert_carried(carried: &RawTable, file: &RawTable) {
    for (symbol, series) in &carried.series {
        let from = &file.series[symbol];
        let skip = usize::try_from((series.start_ms - from.start_ms) / file.interval_ms).unwrap();
        assert_eq!(carried.interval_ms, file.interval_ms);
        let prices = |c: &RawCandle| [c.open, c.high, c.low, c.close];
        for (at, candle) in series.candles.iter().enumerate() {
            assert_eq!(prices(candle), prices(&from.candles[skip + at]), "{symbol} candle {at}");
        }
    }
}

#[test]
fn carried_figures_are_those_of_the_exchanges() {
    let files = [
        ("2020-03-12", "2020-03-12_binance_last_1h.csv", Some("2020-03-12_binance_mark_1h.csv")),
        ("2021-05-19", "2021-05-19_binance_last_1h.csv", Some("2021-05-19_binance_mark_1h.csv")),
        ("2025-04-07", "2025-04-07_okx_last_1m.csv", None),
        ("2025-10-10", "2025-10-10_bybit_last_5m.csv", Some("2025-10-10_bybit_mark_1h.csv")),
    ];
    assert_eq!(NAMES, files.map(|(name, ..)| name));
    for (name, last, marks) in files {
        let carried = named(name).unwrap();
        let Some(path) = shared(&format!("crashes/{last}")) else { continue };
        assert_carried(&carried.prices, &candles(&path).unwrap());
        if let (Some(marks), Some(carried)) = (marks, &carried.marks) {
            assert_carried(carried, &candles(&shared(&format!("crashes/{marks}")).unwrap()).unwrap());
        }
        let rates = match name {
            "2025-10-10" => "funding/bybit_linear_funding_2025-09-24_2026-07-21.csv",
            _ => "funding/binance_usdm_funding_2019-09_2026-05_BTC_ETH.csv",
        };
        let rates = funding(&shared(rates).unwrap()).unwrap();
        for (symbol, carried) in &carried.funding.unwrap().rates {
            assert!(carried.iter().all(|row| rates.rates[symbol].contains(row)), "{name} {symbol}");
        }
    }
}

#[test]
fn parquet_and_csv_give_the_same_rows() {
    let Some(parquet) = shared("history/bybit_linear_5m_2025-09-24_2026-07-21.parquet") else { return };
    let table = candles(&parquet).unwrap();
    assert_eq!((table.series.len(), table.interval_ms), (8, 300_000));
    let csv = candles(&shared("crashes/2025-10-10_bybit_last_5m.csv").unwrap()).unwrap();
    assert_carried(&csv, &table);
}

#[test]
fn files_that_cannot_be_used_say_where_and_what() {
    let folder = std::env::temp_dir().join(format!("plimsoll-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let head = "open_time_ms,symbol,open,high,low,close,volume\n";
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("empty.csv", Vec::new(), "the file is empty"),
        ("columns.csv", b"time,symbol,price\n1,BTCUSDT,5\n".to_vec(), "row 1: no column `open_time_ms`"),
        ("zero.csv", format!("{head}1760122800000,BTCUSDT,1,1,0,1,0\n").into_bytes(), "row 2: low is 0"),
        ("bytes.csv", [head.as_bytes(), b"1760122800000,\xff\xfe,1,1,1,1,0\n"].concat(), "row 2: not UTF-8"),
        ("broken.parquet", b"PAR1 this is no parquet file".to_vec(), "not a Parquet file"),
    ];
    for (name, bytes, wanted) in cases {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        let text = candles(&path).unwrap_err().to_string();
        assert!(text.contains(wanted) && text.contains(name), "{text}");
    }
    assert!(candles(&folder.join("missing.csv")).unwrap_err().to_string().starts_with("cannot read"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_command_line_holds_together() {
    use clap::CommandFactory;
    crate::Cli::command().debug_assert();
}
