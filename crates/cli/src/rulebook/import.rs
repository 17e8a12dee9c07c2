//! `plimsoll rulebook import`: the tier tables of a venue's JSON, checked, as versions of a rulebook.

use crate::out;
use crate::replay::Failure;
use crate::save::Target;
use rulebooks::{Added, Clause, Day, ImportedTable, MarketFacts, Percent, Problem, Source, VenueTables, version_text};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use units::Money;

/// What `plimsoll rulebook import` takes.
#[derive(clap::Args)]
#[command(after_help = "\
FILE is told by its shape:
  the answer of Binance USD-M or COIN-M to leverageBracket, of one symbol or of all
  rows by symbol, {\"as_of\", \"columns\", \"symbols\"}, or by day and symbol
  the answer of Hyperliquid to meta, or a capture of it; delisted markets are left out

A table is refused with its row where floors leave a gap or overlap, a cap is not above its floor,
a maintenance rate falls, a leverage rises, or a deduction does not continue the tier before it.
What a table does not say is asked for and never made up. The output is [[version]] sections for
the end of a rulebook; tick and, for Binance, lot are to be added by hand.

Exit codes: 0 done, 2 a table or an option is wrong, 3 a file cannot be read or written.

Examples:
  plimsoll rulebook import leverageBracket.json --json
  plimsoll rulebook import leverageBracket.json --symbol BTCUSDT --from 2026-10-01 \\
      --clause BN-TI-01 --taker-fee 0.05% --maker-fee 0.02% >> my-venue/rulebook.toml
  plimsoll rulebook import coin.json --symbol BTCUSD_PERP --face 100 --from 2026-10-01 \\
      --clause BC-TI-01 --taker-fee 0.05% --maker-fee 0.02%
  plimsoll rulebook import meta.json --symbol BTC --symbol ETH --from 2026-10-01 --cap 10000000000 \\
      --clause HL-TI-05 --taker-fee 0.045% --maker-fee 0.015% --out version.toml")]
pub struct Args {
    /// The tables
    file: PathBuf,
    /// Only this market; may be repeated
    #[arg(long, value_name = "NAME")]
    symbol: Vec<String>,
    /// Only the tables of this day, where the file has several
    #[arg(long)]
    day: Option<Day>,
    /// The first day on which the tables hold, where that is not the one that the file states
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The clause of the tiers: BN-TI-01
    #[arg(long, required_unless_present = "json")]
    clause: Option<Clause>,
    /// Fee of the order that takes: 0.05%
    #[arg(long, value_name = "SHARE", required_unless_present = "json")]
    taker_fee: Option<Percent>,
    /// Fee of the order that rests: 0.02%
    #[arg(long, value_name = "SHARE", required_unless_present = "json", allow_hyphen_values = true)]
    maker_fee: Option<Percent>,
    /// The asset that the markets settle in, where their names do not say it
    #[arg(long, value_name = "ASSET")]
    settlement: Option<String>,
    /// Where the last tier ends, for Hyperliquid, whose tables do not say it
    #[arg(long, value_name = "AMOUNT")]
    cap: Option<Money>,
    /// What a contract that settles in its coin is worth, in units of its quote: 100
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    face: Option<u32>,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "out")]
    force: bool,
    /// Check alone, and print one JSON array with an object per table: symbol, contract, settlement, day, tiers, max_leverage, cap
    #[arg(long, conflicts_with_all = ["out", "from", "face"])]
    json: bool,
}

/// Why there is no output.
enum Refused {
    Table(Box<Problem>),
    File(Failure),
}

impl From<Box<Problem>> for Refused {
    fn from(problem: Box<Problem>) -> Self {
        Self::Table(problem)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::File(failure)
    }
}

/// Imports and answers with the exit code.
pub fn run(args: &Args) -> ExitCode {
    match import(args) {
        Ok(text) => {
            out::print(&text);
            ExitCode::SUCCESS
        }
        Err(Refused::Table(problem)) => {
            out::print_error(&format!("{problem}\n"));
            ExitCode::from(2)
        }
        Err(Refused::File(failure)) => super::failed(&failure),
    }
}

fn import(args: &Args) -> Result<String, Refused> {
    let name = args.file.display().to_string();
    let text = super::text_of(&args.file)?;
    let source = Source { file: &name, text: &text };
    let found = VenueTables::read(&source)?;
    let added = Added { settlement: args.settlement.clone(), cap: args.cap };
    let chosen = found.chosen(args.day.as_ref().map(|day| day.0.as_str()), &args.symbol)?;
    let tables = chosen.into_iter().map(|table| table.check(&added)).collect::<Result<Vec<_>, _>>()?;
    let (Some(clause), Some(taker_fee), Some(maker_fee), false) =
        (&args.clause, &args.taker_fee, &args.maker_fee, args.json)
    else {
        let rows: Vec<_> = tables.iter().map(summary).collect();
        return Ok(format!("{:#}\n", json!(rows)));
    };
    let (clause, taker_fee, maker_fee) = (clause.clone(), taker_fee.clone(), maker_fee.clone());
    let facts = MarketFacts { clause, taker_fee, maker_fee, face: args.face, from: args.from.clone() };
    let text = version_text(&name, &tables, &facts)?;
    let Some(path) = &args.out else { return Ok(text) };
    Target::new(path, args.force)?.save(text.as_bytes())?;
    Ok(format!("{}: {} of {name}\n", path.display(), super::counted(tables.len(), "table")))
}

fn summary(table: &ImportedTable) -> serde_json::Value {
    json!({
        "symbol": table.symbol,
        "contract": table.contract.name(),
        "settlement": table.settlement,
        "day": table.day,
        "tiers": table.tiers.tiers().len(),
        "max_leverage": table.leverages.first(),
        "cap": table.tiers.cap(),
    })
}
