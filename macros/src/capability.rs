//! `#[capability]`: from one trait the method table, the author's adapter and the caller's handle.

mod args;
mod bounds;
mod emit;
mod model;
mod types;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{FnArg, ItemTrait, TraitItem};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item: ItemTrait = syn::parse2(item)?;
    let args: syn::Result<args::Args> = syn::parse2(args);
    let model = args.and_then(|args| model::Capability::new(args, item.clone()));
    Ok(model.map_or_else(|errors| recover(&item, &errors), |model| emit::emit(&model)))
}

fn handle_ident(capability: &Ident) -> Ident {
    format_ident!("{}Handle", capability)
}

/// What a trait with mistakes becomes: the trait as it stands and a handle of the right name, so
/// that code which uses them adds no errors of its own.
fn recover(item: &ItemTrait, errors: &syn::Error) -> TokenStream {
    let ItemTrait { ident, vis, .. } = item;
    let handle = handle_ident(ident);
    let errors = errors.to_compile_error();
    let mut item = item.clone();
    item.items.iter_mut().for_each(quieten);
    quote! {
        #errors
        #[allow(async_fn_in_trait, reason = "the trait has other mistakes")]
        #item

        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #handle(());
    }
}

/// Removes what the compiler would report again.
fn quieten(item: &mut TraitItem) {
    let TraitItem::Fn(method) = item else { return };
    method.sig.constness = None;
    for arg in &mut method.sig.inputs {
        if let (FnArg::Typed(arg), None) = (arg, &method.default) {
            *arg.pat = syn::parse_quote!(_);
        }
    }
}
