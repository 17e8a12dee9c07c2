//! `plimsoll rulebook`: what rulebooks there are, what they say, whether a file is good, what changed, and tables of venues.

mod import;

use crate::out;
use crate::replay::Failure;
use rulebooks::{Problem, Rulebook, RulebookFile, Shipped, Source, differences, shown};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `plimsoll rulebook` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 done, 2 a rulebook, table or option is wrong, 3 a file cannot be read or written.

Examples:
  plimsoll rulebook list
  plimsoll rulebook show binance-usdm@2025-10-10
  plimsoll rulebook show binance-usdm BTCUSDT
  plimsoll rulebook diff binance-usdm@2024-10-24 binance-usdm@2025-10-10
  plimsoll rulebook check my-venue/rulebook.toml
  plimsoll rulebook import leverageBracket.json --json")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Name every rulebook with its versions
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the rules of a venue on a day, each with its clause
    Show {
        /// VENUE for the newest version, VENUE@2025-10-10 for that of a day
        rulebook: String,
        /// One market's figures
        market: Option<String>,
    },
    /// Check a file: its form, its tiers, its deductions, on each of its days
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print what differs between two versions or venues
    Diff {
        /// A venue, or a venue and a day: binance-usdm@2024-10-24
        a: String,
        /// The other
        b: String,
    },
    /// Check the tier tables that a venue publishes as JSON, and print them as versions of a rulebook
    Import(Box<import::Args>),
}

/// Does what was asked for.
pub fn run(args: &Args) -> ExitCode {
    let answer = match &args.command {
        Command::List { json } => list(*json),
        Command::Show { rulebook, market } => show(rulebook, market.as_deref()),
        Command::Check { file } => match text_of(file) {
            Ok(text) => check(file, &text),
            Err(failure) => return failed(&failure),
        },
        Command::Diff { a, b } => rulebooks::named(a).and_then(|a| Ok(diff(&a, &rulebooks::named(b)?))),
        Command::Import(args) => return import::run(args),
    };
    match answer {
        Ok(text) => {
            out::print(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            out::print_error(&format!("{problem}\n"));
            ExitCode::from(2)
        }
    }
}

type Answer = Result<String, Box<Problem>>;

fn list(json: bool) -> Answer {
    let mut rows = Vec::new();
    for shipped in Shipped::all() {
        let file = shipped.read()?;
        let days: Vec<String> = file.days().map(str::to_owned).collect();
        let newest = rulebooks::named(shipped.venue)?;
        rows.push((shipped.venue, file.name.clone(), newest.markets.len(), days));
    }
    if json {
        let all = rows.iter().map(|(venue, name, markets, days)| {
            json!({ "venue": venue, "name": name, "markets": markets, "versions": days })
        });
        return Ok(format!("{:#}\n", json!(all.collect::<Vec<_>>())));
    }
    let wide = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    Ok(rows.iter().fold(String::new(), |text, (venue, name, markets, days)| {
        let markets = counted(*markets, "market");
        format!("{text}{venue:wide$}  {name}, {markets}; from {}\n", days.join(", "))
    }))
}

/// `1 market`, `2 markets`.
fn counted(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

fn show(name: &str, market: Option<&str>) -> Answer {
    let rulebook = rulebooks::named(name)?;
    shown(&rulebook, market)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|why| Failure::file(path, &why.to_string()))
}

/// Prints why there is no answer, whose exit code it says.
fn failed(failure: &Failure) -> ExitCode {
    out::print_error(&format!("error: {failure}\n"));
    failure.code()
}

fn check(path: &Path, text: &str) -> Answer {
    let name = path.display().to_string();
    let source = Source { file: &name, text };
    let file = RulebookFile::read(&source)?;
    let mut answer = String::new();
    for day in file.days() {
        let rulebook = file.on(&source, Some(day))?;
        let [markets, assets] = [(rulebook.markets.len(), "market"), (rulebook.assets.len(), "asset")]
            .map(|(number, of)| counted(number, of));
        answer += &format!("{name}: good from {day}, {markets}, {assets}\n");
    }
    Ok(answer)
}

fn diff(a: &Rulebook, b: &Rulebook) -> String {
    let head = |rulebook: &Rulebook| format!("{}@{}", rulebook.venue, rulebook.from);
    let rows = differences(a, b);
    if rows.is_empty() {
        return format!("{} and {} are the same\n", head(a), head(b));
    }
    let mut text = format!("- {}\n+ {}\n", head(a), head(b));
    for (name, before, after) in rows {
        text += &format!("\n{name}\n");
        text += &before.map_or_else(String::new, |value| format!("- {value}\n"));
        text += &after.map_or_else(String::new, |value| format!("+ {value}\n"));
    }
    text
}
