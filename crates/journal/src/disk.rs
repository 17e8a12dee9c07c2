//! What the journal needs of a disk: one directory of named files, and what becomes durable when.

use crate::Error;
use std::io;

/// A directory. Nothing is durable until it is synced: bytes by [`Self::sync`], names by [`Self::sync_directory`].
pub trait Disk {
    /// Names of all files, in any order.
    ///
    /// # Errors
    /// What the disk says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Bytes of a file.
    ///
    /// # Errors
    /// What the disk says; `NotFound` when there is no such file.
    fn size(&self, name: &str) -> io::Result<u64>;

    /// A new file of zeros in place of any of that name, with its room reserved.
    ///
    /// # Errors
    /// `StorageFull` when there is no room; what else the disk says.
    fn create(&mut self, name: &str, bytes: u64) -> io::Result<()>;

    /// Reads into a buffer, and says how many bytes; fewer than asked at the end of the file, and anywhere else too.
    ///
    /// # Errors
    /// What the disk says; `Interrupted` may be tried again.
    fn read(&self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes bytes, and says how many; the rest is to be written again.
    ///
    /// # Errors
    /// What the disk says; `Interrupted` may be tried again.
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes the bytes of a file durable.
    ///
    /// # Errors
    /// What the disk says; what is durable then is unknown.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of any of that name.
    ///
    /// # Errors
    /// What the disk says.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the disk says.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes the names of files durable.
    ///
    /// # Errors
    /// What the disk says.
    fn sync_directory(&mut self) -> io::Result<()>;
}

/// Writes all of it.
pub(crate) fn write_all(disk: &mut impl Disk, name: &str, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = match disk.write(name, offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        bytes = bytes.get(n..).unwrap_or_default();
        offset += length(n);
    }
    Ok(())
}

/// A whole file.
pub(crate) fn read_all(disk: &impl Disk, name: &str) -> io::Result<Vec<u8>> {
    let size = usize::try_from(disk.size(name)?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; size];
    let mut at = 0;
    while at < size {
        match disk.read(name, length(at), bytes.get_mut(at..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

/// A small file that is kept beside the log; none when it is not there.
///
/// # Errors
/// What the disk says.
pub fn read_file(disk: &impl Disk, name: &str) -> Result<Option<Vec<u8>>, Error> {
    match read_all(disk, name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("read", name, source)),
    }
}

/// A length as the disk counts.
pub(crate) fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
