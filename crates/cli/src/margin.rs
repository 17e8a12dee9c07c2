//! `plimsoll margin`: the figures of a book under a venue's rules, with their working.

use crate::{accounts, out};
use rulebooks::{
    Book, BookFile, Figures, PositionFigures, Problem, Rulebook, Shipped, Source, UnitFigures, explain, what_if,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use units::Rate;

/// What `plimsoll margin` takes.
#[derive(clap::Args)]
#[command(after_help = "\
BOOK is TOML or JSON: the collateral, positions and prices of one account. docs/margin.md has the form and every figure.

Exit codes: 0 done, 2 the book, the rulebook or an option is wrong, 3 the file cannot be read.

Examples:
  plimsoll margin book.toml
  plimsoll margin book.toml --rulebook binance-usdm@2025-10-10
  plimsoll margin book.toml --explain BTCUSDT.liquidation_price
  plimsoll margin book.toml --compare all
  plimsoll margin book.toml --what-if 'BTC -12%, ETH -15%'
  plimsoll margin --accounts accounts.parquet --prices prices.toml --rulebook binance-usdm --out margins.csv
  plimsoll margin --portfolio book.toml
  plimsoll margin book.toml --json | jq .units[0].headroom")]
pub struct Args {
    /// The book
    #[arg(value_name = "BOOK", required_unless_present = "accounts", conflicts_with = "accounts")]
    book: Option<PathBuf>,
    #[command(flatten)]
    many: accounts::ManyArgs,
    /// Whose rules: VENUE for the newest version, VENUE@2025-10-10 for that of a day; instead of the book's own
    #[arg(long, value_name = "VENUE[@DAY]")]
    rulebook: Option<String>,
    /// Show the working: of one figure, or of the liquidation prices and the account's margins
    #[arg(long, value_name = "FIGURE", num_args = 0..=1, default_missing_value = "", conflicts_with = "csv")]
    explain: Option<String>,
    /// Put venues side by side: `all`, or names with commas
    #[arg(long, value_name = "VENUES", conflicts_with_all = ["explain", "rulebook"])]
    compare: Option<String>,
    /// Move prices first: 'BTC -12%, ETH -15%'
    #[arg(long, value_name = "MOVES")]
    what_if: Option<String>,
    /// Under portfolio margin: every scenario, the worst one, greeks by underlying
    #[arg(long, conflicts_with_all = ["rulebook", "explain", "compare", "what_if", "csv"])]
    portfolio: bool,
    /// Print JSON (plimsoll.margin/1, with --portfolio plimsoll.portfolio/1)
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print one CSV row per position
    #[arg(long)]
    csv: bool,
}

/// Why a command ends, with its exit code.
pub struct Failure(pub u8, pub String);

impl From<Box<Problem>> for Failure {
    fn from(problem: Box<Problem>) -> Self {
        Self(2, problem.to_string())
    }
}

/// Reads the book and prints what was asked for.
pub fn run(args: &Args) -> ExitCode {
    if let (Some(path), Some(venue)) = (&args.many.accounts, &args.rulebook) {
        return accounts::run(&args.many, path, venue);
    }
    match answer(args) {
        Ok(text) => {
            out::print(&text);
            ExitCode::SUCCESS
        }
        Err(Failure(code, text)) => {
            out::print_error(&format!("{text}\n"));
            ExitCode::from(code)
        }
    }
}

fn answer(args: &Args) -> Result<String, Failure> {
    let path = args.book.as_deref().unwrap_or(Path::new(""));
    if args.portfolio {
        return crate::portfolio::answer(path, args.json);
    }
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|why| Failure(3, format!("error: cannot read {name}: {why}")))?;
    let source = Source { file: &name, text: &text };
    let mut file = BookFile::read(&source)?;
    if let Some(moves) = &args.what_if {
        file = what_if(&file, moves).map_err(|why| Failure(2, format!("error: --what-if: {why}")))?;
    }
    if let Some(venues) = &args.compare {
        return compare(&file, &source, venues, args);
    }
    let named = match &args.rulebook {
        Some(venue) => Some(rulebooks::named(venue)?),
        None => file.named_rulebook(&source)?,
    };
    let Some(rulebook) = named else {
        let names: Vec<&str> = Shipped::all().map(|shipped| shipped.venue).collect();
        let what = format!("error: {name} names no rulebook\nhint: add --rulebook, one of {}", names.join(", "));
        return Err(Failure(2, what));
    };
    let book = Book::check(&file, &source, &rulebook)?;
    if let Some(figure) = &args.explain {
        return explained(&book, &rulebook, figure, args.json);
    }
    let figures = figures(&book, &rulebook)?;
    Ok(if args.json {
        format!("{:#}\n", json!(figures))
    } else if args.csv {
        csv(&[figures])?
    } else {
        let moved = args.what_if.as_ref().map_or_else(String::new, |moves| format!(", prices moved by {moves}"));
        table(&figures, &rulebook, &moved)
    })
}

fn figures(book: &Book, rulebook: &Rulebook) -> Result<Figures, Failure> {
    Figures::of(book, rulebook).ok_or_else(|| Failure(2, "error: figures are out of range".to_owned()))
}

/// What is explained when no figure is named.
const EXPLAINED: [&str; 4] = ["headroom", "initial_margin", "liquidation_price", "bankruptcy_price"];

fn explained(book: &Book, rulebook: &Rulebook, figure: &str, json: bool) -> Result<String, Failure> {
    let names: Vec<&str> = if figure.is_empty() { EXPLAINED.to_vec() } else { vec![figure] };
    let mut steps = Vec::new();
    for name in names {
        steps.extend(explain(book, rulebook, name).map_err(|why| Failure(2, format!("error: --explain: {why}")))?);
    }
    if json {
        return Ok(format!("{:#}\n", json!(steps)));
    }
    let head = format!("{} of {}, clauses in rulebooks/{}/SOURCE.md\n", rulebook.name, rulebook.from, rulebook.venue);
    Ok(steps.iter().fold(head, |text, step| format!("{text}\n{step}")))
}

/// One line per venue: the same book under each, or why it cannot be.
fn compare(file: &BookFile, source: &Source<'_>, venues: &str, args: &Args) -> Result<String, Failure> {
    let names: Vec<String> = match venues {
        "all" => Shipped::all().map(|shipped| shipped.venue.to_owned()).collect(),
        names => names.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let mut rows = Vec::new();
    for name in &names {
        let rulebook = rulebooks::named(name)?;
        let renamed = rulebooks::rename_markets(file, &rulebook);
        let figures = Book::check_lowering(&renamed, source, &rulebook)
            .map_err(|problem| problem.what)
            .and_then(|book| Figures::of(&book, &rulebook).ok_or_else(|| "figures are out of range".to_owned()));
        rows.push((name.clone(), rulebook.from.clone(), figures));
    }
    if rows.iter().all(|(_, _, figures)| figures.is_err()) {
        let hint = "hint: --compare all shows every venue that can hold the book";
        return Err(Failure(2, format!("error: none of these venues can hold the book{}{hint}", notes(&rows))));
    }
    if args.json {
        let all: Vec<Value> = rows
            .iter()
            .map(|(name, _, figures)| match figures {
                Ok(figures) => json!(figures),
                Err(why) => json!({ "rulebook": name, "error": why }),
            })
            .collect();
        return Ok(format!("{:#}\n", Value::Array(all)));
    }
    if args.csv {
        out::print_error(notes(&rows).trim_start());
        let good: Vec<Figures> = rows.into_iter().filter_map(|(_, _, figures)| figures.ok()).collect();
        return csv(&good);
    }
    Ok(comparison(&rows))
}

/// What is not as the book has it: leverages that were lowered, venues that cannot hold it.
fn notes(rows: &[Row]) -> String {
    let (mut lowered, mut refused) = (String::new(), String::new());
    for (name, _, figures) in rows {
        match figures {
            Err(why) => refused += &format!("{name}: {why}\n"),
            Ok(figures) => {
                for (market, leverage) in
                    positions(figures).filter_map(|(_, p)| Some((&p.market, p.lowered_leverage.as_ref()?)))
                {
                    lowered += &format!("{name}: {market} from {} to {}\n", leverage.from, leverage.to);
                }
            }
        }
    }
    let part = |head: &str, lines: String| if lines.is_empty() { lines } else { format!("\n{head}:\n{lines}") };
    part("leverage lowered to the greatest of the venue's tier", lowered) + &part("not comparable", refused)
}

type Row = (String, String, Result<Figures, String>);

fn comparison(rows: &[Row]) -> String {
    let head = [
        "rulebook",
        "version",
        "equity",
        "initial",
        "maintenance",
        "ratio",
        "headroom",
        "fall",
        "rise",
        "liquidation prices",
    ];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    for (name, version, figures) in rows {
        if let Ok(figures) = figures {
            let sum = |of: fn(&UnitFigures) -> units::Money| figures.units.iter().map(of).sum::<units::Money>();
            let only = figures.units.first().filter(|_| figures.units.len() == 1);
            let prices = positions(figures).map(|(unit, p)| format!("{} {}", p.market, liquidation(p, unit)));
            let prices = prices.collect::<Vec<_>>().join(", ");
            table.push(vec![
                name.clone(),
                version.clone(),
                format!("{:.2}", Cut(sum(|unit| unit.equity))),
                format!("{:.2}", Cut(sum(|unit| unit.initial_margin))),
                format!("{:.2}", Cut(sum(|unit| unit.maintenance_margin))),
                only.map_or_else(String::new, |unit| share(unit.margin_ratio)),
                format!("{:.2}", Cut(sum(|unit| unit.headroom))),
                only.map_or_else(String::new, |unit| share(unit.liquidation_fall)),
                only.map_or_else(String::new, |unit| share(unit.liquidation_rise)),
                prices,
            ]);
        }
    }
    aligned(&table) + &notes(rows)
}

fn positions(figures: &Figures) -> impl Iterator<Item = (&UnitFigures, &PositionFigures)> {
    figures.units.iter().flat_map(|unit| unit.positions.iter().map(move |position| (unit, position)))
}

/// An amount with two digits, cut toward zero, for tables; `--json` has all digits.
struct Cut(units::Money);

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = rules::Digits { round: units::Round::TowardZero, decimals: 2 };
        write!(f, "{:.2}", digits.apply(self.0))
    }
}

/// A rate in percent with two digits, cut toward zero.
fn share(rate: Option<Rate>) -> String {
    rate.map_or_else(
        || "none".to_owned(),
        |rate| {
            let percent = units::Money::from_units(i128::from(rate.units()) * 1_000_000_000);
            format!("{}%", Cut(percent))
        },
    )
}

fn liquidation(position: &PositionFigures, unit: &UnitFigures) -> String {
    match (position.liquidation_price_below, position.liquidation_price_above) {
        _ if unit.is_below_line => "now".to_owned(),
        (Some(below), Some(above)) => format!("{below} and {above}"),
        (Some(price), None) | (None, Some(price)) => price.to_string(),
        (None, None) => "none".to_owned(),
    }
}

fn table(figures: &Figures, rulebook: &Rulebook, moved: &str) -> String {
    let mut text = format!("{}, version of {}, {}{moved}\n", rulebook.name, figures.version, figures.mode);
    let head = [
        "market",
        "size",
        "entry",
        "price",
        "notional",
        "upnl",
        "initial",
        "maintenance",
        "liquidation",
        "bankruptcy",
        "can buy",
        "can sell",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let optional = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    for (unit, position) in positions(figures) {
        rows.push(vec![
            position.market.clone(),
            position.size.to_string(),
            position.entry_price.to_string(),
            position.price.to_string(),
            position.notional.to_string(),
            position.upnl.to_string(),
            position.initial_margin.to_string(),
            position.maintenance_margin.to_string(),
            liquidation(position, unit),
            optional(position.bankruptcy_price.map(|price| price.to_string())),
            position.largest_buy.map_or_else(|| "-".to_owned(), |size| size.to_string()),
            position.largest_sell.map_or_else(|| "-".to_owned(), |size| size.to_string()),
        ]);
    }
    text += &format!("\n{}", aligned(&rows));
    for unit in &figures.units {
        let of = unit.positions.first().filter(|_| figures.units.len() > 1).map(|position| position.market.clone());
        text += &format!("\n{}", account(unit, &figures.numeraire, of));
    }
    for gap in &rulebook.gaps {
        text += &format!("\nnot in these figures: {gap}");
    }
    if rulebook.gaps.is_empty() { text } else { text + "\n" }
}

fn account(unit: &UnitFigures, numeraire: &str, of: Option<String>) -> String {
    let below = if unit.is_below_line { "   BELOW ITS LINE" } else { "" };
    let mut rows = vec![
        vec!["equity".to_owned(), unit.equity.to_string(), format!("{numeraire}, of it upnl {}", unit.upnl)],
        vec![
            "initial_margin".to_owned(),
            unit.initial_margin.to_string(),
            format!("free_collateral {}", unit.free_collateral),
        ],
        vec![
            "maintenance_margin".to_owned(),
            unit.maintenance_margin.to_string(),
            format!("headroom {}{below}", unit.headroom),
        ],
        vec![
            "margin_ratio".to_owned(),
            share(unit.margin_ratio),
            "maintenance_margin ÷ equity; liquidation at 100%".to_owned(),
        ],
        vec![
            "all prices together".to_owned(),
            share(unit.liquidation_fall),
            format!("reach the line when falling; {} when rising", share(unit.liquidation_rise)),
        ],
    ];
    for row in &unit.withdrawable {
        rows.push(vec!["withdrawable".to_owned(), row.amount.to_string(), row.asset.clone()]);
    }
    let head = of.map_or_else(String::new, |market| format!("{market}\n"));
    head + &left_aligned(&rows)
}

/// Columns two spaces apart, the first on the left, the others on the right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    columns(rows, false)
}

fn left_aligned(rows: &[Vec<String>]) -> String {
    columns(rows, true)
}

fn columns(rows: &[Vec<String>], left: bool) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| {
                let gap = " ".repeat(width - cell.chars().count());
                if left || at == 0 || at + 1 == count && cell.contains(' ') {
                    format!("{cell}{gap}")
                } else {
                    format!("{gap}{cell}")
                }
            })
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

const CSV_HEAD: [&str; 23] = [
    "rulebook",
    "version",
    "market",
    "size",
    "entry_price",
    "price",
    "notional",
    "upnl",
    "initial_margin",
    "maintenance_margin",
    "liquidation_price_below",
    "liquidation_price_above",
    "bankruptcy_price",
    "largest_buy",
    "largest_sell",
    "account_equity",
    "account_initial_margin",
    "account_maintenance_margin",
    "account_headroom",
    "account_free_collateral",
    "account_margin_ratio",
    "account_liquidation_fall",
    "account_liquidation_rise",
];

/// Nothing where there is none.
fn optional(figure: Option<impl ToString>) -> String {
    figure.map(|figure| figure.to_string()).unwrap_or_default()
}

/// A row per position under a header.
fn csv(all: &[Figures]) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |why: &dyn std::fmt::Display| Failure(3, format!("error: cannot write: {why}"));
    writer.write_record(CSV_HEAD).map_err(|why| failed(&why))?;
    for figures in all {
        for (unit, p) in positions(figures) {
            let cells: [String; CSV_HEAD.len()] = [
                figures.rulebook.clone(),
                figures.version.clone(),
                p.market.clone(),
                p.size.to_string(),
                p.entry_price.to_string(),
                p.price.to_string(),
                p.notional.to_string(),
                p.upnl.to_string(),
                p.initial_margin.to_string(),
                p.maintenance_margin.to_string(),
                optional(p.liquidation_price_below),
                optional(p.liquidation_price_above),
                optional(p.bankruptcy_price),
                optional(p.largest_buy),
                optional(p.largest_sell),
                unit.equity.to_string(),
                unit.initial_margin.to_string(),
                unit.maintenance_margin.to_string(),
                unit.headroom.to_string(),
                unit.free_collateral.to_string(),
                optional(unit.margin_ratio),
                optional(unit.liquidation_fall),
                optional(unit.liquidation_rise),
            ];
            writer.write_record(cells).map_err(|why| failed(&why))?;
        }
    }
    let bytes = writer.into_inner().map_err(|why| failed(why.error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
