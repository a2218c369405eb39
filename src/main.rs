//! `pgsqlms`: the OCF resource agent.

fn main() {}
