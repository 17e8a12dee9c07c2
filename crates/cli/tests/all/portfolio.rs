//! `plimsoll margin --portfolio`: what is wrong with a book is said with its place, and nothing is guessed.

use std::path::PathBuf;
use std::process::Command;

const GOOD: &str = r#"
[[underlying]]
name = "BTC"
spot = "60000"
depth = "500000"
[[underlying.position]]
kind = "perpetual"
mark = "60000"
size = "1"
"#;

fn run(name: &str, text: &str, more: &[&str]) -> (Option<i32>, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let ran = command.args(["margin", "--portfolio"]).arg(&path).args(more).output().unwrap();
    (ran.status.code(), String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap())
}

#[test]
fn a_book_needs_sixteen_percent_of_one_perpetual() {
    let (code, text) = run("good.toml", GOOD, &["--json"]);
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &figures["schema"]), (Some(0), &"plimsoll.portfolio/1".into()));
    assert_eq!(figures["initial_margin"], "9600.000005");
    assert_eq!(figures["maintenance_margin"], "7680.000005");
    assert_eq!(figures["underlyings"][0]["scenarios"].as_array().map(Vec::len), Some(31));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (name, old, new, want) in [
        ("unknown", "size = \"1\"", "size = \"1\"\nstrik = \"1\"", "unknown field `strik`"),
        ("other", "size = \"1\"", "size = \"1\"\nstrike = \"1\"", "position 1: strike has no part"),
        ("missing", "mark = \"60000\"\n", "", "position 1: mark is missing"),
        ("lot", "size = \"1\"", "size = \"1.0001\"", "the size is not a whole number of lots"),
        ("spot", "spot = \"60000\"", "spot = \"0\"", "underlying BTC: "),
        ("kind", "\"perpetual\"", "\"perpetuum\"", "unknown variant `perpetuum`"),
        (
            "offset",
            "[[underlying.position]]",
            "[[offset]]\nfirst = \"BTC\"\nsecond = \"ETH\"\nrate = \"0.5\"\n[[underlying.position]]",
            "ETH",
        ),
    ] {
        let text = GOOD.replacen(old, new, 1);
        let (code, said) = run(&format!("{name}.toml"), &text, &[]);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains(want), "{name}: {said}");
    }
}
