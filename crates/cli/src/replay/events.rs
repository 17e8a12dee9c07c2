//! `--events`: the rows of every event as CSV or Parquet, written while the run goes on. What a row holds is decided in
//! `sim`; how a cell is stored, in [`crate::table`].

use super::files::Failure;
use crate::save::Target;
use crate::table::{Form, Table};
use sim::replay::{EVENT_COLUMNS, EventTable};
use std::path::{Path, PathBuf};

/// The file of a run's events.
pub struct Events {
    path: PathBuf,
    table: EventTable,
    rows: Table<Target>,
    /// The first thing that went wrong; nothing is written after it.
    failed: Option<String>,
}

impl Events {
    /// Opens the file that `path` names by its ending; `reproduce` is kept in it.
    ///
    /// # Errors
    /// Another ending than `.csv` or `.parquet`, or nothing can be written there.
    pub fn new(path: &Path, force: bool, table: EventTable, reproduce: &str) -> Result<Self, Failure> {
        let note = ("plimsoll.reproduce", reproduce);
        let rows = Table::create(path, force, &Form { what: "events", columns: &EVENT_COLUMNS, repeats: true, note })?;
        Ok(Self { path: path.to_owned(), table, rows, failed: None })
    }

    /// The accounts are open: see [`EventTable::opened`].
    pub fn opened(&mut self) {
        self.table.opened();
    }

    /// Writes the events of one command.
    pub fn take(&mut self, events: &[engine::Event], state: &engine::State) {
        let (rows, failed) = (&mut self.rows, &mut self.failed);
        self.table.take(events, state, &mut |row| {
            if failed.is_none() {
                *failed = rows.push(row).err();
            }
        });
    }

    /// Writes what is held back and gives the file its name.
    ///
    /// # Errors
    /// What kept it from being written, now or during the run.
    pub fn finish(self) -> Result<(), Failure> {
        let done = self.failed.map_or_else(|| self.rows.finish(), Err);
        done.map_err(|why| Failure::unwritable(&self.path, &why))?.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::rows;
    use super::*;
    use sim::replay::{Closed, Config, Figures, Report, Unit, Window, named};
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
