//! Puts every `rulebooks/<venue>/rulebook.toml` into the crate: a venue is added by adding files.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../rulebooks");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut venues: Vec<_> = fs::read_dir(&folder)
        .expect("the rulebooks are part of the project")
        .map(|entry| entry.expect("a readable folder").path().join("rulebook.toml"))
        .filter(|path| path.is_file())
        .collect();
    venues.sort();
    let mut code = String::from("&[\n");
    for path in venues {
        println!("cargo::rerun-if-changed={}", path.display());
        let path = path.canonicalize().expect("it is a file");
        let venue = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("a plain name");
        writeln!(code, "    ({venue:?}, include_str!({path:?})),").expect("writing to a string");
    }
    code.push_str("]\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("shipped.rs");
    fs::write(out, code).expect("cargo's own folder is writable");
}
