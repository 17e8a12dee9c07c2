//! The rules against what venues publish and what must hold for every input.

mod forms;
mod number;
mod properties;
mod tables;
mod vectors;
mod worked;
