//! `--events`: the rows of every event as CSV or Parquet, written while the run goes on. What a row holds is decided in
//! `sim`; how a cell is stored, here.

use super::files::Failure;
use crate::save::Target;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::{parser::parse_message_type, types::ColumnPath};
use sim::replay::{Cell, EVENT_COLUMNS, EventRow, EventTable, Unit};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are held back to be written as one group: about 30 MB.
const GROUP_ROWS: usize = 65_536;

/// The file of a run's events.
pub struct Events {
    path: PathBuf,
    table: EventTable,
    sink: Sink,
    /// The first thing that went wrong; nothing is written after it.
    failed: Option<String>,
}

enum Sink {
    Csv(Box<csv::Writer<Target>>),
    Parquet(Box<Groups>),
}

impl Events {
    /// Opens the file that `path` names by its ending; `reproduce` is kept in it.
    ///
    /// # Errors
    /// Another ending than `.csv` or `.parquet`, or nothing can be written there.
    pub fn new(path: &Path, force: bool, table: EventTable, reproduce: &str) -> Result<Self, Failure> {
        let problem = |why: &dyn std::fmt::Display| Failure::unwritable(path, &why.to_string());
        let sink = match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => {
                let mut writer = csv::Writer::from_writer(Target::new(path, force)?);
                writer.write_record(EVENT_COLUMNS.map(|(name, _)| name)).map_err(|why| problem(&why))?;
                Sink::Csv(Box::new(writer))
            }
            Some("parquet") => {
                let groups = Groups::new(Target::new(path, force)?, reproduce);
                Sink::Parquet(Box::new(groups.map_err(|why| problem(&why))?))
            }
            _ => {
                return Err(Failure::usage(format!(
                    "events cannot be written to {}\n  expected: a name that ends in .csv or .parquet",
                    path.display()
                )));
            }
        };
        Ok(Self { path: path.to_owned(), table, sink, failed: None })
    }

    /// The accounts are open: see [`EventTable::opened`].
    pub fn opened(&mut self) {
        self.table.opened();
    }

    /// Writes the events of one command.
    pub fn take(&mut self, events: &[engine::Event], state: &engine::State) {
        let (sink, failed) = (&mut self.sink, &mut self.failed);
        self.table.take(events, state, &mut |row| {
            if failed.is_none() {
                *failed = sink.push(row).err();
            }
        });
    }

    /// Writes what is held back and gives the file its name.
    ///
    /// # Errors
    /// What kept it from being written, now or during the run.
    pub fn finish(self) -> Result<(), Failure> {
        let problem = |why: String| Failure::unwritable(&self.path, &why);
        if let Some(why) = self.failed {
            return Err(problem(why));
        }
        let target = match self.sink {
            Sink::Csv(writer) => writer.into_inner().map_err(|why| problem(why.error().to_string()))?,
            Sink::Parquet(groups) => groups.finish().map_err(|why| problem(why.to_string()))?,
        };
        target.finish()
    }
}

impl Sink {
    fn push(&mut self, row: &EventRow<'_>) -> Result<(), String> {
        match self {
            Self::Csv(writer) => {
                let cells = row.iter().zip(EVENT_COLUMNS).map(|(cell, (_, unit))| cell.text(unit));
                writer.write_record(cells).map_err(|why| why.to_string())
            }
            Self::Parquet(groups) => groups.push(row).map_err(|why| why.to_string()),
        }
    }
}

/// Rows on their way into a Parquet file, column by column.
struct Groups {
    writer: SerializedFileWriter<Target>,
    columns: Vec<Column>,
    rows: usize,
}

/// A column of the group that is not written yet: 1 for a cell with something in it, 0 for an empty one, and the cells that
/// are not empty.
#[derive(Default)]
struct Column {
    levels: Vec<i16>,
    counts: Vec<i64>,
    decimals: Vec<u8>,
    texts: Vec<ByteArray>,
    known: HashMap<String, ByteArray>,
}

/// Bytes of a decimal: any `i128`.
const DECIMAL_BYTES: usize = 16;

impl Groups {
    fn new(target: Target, reproduce: &str) -> Result<Self, ParquetError> {
        let field = |(name, unit): (&str, Unit)| match unit.decimals() {
            Some(scale) => format!("optional fixed_len_byte_array({DECIMAL_BYTES}) {name} (decimal(38,{scale}));"),
            None => match unit {
                Unit::Text => format!("optional binary {name} (string);"),
                Unit::Time => format!("optional int64 {name} (timestamp(nanos,true));"),
                _ => format!("optional int64 {name};"),
            },
        };
        let fields: String = EVENT_COLUMNS.map(field).concat();
        let schema = parse_message_type(&format!("message events {{ {fields} }}"))?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![KeyValue::new("plimsoll.reproduce".to_owned(), reproduce.to_owned())]));
        // Names repeat and go through a dictionary; numbers that rise are smaller as differences.
        for (name, unit) in EVENT_COLUMNS {
            if matches!(unit, Unit::Count | Unit::Time) {
                let path = ColumnPath::from(name);
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
        }
        let writer = SerializedFileWriter::new(target, Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self { writer, columns: EVENT_COLUMNS.map(|_| Column::default()).into(), rows: 0 })
    }

    fn push(&mut self, row: &EventRow<'_>) -> Result<(), ParquetError> {
        for ((column, cell), (_, unit)) in self.columns.iter_mut().zip(row).zip(EVENT_COLUMNS) {
            column.push(*cell, unit);
        }
        self.rows += 1;
        if self.rows < GROUP_ROWS { Ok(()) } else { self.write() }
    }

    /// Writes the group, if there is anything in it.
    fn write(&mut self) -> Result<(), ParquetError> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (column, (_, unit)) in self.columns.iter_mut().zip(EVENT_COLUMNS) {
            let Some(mut to) = group.next_column()? else { continue };
            let Column { levels, counts, decimals, texts, .. } = std::mem::take(column);
            match unit {
                Unit::Text => to.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?,
                Unit::Count | Unit::Time => to.typed::<Int64Type>().write_batch(&counts, Some(&levels), None)?,
                _ => {
                    let (len, bytes) = (decimals.len(), ByteArray::from(decimals));
                    let starts = (0..len).step_by(DECIMAL_BYTES);
                    let values: Vec<FixedLenByteArray> =
                        starts.map(|at| bytes.slice(at, DECIMAL_BYTES).into()).collect();
                    to.typed::<FixedLenByteArrayType>().write_batch(&values, Some(&levels), None)?
                }
            };
            to.close()?;
        }
        group.close().map(|_| ())
    }

    fn finish(mut self) -> Result<Target, ParquetError> {
        self.write()?;
        self.writer.into_inner()
    }
}

impl Column {
    fn push(&mut self, cell: Cell<'_>, unit: Unit) {
        self.levels.push(i16::from(cell != Cell::Empty));
        match cell {
            Cell::Empty => {}
            Cell::Text(text) => {
                let known = self.known.get(text).cloned();
                let bytes = known.unwrap_or_else(|| {
                    let bytes = ByteArray::from(text);
                    self.known.insert(text.to_owned(), bytes.clone());
                    bytes
                });
                self.texts.push(bytes);
            }
            Cell::Number(n) if unit.decimals().is_some() => self.decimals.extend(n.to_be_bytes()),
            // Handles, numbers of commands and moments are 64 bits in the engine.
            Cell::Number(n) => self.counts.push(i64::try_from(n).unwrap_or(i64::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::rows;
    use super::*;
    use sim::replay::{Closed, Config, Figures, Report, Window, named};
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use units::Money;

    type Rows = Vec<BTreeMap<String, String>>;

    /// Half an hour, from 21:00.
    fn crash() -> Figures {
        let (from_ms, to_ms) = (Some(1_760_130_000_000), Some(1_760_131_800_000));
        Figures::new(&named("2025-10-10").unwrap(), &Window { from_ms, to_ms, symbols: Vec::new() }).unwrap()
    }

    /// The same run into both kinds of file, and the rows as they are read back.
    fn written(folder: &Path, kinds: &[&str]) -> (Report, [Rows; 2]) {
        let figures = crash();
        let config = Config { accounts: 300, step_ms: 20_000, ..Config::default() };
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let paths = ["events.csv", "events.parquet"].map(|name| folder.join(name));
        let files = paths.each_ref().map(|path| {
            Events::new(path, true, EventTable::new(&figures).only(&kinds).unwrap(), "plimsoll replay").ok().unwrap()
        });
        let files = RefCell::new(files);
        let report = sim::replay::run_with(
            &config,
            &figures,
            None,
            &mut |_, _| files.borrow_mut().iter_mut().for_each(Events::opened),
            &mut |_, _, _, events, engine| {
                files.borrow_mut().iter_mut().for_each(|file| file.take(events, engine.state()));
            },
            &mut |_| {},
        );
        for file in files.into_inner() {
            file.finish().ok().unwrap();
        }
        (report.unwrap(), paths.map(|path| read(&path)))
    }

    /// The cells that are not empty, by column; what Parquet holds as numbers is written as the CSV does it.
    fn read(path: &Path) -> Rows {
        let (mut header, mut out) = (Vec::new(), Vec::new());
        rows(path, |_, row, cells| {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            match row {
                1 => header = cells,
                _ => out.push(header.iter().cloned().zip(cells).filter_map(named_cell).collect()),
            }
            Ok(())
        })
        .ok()
        .unwrap();
        assert_eq!(header, EVENT_COLUMNS.map(|(name, _)| name));
        out
    }

    fn named_cell((name, text): (String, String)) -> Option<(String, String)> {
        let unit = EVENT_COLUMNS.iter().find(|(column, _)| *column == name)?.1;
        let text = match unit {
            Unit::Time => text.parse().map_or(text, |ns| units::Time::from_ns(ns).to_string()),
            _ if unit.decimals().is_some() && text.contains('.') => {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ => text,
        };
        Some((name, text)).filter(|(_, text)| !text.is_empty() && text != "null")
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("plimsoll-events-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_events_of_a_file_add_up_to_the_report() {
        let folder = folder("sums");
        let (report, [csv, parquet]) = written(&folder, &[]);
        assert!(csv.len() > 65_536, "more than one group: {} rows", csv.len());
        assert!(csv == parquet, "the two files differ");
        let run: Rows = csv.into_iter().filter(|row| row["phase"] == "run").collect();
        let has = |row: &BTreeMap<String, String>, wanted: &[(&str, &str)]| {
            wanted.iter().all(|(column, text)| row.get(*column).map(String::as_str) == Some(*text))
        };
        let sum = |rows: &[&BTreeMap<String, String>], column: &str| -> Money {
            rows.iter().filter_map(|row| row.get(column)).map(|text| text.parse::<Money>().unwrap()).sum()
        };
        let closed = |wanted: &[(&str, &str)], fund: Option<(&str, bool)>| {
            let rows: Vec<_> = run
                .iter()
                .filter(|row| has(row, wanted) && fund.is_none_or(|(column, is)| has(row, &[(column, "fund")]) == is))
                .collect();
            Closed { steps: u64::try_from(rows.len()).unwrap(), notional: sum(&rows, "notional") }
        };
        let (total, step) = (&report.total, [("kind", "liquidation_step"), ("stage", "reduce")]);
        assert_eq!(closed(&step, Some(("account", false))), total.counts.reduced);
        assert_eq!(closed(&step, Some(("account", true))), total.counts.unwound);
        assert_eq!(closed(&[("kind", "taken_over")], Some(("other", true))), total.counts.taken_over);
        assert_eq!(closed(&[("kind", "taken_over")], Some(("other", false))), total.counts.backstop);
        assert_eq!(closed(&[("kind", "deleveraged")], None), total.counts.deleveraged);
        for market in &report.markets {
            let here = [("kind", "deleveraged"), ("market", market.symbol.as_str())];
            assert_eq!(closed(&here, None), market.counts.deleveraged, "{}", market.symbol);
        }
        let of = |kind| run.iter().filter(|row| has(row, &[("kind", kind)])).collect::<Vec<_>>();
        assert_eq!(sum(&of("fee_charged"), "fee"), total.counts.trading_fees);
        assert_eq!(sum(&of("liquidation_fee"), "fee"), total.counts.liquidation_fees);
        let broken = of("deleveraged").into_iter().filter(|row| row["hedged"] != "0").count();
        assert_eq!(u64::try_from(broken).unwrap(), total.counts.hedges_broken.steps);
        assert!(total.adl_receipts > 0 && total.counts.hedges_broken.steps > 0 && total.counts.backstop.steps > 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_the_kinds_asked_for_are_written() {
        let folder = folder("kinds");
        let (report, [csv, parquet]) = written(&folder, &["ladder", "mark_set"]);
        assert!(csv == parquet, "the two files differ");
        let count = |kind: &str| csv.iter().filter(|row| row["kind"] == kind).count();
        assert_eq!(u64::try_from(count("deleveraged")).unwrap(), report.total.adl_receipts);
        assert!(count("mark_set") > 0 && count("liquidation_started") > 0);
        assert_eq!(count("filled") + count("began") + count("order_accepted"), 0);
        let figures = crash();
        let table = || EventTable::new(&figures);
        let why = table().only(&["liquidations".to_owned()]).err().unwrap();
        assert!(why.contains("`liquidations` is no kind of event") && why.contains("deleveraged"), "{why}");
        let why = Events::new(&folder.join("events.xlsx"), false, table(), "").err().unwrap().to_string();
        assert!(why.contains("expected: a name that ends in .csv or .parquet"), "{why}");
        let why = Events::new(&folder.join("events.csv"), false, table(), "").err().unwrap().to_string();
        assert!(why.contains("it exists") && why.contains("--force"), "{why}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
