//! The resource: its parameters, the clone around it, and whether Pacemaker manages it.

use std::collections::BTreeMap;

use roxmltree::Node as Element;

use super::error::CibError;
use super::xml::{configuration, own_pairs};
use crate::ocf::ClusterRole;
use crate::ocf::values::boolean;

/// The agent that a resource must have to be ours.
const AGENT: &str = "pgsqlms";

/// A resource of this agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its id, of the primitive.
    pub id: String,
    /// The id of the clone around it.
    pub clone: Option<String>,
    /// Its parameters, as the configuration has them.
    pub parameters: BTreeMap<String, String>,
    /// Whether Pacemaker may act on it.
    pub managed: bool,
    /// `target-role`, where it is set.
    pub target_role: Option<String>,
}

impl Resource {
    /// The ids of all resources of this agent.
    pub fn all(root: Element<'_, '_>) -> Vec<String> {
        let ids = ours(root).into_iter();
        let ids = ids.filter_map(|one| one.attribute("id"));
        ids.map(str::to_owned).collect()
    }

    /// The one that is wanted, or the only one.
    pub fn find(root: Element<'_, '_>, wanted: Option<&str>) -> Result<Self, CibError> {
        let ours = ours(root);
        let of_id = |one: &&Element<'_, '_>| one.attribute("id") == wanted;
        let found = match wanted {
            Some(name) => ours.iter().find(of_id).ok_or_else(|| unknown(name))?,
            None => only(&ours)?,
        };
        Ok(Self::of(root, *found))
    }

    fn of(root: Element<'_, '_>, primitive: Element<'_, '_>) -> Self {
        let clone = clone_around(primitive);
        let meta = meta_of(clone, primitive);
        let parameters = parameters_of(root, primitive);
        let meta_is = |name: &str| meta.get(name).and_then(|value| boolean(value));
        Self {
            id: primitive.attribute("id").unwrap_or_default().to_owned(),
            clone: clone.and_then(|one| one.attribute("id")).map(str::to_owned),
            managed: meta_is("is-managed") != Some(false) && meta_is("maintenance") != Some(true),
            target_role: meta.get("target-role").cloned(),
            parameters,
        }
    }

    /// The `target-role` by which nobody is promoted.
    pub fn role_without_a_primary(&self) -> Option<&str> {
        let role = self.target_role.as_deref()?;
        let may = role.eq_ignore_ascii_case("started")
            || ClusterRole::named(role) == Some(ClusterRole::Promoted);
        (!may).then_some(role)
    }

    /// Whether an admin has it stopped.
    pub fn is_disabled(&self) -> bool {
        let role = self.target_role.as_deref();
        role.is_some_and(is_stopped)
    }

    /// What people name where they want it moved or cleaned up.
    pub fn name(&self) -> &str {
        self.clone.as_deref().unwrap_or(&self.id)
    }
}

/// All resources of this agent.
fn ours<'a, 'i>(root: Element<'a, 'i>) -> Vec<Element<'a, 'i>> {
    let all = configuration(root, "resources");
    let all = all.into_iter().flat_map(|one| one.descendants());
    let primitives = all.filter(|one| one.has_tag_name("primitive"));
    primitives.filter(|one| is_ours(root, *one)).collect()
}

fn only<'s, 'a, 'i>(ours: &'s [Element<'a, 'i>]) -> Result<&'s Element<'a, 'i>, CibError> {
    match ours {
        [] => Err(CibError::NoResource),
        [one] => Ok(one),
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|one| one.attribute("id"))
                .collect();
            Err(CibError::Several(names.join(", ")))
        }
    }
}

fn unknown(name: &str) -> CibError {
    CibError::Unknown(name.to_owned())
}

fn is_ours(root: Element<'_, '_>, primitive: Element<'_, '_>) -> bool {
    let of_type = |one: Element<'_, '_>| one.attribute("type") == Some(AGENT);
    of_type(primitive) || template_of(root, primitive).is_some_and(of_type)
}

fn template_of<'a, 'i>(
    root: Element<'a, 'i>,
    primitive: Element<'a, 'i>,
) -> Option<Element<'a, 'i>> {
    let wanted = primitive.attribute("template")?;
    let mut all = configuration(root, "resources")?.descendants();
    all.find(|one| one.has_tag_name("template") && one.attribute("id") == Some(wanted))
}

/// Its own parameters before those of its template.
pub(super) fn parameters_of(
    root: Element<'_, '_>,
    primitive: Element<'_, '_>,
) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for element in template_of(root, primitive).into_iter().chain([primitive]) {
        parameters.extend(own_pairs(element, "instance_attributes"));
    }
    parameters
}

/// Whether a `target-role` says that nothing is to run.
pub(super) fn is_stopped(role: &str) -> bool {
    role.eq_ignore_ascii_case("stopped")
}

/// The clone that a resource is in. `master` is what a promotable one was called before
/// Pacemaker 2.0.
pub(in crate::view) fn clone_around<'a, 'i>(primitive: Element<'a, 'i>) -> Option<Element<'a, 'i>> {
    let mut all = primitive.ancestors();
    all.find(|one| one.has_tag_name("clone") || one.has_tag_name("master"))
}

/// The meta attributes that count for a resource in a clone: its own before those of the clone.
pub(in crate::view) fn meta_of(
    clone: Option<Element<'_, '_>>,
    primitive: Element<'_, '_>,
) -> BTreeMap<String, String> {
    let mut meta = BTreeMap::new();
    for element in clone.into_iter().chain([primitive]) {
        meta.extend(own_pairs(element, "meta_attributes"));
    }
    meta
}
