//! Printing that survives a closed pipe: `plimsoll … | head` ends quietly.

use std::io::{ErrorKind, Write};

/// Writes to standard output; false when the reader has gone, or nothing can be written.
pub fn print(text: &str) -> bool {
    write_all(&mut std::io::stdout().lock(), text)
}

/// Writes to standard error; false when it is closed.
pub fn print_error(text: &str) -> bool {
    write_all(&mut std::io::stderr().lock(), text)
}

fn write_all(to: &mut dyn Write, text: &str) -> bool {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Ok(()) => true,
        Err(why) => {
            if why.kind() != ErrorKind::BrokenPipe {
                let _ = writeln!(std::io::stderr(), "error: cannot write: {why}");
            }
            false
        }
    }
}
