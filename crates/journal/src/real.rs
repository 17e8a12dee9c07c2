//! A directory of the file system, locked against a second process.

use crate::{Disk, Error};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";

/// A directory. Opened for writing it is locked as long as the value lives, also against a second one of this process.
#[derive(Debug)]
pub struct RealDisk {
    path: PathBuf,
    lock: Option<File>,
    /// Files that were written to.
    open: HashMap<String, File>,
}

impl RealDisk {
    /// Opens a directory for writing, made when it is not there, and locks it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it, [`Error::NotOurs`] when it has files that no journal makes; what the
    /// file system says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::io("open", path.display(), source);
        fs::create_dir_all(path).map_err(io)?;
        let mut disk = Self::read_only(path)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(path.join(LOCK)).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => disk.lock = Some(lock),
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { path: path.display().to_string() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        Ok(disk)
    }

    /// Opens a directory to read only: nothing is locked and every write fails.
    ///
    /// # Errors
    /// As [`Self::open`], but for the lock.
    pub fn read_only(path: &Path) -> Result<Self, Error> {
        let disk = Self { path: path.to_owned(), lock: None, open: HashMap::new() };
        let names = disk.list().map_err(|source| Error::io("open", path.display(), source))?;
        match names.into_iter().find(|name| !crate::layout::is_ours(name)) {
            Some(name) => Err(Error::NotOurs { path: path.display().to_string(), name }),
            None => Ok(disk),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writable(&self) -> io::Result<()> {
        if self.lock.is_some() { Ok(()) } else { Err(io::ErrorKind::ReadOnlyFilesystem.into()) }
    }

    fn file(&mut self, name: &str) -> io::Result<&File> {
        self.writable()?;
        if !self.open.contains_key(name) {
            let file = OpenOptions::new().write(true).open(self.path.join(name))?;
            self.open.insert(name.to_owned(), file);
        }
        self.open.get(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            match name.into_string() {
                Ok(name) if name == LOCK => {}
                Ok(name) => names.push(name),
                Err(name) => names.push(name.to_string_lossy().into_owned()),
            }
        }
        Ok(names)
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path.join(name))?.len())
    }

    fn create(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        self.writable()?;
        self.open.remove(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(self.path.join(name))?;
        reserve(&file, bytes)?;
        self.open.insert(name.to_owned(), file);
        Ok(())
    }

    #[cfg(unix)]
    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&File::open(self.path.join(name))?, into, offset)
    }

    #[cfg(unix)]
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self.file(name)?, bytes, offset)
    }

    #[cfg(windows)]
    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&File::open(self.path.join(name))?, into, offset)
    }

    #[cfg(windows)]
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(self.file(name)?, bytes, offset)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.writable()?;
        self.open.remove(to);
        fs::rename(self.path.join(from), self.path.join(to))?;
        if let Some(file) = self.open.remove(from) {
            self.open.insert(to.to_owned(), file);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.writable()?;
        self.open.remove(name);
        fs::remove_file(self.path.join(name))
    }

    #[cfg(unix)]
    fn sync_directory(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// A directory cannot be synced there: renames are durable when the file system says so.
    #[cfg(not(unix))]
    fn sync_directory(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file system that cannot reserve gets its zeros written.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    #[cfg(target_os = "linux")]
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        done => return Ok(done?),
    }
    let mut left = bytes;
    let zeros = [0; 1 << 16];
    let mut to = file;
    while left > 0 {
        let n = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
        io::Write::write_all(&mut to, zeros.get(..n).unwrap_or_default())?;
        left -= crate::disk::length(n);
    }
    Ok(())
}
