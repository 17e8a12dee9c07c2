//! The rules against what venues publish and what must hold for every input.

mod accounts;
mod clauses;
mod conformance;
mod forms;
mod integers;
mod manifest;
mod naive;
mod number;
mod option_margin;
mod options;
mod portfolio;
mod properties;
mod tables;
mod vectors;
mod worked;
