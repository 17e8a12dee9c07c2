//! Builds `xtask/nostd`, which cannot be built when `units`, `rules`, `engine` or anything below them links std.
//!
//! Then builds it with std on purpose, to see the check fail. Versions come from the root's lock file.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::cargo::Cargo;
use crate::tree;

pub fn run(root: &Path) -> Result<bool, String> {
    let folder = root.join("xtask/nostd");
    if root.join("Cargo.lock").is_file() {
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
            .map_err(|error| format!("cannot copy Cargo.lock: {error}"))?;
    }
    let plain = build(root, &folder, &[])?;
    let said = String::from_utf8_lossy(&plain.stderr);
    if !plain.status.success() {
        eprint!("{said}");
        if said.contains("panic_impl") {
            println!("nostd: std is linked; the note above names the crate it came in through");
            println!("  hint: look for a missing `#![no_std]` or a dependency without `default-features = false`");
        }
        return Ok(false);
    }
    let with_std = build(root, &folder, &["--features", "with_std"])?;
    if with_std.status.success() || !String::from_utf8_lossy(&with_std.stderr).contains("panic_impl") {
        println!("nostd: a build with std on purpose was not refused, so this check proves nothing");
        println!("  hint: cargo build --manifest-path xtask/nostd/Cargo.toml --features with_std");
        return Ok(false);
    }
    println!("nostd: units, rules and engine build without std; with std on purpose the build is refused");
    Ok(true)
}

fn build(root: &Path, folder: &Path, more: &[&str]) -> Result<Output, String> {
    let mut cargo = Cargo::parse("build --offline --color never");
    cargo.args.extend(more.iter().map(|&word| word.to_owned()));
    let mut command = cargo.command(folder);
    command.env("CARGO_TARGET_DIR", tree::target(root).join("nostd"));
    command.output().map_err(|error| format!("cannot run cargo: {error}"))
}
