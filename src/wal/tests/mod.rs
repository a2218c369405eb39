//! Positions held to their table, and to the bytes that they stand for.

mod positions;
