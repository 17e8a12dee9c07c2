//! The shipped rulebooks, and books under them.

mod import;
mod schema;
mod shipped;
mod support;
mod tutorial;
mod venues;
