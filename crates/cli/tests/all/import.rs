//! `plimsoll rulebook import`: what it writes is accepted by `check` where it belongs, and what is wrong ends it before it writes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FACTS: [&str; 6] = ["--clause", "BN-TI-01", "--taker-fee", "0.05%", "--maker-fee", "-0.01%"];

fn rulebook(line: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("rulebook").args(line).current_dir(root).output().unwrap()
}

fn tables(name: &str) -> String {
    format!("crates/rulebooks/tests/import/{name}.json")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder that is empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("plimsoll-import-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_is_imported_is_accepted_in_a_rulebook() {
    let folder = folder("accepted");
    let version = folder.join("version.toml");
    let file = tables("rows_by_symbol");
    let line = [&["import", &file, "--out", version.to_str().unwrap()][..], &FACTS].concat();
    let ran = rulebook(&line);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(text(&ran.stdout), format!("{}: 3 tables of {file}\n", version.display()));
    let printed = rulebook(&[&["import", &file][..], &FACTS].concat()).stdout;
    let written = std::fs::read_to_string(&version).unwrap();
    assert_eq!(text(&printed), written);

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shipped = std::fs::read_to_string(root.join("rulebooks/binance-coinm/rulebook.toml")).unwrap();
    let whole = folder.join("rulebook.toml");
    std::fs::write(&whole, format!("{shipped}\n{written}")).unwrap();
    let checked = rulebook(&["check", whole.to_str().unwrap()]);
    let good = format!("{}: good from 2026-09-29, 4 markets", whole.display());
    assert!(text(&checked.stdout).contains(&good), "{}{}", text(&checked.stdout), text(&checked.stderr));

    // A file that is there stays as it is, unless it is said.
    let again = rulebook(&line);
    assert_eq!((again.status.code(), text(&again.stderr).contains("it exists")), (Some(3), true));
    let forced = rulebook(&[&line[..], &["--force"]].concat());
    assert!(forced.status.success(), "{}", text(&forced.stderr));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn nothing_is_written_of_a_broken_table() {
    let folder = folder("broken");
    let out = folder.join("version.toml");
    let (wrong, good, meta) = (tables("wrong_bracket"), tables("leverage_bracket"), tables("hyperliquid_meta"));
    for (line, wanted) in [
        (vec!["import", &wrong, "--from", "2025-07-15"], "cum 8965 does not continue the tier before it"),
        (vec!["import", &good], "it does not say from when its tables hold"),
        (vec!["import", &good, "--from", "2025-07-15", "--symbol", "BTC"], "did you mean BTCUSDT?"),
        (vec!["import", &meta, "--from", "2026-07-19"], "add --cap 10000000000"),
        (vec!["import", "no.json", "--from", "2026-07-19"], "cannot read no.json"),
    ] {
        let ran = rulebook(&[&line[..], &["--out", out.to_str().unwrap()], &FACTS].concat());
        let told = text(&ran.stderr);
        let code = if line.contains(&"no.json") { 3 } else { 2 };
        assert!(ran.status.code() == Some(code) && told.contains(wanted), "{line:?}: {:?} {told}", ran.status);
        assert!(told.starts_with("error: ") && ran.stdout.is_empty() && !out.exists(), "{line:?}: {told}");
    }
    // What only a rulebook needs is not asked for where nothing is written.
    for (line, wanted) in [
        (vec!["import", &good], "--clause <CLAUSE>"),
        (vec!["import", &good, "--json", "--from", "2025-07-15"], "cannot be used with"),
        (vec!["import", &good, "--clause", "BN-1"], "is not a clause such as"),
        (vec!["import", &good, "--json", "--day", "2025-02-30"], "is not a day such as"),
    ] {
        let ran = rulebook(&line);
        let told = text(&ran.stderr);
        assert!(ran.status.code() == Some(2) && told.contains(wanted), "{line:?}: {:?} {told}", ran.status);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_summary_has_an_object_a_table() {
    let ran = rulebook(&["import", &tables("rows_by_day"), "--json", "--day", "2024-10-24"]);
    let rows: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let wanted = serde_json::json!([{
        "symbol": "DOGEUSDT", "contract": "linear", "settlement": "USDT", "day": "2024-10-24", "tiers": 10, "max_leverage": "75", "cap": "80000000",
    }]);
    assert_eq!(rows, wanted);
}
