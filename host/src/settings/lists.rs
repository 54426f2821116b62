//! Which plugins may be used at all.
//!
//! The lists trust ids, and an id is only what a file says of itself; a pin trusts one build.

use keyway_manifest::PluginId;

use super::codes;
use crate::finding::Finding;
use crate::inspect::ContentHash;

/// The lists of plugins that may and may not be used: `[plugins]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginLists {
    /// If there is a list, only what is on it may be used: with an empty one nothing.
    pub allow: Option<Vec<Listed>>,
    /// What may not be used, whatever the other list says.
    pub deny: Vec<Listed>,
}

/// A plugin on a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: PluginId,
    /// The one build that is meant; without it all builds are.
    pub hash: Option<ContentHash>,
}

impl Listed {
    fn is(&self, id: &PluginId, hash: Option<&ContentHash>) -> bool {
        self.id == *id && self.hash.as_ref().is_none_or(|pin| Some(pin) == hash)
    }
}

impl PluginLists {
    /// The plugins of which single builds are meant.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = &PluginId> {
        let all = self.allow.iter().flatten().chain(&self.deny);
        let pinned = all.filter(|listed| listed.hash.is_some());
        pinned.map(|listed| &listed.id)
    }

    /// Whether a plugin may be used.
    ///
    /// `hash` is that of its library's content. A plugin without one is none of the builds that a
    /// pin can mean.
    ///
    /// # Errors
    ///
    /// The finding `plugin-denied`, `plugin-not-allowed` or `plugin-not-pinned`.
    pub fn admit(&self, id: &PluginId, hash: Option<&ContentHash>) -> Result<(), Finding> {
        if let Some(denied) = self.deny.iter().find(|listed| listed.is(id, hash)) {
            let message = match denied.hash {
                Some(hash) => format!("its build {hash} is on the list `plugins.deny`"),
                None => "it is on the list `plugins.deny`".to_owned(),
            };
            return Err(codes::DENIED.finding(message).of_plugin(id.as_str()));
        }
        let Some(allow) = &self.allow else {
            return Ok(());
        };
        if allow.iter().any(|listed| listed.is(id, hash)) {
            return Ok(());
        }
        let same = allow.iter().filter(|listed| listed.id == *id);
        let pins: Vec<String> = same
            .filter_map(|listed| Some(listed.hash?.to_string()))
            .collect();
        let finding = if pins.is_empty() {
            let message = "it is not on the list `plugins.allow`";
            codes::NOT_ALLOWED
                .finding(message)
                .hint(format!("add \"{id}\" to the list if it is to be used"))
        } else {
            let found = hash.map_or("no library".to_owned(), ToString::to_string);
            let message = format!(
                "the list `plugins.allow` has another build of it: expected {}, found {found}",
                pins.join(" or ")
            );
            codes::NOT_PINNED
                .finding(message)
                .hint("put the hash of this build on the list if it is the right one")
        };
        Err(finding.of_plugin(id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::hash_bytes;

    fn id(id: &str) -> PluginId {
        PluginId::new(id).expect("an id")
    }

    fn listed(name: &str, content: Option<&str>) -> Listed {
        Listed {
            id: id(name),
            hash: content.map(|content| hash_bytes(content.as_bytes())),
        }
    }

    #[track_caller]
    fn refused(lists: &PluginLists, name: &str, content: Option<&str>) -> Finding {
        let hash = content.map(|content| hash_bytes(content.as_bytes()));
        let finding = lists.admit(&id(name), hash.as_ref());
        finding.expect_err("it may not be used")
    }

    #[test]
    fn without_lists_everything_may_be_used_and_with_an_empty_one_nothing() {
        let mut lists = PluginLists::default();
        lists.admit(&id("a"), None).expect("there is no list");
        lists.allow = Some(Vec::new());
        let finding = refused(&lists, "a", None);
        assert_eq!(finding.code.id, "plugin-not-allowed");
        assert_eq!(
            finding.to_string(),
            "plugin 'a': it is not on the list `plugins.allow`; hint: add \"a\" to the list if it is to \
             be used"
        );
    }

    #[test]
    fn what_is_denied_may_not_be_used_even_if_it_is_allowed() {
        let lists = PluginLists {
            allow: Some(vec![listed("a", None), listed("b", None)]),
            deny: vec![listed("a", None), listed("b", Some("bad"))],
        };
        let finding = refused(&lists, "a", Some("any"));
        assert_eq!(finding.code.id, "plugin-denied");
        assert_eq!(
            finding.to_string(),
            "plugin 'a': it is on the list `plugins.deny`"
        );
        let finding = refused(&lists, "b", Some("bad"));
        let bad = hash_bytes(b"bad");
        assert_eq!(
            finding.message,
            format!("its build {bad} is on the list `plugins.deny`")
        );
        let good = hash_bytes(b"good");
        lists.admit(&id("b"), Some(&good)).expect("another build");
    }

    #[test]
    fn a_pin_admits_its_build_and_no_other_and_nothing_without_a_library() {
        let lists = PluginLists {
            allow: Some(vec![listed("a", Some("one")), listed("a", Some("two"))]),
            deny: Vec::new(),
        };
        let (one, two) = (hash_bytes(b"one"), hash_bytes(b"two"));
        lists.admit(&id("a"), Some(&one)).expect("it is pinned");
        lists.admit(&id("a"), Some(&two)).expect("it is pinned");
        let three = hash_bytes(b"three");
        let finding = refused(&lists, "a", Some("three"));
        assert_eq!(finding.code.id, "plugin-not-pinned");
        assert_eq!(
            finding.message,
            format!(
                "the list `plugins.allow` has another build of it: expected {one} or {two}, found \
                 {three}"
            )
        );
        let finding = refused(&lists, "a", None);
        assert!(finding.message.ends_with("found no library"), "{finding}");
    }
}
