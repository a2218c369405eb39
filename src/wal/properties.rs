//! Properties of positions.
