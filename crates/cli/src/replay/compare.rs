//! `replay --compare`: the same accounts on the same prices under other options, one process each, side by side.
//!
//! Each variant is this program again with the options of the command line and then its own; the last of two wins. What a
//! variant printed as JSON is read here; nothing is computed twice.

use super::files::Failure;
use super::table::{aligned, count, short};
use crate::out;
use crate::save::Target;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use units::Money;

/// What the first word of a progress line of a variant is.
pub const PROGRESS: &str = "progress";

/// The version of the fields of `--compare --json`.
const SCHEMA: &str = "plimsoll.compare/1";

/// Options that belong to the comparison and not to its variants, and whether a value follows.
const OURS: [(&str, bool); 6] = [
    ("--compare", true),
    ("--markdown", true),
    ("--report", true),
    ("--json", false),
    ("--quiet", false),
    ("-q", false),
];

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its head.
    pub name: String,
    /// Its own options.
    pub options: Vec<String>,
}

/// Named lists of variants.
const PRESETS: [(&str, &[(&str, &str)]); 5] = [
    (
        "liquidation-policies",
        &[
            ("to target", "--liquidation-policy to-target"),
            ("full close", "--liquidation-policy full-close"),
            ("a fifth per 30 s", "--liquidation-policy fraction"),
            ("tier step down", "--liquidation-policy tier-step-down"),
        ],
    ),
    (
        "adl-policies",
        &[
            ("profit × leverage", "--adl-policy profit-leverage"),
            ("growth × leverage", "--adl-policy growth-leverage"),
            ("pro rata", "--adl-policy pro-rata"),
            ("least hedges broken", "--adl-policy least-hedges-broken"),
        ],
    ),
    ("adl-price", &[("bankruptcy price", "--adl-price bankruptcy"), ("mark, fund pays", "--adl-price mark")]),
    ("seeds", &[("seed 1", "--seed 1"), ("seed 2", "--seed 2"), ("seed 3", "--seed 3"), ("seed 4", "--seed 4")]),
    (
        "rulebooks",
        &[
            ("binance-usdm", "--rulebook binance-usdm --symbols BTCUSDT,ETHUSDT"),
            ("hyperliquid", "--rulebook hyperliquid --symbols BTCUSDT,ETHUSDT"),
            ("plimsoll", "--rulebook plimsoll --symbols BTCUSDT,ETHUSDT"),
        ],
    ),
];

/// Reads `NAME: OPTIONS`, plain `OPTIONS`, or the name of a list. Markets that are named beside a list win over its own.
///
/// # Errors
/// A text that is none of them, a name twice, nothing to compare.
pub fn variants(texts: &[String], symbols: &[String]) -> Result<Vec<Variant>, Failure> {
    let mut list: Vec<Variant> = Vec::new();
    for text in texts {
        match PRESETS.iter().find(|(name, _)| name == text) {
            Some((_, rows)) => {
                list.extend(rows.iter().map(|(name, options)| {
                    let own = options.split_once(" --symbols ").filter(|_| !symbols.is_empty());
                    let options = own.map_or(*options, |(others, _)| others);
                    Variant { name: (*name).to_owned(), options: split(options) }
                }));
            }
            None => list.push(variant(text)?),
        }
    }
    if list.len() < 2 {
        list.insert(0, Variant { name: "as given".to_owned(), options: Vec::new() });
    }
    for (at, row) in list.iter().enumerate() {
        if list.iter().take(at).any(|other| other.name == row.name) {
            return Err(Failure::usage(format!(
                "two variants are called `{}`\n  hint: --compare 'NAME: OPTIONS'",
                row.name
            )));
        }
    }
    Ok(list)
}

fn variant(text: &str) -> Result<Variant, Failure> {
    let (name, options) = match text.split_once(':') {
        Some((name, options)) if !name.trim_start().starts_with('-') => (name.trim(), options),
        _ => (text.trim(), text),
    };
    let options = split(options);
    let stray = options.first().filter(|word| !word.starts_with("--"));
    let own =
        options.iter().find(|word| OURS.iter().any(|(own, _)| word == own || word.starts_with(&format!("{own}="))));
    match (name.is_empty(), stray, own) {
        (false, None, None) => Ok(Variant { name: name.to_owned(), options }),
        (_, _, Some(own)) => Err(Failure::usage(format!("a variant cannot have {own}: it belongs to the comparison"))),
        _ => {
            let lists: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            Err(Failure::usage(format!(
                "--compare cannot be `{text}`\n  expected: 'NAME: --OPTION VALUE …', or one of: {}\n  hint: --compare 'higher target: --target 1.5'",
                lists.join(", ")
            )))
        }
    }
}

/// Options in one text, as words.
pub fn split(options: &str) -> Vec<String> {
    options.split_whitespace().map(str::to_owned).collect()
}

/// The command line without what belongs to the comparison.
fn common(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        match OURS.iter().find(|(own, _)| word == *own || word.starts_with(&format!("{own}="))) {
            Some((own, value)) => skip = *value && word == *own,
            None => kept.push(word),
        }
    }
    kept
}

/// What became of a variant: its report, or the error it ended with.
type Outcome = Result<Value, String>;

/// A process that is killed when nobody waits for it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is no error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends this process when its standard input does: the comparison that holds the other end is gone, however it ended.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(2);
    });
}

/// Runs every variant, at most one for each core at a time, in their order.
fn run_all(variants: &[Variant], quiet: bool) -> Result<Vec<Outcome>, Failure> {
    let program = std::env::current_exe().map_err(|why| Failure::usage(format!("cannot find this program: {why}")))?;
    let common = common(std::env::args().skip(1));
    let bars = MultiProgress::new();
    if quiet {
        bars.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:24} {percent:>3}% {msg}");
    let bars: Vec<ProgressBar> = variants
        .iter()
        .map(|variant| {
            let bar = bars.add(ProgressBar::new(0));
            if let Ok(style) = &style {
                bar.set_style(style.clone());
            }
            bar.set_message(variant.name.clone());
            bar
        })
        .collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Err("not run".to_owned()); variants.len()]);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(variants.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((variant, bar)) = variants.get(at).zip(bars.get(at)) else { return };
                    let mut command = Command::new(&program);
                    command.args(&common).args(&variant.options).args(["--json", "--variant"]);
                    let outcome = one(&mut command, bar);
                    bar.finish();
                    if let Ok(mut outcomes) = outcomes.lock()
                        && let Some(place) = outcomes.get_mut(at)
                    {
                        *place = outcome;
                    }
                }
            });
        }
    });
    outcomes.into_inner().map_err(|_| Failure::usage("a thread of the comparison ended early".to_owned()))
}

/// One variant: its progress drawn, its report read. In a terminal an interrupt reaches it, too.
fn one(command: &mut Command, bar: &ProgressBar) -> Outcome {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = Running(child.map_err(|why| format!("cannot start: {why}"))?);
    let (stdout, stderr) = (running.0.stdout.take(), running.0.stderr.take());
    // Nothing is ever written to it. It is open as long as this process lives, and `wait` would close it.
    let _alive = running.0.stdin.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.map(|mut out| out.read_to_string(&mut text)).transpose().map(|_| text)
    });
    let mut said = String::new();
    for line in stderr.into_iter().flat_map(|err| BufReader::new(err).lines()).map_while(Result::ok) {
        let mut words = line.split(' ');
        match (words.next(), words.next().map(str::parse), words.next().map(str::parse)) {
            (Some(PROGRESS), Some(Ok(step)), Some(Ok(steps))) => {
                bar.set_length(steps);
                bar.set_position(step);
            }
            _ => {
                let _ = writeln!(said, "{line}");
            }
        }
    }
    let status = running.0.wait().map_err(|why| why.to_string())?;
    let text = reader.join().map_err(|_| "its output was lost".to_owned())?.map_err(|why| why.to_string())?;
    if !status.success() {
        let said = said.trim().trim_start_matches("error: ").to_owned();
        return Err(if said.is_empty() { format!("ended with {status}") } else { said });
    }
    serde_json::from_str(&text).map_err(|why| format!("its report cannot be read: {why}"))
}

/// Runs the comparison; the text to print, and whether every variant has a result.
///
/// # Errors
/// As [`variants`]; a markdown file that cannot be written.
pub fn run(
    texts: &[String],
    symbols: &[String],
    json: bool,
    quiet: bool,
    markdown: Option<Target>,
    page: Option<Target>,
) -> Result<(String, bool), Failure> {
    let variants = variants(texts, symbols)?;
    let outcomes = run_all(&variants, quiet || json)?;
    let whole = outcomes.iter().all(Result::is_ok);
    let columns: Vec<(&Variant, &Outcome)> = variants.iter().zip(&outcomes).collect();
    let failed: String = columns
        .iter()
        .filter_map(|(variant, outcome)| {
            Some(format!("error: variant `{}`: {}\n", variant.name, outcome.as_ref().err()?))
        })
        .collect();
    out::print_error(&failed);
    if let Some(markdown) = markdown {
        markdown.save(marked_down(&columns).as_bytes())?;
    }
    if let Some(page) = page.filter(|_| outcomes.iter().any(Result::is_ok)) {
        save_page(page, &columns)?;
    }
    if json {
        let rows = columns.iter().map(|(variant, outcome)| match outcome {
            Ok(report) => json!({"name": variant.name, "options": variant.options, "report": report}),
            Err(why) => json!({"name": variant.name, "options": variant.options, "error": why}),
        });
        let value = json!({"schema": SCHEMA, "variants": rows.collect::<Vec<_>>()});
        return Ok((format!("{value:#}\n"), whole));
    }
    Ok((text(&columns), whole))
}

/// The page of all variants that have a result.
fn save_page(page: Target, columns: &[(&Variant, &Outcome)]) -> Result<(), Failure> {
    let named = |(variant, outcome): &(&Variant, &Outcome)| {
        let mut report = outcome.as_ref().ok()?.clone();
        report.as_object_mut()?.insert("variant".into(), variant.name.clone().into());
        Some(report)
    };
    let reports: Vec<Value> = columns.iter().filter_map(named).collect();
    page.save(crate::report::page(&reports).map_err(Failure::usage)?.as_bytes())
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Kind {
    Count,
    Amount,
}

/// The figures, where they stand in a report, and how they are written. One that no report has is left out.
const FIGURES: [(&str, &[&str], Kind); 25] = [
    ("accounts below the line", &["/total/below_line"], Kind::Count),
    ("liquidations", &["/total/liquidations"], Kind::Count),
    ("  restored", &["/total/restored"], Kind::Count),
    ("  closed", &["/total/closed"], Kind::Count),
    ("  not ended", &["/total/unfinished"], Kind::Count),
    (
        "closed by force",
        &[
            "/total/reduced/notional",
            "/total/backstop/notional",
            "/total/taken_over/notional",
            "/total/deleveraged/notional",
        ],
        Kind::Amount,
    ),
    ("  through the book", &["/total/reduced/notional"], Kind::Amount),
    ("  by volunteers", &["/total/backstop/notional"], Kind::Amount),
    ("  by the fund", &["/total/taken_over/notional"], Kind::Amount),
    ("  against winners", &["/total/deleveraged/notional"], Kind::Amount),
    ("unwound by the fund", &["/total/unwound/notional"], Kind::Amount),
    ("accounts deleveraged", &["/total/adl_accounts"], Kind::Count),
    ("receipts", &["/total/adl_receipts"], Kind::Count),
    ("  hedges broken", &["/total/hedges_broken/steps"], Kind::Count),
    ("  their contracts at the mark", &["/total/hedges_broken/notional"], Kind::Amount),
    ("winners' profit on what was closed", &["/total/winners_profit"], Kind::Amount),
    ("  taken by the price of it", &["/total/winners_profit_taken"], Kind::Amount),
    ("slippage of the ladder", &["/total/slippage"], Kind::Amount),
    ("slippage of the fund", &["/total/unwind_slippage"], Kind::Amount),
    ("fees of the ladder", &["/total/liquidation_fees"], Kind::Amount),
    ("fund before", &["/total/fund/before"], Kind::Amount),
    ("fund low", &["/total/fund/low"], Kind::Amount),
    ("fund after", &["/total/fund/after"], Kind::Amount),
    ("fund paid", &["/total/fund/paid"], Kind::Amount),
    ("deficits nobody paid", &["/total/deficits"], Kind::Amount),
];

/// The sum of the figures at some places; none when a place is missing.
fn figure(report: &Value, places: &[&str], kind: Kind) -> Option<Money> {
    let at = |place: &&str| {
        let value = report.pointer(place)?;
        match kind {
            Kind::Count => value.as_i64().map(Money::whole),
            Kind::Amount => value.as_str()?.parse().ok(),
        }
    };
    places.iter().map(at).sum()
}

fn written(amount: Money, kind: Kind) -> String {
    match kind {
        Kind::Count => count(u64::try_from(amount.units() / Money::whole(1).units()).unwrap_or(0)),
        Kind::Amount => short(amount),
    }
}

/// A figure, and by how many percent it differs from the first column's, from a tenth on.
fn cell(amount: Option<Money>, first: Option<Money>, kind: Kind) -> String {
    let Some(amount) = amount else { return "-".to_owned() };
    let text = written(amount, kind);
    match first {
        Some(first) if !first.is_zero() => {
            let tenths = (amount - first).units().saturating_mul(1_000).checked_div(first.units().abs()).unwrap_or(0);
            match tenths {
                0 => text,
                _ => {
                    let sign = if tenths < 0 { '−' } else { '+' };
                    format!("{text} ({sign}{}.{} %)", tenths.abs() / 10, tenths.abs() % 10)
                }
            }
        }
        _ => text,
    }
}

/// Label and one cell a column, for every figure that any report has.
fn rows(columns: &[(&Variant, &Outcome)]) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    for (variant, _) in columns {
        rows[0].push(variant.name.clone());
    }
    for (label, places, kind) in FIGURES {
        let figures: Vec<Option<Money>> =
            columns.iter().map(|(_, outcome)| figure(outcome.as_ref().ok()?, places, kind)).collect();
        if figures.iter().all(Option::is_none) {
            continue;
        }
        let first = figures.first().copied().flatten();
        let cells = figures.iter().enumerate().map(|(at, f)| cell(*f, if at == 0 { None } else { first }, kind));
        rows.push(std::iter::once(label.to_owned()).chain(cells).collect());
    }
    rows
}

/// Whether all columns had the same accounts, and what says so.
fn population(columns: &[(&Variant, &Outcome)]) -> String {
    let digests: Vec<&str> = columns
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().ok()?.pointer("/population/digest")?.as_str())
        .collect();
    match digests.split_first() {
        None => "no variant has a result".to_owned(),
        Some((first, rest)) if rest.iter().all(|d| d == first) => {
            format!("the same accounts and positions in every column: population digest {first}")
        }
        Some(_) => "NOT the same accounts in every column (another seed, number, fee or population): differences are not those of the rules alone".to_owned(),
    }
}

/// Names the columns whose index is not only the path: a model of feedback moved it.
fn modelled(columns: &[(&Variant, &Outcome)]) -> String {
    let is_on = |outcome: &Outcome| outcome.as_ref().is_ok_and(|report| report.pointer("/config/feedback").is_some());
    let names: Vec<&str> = columns.iter().filter(|(_, o)| is_on(o)).map(|(v, _)| v.name.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("FEEDBACK IS ON, the index is a model (own liquidations move it) in: {}\n", names.join(", "))
}

fn text(columns: &[(&Variant, &Outcome)]) -> String {
    let mut out = head(columns);
    out.push('\n');
    out += &aligned(&rows(columns));
    let _ = writeln!(out, "\n{}", population(columns));
    out += &modelled(columns);
    for (variant, outcome) in columns {
        if let Some(line) = reproduce(outcome) {
            let _ = writeln!(out, "reproduce {}: {line}", variant.name);
        }
    }
    out
}

fn head(columns: &[(&Variant, &Outcome)]) -> String {
    let Some(report) = columns.iter().find_map(|(_, outcome)| outcome.as_ref().ok()) else { return String::new() };
    let text = |place: &str| report.pointer(place).and_then(Value::as_str).unwrap_or("?").to_owned();
    let accounts = report.pointer("/population/accounts").and_then(Value::as_u64).unwrap_or(0);
    let name = text("/name");
    format!("{name}  {} to {}  {} accounts\n", text("/from"), text("/to"), count(accounts))
}

fn reproduce(outcome: &Outcome) -> Option<&str> {
    outcome.as_ref().ok()?.get("reproduce")?.as_str()
}

fn marked_down(columns: &[(&Variant, &Outcome)]) -> String {
    let mut out = String::new();
    for (at, row) in rows(columns).iter().enumerate() {
        let _ = writeln!(out, "| {} |", row.join(" | "));
        if at == 0 {
            let _ = writeln!(out, "| --- |{}", " ---: |".repeat(row.len() - 1));
        }
    }
    let _ = writeln!(out, "\n{}\n{}", population(columns), modelled(columns));
    for (variant, outcome) in columns {
        match outcome {
            Ok(report) => {
                let digest = report.get("event_digest").and_then(Value::as_str).and_then(|text| text.get(..16));
                let digest = digest.unwrap_or_default();
                let line = reproduce(outcome).unwrap_or_default();
                let _ = writeln!(out, "- **{}** (event digest {digest}…): `{line}`", variant.name);
            }
            Err(why) => {
                let _ = writeln!(out, "- **{}**: no result: {}", variant.name, why.replace('\n', " "));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Vec<Variant>, String> {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        variants(&texts, &[]).map_err(|why| why.to_string())
    }

    #[test]
    fn markets_that_are_named_win_over_those_of_a_list() {
        let options = |symbols: &[String]| variants(&["rulebooks".to_owned()], symbols).unwrap()[0].options.join(" ");
        assert_eq!(options(&[]), "--rulebook binance-usdm --symbols BTCUSDT,ETHUSDT");
        assert_eq!(options(&["BTCUSDT".to_owned()]), "--rulebook binance-usdm");
    }

    #[test]
    fn a_variant_has_a_name_and_options_and_the_first_is_what_was_given() {
        let list = read(&["higher target: --target 1.5 --fund 0.02"]).unwrap();
        assert_eq!(list.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["as given", "higher target"]);
        assert_eq!(list[1].options, ["--target", "1.5", "--fund", "0.02"]);
        assert_eq!(read(&["--target 1.5", "base:"]).unwrap()[0].name, "--target 1.5");
        assert_eq!(read(&["adl-price"]).unwrap().len(), 2);
    }

    #[test]
    fn bad_variants_say_what_was_expected() {
        assert!(read(&["target 1.5"]).unwrap_err().contains("expected: 'NAME: --OPTION"));
        assert!(read(&["a: --target 1", "a: --target 2"]).unwrap_err().contains("two variants are called `a`"));
        assert!(read(&["a: --json"]).unwrap_err().contains("belongs to the comparison"));
    }

    #[test]
    fn the_command_line_of_a_variant_is_without_what_is_ours() {
        let line = "replay 2025-10-10 --compare x --accounts 2 --json --compare=y -q --markdown f.md --target 1.3";
        let kept = common(line.split(' ').map(str::to_owned));
        assert_eq!(kept.join(" "), "replay 2025-10-10 --accounts 2 --target 1.3");
    }

    #[test]
    fn a_figure_is_told_with_its_difference_to_the_first() {
        let amount = |text: &str| Some(text.parse::<Money>().unwrap());
        assert_eq!(cell(amount("90"), amount("100"), Kind::Count), "90 (−10.0 %)");
        assert_eq!(cell(amount("1234567"), amount("1000000"), Kind::Amount), "1.23M (+23.4 %)");
        assert_eq!(cell(amount("5"), amount("0"), Kind::Amount), "5");
        assert_eq!(cell(None, amount("0"), Kind::Amount), "-");
    }
}
