//! The program `lab`; all it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ocf_tests::commands::main()
}
