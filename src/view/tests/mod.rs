//! Screens and documents of worlds in a few lines.

mod documents;
mod screens;
mod world;
