//! A broken invariant: the process must end before anything of this batch is told.

/// Ends with the name of the invariant. Never reached by input: a test that reaches it has found a bug.
#[cold]
#[inline(never)]
pub fn fault(invariant: &str) -> ! {
    // tidy: panic — the one deliberate end of the process
    panic!("broken invariant: {invariant}")
}
