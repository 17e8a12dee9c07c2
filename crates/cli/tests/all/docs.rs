//! What the docs print is what the command prints: every `console` block of the pages below is run.
//!
//! A block has lines `$ plimsoll …`, each followed by what it prints on either stream. `UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;
use std::process::Command;

const PAGES: [&str; 5] = ["docs/margin.md", "docs/rulebooks.md", "docs/explain.md", "docs/map.md", "docs/portfolio.md"];

#[test]
fn docs_show_what_the_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for page in PAGES {
        let path = root.join(page);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{page}: {why}"));
        let (fresh, commands) = rerun(&text, &root);
        assert!(commands >= 1, "{page} shows no command");
        if fresh == text {
            continue;
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, fresh).unwrap();
        } else {
            let differs = text.lines().zip(fresh.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let (old, new) = (text.lines().nth(differs), fresh.lines().nth(differs));
            panic!("{page}:{}: the page says {old:?}, the command {new:?} (UPDATE_GOLDEN=1 rewrites it)", differs + 1);
        }
    }
}

/// The page with the output of every command as it is now, and how many there are.
fn rerun(text: &str, root: &Path) -> (String, usize) {
    let (mut fresh, mut commands, mut inside) = (String::new(), 0, false);
    for line in text.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) if line.starts_with("$ plimsoll ") => {
                commands += 1;
                fresh += &format!("{line}\n{}", output(&line["$ plimsoll ".len()..], root));
                continue;
            }
            (true, _) => continue,
            (false, _) => {}
        }
        fresh += line;
        fresh.push('\n');
    }
    (fresh, commands)
}

fn output(line: &str, root: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let ran = command.args(words(line)).current_dir(root).output().unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    String::from_utf8(text).unwrap()
}

/// Words as a shell splits them: spaces, and single quotes round what has some.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for char in line.chars() {
        match char {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(char),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn words_are_split_as_a_shell_does() {
    assert_eq!(words("a --b 'c d, e'  f"), ["a", "--b", "c d, e", "f"]);
}
