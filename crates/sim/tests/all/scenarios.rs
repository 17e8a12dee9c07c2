//! Every scenario of the tree and every example of its documentation runs as written.
//!
//! `UPDATE_GOLDEN=1` rewrites the golden lines instead of failing.

use plimsoll_sim::scenario::{self, VERBS};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// All `*.txt` below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).filter(|path| path.extension().is_some_and(|e| e == "txt")).collect()
}

/// What is wrong with a text; its rewritten form when nothing but golden lines is.
fn check(name: &str, text: &str) -> (String, Option<String>) {
    let report = match scenario::run(text) {
        Err(error) => return (error.show(name, text) + "\n", None),
        Ok(report) => report,
    };
    let line = |text: Option<String>| text.map_or("(nothing)".to_owned(), |text| format!("> {text}"));
    let differences = report
        .mismatches
        .into_iter()
        .map(|m| format!("{name}:{}:\n  expected: {}\n  got:      {}\n", m.line, line(m.expected), line(m.got)));
    (differences.collect(), Some(report.text))
}

#[test]
fn scenarios_come_out_as_written() {
    let (root, mut wrong, mut count) = (root(), String::new(), 0);
    for path in files(&root.join("scenarios")) {
        count += 1;
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let (differences, rewritten) = check(&name, &text);
        match rewritten {
            Some(new) if updating() && new != text => std::fs::write(&path, new).unwrap(),
            Some(_) if updating() => {}
            _ => wrong += &differences,
        }
    }
    println!("{count} scenarios");
    assert!(count > 0, "no scenarios found");
    assert!(wrong.is_empty(), "\n{wrong}  hint: UPDATE_GOLDEN=1 cargo test -p plimsoll-sim --test all scenarios\n");
}

/// The file is written by one build and read by all: the test profile in the gate, and release in its last step.
#[test]
fn scenarios_give_the_same_digests_in_every_build() {
    let root = root();
    let mut text = String::from("# scenario, event digest, state digest\n");
    for path in files(&root.join("scenarios")) {
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let report =
            scenario::run(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        text += &format!("{name} {} {}\n", report.event_digest, report.state_digest);
    }
    let kept = root.join("crates/sim/data/scenario_digests.txt");
    if updating() {
        std::fs::write(&kept, &text).unwrap();
    }
    let want = std::fs::read_to_string(&kept).unwrap_or_default();
    let differ = want.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None, "hint: UPDATE_GOLDEN=1 cargo test -p plimsoll-sim --test all digests");
    assert_eq!(want.lines().count(), text.lines().count(), "a scenario more or less than digests");
}

/// The fenced blocks of the documentation that are scenarios: (first line, text).
fn examples(doc: &str) -> Vec<(usize, String)> {
    let (mut found, mut open): (Vec<(usize, String)>, bool) = (Vec::new(), false);
    for (at, line) in doc.lines().enumerate() {
        match line.trim() {
            "```scenario" => {
                found.push((at + 1, String::new()));
                open = true;
            }
            "```" => open = false,
            _ if open => {
                let (_, text) = found.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    found
}

#[test]
fn scenarios_of_the_docs_come_out_as_written() {
    let mut wrong = String::new();
    for page in ["docs/scenarios.md", "docs/option-markets.md"] {
        let path = root().join(page);
        let mut doc = std::fs::read_to_string(&path).unwrap();
        let examples = examples(&doc);
        println!("{page}: {} examples", examples.len());
        for (line, text) in &examples {
            let (differences, rewritten) = check(&format!("{page}, block at line {line}"), text);
            match rewritten {
                Some(new) if updating() => doc = doc.replacen(text, &new, 1),
                _ => wrong += &differences,
            }
        }
        if updating() {
            std::fs::write(&path, doc).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn scenarios_of_the_docs_use_every_verb() {
    let doc = std::fs::read_to_string(root().join("docs/scenarios.md")).unwrap();
    let used: Vec<String> = examples(&doc)
        .iter()
        .flat_map(|(_, text)| {
            text.lines().map(|l| l.split_whitespace().next().unwrap_or("").to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<&str> = VERBS.iter().map(|v| v.name).filter(|name| !used.iter().any(|u| u == name)).collect();
    assert!(missing.is_empty(), "no example of {missing:?} in docs/scenarios.md");
    assert!(used.iter().any(|u| u == "what_if"));
}

#[test]
fn errors_of_scenarios_point_at_line_and_column() {
    let cases = [
        ("deposit ann 10o0", (1, 13), "expected an amount, found `10o0`"),
        ("\nmark BTC-PERP 1", (2, 6), "expected a market, found `BTC-PERP`"),
        ("market BTC-PERP initial", (1, 24), "expected an initial margin rate, found the end of the line"),
        ("market BTC-PERP inital 1%", (1, 17), "expected an option of a market, found `inital`"),
        ("depost ann 1", (1, 1), "expected a verb, found `depost`"),
        ("deposit ann 1 # fine\nwait 5", (2, 6), "expected a duration, found `5`"),
        ("> ann equity 1", (1, 1), "expected a statement, found a golden line"),
        ("what_if {\ntick", (2, 1), "expected `}`: a `what_if {` is open"),
        ("tick\n}", (2, 1), "expected a statement, found `}` without `what_if {`"),
        ("cmd {\"tick\"", (1, 5), "expected JSON"),
        ("cmd {\"tock\": {}}", (1, 5), "expected a command"),
    ];
    for (text, place, what) in cases {
        let error = scenario::run(text).unwrap_err();
        assert_eq!((error.line, error.column), place, "{text:?}: {error}");
        assert!(error.what.starts_with(what), "{text:?}: {error}");
    }
}

/// A small generator, so that a failure repeats: 64-bit LCG, upper bits.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }
}

/// One line changed: left out, twice, elsewhere, or with one of its words replaced.
fn damaged(text: &str, dice: &mut Dice) -> String {
    const ODD: [&str; 16] = [
        "0",
        "-1",
        "0.0000001",
        "1000000000",
        "99999999999999999999",
        "1e5",
        "100%",
        "-0.5%",
        "#",
        "@",
        "{",
        "}",
        "ann#1",
        "١",
        "60000",
        "1ns",
    ];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (at, to) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(4) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at].clone()),
        2 => lines.swap(at, to),
        _ => {
            let mut words: Vec<String> = lines[at].split(' ').map(str::to_owned).collect();
            let word = dice.below(words.len());
            words[word] = ODD[dice.below(ODD.len())].to_owned();
            lines[at] = words.join(" ");
        }
    }
    lines.join("\n")
}

#[test]
fn scenarios_that_are_damaged_are_run_or_refused() {
    let rounds: u64 = std::env::var("DAMAGE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    for path in files(&root().join("scenarios")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for seed in 0..rounds {
            let mut dice = Dice(seed);
            let mut worse = text.clone();
            for _ in 0..=dice.below(4) {
                worse = damaged(&worse, &mut dice);
            }
            if let Err(error) = scenario::run(&worse) {
                assert!(
                    error.hint.is_none_or(|hint| !hint.contains("bug")),
                    "{path:?}, seed {seed}: {}\n{worse}",
                    error.what
                );
            }
        }
    }
}
