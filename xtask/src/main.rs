//! `cargo xtask`: the checks of this repository, one command each.
//!
//! It knows files, `cargo` and `git`, and nothing of margin. It has no dependencies, so that it builds before all else.

mod browser;
mod cargo;
mod lex;
mod long;
mod mutants;
mod nostd;
mod python;
mod steps;
mod tidy;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask: the checks of this repository

usage: cargo xtask COMMAND

  check              the fast part, before every commit: format, clippy, tidy, unit tests, scenarios
  test               everything the gate runs: check, no_std, all tests, pages, tables, docs, mutants marked quick
  tidy               crate edges, what the core must not contain, file heads, refusals without a scenario
  nostd              units, rules and engine build without std, and the check itself can fail
  browser            the report of a replay in a headless Chromium: console, network, widths, paper
  python             what `plimsoll export` writes, read with pyarrow and DuckDB
  mutants [NAME…]    break the code as mutants/*.patch say; each must be caught by the test it names
                       --quick: only those marked `# quick`; --list: print them
  long NAME          runs too long for the gate; without a name, lists them

examples:
  cargo xtask check
  cargo xtask mutants funding_sign
  PLIMSOLL_FUZZ_CASES=5000 cargo xtask long fuzz
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// `Ok(false)` is a check that failed and has said so; `Err` is a check that could not be made.
fn run(words: &[&str]) -> Result<bool, String> {
    let root = tree::root();
    match words {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h", ..] => {
            print!("{HELP}");
            Ok(true)
        }
        ["check"] => Ok(steps::run(&root, &steps::check())),
        ["test"] => Ok(steps::run(&root, &steps::test(mutants::any_quick(&root)?))),
        ["tidy"] => tidy::run(&root),
        ["nostd"] => nostd::run(&root),
        ["python"] => python::run(&root).map(|passed| passed.unwrap_or(true)),
        ["browser"] => browser::run(&root).map(|passed| passed.unwrap_or(true)),
        ["mutants", rest @ ..] => mutants::run(&root, rest),
        ["long", rest @ ..] => long::run(&root, rest),
        other => Err(format!("no command `{}`\nhint: cargo xtask --help", other.join(" "))),
    }
}
