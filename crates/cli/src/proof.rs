//! `plimsoll prove` and `plimsoll check-proof`: a liquidation shown to somebody who has nothing of the venue but a digest. What a proof is
//! and what it shows is in `node`; here it is text.

use crate::data::{self, Failed};
use crate::out;
use engine::{Event, Grounds};
use indicatif::{ProgressBar, ProgressStyle};
use node::{Checked, Liquidation, Proof};
use serde_json::json;
use sim::scenario::{Names, OrderOwners};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `plimsoll prove` takes.
#[derive(clap::Args)]
#[command(after_help = "\
The proof has the batch's commands and events, the digests before and after, and the rules the account was valued under; `plimsoll
check-proof` needs nothing else. It shows every command and event of the batch, other people's, too: docs/proof.md.

Exit codes: 0 proved, 1 the journal is not as it should be, 2 usage, or no such liquidation, 3 something cannot be read or written.

Examples:
  plimsoll prove venue --account ann > ann.json
  plimsoll prove venue --account ann --at 2025-10-10T21:19 --to ann.json
  plimsoll prove venue --list")]
pub struct ProveArgs {
    /// The directory of the venue
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Whose liquidation: the last one, unless --at or --sequence names another
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    account: Option<String>,
    /// The last that started at this time, or in a part of it from its beginning
    #[arg(long, value_name = "2025-10-10T21:19")]
    at: Option<String>,
    /// The one that started by this command
    #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
    sequence: Option<u64>,
    /// The file that the proof goes to; standard output without
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    to: Option<PathBuf>,
    /// Only list liquidations: time, sequence, account
    #[arg(long)]
    list: bool,
}

/// What `plimsoll check-proof` takes.
#[derive(clap::Args)]
#[command(after_help = "\
Makes both chains of digests and the arithmetic of the account again, from the file alone. What it cannot know is what the venue published:
compare the digests that it prints, or name one with --digest.

Exit codes: 0 it checks out, 1 it does not, 2 usage, 3 the file cannot be read.

Examples:
  plimsoll check-proof ann.json
  plimsoll check-proof ann.json --digest 7bff09c1…
  plimsoll prove venue --account ann | plimsoll check-proof - --json | jq .stated")]
pub struct CheckArgs {
    /// The proof; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The digest that was published, of the journal or of the events
    #[arg(long, value_name = "HEX")]
    digest: Option<String>,
    /// Print one JSON object (plimsoll.check-proof/1)
    #[arg(long)]
    json: bool,
}

/// Proves and answers with the exit code.
pub fn prove(args: &ProveArgs) -> ExitCode {
    done(proved(args))
}

/// Checks and answers with the exit code.
pub fn check(args: &CheckArgs) -> ExitCode {
    done(checked(args))
}

fn done(outcome: Result<(), Failed>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { text, code }) => {
            out::print_error(&format!("error: {text}\n"));
            ExitCode::from(code)
        }
    }
}

fn usage(text: String) -> Failed {
    Failed { text, code: 2 }
}

fn proved(args: &ProveArgs) -> Result<(), Failed> {
    let disk = data::read(&args.dir)?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}, {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message("looking for liquidations: sequence");
    let (all, state) = node::liquidations(&disk, &mut |sequence| bar.set_position(sequence))?;
    let orders = OrderOwners::new();
    let names = Names::new(&state, &orders);
    let account = match &args.account {
        None => None,
        Some(name) => match names.account(name) {
            Some(account) => Some(account),
            None => return Err(usage(format!("no account is called {name:?}"))),
        },
    };
    let at = args.at.as_deref().unwrap_or_default();
    let fits = |row: &&Liquidation| {
        account.is_none_or(|account| account == row.account)
            && args.sequence.is_none_or(|sequence| sequence == row.sequence)
            && row.time.to_string().starts_with(at)
    };
    if args.list {
        bar.finish_and_clear();
        for row in all.iter().filter(fits) {
            let line = format!("{}  command {}  {}\n", row.time, row.sequence, names.of_account(row.account));
            if !out::print(&line) {
                break;
            }
        }
        return Ok(());
    }
    let Some(row) = all.iter().rfind(fits) else {
        bar.finish_and_clear();
        let name = args.account.as_deref().unwrap_or_default();
        let others = all.iter().filter(|row| account == Some(row.account)).count();
        let hint = match others {
            0 => "it never was; --list shows who was".to_owned(),
            _ => format!("{others} others were: --list --account {name} shows them"),
        };
        return Err(usage(format!("no such liquidation of {name}\n  hint: {hint}")));
    };
    bar.set_message("proving: sequence");
    let proof = node::prove(&disk, row, &mut |sequence| bar.set_position(sequence))?;
    bar.finish_and_clear();
    let wrong = |why: String| Failed { text: format!("the liquidation cannot be proved: {why}"), code: 1 };
    let proof = proof.ok_or_else(|| wrong("its batch is not there a second time".to_owned()))?;
    proof.check().map_err(|why| wrong(why.to_string()))?;
    let text = proof.text();
    match &args.to {
        None => {
            out::print(&text);
        }
        Some(path) => {
            let failed =
                |why: std::io::Error| Failed { text: format!("cannot write {}: {why}", path.display()), code: 3 };
            std::fs::write(path, &text).map_err(failed)?;
            let Proof { commands, events, .. } = &proof;
            out::print_error(&format!(
                "{}: a batch of commands ({}) and their events ({})\nafter it: journal {}\n          events  {}\n",
                path.display(),
                commands.len(),
                events.len(),
                proof.after.journal,
                proof.after.events
            ));
        }
    }
    Ok(())
}

fn checked(args: &CheckArgs) -> Result<(), Failed> {
    let name = args.file.display();
    let text = read(&args.file).map_err(|why| Failed { text: format!("cannot read {name}: {why}"), code: 3 })?;
    let wrong = |why: String| Failed { text: format!("{name} does not check out: {why}"), code: 1 };
    let read = Proof::parse(&text).and_then(|proof| Ok((proof.check()?, proof)));
    let (found, proof) = read.map_err(|why| wrong(why.to_string()))?;
    let after = [found.after.journal.to_string(), found.after.events.to_string()];
    if let Some(published) = &args.digest
        && !after.contains(published)
    {
        let [journal, events] = after;
        return Err(wrong(format!(
            "it leads to another digest than the one that was published\n  journal {journal}\n  events  {events}"
        )));
    }
    out::print(&if args.json { as_json(&proof, &found, args.digest.is_some()) } else { as_text(&proof, &found, args) });
    Ok(())
}

fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) }
}

/// The rows of the liquidation.
fn rows(proof: &Proof) -> impl Iterator<Item = &Event> {
    let rest = proof.events.get(proof.started..).unwrap_or_default().iter().skip(1);
    rest.take_while(|event| !matches!(event, Event::GroundsStated { .. }))
}

fn as_text(proof: &Proof, found: &Checked, args: &CheckArgs) -> String {
    let stated = &found.stated;
    let mut text =
        format!("account {} fell below its line at {}, command {}\n", stated.account, found.time, found.sequence);
    for row in rows(proof) {
        text += &row_text(&proof.grounds, row);
    }
    text += &format!("equity              {}\nmaintenance margin  {}\n", stated.equity, stated.maintenance_margin);
    let short = stated.maintenance_margin - stated.equity;
    text += &format!("short by            {short}\n");
    let (commands, events) = (proof.commands.len(), proof.events.len());
    text += &format!(
        "checked: every figure above, the rules, the digests over all commands ({commands}) and events ({events})\n"
    );
    let end = match &args.digest {
        Some(_) => "the digest that was published is one of these",
        None => "compare with what the venue published:",
    };
    text + &format!("{end}\njournal {}\nevents  {}\n", found.after.journal, found.after.events)
}

fn row_text(grounds: &Grounds<'_>, row: &Event) -> String {
    match *row {
        Event::PositionValued { market, size, cost, price, upnl, unsettled, maintenance_margin, .. } => {
            let name = grounds.markets.iter().find(|row| row.market == market).map(|row| row.params.name);
            format!(
                "position  {}  size {size}  cost {cost}  price {price}  upnl {upnl}  unsettled {unsettled}  maintenance margin {maintenance_margin}\n",
                name.as_ref().map_or("", |name| name.as_str())
            )
        }
        Event::WalletValued { asset, wallet, interest, price, value, .. } => {
            let name = grounds.assets.iter().find(|row| row.asset == asset).map(|row| row.params.name);
            format!(
                "wallet    {}  {wallet}  interest {interest}  price {price}  value with its positions {value}\n",
                name.as_ref().map_or("", |name| name.as_str())
            )
        }
        _ => String::new(),
    }
}

fn as_json(proof: &Proof, found: &Checked, compared: bool) -> String {
    let value = json!({
        "schema": "plimsoll.check-proof/1",
        "sequence": found.sequence,
        "time": found.time.to_string(),
        "stated": found.stated,
        "rows": rows(proof).collect::<Vec<_>>(),
        "commands": proof.commands.len(),
        "events": proof.events.len(),
        "journal_digest": found.after.journal.to_string(),
        "event_digest": found.after.events.to_string(),
        "published_digest_compared": compared,
    });
    format!("{value:#}\n")
}
