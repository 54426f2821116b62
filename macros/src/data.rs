//! `#[data]`: the derives of a type that crosses as JSON, without further dependencies.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Item, Path, Token};

struct Args {
    krate: TokenStream,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Args {
                krate: quote!(::keyway),
            });
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        Ok(Args {
            krate: input.parse::<Path>()?.into_token_stream(),
        })
    }
}

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let Args { krate } = syn::parse2(args)?;
    let item: Item = syn::parse2(item)?;
    if !matches!(item, Item::Struct(_) | Item::Enum(_)) {
        return Err(syn::Error::new_spanned(
            item,
            "#[data] goes on a struct or an enum",
        ));
    }
    let name = |part: &str| {
        let path: String = krate
            .to_string()
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            + part;
        path
    };
    let (serde, schemars) = (name("::serde"), name("::schemars"));
    Ok(quote! {
        #[derive(
            #krate::serde::Serialize,
            #krate::serde::Deserialize,
            #krate::schemars::JsonSchema,
        )]
        #[serde(crate = #serde)]
        #[schemars(crate = #schemars)]
        #item
    })
}
