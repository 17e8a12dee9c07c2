//! Who may depend on whom: DESIGN section 2, checked on the text of each Cargo.toml.
//!
//! Test and build dependencies count too: a crate that needs its right-hand neighbour to be tested is on the wrong side.

use std::collections::BTreeMap;

use super::Finding;

/// A crate and what it may know.
pub const EDGES: [(&str, &[&str]); 9] = [
    ("units", &[]),
    ("rules", &["units"]),
    ("rulebooks", &["units", "rules"]),
    ("engine", &["units", "rules"]),
    ("journal", &[]),
    ("node", &["units", "engine", "journal"]),
    ("sim", &["units", "rules", "rulebooks", "engine", "journal", "node"]),
    ("server", &["units", "rules", "rulebooks", "engine", "journal", "node"]),
    ("cli", &["units", "rules", "rulebooks", "engine", "journal", "node", "sim", "server"]),
];

const HINT: &str = "DESIGN section 2 says who may know whom; move the code to the left, or pass the data in";

/// Names under which `[workspace.dependencies]` gives out our crates: `units` for `plimsoll-units`.
pub fn aliases(root_manifest: &str) -> BTreeMap<String, String> {
    let declared = dependencies(root_manifest, "workspace.dependencies");
    let ours = declared.into_iter().filter_map(|(_, key, value)| Some((key.clone(), our_name(&key, &value)?)));
    ours.collect()
}

pub fn check(path: &str, text: &str, aliases: &BTreeMap<String, String>) -> Vec<Finding> {
    let name = path.trim_start_matches("crates/").split('/').next().unwrap_or("");
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        return vec![Finding::new(path, 1, format!("crate `{name}` is not in the design"), HINT)];
    };
    let mut findings = Vec::new();
    if !text.lines().any(|line| line.replace(' ', "") == format!("name=\"plimsoll-{name}\"")) {
        let hint = "published names carry the prefix `plimsoll-`, folders do not";
        findings.push(Finding::new(path, 1, format!("package of crates/{name} is not `plimsoll-{name}`"), hint));
    }
    for (line, key, value) in dependencies(text, "dependencies") {
        let of_workspace = value.contains("workspace").then(|| aliases.get(&key).cloned()).flatten();
        let Some(other) = our_name(&key, &value).or(of_workspace) else { continue };
        if !allowed.contains(&other.as_str()) {
            findings.push(Finding::new(path, line, format!("`{name}` must not know `{other}`"), HINT));
        }
    }
    findings
}

/// Which of our crates a dependency is: by `package`, by its own name, or by where it lies.
fn our_name(key: &str, value: &str) -> Option<String> {
    let quoted = |field: &str| {
        let (_, rest) = value.split_once(field)?;
        rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?.split('"').next()
    };
    let package = quoted("package").unwrap_or(key);
    let folder = quoted("path").and_then(|path| path.trim_end_matches('/').rsplit('/').next());
    let named = package.strip_prefix("plimsoll-").or(folder);
    named.map(str::to_owned)
}

/// Line, key and value of every entry of the tables called `table`, of any kind and any target.
///
/// `[dependencies.units]` with its fields on lines of their own is one entry.
fn dependencies(text: &str, table: &str) -> Vec<(usize, String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    let mut place = Place::Elsewhere;
    for (line, content) in
        text.lines().enumerate().map(|(at, line)| (at + 1, line.split(" #").next().unwrap_or("").trim()))
    {
        if let Some(header) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            place = place_of(header, table);
            if let Place::Entry(key) = &place {
                found.push((line, key.clone(), String::new()));
            }
        } else if let Some((key, value)) = content.split_once('=').filter(|_| !content.starts_with('#')) {
            match &place {
                Place::Table => found.push(entry(line, key, value)),
                Place::Entry(_) => found.last_mut().into_iter().for_each(|last| last.2 += content),
                Place::Elsewhere => {}
            }
        }
    }
    found
}

enum Place {
    Elsewhere,
    Table,
    Entry(String),
}

fn place_of(header: &str, table: &str) -> Place {
    let is_table = |name: &str| {
        let ends = name.ends_with(table) && !name.ends_with(&format!("workspace.{table}"));
        let before = name.strip_suffix(table).unwrap_or("");
        ends && (before.is_empty() || before.ends_with(['.', '-']))
    };
    match header.trim_matches(['[', ']']).rsplit_once('.') {
        _ if is_table(header) => Place::Table,
        Some((before, key)) if is_table(before) => Place::Entry(key.trim_matches('"').to_owned()),
        _ => Place::Elsewhere,
    }
}

/// `units.workspace = true` is the entry `units` with the value `workspace = true`.
fn entry(line: usize, key: &str, value: &str) -> (usize, String, String) {
    let key = key.trim().trim_matches('"');
    match key.split_once('.') {
        Some((name, field)) => (line, name.to_owned(), format!("{field} = {value}")),
        None => (line, key.to_owned(), value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str =
        "[workspace.dependencies]\nsim = { package = \"plimsoll-sim\", path = \"crates/sim\" }\nserde = \"1\"\n";

    fn found(name: &str, dependencies: &str) -> Vec<(usize, String)> {
        let text = format!("[package]\nname = \"plimsoll-{name}\"\n{dependencies}\n");
        let findings = check(&format!("crates/{name}/Cargo.toml"), &text, &aliases(ROOT));
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn a_backward_edge_is_found_however_it_is_written() {
        for bad in [
            "[dependencies]\nplimsoll-sim = \"1\"",
            "[dependencies]\nsim.workspace = true",
            "[dependencies]\nsim = { workspace = true }",
            "[dev-dependencies]\nother = { package = \"plimsoll-sim\", version = \"1\" }",
            "[target.'cfg(unix)'.build-dependencies]\nx = { path = \"../sim\" }",
        ] {
            assert_eq!(found("engine", bad), [(4, "`engine` must not know `sim`".to_owned())], "{bad}");
        }
        assert_eq!(found("engine", "[dependencies.sim]\nworkspace = true").len(), 1);
        assert_eq!(found("engine", "[dependencies.x]\npackage = \"plimsoll-sim\"").len(), 1);
    }

    #[test]
    fn the_edges_of_the_design_are_not_found() {
        assert_eq!(found("cli", "[dependencies]\nsim.workspace = true"), []);
        assert_eq!(
            found("engine", "[dependencies]\nplimsoll-rules = { path = \"../rules\" }\nserde.workspace = true"),
            []
        );
        assert_eq!(found("engine", "[features]\nsim = []\n[package.metadata]\nplimsoll-sim = \"1\""), []);
    }

    #[test]
    fn a_crate_outside_the_design_is_found() {
        assert_eq!(found("common", "").len(), 1);
        assert_eq!(check("crates/units/Cargo.toml", "[package]\nname = \"units\"", &BTreeMap::new()).len(), 1);
    }
}
