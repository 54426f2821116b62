//! The types of a signature that only the compiler can judge.
//!
//! A type that does not cross would be an error at every place of the generated code that
//! mentions it. Therefore that code assumes, in a `where` clause, that it does, and one function
//! that is never called demands it: that is the one error the author sees, at the type itself.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::model::Capability;
use super::types::Fit;

pub(crate) struct Bounds {
    /// `where ...`, or nothing where every type is known to cross.
    pub(crate) clause: TokenStream,
    /// The one place that demands what the clause assumes.
    pub(crate) check: TokenStream,
}

impl Bounds {
    pub(crate) fn of(model: &Capability) -> Self {
        let krate = &model.krate;
        let mut seen = BTreeSet::new();
        let (mut assumed, mut demanded) = (Vec::new(), Vec::new());
        let mut add = |kind: TokenStream, check: TokenStream, ty: &Type, fixed: &Type| {
            if !seen.insert((kind.to_string(), ty.to_token_stream().to_string())) {
                return;
            }
            demanded.push(quote_spanned!(ty.span()=> #check::<#fixed>();));
            assumed.push(quote!(for<'call> #ty: #kind));
        };
        for method in &model.methods {
            for arg in method.args.iter().filter(|arg| arg.fit == Fit::Unknown) {
                let fixed = &arg.fixed;
                match element(&arg.written) {
                    Some(element) => add(
                        quote!(#krate::shim::signature::Element<'call>),
                        quote!(#krate::shim::signature::element),
                        element,
                        element,
                    ),
                    None => add(
                        quote!(#krate::shim::signature::Crosses<'call>),
                        quote!(#krate::shim::signature::crosses),
                        &arg.written,
                        fixed,
                    ),
                }
            }
            match &method.value {
                Some((_, Fit::Known)) => {}
                Some((value, Fit::Unknown)) => add(
                    quote!(#krate::shim::signature::Crosses<'call>),
                    quote!(#krate::shim::signature::crosses),
                    value,
                    value,
                ),
                None => add(
                    quote!(#krate::shim::signature::Answers<'call>),
                    quote!(#krate::shim::signature::answers),
                    &method.output,
                    &method.output,
                ),
            }
        }
        if assumed.is_empty() {
            return Bounds {
                clause: TokenStream::new(),
                check: TokenStream::new(),
            };
        }
        Bounds {
            clause: quote!(where #(#assumed),*),
            check: quote! {
                /// Every type of the signatures crosses, or is an error here and nowhere else.
                const _: () = {
                    #(#demanded)*
                };
            },
        }
    }
}

/// The element type of a borrowed slice.
fn element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(slice) => Some(&slice.elem),
            _ => None,
        },
        _ => None,
    }
}
