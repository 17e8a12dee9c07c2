//! Files that the command writes: refused before the work begins where they cannot be written, and never left half
//! written under their own name.

use crate::replay::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file to be written: a neighbour of it until it is whole.
pub struct Target {
    path: PathBuf,
    part: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Target {
    /// Opens the neighbour, so that a folder that is not there or not writable is known before the work begins.
    ///
    /// # Errors
    /// The file exists and may not be written over, or nothing can be written there.
    pub fn new(path: &Path, force: bool) -> Result<Self, Failure> {
        if path.is_dir() {
            return Err(Failure::unwritable(path, "it is a folder"));
        }
        if path.exists() && !force {
            return Err(Failure::unwritable(path, "it exists\n  hint: --force writes over it"));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&part);
        let file = file.map_err(|why| Failure::unwritable(path, &why.to_string()))?;
        Ok(Self { path: path.to_owned(), part, file: Some(BufWriter::with_capacity(1 << 16, file)) })
    }

    /// Writes the whole content and gives the file its name.
    ///
    /// # Errors
    /// When the disk is full, or anything else keeps it from being written.
    pub fn save(mut self, content: &[u8]) -> Result<(), Failure> {
        let written = self.write_all(content);
        written.map_err(|why| Failure::unwritable(&self.path, &why.to_string()))?;
        self.finish()
    }

    /// Makes what was written durable and gives the file its name.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn finish(mut self) -> Result<(), Failure> {
        let done = self.flush().and_then(|()| match self.file.take() {
            Some(file) => file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all(),
            None => Ok(()),
        });
        done.and_then(|()| fs::rename(&self.part, &self.path))
            .map_err(|why| Failure::unwritable(&self.path, &why.to_string()))
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Target {
    /// What was not finished is taken away; after `finish` the neighbour is gone already.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = std::env::temp_dir().join(format!("plimsoll-save-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("page.html");
        drop(Target::new(&path, false).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "an unfinished file was left");
        Target::new(&path, false).unwrap().save(b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let text = Target::new(&path, false).err().unwrap().to_string();
        assert!(text.contains("it exists") && text.contains("--force"), "{text}");
        Target::new(&path, true).unwrap().save(b"again").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"again");
        assert!(Target::new(&folder, true).is_err() && Target::new(&folder.join("no/file"), false).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
