//! What a capability trait says, checked: every rule that syntax alone can decide is decided here,
//! each with one error at the place that breaks it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, FnArg, ItemTrait, Lifetime, LitInt, LitStr, Pat, Path, ReturnType, Safety,
    Token, TraitItem, TraitItemFn, Type, TypeParamBound, Visibility,
};

/// `id = "...", version = 1`, and `crate = path` for re-exports.
pub(crate) struct Args {
    id: String,
    version: u32,
    krate: TokenStream,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let start = input.span();
        let (mut id, mut version, mut krate) = (None, None, quote!(::keyway));
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                krate = input.parse::<Path>()?.into_token_stream();
            } else {
                let key: Ident = input.parse()?;
                input.parse::<Token![=]>()?;
                match key.to_string().as_str() {
                    "id" => id = Some(parse_id(&input.parse()?)?),
                    "version" => version = Some(parse_version(&input.parse()?)?),
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
                start,
                format!("missing `{what}`; write #[capability(id = \"acme.name\", version = 1)]"),
            )
        };
        Ok(Args {
            id: id.ok_or_else(|| missing("id"))?,
            version: version.ok_or_else(|| missing("version"))?,
            krate,
        })
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

pub(crate) struct Capability {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) krate: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) supertraits: Punctuated<TypeParamBound, Token![+]>,
    /// Required methods first, then those with a default body.
    pub(crate) methods: Vec<Method>,
}

pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) is_async: bool,
    pub(crate) args: Vec<Arg>,
    /// The result type as written; `Outcome` decides whether it fits.
    pub(crate) output: Type,
    pub(crate) default: Option<Block>,
}

pub(crate) struct Arg {
    pub(crate) ident: Ident,
    /// The type as the author wrote it.
    pub(crate) written: Type,
    /// The same with every lifetime named `'call`.
    pub(crate) call: Type,
    /// The same with every lifetime `'static`, for its layout.
    pub(crate) fixed: Type,
}

impl Capability {
    pub(crate) fn new(args: Args, item: ItemTrait) -> syn::Result<Self> {
        if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
            return Err(syn::Error::new(
                item.generics.span(),
                "a capability trait has no generic parameters: its method table is one for all",
            ));
        }
        if item.unsafety.is_some() {
            return Err(syn::Error::new(
                item.unsafety.span(),
                "a capability trait is safe",
            ));
        }
        check_supertraits(&item)?;
        let mut methods = Vec::new();
        for item in item.items {
            match item {
                TraitItem::Fn(method) => methods.push(Method::new(method)?),
                other => {
                    return Err(syn::Error::new(
                        other.span(),
                        "a capability trait has methods only: associated types and constants \
                         have no place in a method table",
                    ));
                }
            }
        }
        if let Some(late) = methods
            .iter()
            .skip_while(|method| method.default.is_none())
            .find(|method| method.default.is_none())
        {
            return Err(syn::Error::new(
                late.ident.span(),
                "a method without a default body stands before all methods that have one: later \
                 minors may only append, and what they append needs a default",
            ));
        }
        Ok(Capability {
            id: args.id,
            version: args.version,
            krate: args.krate,
            attrs: item.attrs,
            vis: item.vis,
            ident: item.ident,
            supertraits: item.supertraits,
            methods,
        })
    }

    pub(crate) fn required(&self) -> usize {
        self.methods
            .iter()
            .filter(|method| method.default.is_none())
            .count()
    }
}

fn check_supertraits(item: &ItemTrait) -> syn::Result<()> {
    let (mut send, mut sync) = (false, false);
    for bound in &item.supertraits {
        let name = bound.to_token_stream().to_string();
        match name.rsplit(' ').next().unwrap_or_default() {
            "Send" => send = true,
            "Sync" => sync = true,
            "'static" => {}
            _ => {
                return Err(syn::Error::new(
                    bound.span(),
                    "a capability trait may only require Send, Sync and 'static: a handle to a \
                     plugin has nothing else to offer",
                ));
            }
        }
    }
    if send && sync {
        return Ok(());
    }
    Err(syn::Error::new(
        item.ident.span(),
        format!(
            "a capability is called from any thread; write `trait {}: Send + Sync`",
            item.ident
        ),
    ))
}

impl Method {
    fn new(method: TraitItemFn) -> syn::Result<Self> {
        let TraitItemFn {
            attrs,
            sig,
            default,
            ..
        } = method;
        if sig.constness.is_some() || sig.abi.is_some() || sig.variadic.is_some() {
            return Err(syn::Error::new(
                sig.span(),
                "a capability method is a plain fn or async fn",
            ));
        }
        if let Safety::Unsafe(token) = &sig.safety {
            return Err(syn::Error::new(token.span(), "a capability method is safe"));
        }
        if !sig.generics.params.is_empty() || sig.generics.where_clause.is_some() {
            return Err(syn::Error::new(
                sig.generics.span(),
                "a capability method has no generic parameters; leave lifetimes out, they are \
                 those of the call",
            ));
        }
        let mut inputs = sig.inputs.into_iter();
        match inputs.next() {
            Some(FnArg::Receiver(receiver))
                if receiver.to_token_stream().to_string().replace(' ', "") == "&self" => {}
            other => {
                let span = other.map_or(sig.ident.span(), |first| first.span());
                return Err(syn::Error::new(
                    span,
                    "a capability method takes `&self`: the object is shared by all its callers",
                ));
            }
        }
        let args = inputs.map(Arg::new).collect::<syn::Result<_>>()?;
        let output = match sig.output {
            ReturnType::Type(_, output) => *output,
            ReturnType::Default => {
                return Err(syn::Error::new(
                    sig.ident.span(),
                    "a capability method returns `keyway::Result<T>`: a call into a plugin can \
                     always fail",
                ));
            }
        };
        if let Some(span) = find_borrow(&output) {
            return Err(syn::Error::new(
                span,
                "a result owns its data: the plugin may be unloaded while the caller still holds \
                 it; return String, Vec<T> or Bytes",
            ));
        }
        Ok(Method {
            attrs,
            ident: sig.ident,
            is_async: sig.asyncness.is_some(),
            args,
            output,
            default,
        })
    }
}

impl Arg {
    fn new(arg: FnArg) -> syn::Result<Self> {
        let FnArg::Typed(arg) = arg else {
            return Err(syn::Error::new(arg.span(), "`self` is the first argument"));
        };
        let ident = match &*arg.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
            other => {
                return Err(syn::Error::new(
                    other.span(),
                    "an argument needs a plain name",
                ));
            }
        };
        let written = *arg.ty;
        if let Type::ImplTrait(ty) = &written {
            return Err(syn::Error::new(
                ty.span(),
                "an argument needs a concrete type: its layout is part of the interface",
            ));
        }
        let with = |name: &str| {
            let mut ty = written.clone();
            NameLifetimes(name).visit_type_mut(&mut ty);
            ty
        };
        Ok(Arg {
            ident,
            call: with("'call"),
            fixed: with("'static"),
            written,
        })
    }
}

/// Gives every lifetime that is not `'static` the same name.
struct NameLifetimes<'a>(&'a str);

impl VisitMut for NameLifetimes<'_> {
    fn visit_type_reference_mut(&mut self, ty: &mut syn::TypeReference) {
        if ty.lifetime.is_none() {
            ty.lifetime = Some(Lifetime::new(self.0, ty.and_token.span()));
        }
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = Lifetime::new(self.0, lifetime.span());
        }
    }
}

fn find_borrow(ty: &Type) -> Option<Span> {
    struct Find(Option<Span>);
    impl VisitMut for Find {
        fn visit_type_reference_mut(&mut self, ty: &mut syn::TypeReference) {
            self.0.get_or_insert(ty.span());
        }
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}
