//! `#[capability]`: from one trait the method table, the author's adapter and the caller's handle.

mod emit;
mod model;

use proc_macro2::TokenStream;
use syn::ItemTrait;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let args: model::Args = syn::parse2(args)?;
    let item: ItemTrait = syn::parse2(item)?;
    let model = model::Capability::new(args, item)?;
    Ok(emit::emit(&model))
}
