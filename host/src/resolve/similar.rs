//! Names that are there, for those that are not.

use std::collections::{BTreeMap, BTreeSet};

use crate::suggest::suggestion;

use super::Subject;

/// How many names are compared in one resolution. Each missing name is compared with all that there are,
/// so without a bound ten thousand plugins that miss something would cost a hundred million
/// comparisons; this many take some milliseconds, and serve a thousand plugins of which two hundred
/// miss something.
const MOST_COMPARED: usize = 200_000;

/// Looks for the name that was meant, until it has done enough of it.
pub(super) struct Similar<'a> {
    subjects: &'a [Subject<'a>],
    application: &'a [(&'a str, &'a str)],
    /// Made when it is asked for: a resolution that finds nothing wrong needs none of it.
    names: Option<Names<'a>>,
    left: usize,
}

#[derive(Default)]
struct Names<'a> {
    plugins: BTreeSet<&'a str>,
    offers: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Similar<'a> {
    pub(super) fn to(subjects: &'a [Subject<'a>], application: &'a [(&'a str, &'a str)]) -> Self {
        Similar {
            subjects,
            application,
            names: None,
            left: MOST_COMPARED,
        }
    }

    /// The id of a plugin that is there.
    pub(super) fn plugin(&mut self, id: &str) -> Option<&'a str> {
        let plugins = &names(&mut self.names, self.subjects, self.application).plugins;
        spend(&mut self.left, plugins.len())?;
        suggestion(id, plugins.iter().copied())
    }

    /// A capability that somebody offers, in words.
    pub(super) fn offer(&mut self, capability: &str, name: Option<&str>) -> Option<String> {
        let offers = &names(&mut self.names, self.subjects, self.application).offers;
        if let (Some(name), Some(names)) = (name, offers.get(capability)) {
            spend(&mut self.left, names.len())?;
            let meant = suggestion(name, names.iter().copied())?;
            return Some(format!("{capability} named '{meant}'"));
        }
        spend(&mut self.left, offers.len())?;
        suggestion(capability, offers.keys().copied()).map(str::to_owned)
    }
}

fn names<'n, 'a>(
    names: &'n mut Option<Names<'a>>,
    subjects: &'a [Subject<'a>],
    application: &[(&'a str, &'a str)],
) -> &'n Names<'a> {
    names.get_or_insert_with(|| {
        let mut names = Names::default();
        let provided = subjects.iter().flat_map(|subject| &subject.provides);
        for (capability, name) in provided.chain(application) {
            names.offers.entry(*capability).or_default().insert(*name);
        }
        names.plugins = subjects.iter().map(|subject| subject.id).collect();
        names
    })
}

fn spend(left: &mut usize, names: usize) -> Option<()> {
    #[cfg(test)]
    crate::steps::add(names.min(*left));
    *left = left.checked_sub(names)?;
    Some(())
}
