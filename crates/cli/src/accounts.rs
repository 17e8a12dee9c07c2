//! `plimsoll margin --accounts`: the figures of every account of a file, one row each.

use crate::out;
use crate::replay::{Failure, rows};
use crate::save::Target;
use indicatif::ProgressBar;
use rulebooks::{AccountFigures, Desk, Filling, PositionRow, PricesFile, RowFault, Source};
use sim::replay::RowError;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use units::Rate;

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
    /// Where their figures go, a name that ends in .csv; left out: standard output
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
    let usage = |problem: Box<rulebooks::Problem>| {
        let text = problem.to_string();
        Failure::usage(text.strip_prefix("error: ").unwrap_or(&text).to_owned())
    };
    let prices = args.prices.as_deref().unwrap_or(Path::new(""));
    let text = std::fs::read_to_string(prices).map_err(|why| Failure::file(prices, &why.to_string()))?;
    let prices = PricesFile::read(&Source { file: &prices.display().to_string(), text: &text }).map_err(usage)?;
    let rulebook = rulebooks::named(venue).map_err(usage)?;
    let desk = Desk::new(&rulebook, &prices).map_err(usage)?;
    let target = args.out.as_deref().map(target).transpose()?;
    match (target, args.out.as_deref()) {
        (Some(mut target), Some(out)) => {
            let counts = batch(args, path, &desk, &mut target, out)?;
            target.finish()?;
            let seconds = started.elapsed().as_millis();
            out::print_error(&format!(
                "{} accounts, {} below the line, {}.{:03} s\n",
                counts.accounts,
                counts.below,
                seconds / 1_000,
                seconds % 1_000
            ));
            Ok(())
        }
        _ => {
            // Nothing is printed of a file with an error in it.
            let mut text = Vec::new();
            batch(args, path, &desk, &mut text, Path::new("standard output"))?;
            out::print(&String::from_utf8_lossy(&text));
            Ok(())
        }
    }
}

fn target(path: &Path) -> Result<Target, Failure> {
    if path.extension().is_none_or(|ending| ending != "csv") {
        let text = format!("figures cannot be written to {}\n  expected: a name that ends in .csv", path.display());
        return Err(Failure::usage(text));
    }
    if path.exists() {
        return Err(Failure::unwritable(path, "it exists\n  hint: name another file, or take this one away"));
    }
    Target::new(path, false)
}

#[derive(Default)]
struct Counts {
    accounts: u64,
    below: u64,
}

/// Where the columns are; leverage may be left out.
struct Columns([usize; 5], Option<usize>);

const COLUMNS: [&str; 5] = ["account", "collateral", "market", "size", "entry_price"];

impl Columns {
    fn find(file: &str, header: &[&str]) -> Result<Self, RowError> {
        let place = |name: &str| header.iter().position(|cell| cell.trim() == name);
        let mut found = [0; 5];
        for (at, name) in found.iter_mut().zip(COLUMNS) {
            *at = place(name).ok_or_else(|| RowError {
                file: file.to_owned(),
                row: Some(1),
                what: format!("no column `{name}`"),
                expected: format!("the columns {}", COLUMNS.join(",")),
                hint: "leverage may stand beside them; any order".to_owned(),
            })?;
        }
        Ok(Self(found, place("leverage")))
    }
}

fn batch(args: &ManyArgs, path: &Path, desk: &Desk<'_>, to: &mut dyn Write, out: &Path) -> Result<Counts, Failure> {
    let bar = ProgressBar::new_spinner();
    let (mut columns, mut counts, mut filling) = (None, Counts::default(), Filling::new(desk));
    let (mut name, mut seen, mut last) = (String::new(), HashSet::new(), 0);
    let mut written = Ok(());
    let head = "account,equity,initial_margin,maintenance_margin,headroom,margin_ratio,is_below_line";
    let moves = if args.liquidation_moves { ",liquidation_fall,liquidation_rise" } else { "" };
    writeln!(to, "{head}{moves}").map_err(|why| Failure::unwritable(out, &why.to_string()))?;
    let mut finish = |name: &str, filling: &mut Filling<'_>| {
        let figures = filling.figures(args.liquidation_moves)?;
        counts.accounts += 1;
        counts.below += u64::from(figures.is_below_line);
        if written.is_ok() {
            written = line(to, name, &figures);
        }
        if counts.accounts.is_multiple_of(65_536) {
            bar.set_message(format!("{} accounts", counts.accounts));
            bar.tick();
        }
        Ok::<(), Box<RowFault>>(())
    };
    rows(path, |file, row, cells| {
        let Some(Columns(found, leverage)) = &columns else {
            return Columns::find(file, cells).map(|made| columns = Some(made));
        };
        let fault = |fault: Box<RowFault>, row| RowError {
            file: file.to_owned(),
            row: Some(row),
            what: format!("{}: {}", fault.column, fault.what),
            expected: "a row of a position, as docs/margin.md says".to_owned(),
            hint: fault.hint,
        };
        let cell =
            |at: usize| Some(cells.get(at).map_or("", |cell| cell.trim())).filter(|c| *c != "null").unwrap_or("");
        let [account, collateral, market, size, entry_price] = found.map(cell);
        let wrong =
            |column, what: String, hint: &str| fault(Box::new(RowFault { column, what, hint: hint.into() }), row);
        if account.is_empty() {
            return Err(wrong("account", "it is empty".to_owned(), "name the account in each row"));
        }
        if account == name {
            filling.check_collateral(collateral).map_err(|why| fault(why, row))?;
        } else {
            if !name.is_empty() {
                finish(&name, &mut filling).map_err(|why| fault(why, last))?;
            }
            if !seen.insert(account.to_owned()) {
                let what = format!("{account} stands here again after another account");
                return Err(wrong("account", what, "put the rows of an account one after the other"));
            }
            account.clone_into(&mut name);
            filling.begin(collateral).map_err(|why| fault(why, row))?;
        }
        last = row;
        let leverage = leverage.map_or("", cell);
        filling.push(&PositionRow { market, size, entry_price, leverage }).map_err(|why| fault(why, row))
    })?;
    if !name.is_empty() {
        finish(&name, &mut filling)
            .map_err(|why| Failure::usage(format!("{} row {last}: {}", path.display(), why.what)))?;
    }
    bar.finish_and_clear();
    written.map_err(|why| Failure::unwritable(out, &why.to_string()))?;
    Ok(counts)
}

fn line(to: &mut dyn Write, name: &str, figures: &AccountFigures) -> std::io::Result<()> {
    if name.contains([',', '"', '\n', '\r']) {
        write!(to, "\"{}\"", name.replace('"', "\"\""))?;
    } else {
        write!(to, "{name}")?;
    }
    let f = figures;
    write!(to, ",{},{},{},{},", f.equity, f.initial_margin, f.maintenance_margin, f.headroom)?;
    let rate = |to: &mut dyn Write, rate: Option<Rate>| rate.map_or(Ok(()), |rate| write!(to, "{rate}"));
    rate(to, f.margin_ratio)?;
    write!(to, ",{}", f.is_below_line)?;
    if let Some((fall, rise)) = f.moves {
        write!(to, ",")?;
        rate(to, fall)?;
        write!(to, ",")?;
        rate(to, rise)?;
    }
    writeln!(to)
}
