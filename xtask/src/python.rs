//! Reads what `plimsoll export` writes with pyarrow and DuckDB: types, every cell, sums. It knows how those are installed and which
//! journals are exported; what is compared stands in `xtask/python/read_export.py`.
//!
//! The packages go to `target/python`, in the versions of `xtask/python/requirements.txt`; nothing else is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cargo::Cargo;
use crate::tree;

const REQUIREMENTS: &str = "xtask/python/requirements.txt";
const SCRIPT: &str = "xtask/python/read_export.py";

/// Journals by name: what is run to make one. Between them they fill every table, with every kind of account and order.
const JOURNALS: [(&str, &str); 4] = [
    ("crash", "replay 2025-10-10 --accounts 300 --step 60 --quiet"),
    ("isolated", "run scenarios/income/isolated_and_coins.txt"),
    ("funding", "run scenarios/funding/sums_to_zero.txt"),
    ("trailing", "run scenarios/orders/trailing.txt"),
];

/// `None` when Python or its packages are not there and need not be: that has been said.
pub fn run(root: &Path) -> Result<Option<bool>, String> {
    let folder = tree::target(root).join("python");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let python = match installed(root, &folder) {
        Ok(python) => python,
        Err(why) if is_ci() => return Err(why),
        Err(why) => {
            println!("skipped: {why}\nskipped: no exported file was read with pyarrow and DuckDB");
            println!("hint: with Python 3.11 or newer and a package index in reach: CI=true cargo xtask python");
            return Ok(None);
        }
    };
    let reader = Reader { python, script: root.join(SCRIPT) };
    let mut bad = 0;
    for (name, line) in JOURNALS {
        let [parquet, csv] = exported(root, &folder.join(name), line)?;
        let output = reader.compare(&parquet, &csv)?;
        let passed = output.status.success();
        println!("{} {name}: {}", if passed { "ok     " } else { "FAILED " }, said(&output));
        bad += usize::from(!passed);
    }
    reader.must_notice(&folder.join("crash"))?;
    println!("tables: {}", folder.display());
    Ok(Some(bad == 0))
}

fn is_ci() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// The interpreter of an environment with the packages; made once for each list of them.
fn installed(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    let wanted = root.join(REQUIREMENTS);
    let list = fs::read_to_string(&wanted).map_err(|error| format!("cannot read {}: {error}", wanted.display()))?;
    let (place, mark) = (folder.join("env"), folder.join("env/installed.txt"));
    let python = place.join("bin/python");
    if python.is_file() && fs::read_to_string(&mark).is_ok_and(|had| had == list) {
        return Ok(python);
    }
    let _ = fs::remove_dir_all(&place); // half of one, or of other versions
    must(Command::new("python3").args(["-m", "venv"]).arg(&place), "python3 -m venv")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    pip.args(["--retries", "1", "--timeout", "20", "--requirement"]).arg(&wanted);
    must(&mut pip, &format!("pip install -r {REQUIREMENTS}"))?;
    fs::write(&mark, list).map_err(|error| format!("cannot write {}: {error}", mark.display()))?;
    Ok(python)
}

fn must(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{what}: {}: {}", output.status, said(&output))) }
}

/// The last line that it printed, on either stream.
fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned()
}

/// A journal in a folder of its own, exported in both forms.
fn exported(root: &Path, folder: &Path, line: &str) -> Result<[PathBuf; 2], String> {
    let _ = fs::remove_dir_all(folder); // of an earlier run
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let venue = folder.join("venue");
    plimsoll(root, line, &["--data"], &venue)?;
    let forms = ["parquet", "csv"].map(|form| (form, folder.join(form)));
    for (form, to) in &forms {
        let words = [venue.to_string_lossy().into_owned(), "--format".to_owned(), (*form).to_owned()];
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--to"]).collect();
        plimsoll(root, "export", &words, to)?;
    }
    Ok(forms.map(|(_, to)| to))
}

fn plimsoll(root: &Path, line: &str, words: &[&str], last: &Path) -> Result<(), String> {
    let mut cargo = Cargo::parse(&format!("cargo run --quiet --profile test -p plimsoll-cli -- {line}"));
    cargo.args.extend(words.iter().map(|word| (*word).to_owned()));
    cargo.args.push(last.display().to_string());
    must(&mut cargo.command(root), &cargo.shown())
}

struct Reader {
    python: PathBuf,
    script: PathBuf,
}

impl Reader {
    fn compare(&self, parquet: &Path, csv: &Path) -> Result<Output, String> {
        let mut command = Command::new(&self.python);
        let output = command.arg(&self.script).arg(parquet).arg(csv).output();
        output.map_err(|error| format!("cannot run {}: {error}", self.python.display()))
    }

    /// The check itself can fail: one digit of one cell is changed.
    fn must_notice(&self, journal: &Path) -> Result<(), String> {
        let path = journal.join("csv/balances.csv");
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let at = text.rfind(|char: char| char.is_ascii_digit() && char != '9').ok_or("no digit in balances.csv")?;
        let mut spoiled = text.clone();
        spoiled.replace_range(at..=at, "9");
        let write = |text: &str| fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()));
        write(&spoiled)?;
        let output = self.compare(&journal.join("parquet"), &journal.join("csv"));
        write(&text)?;
        let output = output?;
        if output.status.success() || !said(&output).starts_with("differs: balances.wallet") {
            return Err(format!(
                "a digit that was changed was not found, so this check proves nothing: {}",
                said(&output)
            ));
        }
        Ok(())
    }
}
