//! The shipped rulebooks, and books under them.

mod books;
mod import;
mod import_refused;
mod many;
mod schema;
mod shipped;
mod support;
mod tutorial;
mod venues;
