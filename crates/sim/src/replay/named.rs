//! The named replays: figures that the project carries, read from `crates/sim/data/<name>.txt`.
//!
//! The form: `replay`, `source`, `marks-source`, `funding-source`, `start` (Unix ms), `interval` and `mark-interval` (ms),
//! then per market `market SYMBOL turnover QUOTE`, `last DECIMALS` with one line per candle, `marks DECIMALS`
//! with one line per candle, and `funding MS RATE`. A candle is four integers in units of the last decimal: the open less
//! the close before it, the high above the greater of open and close, that much below the lesser of them the low, and the
//! close less the open. The sums are the exchange's figures exactly; a test compares them with the files they came from.

use super::figures::Sources;
use super::rows::{CandleReader, FILE_DECIMALS, FundingReader, RawTable, RowError};
use super::tiers::TierBook;
use std::collections::BTreeMap;

/// Name and figures of each.
const CARRIED: [(&str, &str); 4] = [
    ("2020-03-12", include_str!("../../data/2020-03-12.txt")),
    ("2021-05-19", include_str!("../../data/2021-05-19.txt")),
    ("2025-04-07", include_str!("../../data/2025-04-07.txt")),
    ("2025-10-10", include_str!("../../data/2025-10-10.txt")),
];

/// The names, oldest first.
pub const NAMES: [&str; 4] = [CARRIED[0].0, CARRIED[1].0, CARRIED[2].0, CARRIED[3].0];

/// The figures of a named replay.
///
/// # Errors
/// A name that is not one of [`NAMES`].
pub fn named(name: &str) -> Result<Sources, RowError> {
    let found = CARRIED.iter().find(|(known, _)| *known == name);
    let (name, text) = found.ok_or_else(|| RowError {
        file: name.to_owned(),
        row: None,
        what: "no replay of this name".into(),
        expected: NAMES.join(", "),
        hint: "or run your own figures with --prices FILE".into(),
    })?;
    read(&format!("{name}.txt"), text)
}

/// Reads figures in the form above. The rows pass the same checks as those of a file from outside.
///
/// # Errors
/// A line that is not of this form, or rows that do not pass.
pub fn read(file: &str, text: &str) -> Result<Sources, RowError> {
    let mut reader = Reader::new(file)?;
    for (row, line) in (1u64..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')) {
        reader.line(row, line)?;
    }
    reader.finish()
}

struct Reader {
    file: String,
    head: BTreeMap<String, String>,
    symbol: String,
    kind: Kind,
    decimals: u32,
    next_ms: i64,
    close: i128,
    prices: CandleReader,
    marks: CandleReader,
    funding: FundingReader,
    turnover: BTreeMap<String, i128>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Last,
    Marks,
}

impl Reader {
    fn new(file: &str) -> Result<Self, RowError> {
        let header = ["open_time_ms", "symbol", "open", "high", "low", "close", "volume"];
        Ok(Self {
            file: file.to_owned(),
            head: BTreeMap::new(),
            symbol: String::new(),
            kind: Kind::Last,
            decimals: 0,
            next_ms: 0,
            close: 0,
            prices: CandleReader::new(file, &header)?,
            marks: CandleReader::new(file, &header)?,
            funding: FundingReader::new(file, &["ts", "symbol", "rate"])?,
            turnover: BTreeMap::new(),
        })
    }

    fn error(&self, row: u64, line: &str) -> RowError {
        RowError {
            file: self.file.clone(),
            row: Some(row),
            what: format!("cannot read `{line}`"),
            expected: "the form described in crates/sim/src/replay/named.rs".into(),
            hint: "compare with crates/sim/data/2025-10-10.txt".into(),
        }
    }

    fn line(&mut self, row: u64, line: &str) -> Result<(), RowError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let bad = || self.error(row, line);
        match words[..] {
            ["market", symbol, "turnover", turnover] => {
                symbol.clone_into(&mut self.symbol);
                let turnover = turnover.parse().map_err(|_| self.error(row, line))?;
                self.turnover.insert(symbol.to_owned(), turnover);
            }
            ["last", decimals] => self.begin(Kind::Last, decimals, "interval").ok_or_else(|| self.error(row, line))?,
            ["marks", decimals] => {
                self.begin(Kind::Marks, decimals, "mark-interval").ok_or_else(|| self.error(row, line))?
            }
            ["funding", ms, rate] => {
                let symbol = self.symbol.clone();
                self.funding.push(row, &[ms, &symbol, rate])?;
            }
            [open, up, down, close] if open.bytes().all(|b| b == b'-' || b.is_ascii_digit()) => {
                let figures = [open, up, down, close].map(str::parse::<i128>);
                let [Ok(open), Ok(up), Ok(down), Ok(close)] = figures else { return Err(bad()) };
                self.candle(row, [open, up, down, close])?;
            }
            _ => {
                let (key, value) = line.split_once(' ').ok_or_else(bad)?;
                self.head.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind, decimals: &str, interval: &str) -> Option<()> {
        self.kind = kind;
        self.decimals = decimals.parse().ok().filter(|d| *d <= FILE_DECIMALS)?;
        self.next_ms = self.number("start")?;
        self.number(interval)?;
        self.close = 0;
        Some(())
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.head.get(key)?.parse().ok()
    }

    fn candle(&mut self, row: u64, [open, up, down, close]: [i128; 4]) -> Result<(), RowError> {
        let open = self.close + open;
        let close = open + close;
        let prices =
            [open, open.max(close) + up, open.min(close) - down, close].map(|units| decimal(units, self.decimals));
        let time = self.next_ms.to_string();
        let [open, high, low, close_text] = &prices;
        let cells = [time.as_str(), &self.symbol, open, high, low, close_text, "0"];
        let interval = match self.kind {
            Kind::Last => self.prices.push(row, &cells).map(|()| "interval"),
            Kind::Marks => self.marks.push(row, &cells).map(|()| "mark-interval"),
        }?;
        self.next_ms += self.number(interval).unwrap_or(0);
        self.close = close;
        Ok(())
    }

    fn finish(self) -> Result<Sources, RowError> {
        let text = |key: &str| self.head.get(key).cloned();
        let note = |key: &str, label: &str| text(key).map(|source| format!("{label}: {source}"));
        let notes = [note("source", "prices"), note("marks-source", "marks"), note("funding-source", "funding")];
        let notes = notes.into_iter().flatten().collect();
        let marks: Option<RawTable> = if text("mark-interval").is_some() { Some(self.marks.finish()?) } else { None };
        Ok(Sources {
            name: text("replay").unwrap_or_default(),
            notes,
            prices: self.prices.finish()?,
            marks,
            funding: Some(self.funding.finish()),
            turnover: self.turnover,
            tiers: TierBook::carried()?,
            generated: false,
        })
    }
}

/// `units` of the last of `decimals` digits as text.
fn decimal(units: i128, decimals: u32) -> String {
    let scale = 10i128.pow(decimals);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, fraction) = (units.abs() / scale, units.abs() % scale);
    let width = usize::try_from(decimals).unwrap_or(0);
    if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:0width$}") }
}
