//! The shipped rulebooks, and books under them.

mod schema;
mod shipped;
