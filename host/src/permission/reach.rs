//! How much of one kind of thing is granted: all of it, or what some entries stand for.

/// A partial order: reflexive, transitive, and two that cover each other are equal.
pub trait Covers {
    /// Whether everything that `other` stands for is in `self`.
    fn covers(&self, other: &Self) -> bool;
}

/// All of a kind, or the listed entries, in normal form: sorted, none twice, and none that another
/// one covers. The empty list is nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach<T> {
    /// None stands for everything.
    only: Option<Vec<T>>,
}

impl<T> Reach<T> {
    /// Everything of the kind.
    pub(crate) fn all() -> Self {
        Reach { only: None }
    }

    /// Whether everything is granted, whatever there is.
    pub fn is_all(&self) -> bool {
        self.only.is_none()
    }

    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        self.only.as_ref().is_some_and(Vec::is_empty)
    }

    /// The entries, sorted; none if everything or nothing is granted.
    pub fn entries(&self) -> &[T] {
        self.only.as_deref().unwrap_or_default()
    }
}

/// Nothing.
impl<T> Default for Reach<T> {
    fn default() -> Self {
        Reach {
            only: Some(Vec::new()),
        }
    }
}

impl<T: Covers + Ord + Clone> Reach<T> {
    /// The normal form of a list.
    pub(crate) fn only(mut entries: Vec<T>) -> Self {
        entries.sort();
        entries.dedup();
        let kept = (0..entries.len()).filter(|&this| {
            let mut others = (0..entries.len()).filter(|&other| other != this);
            !others.any(|other| entries[other].covers(&entries[this]))
        });
        let only = Some(kept.map(|index| entries[index].clone()).collect());
        Reach { only }
    }

    /// What of this is not in `other`; everything, if this is everything and the other is not.
    pub(crate) fn beyond(&self, other: &Self) -> Self {
        match (&self.only, &other.only) {
            (_, None) => Reach::default(),
            (None, Some(_)) => Reach::all(),
            (Some(own), Some(_)) => {
                let beyond = own.iter().filter(|entry| !other.has(entry));
                Reach {
                    only: Some(beyond.cloned().collect()),
                }
            }
        }
    }

    /// Whether one of the entries covers this one.
    pub(crate) fn has(&self, entry: &T) -> bool {
        self.any(|own| own.covers(entry))
    }

    /// The entries of each that the other one covers.
    pub(crate) fn common(&self, other: &Self) -> Self {
        match (&self.only, &other.only) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            (Some(own), Some(others)) => {
                let own = own.iter().filter(|entry| other.has(entry));
                let others = others.iter().filter(|entry| self.has(entry));
                Reach::only(own.chain(others).cloned().collect())
            }
        }
    }

    /// Everything that is in one of both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        match (&self.only, &other.only) {
            (Some(one), Some(other)) => Reach::only(one.iter().chain(other).cloned().collect()),
            _ => Reach::all(),
        }
    }
}

impl<T> Reach<T> {
    /// Whether everything is granted, or an entry for which this holds.
    pub(crate) fn any(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.only
            .as_ref()
            .is_none_or(|entries| entries.iter().any(holds))
    }
}

impl<T: Covers + Ord + Clone> Covers for Reach<T> {
    fn covers(&self, other: &Self) -> bool {
        other.beyond(self).is_none()
    }
}
