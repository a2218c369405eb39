//! A real HAProxy between clients and the servers of a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use super::client::Target;
use crate::cluster::Cluster;
use crate::host::{cache, paths, unpacked};
use crate::machine::network;

/// Where it listens, on the address of the cluster's network that no node has.
const PORT: u16 = 5000;

/// One that runs until it is dropped.
pub struct Balancer {
    target: Target,
    server: Child,
    folder: PathBuf,
}

impl Balancer {
    /// Starts one with this backend, which is called `primary`.
    pub fn start(cluster: &Cluster, backend: &str) -> Result<Self> {
        let programs = unpacked::folder("haproxy")?;
        let folder = paths::base().join(format!("haproxy-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration(backend))?;
        let warden = cluster.power.pid();
        let server = unpacked::server(Path::new("nsenter"))
            .arg(format!("--net=/proc/{warden}/ns/net"))
            .arg(programs.join("usr/sbin/haproxy"))
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .env("LD_LIBRARY_PATH", unpacked::libraries(&programs))
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.join("log"))?)
            .stderr(fs::File::create(folder.join("errors"))?)
            .spawn()
            .context("haproxy")?;
        let target = Target {
            warden,
            address: network::GATEWAY,
            port: PORT,
        };
        Ok(Self {
            target,
            server,
            folder,
        })
    }

    /// Where clients connect to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What it says of itself.
    pub fn errors(&self) -> String {
        fs::read_to_string(self.folder.join("errors")).unwrap_or_default()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = cache::remove_tree(&self.folder);
    }
}

fn configuration(backend: &str) -> String {
    format!(
        "defaults\n    mode tcp\n    timeout connect 2s\n    timeout client 60s\n    timeout server 60s\n\
         frontend clients\n    bind {}:{PORT}\n    default_backend primary\n{backend}\n",
        network::GATEWAY
    )
}
