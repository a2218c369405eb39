//! Amounts of WAL in words.

/// `0 B`, `812 B`, `8.1 KiB`, `3.4 GiB`.
pub fn amount(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_240 {
        let Some(next) = units.next() else { break };
        unit = Some(next);
        tenths /= 1024;
    }
    let unit = unit.copied().unwrap_or_default();
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[test]
fn an_amount_has_the_unit_that_fits() {
    for (bytes, text) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (8312, "8.1 KiB"),
        (52_428_800, "50.0 MiB"),
        (1 << 50, "1.0 PiB"),
    ] {
        assert_eq!(amount(bytes), text);
    }
}
