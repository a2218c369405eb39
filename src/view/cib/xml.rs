//! Steps down the tree of the CIB.

use std::collections::BTreeMap;

use roxmltree::Node as Element;

use crate::ocf::values::boolean;

/// A section of the configuration.
pub(in crate::view) fn configuration<'a, 'i>(
    root: Element<'a, 'i>,
    section: &str,
) -> Option<Element<'a, 'i>> {
    child(child(root, "configuration")?, section)
}

/// The first child of that name.
pub(in crate::view) fn child<'a, 'i>(
    parent: Element<'a, 'i>,
    name: &str,
) -> Option<Element<'a, 'i>> {
    parent.children().find(|one| one.has_tag_name(name))
}

/// All children of that name.
pub(in crate::view) fn children<'a, 'i: 'a>(
    parent: Option<Element<'a, 'i>>,
    name: &'static str,
) -> impl Iterator<Item = Element<'a, 'i>> {
    let all = parent.into_iter().flat_map(|parent| parent.children());
    all.filter(move |one| one.has_tag_name(name))
}

/// Names and values of all `nvpair`s in it.
pub(in crate::view) fn pairs_below(element: Option<Element<'_, '_>>) -> BTreeMap<String, String> {
    let all = element.into_iter().flat_map(|one| one.descendants());
    let pairs = all.filter(|one| one.has_tag_name("nvpair"));
    pairs
        .filter_map(|one| {
            let (name, value) = (one.attribute("name")?, one.attribute("value")?);
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Whether it is what Pacemaker takes for true.
pub(in crate::view) fn is_true(value: Option<&str>) -> bool {
    value.and_then(boolean) == Some(true)
}

/// The pairs in the sets of this kind that are the element's own. Where several sets have a
/// name, the first one counts.
pub(in crate::view) fn own_pairs(element: Element<'_, '_>, kind: &str) -> BTreeMap<String, String> {
    let sets = element.children().filter(|one| one.has_tag_name(kind));
    let mut pairs = BTreeMap::new();
    for set in sets {
        for (name, value) in pairs_below(Some(set)) {
            pairs.entry(name).or_insert(value);
        }
    }
    pairs
}
