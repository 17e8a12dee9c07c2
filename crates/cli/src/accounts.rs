//! `plimsoll margin --accounts`: the figures of every account of a file, one row each.

use crate::columns::{self, Names};
use crate::out;
use crate::replay::Failure;
use crate::table::{Form, Table};
use indicatif::ProgressBar;
use rulebooks::{AccountFigures, Desk, Filling, PositionRow, PricesFile, RowFault, Source};
use sim::replay::{Cell, RowError, Unit};
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use units::{Money, Rate};

/// Options of many accounts.
#[derive(clap::Args)]
pub struct ManyArgs {
    /// Instead of a book: many cross accounts, a row per position, CSV or Parquet
    #[arg(long, value_name = "FILE", requires_all = ["prices", "rulebook"],
          conflicts_with_all = ["explain", "compare", "what_if", "json", "csv"])]
    pub accounts: Option<PathBuf>,
    /// Their prices: TOML with `prices`, as a book has them
    #[arg(long, value_name = "FILE", requires = "accounts")]
    prices: Option<PathBuf>,
    /// Where their figures go, a name that ends in .csv or .parquet; left out: standard output
    #[arg(long, value_name = "FILE", requires = "accounts")]
    out: Option<PathBuf>,
    /// With how far all prices may fall and rise together until the line is reached
    #[arg(long, requires = "accounts")]
    liquidation_moves: bool,
}

/// Reads the accounts and writes their figures.
pub fn run(args: &ManyArgs, path: &Path, venue: &str) -> ExitCode {
    match write(args, path, venue) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::print_error(&format!("error: {failure}\n"));
            failure.code()
        }
    }
}

fn write(args: &ManyArgs, path: &Path, venue: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let prices = args.prices.as_deref().unwrap_or(Path::new(""));
    let text = std::fs::read_to_string(prices).map_err(|why| Failure::file(prices, &why.to_string()))?;
    let prices = PricesFile::read(&Source { file: &prices.display().to_string(), text: &text })?;
    let rulebook = rulebooks::named(venue)?;
    let desk = Desk::new(&rulebook, &prices)?;
    let columns = if args.liquidation_moves { &COLUMNS[..] } else { &COLUMNS[..COLUMNS.len() - 2] };
    let Some(out) = args.out.as_deref() else {
        // Nothing is printed of a file with an error in it.
        let problem = |why: String| Failure::usage(why);
        let table = Table::csv(Vec::new(), columns).map_err(problem)?;
        let (text, _) =
            Batch::new(&desk, table, columns).run(path).and_then(|batch| batch.finish().map_err(problem))?;
        out::print(&String::from_utf8_lossy(&text));
        return Ok(());
    };
    if out.exists() {
        return Err(Failure::unwritable(out, "it exists\n  hint: name another file, or take this one away"));
    }
    let problem = |why: String| Failure::unwritable(out, &why);
    let note = ("plimsoll.rulebook", venue);
    let table = Table::create(out, false, &Form { what: "figures", columns, repeats: false, note })?;
    let (file, counts) =
        Batch::new(&desk, table, columns).run(path).and_then(|batch| batch.finish().map_err(problem))?;
    file.finish()?;
    let ms = started.elapsed().as_millis();
    let Counts { accounts, below } = counts;
    out::print_error(&format!("{accounts} accounts, {below} below the line, {}.{:03} s\n", ms / 1_000, ms % 1_000));
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Counts {
    accounts: u64,
    below: u64,
}

/// What a row of positions has.
const ROW: Names<6> =
    Names { names: ["account", "collateral", "market", "size", "entry_price", "leverage"], required: 5 };

/// What a row of figures has; the last two where they are asked for.
const COLUMNS: [(&str, Unit); 9] = [
    ("account", Unit::Text),
    ("equity", Unit::Money),
    ("initial_margin", Unit::Money),
    ("maintenance_margin", Unit::Money),
    ("headroom", Unit::Money),
    ("margin_ratio", Unit::Rate),
    ("is_below_line", Unit::Flag),
    ("liquidation_fall", Unit::Rate),
    ("liquidation_rise", Unit::Rate),
];

/// The names of accounts that were there. As long as each is above the one before it, none can be there twice and they are only
/// written down; a set is made of them at the first that is not.
#[derive(Default)]
struct Seen {
    /// One after the other.
    names: String,
    ends: Vec<usize>,
    set: Option<HashSet<Box<str>>>,
}

impl Seen {
    /// Whether the name is new.
    fn insert(&mut self, name: &str) -> bool {
        let starts = || std::iter::once(0).chain(self.ends.iter().copied());
        let last = self.ends.iter().rev().nth(1).copied().unwrap_or(0);
        if self.set.is_none() && (self.ends.is_empty() || self.names.get(last..).is_some_and(|last| name > last)) {
            self.names.push_str(name);
            self.ends.push(self.names.len());
            return true;
        }
        if self.set.is_none() {
            let names = starts().zip(&self.ends).filter_map(|(from, to)| self.names.get(from..*to));
            self.set = Some(names.map(Box::from).collect());
        }
        self.set.as_mut().is_none_or(|set| set.insert(name.into()))
    }
}

/// The accounts of a file on their way into another.
struct Batch<'d, W: Write + Send> {
    filling: Filling<'d>,
    table: Table<W>,
    /// How many columns of figures are written.
    width: usize,
    /// The account that is being filled, and the row where its last position stands.
    name: String,
    last: u64,
    seen: Seen,
    counts: Counts,
    /// The first thing that went wrong with the file; nothing is written after it.
    failed: Option<String>,
    bar: ProgressBar,
}

impl<'d, W: Write + Send> Batch<'d, W> {
    fn new(desk: &'d Desk<'d>, table: Table<W>, columns: &[(&str, Unit)]) -> Self {
        Self {
            filling: Filling::new(desk),
            table,
            width: columns.len(),
            name: String::new(),
            last: 0,
            seen: Seen::default(),
            counts: Counts::default(),
            failed: None,
            bar: ProgressBar::new_spinner(),
        }
    }

    /// Goes through the file, account by account.
    fn run(mut self, path: &Path) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let placed = |(row, fault): (u64, Box<RowFault>)| RowError {
            file: file.clone(),
            row: Some(row),
            what: format!("{}: {}", fault.column, fault.what),
            expected: "a row of a position, as docs/margin.md says".to_owned(),
            hint: fault.hint,
        };
        columns::rows(path, ROW, &mut |row, cells| self.take(row, cells).map_err(placed))?;
        self.end_account().map_err(placed)?;
        self.bar.finish_and_clear();
        Ok(self)
    }

    /// Takes a row; where it is wrong, and how.
    fn take(&mut self, row: u64, cells: [&str; 6]) -> Result<(), (u64, Box<RowFault>)> {
        let [account, collateral, market, size, entry_price, leverage] = cells;
        let here = |fault| (row, fault);
        if account == self.name && !account.is_empty() {
            self.filling.check_collateral(collateral).map_err(here)?;
        } else {
            self.end_account()?;
            self.begin(account).map_err(here)?;
            self.filling.begin(collateral).map_err(here)?;
        }
        self.last = row;
        self.filling.push(&PositionRow { market, size, entry_price, leverage }).map_err(here)
    }

    fn begin(&mut self, account: &str) -> Result<(), Box<RowFault>> {
        let wrong =
            |what: String, hint: &str| Err(Box::new(RowFault { column: "account", what, hint: hint.to_owned() }));
        if account.is_empty() {
            return wrong("it is empty".to_owned(), "name the account in each row");
        }
        if !self.seen.insert(account) {
            let what = format!("{account} stands here again after another account");
            return wrong(what, "put the rows of an account one after the other");
        }
        account.clone_into(&mut self.name);
        Ok(())
    }

    /// Writes the figures of the account that is filled, if there is one.
    fn end_account(&mut self) -> Result<(), (u64, Box<RowFault>)> {
        if self.name.is_empty() {
            return Ok(());
        }
        let figures = self.filling.figures(self.width == COLUMNS.len()).map_err(|fault| (self.last, fault))?;
        self.counts.accounts += 1;
        self.counts.below += u64::from(figures.is_below_line);
        if self.failed.is_none() {
            self.failed = row(&self.name, &figures).get(..self.width).and_then(|row| self.table.push(row).err());
        }
        if self.counts.accounts.is_multiple_of(65_536) {
            self.bar.set_message(format!("{} accounts", self.counts.accounts));
            self.bar.tick();
        }
        Ok(())
    }

    /// What was written and what was counted.
    fn finish(self) -> Result<(W, Counts), String> {
        let done = self.failed.map_or_else(|| self.table.finish(), Err)?;
        Ok((done, self.counts))
    }
}

/// A cell for each of [`COLUMNS`].
fn row<'a>(name: &'a str, figures: &AccountFigures) -> [Cell<'a>; COLUMNS.len()] {
    let money = |money: Money| Cell::Number(money.units());
    let rate = |rate: Option<Rate>| rate.map_or(Cell::Empty, |rate| Cell::Number(rate.units().into()));
    let (fall, rise) = figures.moves.unwrap_or_default();
    [
        Cell::Text(name),
        money(figures.equity),
        money(figures.initial_margin),
        money(figures.maintenance_margin),
        money(figures.headroom),
        rate(figures.margin_ratio),
        Cell::Number(figures.is_below_line.into()),
        rate(fall),
        rate(rise),
    ]
}
