//! A cluster without fencing may have two primaries, whatever the agent does.

use crate::pacemaker::Cluster;

/// Says so in a cluster that has none.
pub fn warn_if_disabled(cluster: &dyn Cluster) {
    match cluster.has_fencing() {
        Ok(true) => {}
        Ok(false) => log::warn!(
            "Promoted with fencing disabled (stonith-enabled=false): if the former primary still \
             runs somewhere, there are two, and rows will be lost. Set fencing up, then: pcs \
             property set stonith-enabled=true"
        ),
        Err(error) => log::info!("Cannot tell whether the cluster has fencing: {error}"),
    }
}
