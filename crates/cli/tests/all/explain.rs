//! Exit codes of `plimsoll explain`; what it prints is shown and run in `docs/explain.md`.

use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn exit_codes_say_what_was_wrong() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let code = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let command = command.arg("explain").args(words).current_dir(&root);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code()
    };
    let scenario = "scenarios/adl/by_rank.txt";
    for (words, want) in [
        (&[scenario][..], 0),
        (&[scenario, "--kind", "funding"], 0),
        (&[scenario, "--event", "1"], 2),
        (&[scenario, "--event", "0"], 2),
        (&[scenario, "--account", "nobody"], 2),
        (&[scenario, "--replay", "2025-10-10"], 2),
        (&["--replay", "2025-10-10 --events rows.csv"], 2),
        (&["scenarios/none.txt"], 3),
        (&[], 2),
    ] {
        assert_eq!(code(words), Some(want), "{words:?}");
    }
}
