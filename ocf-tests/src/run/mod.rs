//! What a test is made of: a scene, faults, chance, what nodes hold before an election, the
//! runner that plays it, and the report of what came of it.

pub mod chance;
pub mod fault;
pub mod foreign;
pub mod misled;
pub mod outcome;
pub mod outside;
pub mod report;
pub mod runner;
pub mod scene;
pub mod staging;
