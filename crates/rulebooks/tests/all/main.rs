//! The shipped rulebooks, and books under them.

mod shipped;
