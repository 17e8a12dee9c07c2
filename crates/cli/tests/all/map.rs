//! Exit codes and refusals of `plimsoll map`; what it prints is shown and run in `docs/map.md`.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn map(words: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("map").args(words).current_dir(root).output().unwrap()
}

const SCENARIO: &str = "scenarios/map/two_markets.txt";

#[test]
fn what_is_wrong_is_said_with_its_exit_code() {
    for (words, code, wanted) in [
        (&[SCENARIO][..], 0, ""),
        (&[SCENARIO, "--market", "SOL-PERP"], 2, "there is no market SOL-PERP\n  hint: BTC-PERP, ETH-PERP"),
        (&[SCENARIO, "--step", "3%"], 2, "down cannot be `50%`\n  expected: a whole number of steps"),
        (&[SCENARIO, "--step", "0"], 2, "step cannot be `0`"),
        (&[SCENARIO, "--step=-1%"], 2, "step cannot be `-1%`"),
        (&[SCENARIO, "--step", "0.01%"], 2, "at most 1000 on each side"),
        (&[SCENARIO, "--down", "100%"], 2, "down by less than 100%"),
        (&[SCENARIO, "--up", "much"], 2, "up cannot be `much`"),
        (&[SCENARIO, "--replay", "2025-10-10"], 2, "cannot be used with"),
        (&[SCENARIO, "--at", "2025-10-10T21:00:00Z"], 2, "cannot be used with"),
        (&["docs/books/accounts.csv"], 2, "hint: --replay '2025-10-10 --population docs/books/accounts.csv'"),
        (&["docs/books/three.toml"], 2, "docs/books/three.toml:"),
        (&["scenarios/none.txt"], 3, "cannot read scenarios/none.txt"),
        (&["--replay", "2025-10-10 --report page.html"], 2, "--report cannot be part of --replay"),
        (&["--replay", "2025-10-10 --accounts many"], 2, "--replay cannot be `2025-10-10 --accounts many`"),
        (
            &["--replay", "2025-10-10 --accounts 50 --to 2025-10-10T19:30", "--at", "2025-10-11"],
            2,
            "after the last price",
        ),
        (&[], 2, "SCENARIO"),
    ] {
        let output = map(words);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && text.contains(wanted), "{words:?}: {:?} {text}", output.status);
    }
}

#[test]
fn the_json_has_every_market_and_all_of_them() {
    let value: Value = serde_json::from_slice(&map(&[SCENARIO, "--json"]).stdout).unwrap();
    assert_eq!((&value["schema"], &value["subaccounts"]), (&"plimsoll.map/1".into(), &7.into()));
    let maps = value["maps"].as_array().unwrap();
    let moves: Vec<&str> = maps.iter().map(|map| map["moves"].as_str().unwrap()).collect();
    assert_eq!(moves, ["all", "BTC-PERP", "ETH-PERP"]);
    // 40,909.09 is between the steps of 18 and 19 %.
    let ann = maps[0]["steps"].as_array().unwrap().iter().find(|step| step["moved"] == "-0.19").unwrap();
    assert_eq!(ann["subaccounts"], 1);
    let row = &ann["rows"][0];
    let row = ["market", "mark", "side", "contracts", "notional"].map(|field| row[field].as_str().unwrap());
    assert_eq!(row, ["BTC-PERP", "40500", "long", "1", "50000"]);
    assert!(maps.iter().all(|map| map["candidates"].as_u64() <= Some(7)));
}
