//! Where files may lie: the folders of DESIGN section 2 and the few files that tools expect at the root.

use super::Finding;
use super::edges::EDGES;

/// Folders beside the crates.
const FOLDERS: [&str; 9] =
    [".cargo/", ".ci/", "benches/peers/", "docs/", "fuzz/", "mutants/", "rulebooks/", "scenarios/", "xtask/"];

/// Files at the root.
const ROOT: [&str; 16] = [
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "DESIGN.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "STYLE.md",
    "clippy.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

const HINT: &str = "put it where DESIGN section 2 says, or change the table in xtask/src/tidy/places.rs and say why";

pub fn check(paths: &[String]) -> Vec<Finding> {
    let misplaced = paths.iter().filter(|path| !is_allowed(path));
    misplaced.map(|path| Finding::new(path, 1, "no place for this file in the design", HINT)).collect()
}

fn is_allowed(path: &str) -> bool {
    if let Some(rest) = path.strip_prefix("crates/") {
        let name = rest.split_once('/').map(|(name, _)| name);
        return EDGES.iter().any(|(known, _)| Some(*known) == name);
    }
    if let Some(rest) = path.strip_prefix("scenarios/") {
        return rest.contains('/') || rest == "README.md"; // a scenario lies in its topic
    }
    ROOT.contains(&path) || FOLDERS.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_place_is_found() {
        for bad in
            ["crates/common/src/lib.rs", "crates/lib.rs", "src/main.rs", "notes.txt", "scenarios/a.txt", "benches/a.rs"]
        {
            assert_eq!(check(&[bad.to_owned()]).len(), 1, "{bad}");
        }
        for good in ["crates/units/src/lib.rs", "Cargo.toml", "scenarios/funding/a.txt", "docs/a/b.md", ".ci/run"] {
            assert_eq!(check(&[good.to_owned()]), [], "{good}");
        }
    }
}
