//! The shipped rulebooks, and books under them.

mod many;
mod schema;
mod shipped;
mod support;
mod tutorial;
mod venues;
