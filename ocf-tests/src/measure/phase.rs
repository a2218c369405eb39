//! Where Pacemaker is between two monitors: how soon a dead server is noticed depends on it alone.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::cluster::agent;
use crate::machine::node::Node;

/// Longer than any interval of a monitor.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until Pacemaker starts the agent on `node`: in a quiet cluster, the next monitor. An
/// agent that runs for 5 ms is not seen in a list of processes; starting it opens its file.
pub fn wait_monitor(node: &Node) -> Result<()> {
    let watch = Inotify::init(InitFlags::IN_CLOEXEC)?;
    watch.add_watch(&node.root().join(agent::PATH), AddWatchFlags::IN_OPEN)?;
    let mut opened = [PollFd::new(
        std::os::fd::AsFd::as_fd(&watch),
        PollFlags::POLLIN,
    )];
    let events = poll(&mut opened, PollTimeout::try_from(PATIENCE)?)?;
    ensure!(
        events > 0,
        "no monitor on {} within {} s",
        node.name,
        PATIENCE.as_secs()
    );
    Ok(())
}
