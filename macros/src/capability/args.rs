//! The options of `#[capability]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{LitInt, LitStr, Path, Token};

/// `id = "...", version = 1`, and `crate = path` for re-exports.
pub(crate) struct Args {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) krate: TokenStream,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut id, mut version, mut krate) = (None, None, None);
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                let key: Token![crate] = input.parse()?;
                input.parse::<Token![=]>()?;
                let path = input.parse::<Path>()?.into_token_stream();
                set(&mut krate, path, "crate", key.span)?;
            } else {
                let key: Ident = input.parse()?;
                input.parse::<Token![=]>()?;
                match key.to_string().as_str() {
                    "id" => set(&mut id, parse_id(&input.parse()?)?, "id", key.span())?,
                    "version" => {
                        let parsed = parse_version(&input.parse()?)?;
                        set(&mut version, parsed, "version", key.span())?;
                    }
                    other => {
                        return Err(syn::Error::new(
                            key.span(),
                            format!("unknown option `{other}`; expected `id` or `version`"),
                        ));
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |what: &str| {
            syn::Error::new(
                Span::call_site(),
                format!("missing `{what}`; write #[capability(id = \"acme.name\", version = 1)]"),
            )
        };
        Ok(Args {
            id: id.ok_or_else(|| missing("id"))?,
            version: version.ok_or_else(|| missing("version"))?,
            krate: krate.unwrap_or_else(|| quote!(::keyway)),
        })
    }
}

fn set<T>(option: &mut Option<T>, value: T, name: &str, span: Span) -> syn::Result<()> {
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(span, format!("`{name}` is given twice"))),
    }
}

fn parse_id(literal: &LitStr) -> syn::Result<String> {
    let id = literal.value();
    let label_ok = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if id.len() <= 128 && id.contains('.') && id.split('.').all(label_ok) {
        Ok(id)
    } else {
        Err(syn::Error::new(
            literal.span(),
            "a capability id is dotted labels of a-z, 0-9 and '-', each starting with a letter, \
             for example \"acme.image-filter\"",
        ))
    }
}

fn parse_version(literal: &LitInt) -> syn::Result<u32> {
    match literal.base10_parse() {
        Ok(version) if version > 0 => Ok(version),
        _ => Err(syn::Error::new(
            literal.span(),
            "the version is the major version, from 1 up",
        )),
    }
}
