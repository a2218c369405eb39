//! Screens and documents of worlds in a few lines.

mod documents;
mod monitoring;
mod screens;
mod world;
