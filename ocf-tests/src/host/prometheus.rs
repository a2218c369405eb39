//! A real Prometheus on this machine, which reads what a test hands it. Debian's package is
//! unpacked into the lab's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};

use crate::host::{cache, paths, shell, unpacked};

/// The texts that are scraped, by the names of nodes.
type Texts = Arc<Mutex<BTreeMap<String, String>>>;

/// A server that scrapes every second.
pub struct Prometheus {
    programs: PathBuf,
    texts: Texts,
    address: String,
    server: Child,
    folder: PathBuf,
}

impl Prometheus {
    /// Starts one that scrapes these nodes and judges by these rules.
    pub fn start(nodes: &[String], rules: &Path) -> Result<Self> {
        let programs = unpacked::folder("prometheus")?.join("usr/bin");
        let texts = Texts::default();
        let source = serve(&texts)?;
        let folder = paths::base().join(format!("prometheus-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let jobs: String = nodes.iter().map(|node| job(node, &source)).collect();
        let rules = rules.display();
        let configuration = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\n\
             scrape_configs:\n{jobs}"
        );
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let server = unpacked::server(&programs.join("prometheus"))
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("prometheus")?;
        Ok(Self {
            programs,
            texts,
            address,
            server,
            folder,
        })
    }

    /// What the next scrapes of a node get, once promtool finds no fault in it.
    pub fn hand(&self, node: &str, text: &str) -> Result<()> {
        let mut check = Command::new(self.programs.join("promtool"))
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        check
            .stdin
            .take()
            .context("stdin")?
            .write_all(text.as_bytes())?;
        let ended = check.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(ended.status.success(), "promtool: {said}");
        self.replace(node, Some(text));
        Ok(())
    }

    /// What the next scrapes of a node get, unchecked; without a text its series end.
    pub fn replace(&self, node: &str, text: Option<&str>) {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            // What a node prints comes here without its last line break.
            Some(text) => texts.insert(node.to_owned(), format!("{}\n", text.trim_end())),
            None => texts.remove(node),
        };
    }

    /// What a query gives now: a line for each series; none where there is no such series.
    pub fn query(&self, query: &str) -> Result<String> {
        let mut command = Command::new(self.programs.join("promtool"));
        command.args([
            "query",
            "instant",
            &format!("http://{}", self.address),
            query,
        ]);
        Ok(shell::run(&mut command)?.trim().to_owned())
    }

    /// What a query gives from `begin` to `end` (seconds since 1970), a sample each `step` seconds,
    /// as JSON: a list of series with `metric` and `values`.
    pub fn range(&self, query: &str, begin: f64, end: f64, step: f64) -> Result<String> {
        let mut command = Command::new(self.programs.join("promtool"));
        command.args(["query", "range", "--format=json"]);
        command.arg(format!("--start={begin:.3}"));
        command.arg(format!("--end={end:.3}"));
        command.arg(format!("--step={step}s"));
        command.arg(format!("http://{}", self.address)).arg(query);
        shell::run(&mut command)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = cache::remove_tree(&self.folder);
    }
}

fn job(node: &str, source: &str) -> String {
    format!(
        "- {{job_name: {node}, metrics_path: /{node}, static_configs: [{{targets: ['{source}']}}]}}\n"
    )
}

/// Answers each request with the text of the node that its path names.
fn serve(texts: &Texts) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let texts = Arc::clone(texts);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &texts);
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, texts: &Texts) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let node = request.split(' ').nth(1).unwrap_or_default();
    let node = node.trim_start_matches('/').to_owned();
    // Its header is read to the end, or the connection would be reset.
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let text = texts
        .lock()
        .ok()
        .and_then(|texts| texts.get(&node).cloned());
    let text = text.unwrap_or_default();
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{text}", text.len())?;
    Ok(())
}
