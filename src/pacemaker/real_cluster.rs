//! The cluster that this node belongs to, by Pacemaker's command line tools.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::cluster::{Answers, Cluster, FRESH};
use super::operations::Monitor;
use super::permanent::{self, Permanent};
use super::tools::{Begun, ToolError, Tools};
use super::{attributes, cib_file, hosts, membership, operations, options, placement};
use crate::ocf::{NodeName, time};
use crate::record::{Constraint, Ledger};
use crate::system::{boot, kept_file};

/// The cluster of one resource, as this node sees it.
pub struct RealCluster {
    tools: Tools,
    resource: String,
    /// What this action reads once for all of its steps.
    remembered: Rc<RefCell<Remembered>>,
    /// What it has asked and not heard the answer of.
    ahead: Rc<RefCell<Option<Ahead>>>,
}

/// The permanent attributes that are kept, if any are.
#[derive(Default)]
enum Remembered {
    #[default]
    Nothing,
    /// The answer is on its way.
    Asked(Begun),
    Known(Permanent),
}

/// Questions on their way: for these attributes of all members, and for the permanent ones.
struct Ahead {
    names: Vec<String>,
    calls: Vec<Begun>,
    since: Instant,
}

impl RealCluster {
    /// The cluster of `resource`, reached by `tools`.
    pub fn new(tools: Tools, resource: &str) -> Self {
        Self {
            tools,
            resource: resource.to_owned(),
            remembered: Rc::default(),
            ahead: Rc::default(),
        }
    }

    /// The same cluster, reached by other tools.
    fn by(&self, tools: Tools) -> Self {
        Self {
            tools,
            resource: self.resource.clone(),
            remembered: Rc::clone(&self.remembered),
            ahead: Rc::clone(&self.ahead),
        }
    }

    /// What was read before is not so any more.
    fn forget(&self) {
        self.remembered.take();
        self.ahead.take();
    }

    fn begin_to_ask(&self, names: &[&str]) -> Ahead {
        let queries = names.iter().map(|name| attributes::query(name));
        let calls = queries.chain([permanent::query()]);
        Ahead {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            calls: calls
                .map(|(tool, words)| self.tools.begin(tool, &words))
                .collect(),
            since: time::now(),
        }
    }
}

impl Cluster for RealCluster {
    fn resource(&self) -> &str {
        &self.resource
    }

    fn within(&self, limit: Duration) -> Box<dyn Cluster + '_> {
        Box::new(self.by(self.tools.within(limit)))
    }

    fn unshared(&self) -> Box<dyn Cluster + '_> {
        Box::new(self.by(self.tools.unshared()))
    }

    fn named_node(&self) -> Option<&NodeName> {
        self.tools.node()
    }

    fn node(&self) -> Result<NodeName, ToolError> {
        if let Some(node) = self.tools.node() {
            return Ok(node.clone());
        }
        membership::this_node(&self.tools)?.ok_or(ToolError::Nameless)
    }

    fn members(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        membership::partition(&self.tools)
    }

    fn hosts(&self) -> Result<BTreeSet<NodeName>, ToolError> {
        hosts::read(&self.tools, &self.resource)
    }

    fn has_fencing(&self) -> Result<bool, ToolError> {
        options::has_fencing(&self.tools)
    }

    fn configuration_version(&self) -> Option<String> {
        cib_file::version()
    }

    fn remember_permanent(&self) {
        let (tool, words) = permanent::query();
        let asked = Remembered::Asked(self.tools.begin(tool, &words));
        self.remembered.replace(asked);
    }

    fn ask_ahead(&self, names: &[&str]) {
        let ahead = self.begin_to_ask(names);
        self.ahead.replace(Some(ahead));
    }

    fn permanent(&self) -> Result<Permanent, ToolError> {
        let known = match self.remembered.take() {
            Remembered::Nothing => return Permanent::read(&self.tools),
            Remembered::Asked(begun) => Permanent::of_answer(self.tools.finish(begun))?,
            Remembered::Known(known) => known,
        };
        self.remembered.replace(Remembered::Known(known.clone()));
        Ok(known)
    }

    fn set_permanent(&self, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
        self.forget();
        permanent::set(&self.tools, node, name, value)
    }

    fn set_permanent_during(
        &self,
        (node, name, value): (&NodeName, &str, &str),
        work: &mut dyn FnMut(),
    ) -> Result<(), ToolError> {
        self.forget();
        let begun = permanent::begin_to_set(&self.tools, node, name, value);
        work();
        self.tools.finish(begun).map(drop)
    }

    fn delete_permanent(&self, node: &NodeName, name: &str) -> Result<(), ToolError> {
        self.forget();
        permanent::delete(&self.tools, node, name)
    }

    fn permanent_and_of_members(&self, names: &[&str]) -> Result<Answers, ToolError> {
        let ahead = self.ahead.take();
        let ahead = ahead.filter(|it| it.names == names && time::since(it.since) < FRESH);
        let asked = ahead.unwrap_or_else(|| self.begin_to_ask(names));
        let calls = asked.calls.into_iter();
        let mut answers: Vec<_> = calls.map(|call| self.tools.finish(call)).collect();
        let last = answers.pop().unwrap_or(Err(ToolError::Nameless));
        let values = answers.into_iter().map(attributes::values);
        Ok((
            Permanent::of_answer(last)?,
            values.collect::<Result<_, _>>()?,
        ))
    }

    fn of_members(&self, name: &str) -> Result<BTreeMap<NodeName, String>, ToolError> {
        attributes::of_all_nodes(&self.tools, name)
    }

    fn set_private(&self, name: &str, value: &str) -> Result<(), ToolError> {
        attributes::set(&self.tools, name, value)
    }

    fn set_private_each(&self, values: &[(&str, &str)]) -> Result<(), ToolError> {
        attributes::set_each(&self.tools, values)
    }

    fn delete_private_each(&self, names: &[&str]) -> Result<(), ToolError> {
        attributes::delete_each(&self.tools, names)
    }

    fn delete_private(&self, name: &str) -> Result<(), ToolError> {
        attributes::delete(&self.tools, name)
    }

    fn set_transient(&self, name: &str, value: &str) -> Result<(), ToolError> {
        attributes::announce(&self.tools, name, value)
    }

    fn delete_transient(&self, name: &str) -> Result<(), ToolError> {
        attributes::retract(&self.tools, name)
    }

    fn boot(&self) -> Option<String> {
        boot::id()
    }

    fn ledger(&self) -> io::Result<Option<String>> {
        kept_file::read(
            Path::new(kept_file::FOLDER),
            &Ledger::NAME.of(&self.resource),
        )
    }

    fn keep_ledger(&self, text: &str) -> io::Result<()> {
        let name = Ledger::NAME.of(&self.resource);
        kept_file::write(Path::new(kept_file::FOLDER), &name, text)
    }

    fn promotion_scores(&self) -> Result<BTreeMap<NodeName, i32>, ToolError> {
        placement::scores(&self.tools, &self.resource)
    }

    fn constraints(&self) -> Result<Vec<Constraint>, ToolError> {
        placement::constraints(&self.tools, &self.resource)
    }

    fn monitors(&self) -> Result<Vec<Monitor>, ToolError> {
        operations::monitors(&self.tools, &self.resource)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ocf::Environment;
    use crate::testing::{in_ms, node};

    /// Each tool notes that it ran; the CIB's entry says how often that was read.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            let runs = folder.0.path().join("runs");
            let runs = runs.display();
            let note = format!("#!/bin/sh\necho $0 \"$@\" >> {runs}\n");
            let count = format!("$(grep -c cibadmin {runs})");
            let cib = format!(
                "echo \"<nodes><node uname='srv1'><i><nvpair name='read' value='{count}'/></i></node></nodes>\"\n"
            );
            let value = "echo 'name=\"vote\" host=\"srv1\" value=\"1\"'\n";
            folder.tool("cibadmin", &format!("{note}{cib}"));
            folder.tool("attrd_updater", &format!("{note}{value}"));
            folder.tool("crm_attribute", &note);
            folder
        }

        fn tool(&self, name: &str, script: &str) {
            let path = self.0.path().join(name);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn cluster(&self) -> RealCluster {
            let folder = self.0.path().to_str().unwrap();
            let environment = Environment::of(&[("HA_SBIN_DIR", folder)]);
            RealCluster::new(Tools::new(&environment, in_ms(60_000)), "pgsqld")
        }

        /// Those that nobody waits for run as well.
        fn assert_runs(&self, wanted: usize) {
            let path = self.0.path().join("runs");
            let runs = || fs::read_to_string(&path).map_or(0, |text| text.lines().count());
            let patience = in_ms(5_000);
            while runs() < wanted && patience.sleep(Duration::from_millis(10)) {}
            assert_eq!(runs(), wanted);
        }
    }

    fn read(cluster: &dyn Cluster) -> String {
        let permanent = cluster.permanent().unwrap();
        permanent.values("read")[&node("srv1")].to_owned()
    }

    #[test]
    fn what_is_remembered_is_read_once_until_it_is_changed() {
        let folder = Folder::new();
        let cluster = folder.cluster();
        cluster.remember_permanent();
        assert_eq!(read(&cluster), "1");
        assert_eq!(read(&*cluster.within(Duration::from_secs(9))), "1");
        let set = cluster.unshared().set_permanent(&node("srv1"), "x", "y");
        assert!(set.is_ok());
        assert_eq!(read(&cluster), "2");
        assert_eq!(read(&cluster), "3");
    }

    #[test]
    fn what_was_asked_ahead_is_not_asked_again_and_of_other_names_it_is() {
        let folder = Folder::new();
        let cluster = folder.cluster();
        cluster.ask_ahead(&["vote"]);
        let (_, votes) = cluster.permanent_and_of_members(&["vote"]).unwrap();
        assert_eq!(votes[0][&node("srv1")], "1");
        folder.assert_runs(2);
        cluster.ask_ahead(&["vote"]);
        let (_, both) = cluster.permanent_and_of_members(&["vote", "stop"]).unwrap();
        assert_eq!(both.len(), 2);
        folder.assert_runs(7);
        cluster.ask_ahead(&["vote"]);
        std::thread::sleep(FRESH);
        cluster.permanent_and_of_members(&["vote"]).unwrap();
        // The answer would not have been of now.
        folder.assert_runs(11);
    }

    #[test]
    fn what_is_done_meanwhile_does_not_hide_that_a_claim_failed() {
        let folder = Folder::new();
        folder.tool("crm_attribute", "#!/bin/sh\nsleep 0.2; exit 1\n");
        let (cluster, mut worked) = (folder.cluster(), false);
        let set = cluster.set_permanent_during((&node("srv1"), "x", "y"), &mut || worked = true);
        assert!(set.is_err() && worked);
    }
}
