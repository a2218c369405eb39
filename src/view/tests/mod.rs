//! Screens and documents of worlds in a few lines.

mod documents;
mod events;
mod forgetting;
mod last;
mod monitoring;
mod pieces;
mod screens;
mod setup;
mod switchover;
mod world;
