//! The working tree as git sees it: tracked files and new ones, not the ignored. Knows paths and bytes, no content.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout that `cargo` was called in.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Where cargo builds for this checkout.
pub fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir), // an absolute `dir` replaces the root
        None => root.join("target"),
    }
}

/// Every file that would be committed by `git add -A`, sorted, with `/` between folders.
pub fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| format!("cannot run git: {error}\nhint: install git"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git ls-files failed: {}\nhint: run inside a git checkout", said.trim()));
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let present = listed.split('\0').filter(|path| !path.is_empty() && root.join(path).is_file());
    Ok(present.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
}

/// Makes `to` equal to `from` for `files`, and removes what else is there.
///
/// A file that is already equal is not touched, so that cargo rebuilds only what differs.
pub fn sync(from: &Path, to: &Path, files: &[String]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let wanted: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    remove_others(to, to, &wanted)?;
    for file in files {
        let (source, copy) = (from.join(file), to.join(file));
        let bytes = fs::read(&source)?;
        if fs::read(&copy).is_ok_and(|old| old == bytes) {
            continue;
        }
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&copy, bytes)?;
        fs::set_permissions(&copy, fs::metadata(&source)?.permissions())?;
    }
    Ok(())
}

fn remove_others(top: &Path, folder: &Path, wanted: &BTreeSet<&str>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if entry?.is_dir() {
            remove_others(top, &path, wanted)?;
        } else if !wanted.contains(name.as_str()) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_copies_what_differs_and_removes_the_rest() {
        let base = std::env::temp_dir().join(format!("xtask-sync-{}", std::process::id()));
        let (from, to) = (base.join("from"), base.join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir_all(to.join("b")).unwrap();
        fs::write(from.join("a/kept"), "1").unwrap();
        fs::write(to.join("b/stale"), "2").unwrap();
        sync(&from, &to, &["a/kept".to_owned()]).unwrap();
        let before = fs::metadata(to.join("a/kept")).unwrap().modified().unwrap();
        sync(&from, &to, &["a/kept".to_owned()]).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/kept")).unwrap(), "1");
        assert_eq!(fs::metadata(to.join("a/kept")).unwrap().modified().unwrap(), before);
        assert!(!to.join("b/stale").exists());
        fs::remove_dir_all(base).unwrap();
    }
}
