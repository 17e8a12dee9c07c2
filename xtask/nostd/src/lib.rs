//! Proves that `units`, `rules`, `engine` and all that they depend on build without `std`.
//!
//! This crate brings its own panic handler. There can be one only: if any crate below it links `std`, the compiler finds a
//! second `panic_impl` and stops (E0152). It knows nothing of what the crates do. `cargo xtask nostd` builds it, and
//! builds it once more with `with_std`, which must fail.
#![no_std]

use engine as _;
use rules as _;
use units as _;

#[cfg(feature = "with_std")]
extern crate std;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
