//! The cluster stack of one node: whether it runs, and what it says.

use std::time::Duration;

use anyhow::Result;

use crate::cluster::state::State;
use crate::machine::node::Node;

impl Node {
    /// Starts pcsd, and before it its second half. Debian 11 has no such dependency: there both
    /// are enabled, which they are not here, and without the half every login fails ("Unable to
    /// communicate"). Later releases bring the same two lines along.
    pub fn start_pcsd(&self) -> Result<()> {
        let lines = "[Unit]\nWants=pcsd-ruby.service\nAfter=pcsd-ruby.service\n";
        let folder = "/etc/systemd/system/pcsd.service.d";
        self.run(&["mkdir", "-p", folder])?;
        self.write(&format!("{folder}/half.conf"), lines, "root:root", "0644")?;
        self.run(&["systemctl", "daemon-reload"])?;
        self.run(&["systemctl", "start", "pcsd"]).map(drop)
    }

    /// Whether Pacemaker runs on this node.
    pub fn stack_runs(&self) -> bool {
        self.output(&["systemctl", "is-active", "pacemaker"])
            .is_ok_and(|out| out.success())
    }

    /// What Pacemaker on this node says.
    pub fn cluster_state(&self) -> Result<State> {
        let words = ["crm_mon", "-1", "--output-as=xml"];
        State::parse(&self.run_within(Duration::from_secs(20), &words)?)
    }
}
