//! The nodes of corosync.conf, and their addresses.

use std::collections::BTreeSet;

/// What of it is looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Corosync {
    /// Number of the link and address, of all nodes.
    addresses: Vec<(u32, String)>,
}

impl Corosync {
    /// Reads `ring0_addr: 10.0.0.1` wherever it is.
    pub fn parse(text: &str) -> Self {
        let address = |line: &str| {
            let (key, value) = line.trim().split_once(':')?;
            let number = key.trim().strip_prefix("ring")?.strip_suffix("_addr")?;
            Some((number.parse().ok()?, value.trim().to_owned()))
        };
        let addresses = text.lines().filter_map(address).collect();
        Self { addresses }
    }

    /// How many links nodes have to each other.
    pub fn rings(&self) -> usize {
        let numbers: BTreeSet<_> = self.addresses.iter().map(|(number, _)| number).collect();
        numbers.len()
    }

    /// An address that leads nowhere.
    pub fn loopback(&self) -> Option<&str> {
        let mut all = self.addresses.iter().map(|(_, address)| address.as_str());
        all.find(|one| one.starts_with("127.") || *one == "::1" || *one == "localhost")
    }
}

#[test]
fn links_and_addresses_are_read() {
    let text = "nodelist {\n  node {\n    ring0_addr: 10.0.0.1\n    ring1_addr: 10.0.1.1\n  }\n}";
    let two = Corosync::parse(text);
    assert_eq!((two.rings(), two.loopback()), (2, None));
    let own = Corosync::parse("  ring0_addr: 127.0.1.1\nring_addr: x\nringX_addr: y");
    assert_eq!((own.rings(), own.loopback()), (1, Some("127.0.1.1")));
}
