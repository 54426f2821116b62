//! Whether two type layouts are the same in all that abi_stable compares, found out without its comparison.
//!
//! A plugin that is built with the host's version of keyway has the very layouts of the host, and abi_stable
//! takes its time to say so: it keeps a trace for the error that it might have to tell, and looks at the
//! same types again for every type that contains them. What is the same here is compatible there; of
//! everything else, and of kinds of types that do not occur in interfaces, abi_stable has the word.

use std::collections::BTreeSet;

use abi_stable::type_layout::tagging::TagTrait;
use abi_stable::type_layout::{
    TLData, TLEnum, TLField, TLFields, TLFunction, TLPrimitive, TypeLayout,
};

/// Pairs of layouts that are the same, by their places. They lead into the library that is looked at, so
/// this lives no longer than the look.
#[derive(Debug, Default)]
pub(super) struct Same(BTreeSet<(usize, usize)>);

impl Same {
    /// Whether they are the same, with all types in them.
    pub(super) fn holds(&mut self, one: &'static TypeLayout, other: &'static TypeLayout) -> bool {
        let mut found = Vec::new();
        let same = self.compare(one, other, &mut found);
        if !same {
            // Each of them was the same under the condition that those around it are.
            for pair in found {
                self.0.remove(&pair);
            }
        }
        same
    }

    fn compare(
        &mut self,
        one: &'static TypeLayout,
        other: &'static TypeLayout,
        found: &mut Vec<(usize, usize)>,
    ) -> bool {
        let [one_at, other_at] = [one, other].map(|layout| (&raw const *layout).addr());
        // In one order, since the host is the caller of one table and the callee of another.
        let pair = (one_at.min(other_at), one_at.max(other_at));
        if one_at == other_at || !self.0.insert(pair) {
            // Or under way: a type that contains itself is the same if the rest of it is.
            return true;
        }
        found.push(pair);
        same_outside(one, other)
            && self.fields(one.phantom_fields(), other.phantom_fields(), found)
            && match (one.data(), other.data()) {
                (TLData::Primitive(one), TLData::Primitive(other)) => one == other,
                (TLData::Opaque, TLData::Opaque) => true,
                (TLData::Struct { fields: one }, TLData::Struct { fields: other })
                | (TLData::Union { fields: one }, TLData::Union { fields: other }) => {
                    self.fields(one, other, found)
                }
                (TLData::PrefixType(one), TLData::PrefixType(other)) => {
                    one.first_suffix_field == other.first_suffix_field
                        && one.conditional_prefix_fields == other.conditional_prefix_fields
                        && one.accessible_fields == other.accessible_fields
                        && self.fields(one.fields, other.fields, found)
                }
                (TLData::Enum(one), TLData::Enum(other)) => {
                    same_variants(&one, &other) && self.fields(one.fields, other.fields, found)
                }
                _ => false,
            }
    }

    fn fields(&mut self, one: TLFields, other: TLFields, found: &mut Vec<(usize, usize)>) -> bool {
        one.len() == other.len()
            && (one.iter().zip(other.iter())).all(|(one, other)| self.field(&one, &other, found))
    }

    fn field(&mut self, one: &TLField, other: &TLField, found: &mut Vec<(usize, usize)>) -> bool {
        let (functions, others) = (one.function_range(), other.function_range());
        one.name() == other.name()
            && one.lifetime_indices() == other.lifetime_indices()
            && one.is_function() == other.is_function()
            && functions.len() == others.len()
            && (functions.iter().zip(others)).all(|(one, other)| self.function(&one, &other, found))
            && self.compare(one.layout(), other.layout(), found)
    }

    fn function(
        &mut self,
        one: &TLFunction,
        other: &TLFunction,
        found: &mut Vec<(usize, usize)>,
    ) -> bool {
        let (types, others) = (one.param_type_layouts, other.param_type_layouts);
        let answers = match (one.return_type_layout(), other.return_type_layout()) {
            (None, None) => true,
            (Some(one), Some(other)) => self.compare(one(), other(), found),
            _ => false,
        };
        answers
            && one.name == other.name
            && one.bound_lifetimes == other.bound_lifetimes
            && one.param_names == other.param_names
            && one.paramret_lifetime_indices == other.paramret_lifetime_indices
            && one.fn_qualifs == other.fn_qualifs
            && types.len() == others.len()
            && (types.iter().zip(others.iter()))
                .all(|(one, other)| self.compare(one(), other(), found))
    }
}

/// What a layout says of its type beside the types in it.
fn same_outside(one: &TypeLayout, other: &TypeLayout) -> bool {
    let (generics, others) = (one.generics(), other.generics());
    one.name() == other.name()
        && one.package_and_version() == other.package_and_version()
        && one.is_nonzero() == other.is_nonzero()
        && one.repr_attr() == other.repr_attr()
        && one.size() == other.size()
        && one.alignment() == other.alignment()
        && generics.lifetime_count() == others.lifetime_count()
        && generics.const_params().len() == others.const_params().len()
        && (generics.const_params().is_empty() || is_array(one) && is_array(other))
        && one.tag().is_null()
        && other.tag().is_null()
        && one.extra_checks().is_none()
        && other.extra_checks().is_none()
}

/// Whether it is an array whose length, the one constant that it depends on, follows from its size.
fn is_array(layout: &TypeLayout) -> bool {
    layout.size() > 0 && matches!(layout.data(), TLData::Primitive(TLPrimitive::Array))
}

fn same_variants(one: &TLEnum, other: &TLEnum) -> bool {
    one.field_count == other.field_count
        && one.variant_names == other.variant_names
        && one.exhaustiveness.is_exhaustive()
        && other.exhaustiveness.is_exhaustive()
        && one.discriminants == other.discriminants
}
