//! Inputs made of seeds, always the same: as a fuzzer makes them, without its feedback.

/// SplitMix64.
pub struct Chance(pub u64);

/// Pieces that mean something to some parser, or are the edge of a number.
const PIECES: [&str; 34] = [
    "=",
    ";",
    ":",
    ",",
    "#",
    "@",
    "/",
    "%",
    "~",
    "|",
    "'",
    "\"",
    "\\",
    "(",
    ")",
    "<",
    ">",
    "&",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{1b}",
    "é",
    "\u{2028}",
    "0",
    "-1",
    "+1",
    "4294967295",
    "18446744073709551615",
    "-9223372036854775808",
    "FFFFFFFF",
    "%41",
];

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    /// One of the seeds with a few changes.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let other = &seeds[self.below(seeds.len())];
            self.change(&mut input, other);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(9)).min(input.len());
        match self.below(8) {
            0 => drop(input.drain(at..end)),
            1 => input.truncate(at),
            2 => input.extend_from_within(at..end),
            3 => {
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            4 => {
                let byte = self.next().to_le_bytes()[0];
                if let Some(place) = input.get_mut(at) {
                    *place = byte;
                }
            }
            // Digits for digits: what stays well-formed gets deep.
            5 => {
                let digit = b'0' + self.next().to_le_bytes()[0] % 10;
                let mut places = input.iter_mut().skip(at);
                if let Some(place) = places.find(|byte| byte.is_ascii_digit()) {
                    *place = digit;
                }
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                drop(input.splice(at..at, piece.bytes()));
            }
        }
    }
}
