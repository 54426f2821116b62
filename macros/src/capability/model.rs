//! What a capability trait says, checked: every rule that syntax alone can decide is decided here,
//! each with one error at the place that breaks it, and all of them at once.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, FnArg, Generics, ItemTrait, Lifetime, Pat, Receiver, ReturnType, Safety,
    Signature, Token, TraitItem, TraitItemFn, Type, TypeParamBound, Visibility,
};

use super::args::Args;
use super::types::{self, Fit};

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
    /// `&self` as written, so that the default body's `self` is this one.
    pub(crate) receiver: Receiver,
    pub(crate) args: Vec<Arg>,
    /// The result type as written; `Outcome` decides whether it is one.
    pub(crate) output: Type,
    /// What it is the result of, unless that is hidden in a type alias, and whether `Pass` still
    /// has to decide if that fits.
    pub(crate) value: Option<(Type, Fit)>,
    pub(crate) default: Option<Block>,
}

pub(crate) struct Arg {
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    /// The type as the author wrote it.
    pub(crate) written: Type,
    /// The same with every lifetime named `'call`.
    pub(crate) call: Type,
    /// The same with every lifetime `'static`, for its layout.
    pub(crate) fixed: Type,
    /// Whether `Pass` still has to decide if the type fits.
    pub(crate) fit: Fit,
}

/// Collects errors, so that one compilation tells all of them.
#[derive(Default)]
struct Errors(Option<syn::Error>);

impl Errors {
    fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }
}

impl Capability {
    pub(crate) fn new(args: Args, item: ItemTrait) -> syn::Result<Self> {
        let mut errors = Errors::default();
        errors.take(check_head(&item));
        let mut methods = Vec::new();
        for item in item.items {
            match item {
                TraitItem::Fn(method) => methods.extend(errors.take(Method::new(method))),
                other => errors.push(syn::Error::new_spanned(
                    other,
                    "a capability trait has methods only: other items have no place in a method \
                     table",
                )),
            }
        }
        if let Some(late) = methods
            .iter()
            .skip_while(|method| method.default.is_none())
            .find(|method| method.default.is_none())
        {
            errors.push(syn::Error::new(
                late.ident.span(),
                "a method without a default body stands before all methods that have one: later \
                 minors may only append, and what they append needs a default",
            ));
        }
        match errors.0 {
            Some(error) => Err(error),
            None => Ok(Capability {
                id: args.id,
                version: args.version,
                krate: args.krate,
                attrs: item.attrs,
                vis: item.vis,
                ident: item.ident,
                supertraits: item.supertraits,
                methods,
            }),
        }
    }

    pub(crate) fn required(&self) -> usize {
        self.methods
            .iter()
            .filter(|method| method.default.is_none())
            .count()
    }
}

fn check_head(item: &ItemTrait) -> syn::Result<()> {
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        let (params, clause) = (&item.generics.params, &item.generics.where_clause);
        return Err(syn::Error::new_spanned(
            quote!(#params #clause),
            "a capability trait has no generic parameters: its method table is one for all",
        ));
    }
    if let Some(token) = item.unsafety {
        return Err(syn::Error::new(token.span(), "a capability trait is safe"));
    }
    let (mut send, mut sync) = (false, false);
    for bound in &item.supertraits {
        let name = bound.to_token_stream().to_string();
        match name.rsplit(' ').next().unwrap_or_default() {
            "Send" => send = true,
            "Sync" => sync = true,
            "'static" => {}
            _ => {
                return Err(syn::Error::new_spanned(
                    bound,
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
        attrs.iter().try_for_each(check_attribute)?;
        check_signature(&sig)?;
        let mut inputs = sig.inputs.into_iter();
        let receiver = match inputs.next() {
            Some(FnArg::Receiver(receiver)) if is_shared(&receiver) => receiver,
            other => {
                let place = other.map_or_else(|| sig.ident.to_token_stream(), |arg| quote!(#arg));
                return Err(syn::Error::new_spanned(
                    place,
                    "a capability method takes `&self`: the object is shared by all its callers",
                ));
            }
        };
        check_generics(&sig.generics)?;
        let ReturnType::Type(_, output) = sig.output else {
            return Err(syn::Error::new(
                sig.ident.span(),
                "a capability method returns `keyway::Result<T>`, since a call into a plugin can \
                 always fail",
            ));
        };
        let mut errors = Errors::default();
        let args = inputs
            .filter_map(|arg| errors.take(Arg::new(arg, default.is_some())))
            .collect();
        let value = errors.take(types::result(&output)).flatten();
        match errors.0 {
            Some(error) => Err(error),
            None => Ok(Method {
                attrs,
                ident: sig.ident,
                is_async: sig.asyncness.is_some(),
                receiver,
                args,
                output: *output,
                value,
                default,
            }),
        }
    }

    /// The name without `r#`, for whatever is made from it.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// Attributes that would change what the method table looks like.
fn check_attribute(attr: &Attribute) -> syn::Result<()> {
    if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
        return Err(syn::Error::new_spanned(
            attr,
            "a capability has the same methods in every build: the two sides would disagree over \
             the method table; put `#[cfg]` on whole traits, or inside the default body",
        ));
    }
    Ok(())
}

fn check_signature(sig: &Signature) -> syn::Result<()> {
    if sig.constness.is_some() || sig.abi.is_some() || sig.variadic.is_some() {
        return Err(syn::Error::new_spanned(
            sig,
            "a capability method is a plain fn or async fn",
        ));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        return Err(syn::Error::new(token.span(), "a capability method is safe"));
    }
    let name = sig.ident.unraw().to_string();
    if name == "provide" || name == "with_deadline" {
        return Err(syn::Error::new(
            sig.ident.span(),
            format!(
                "every handle has a function `{name}` of its own, which would hide this method"
            ),
        ));
    }
    Ok(())
}

fn check_generics(generics: &Generics) -> syn::Result<()> {
    let (params, clause) = (&generics.params, &generics.where_clause);
    if params.is_empty() && clause.is_none() {
        return Ok(());
    }
    Err(syn::Error::new_spanned(
        quote!(#params #clause),
        "a capability method has no generic parameters; leave lifetimes out, they are those of \
         the call",
    ))
}

/// `&self`, in whichever way it is written.
fn is_shared(receiver: &Receiver) -> bool {
    matches!(
        receiver
            .to_token_stream()
            .to_string()
            .replace(' ', "")
            .as_str(),
        "&self" | "self:&Self"
    )
}

impl Arg {
    fn new(arg: FnArg, has_body: bool) -> syn::Result<Self> {
        let FnArg::Typed(arg) = arg else {
            return Err(syn::Error::new(arg.span(), "`self` is the first argument"));
        };
        if let Some(attr) = arg.attrs.first() {
            return Err(syn::Error::new_spanned(
                attr,
                "an argument of a capability method has no attributes",
            ));
        }
        let (mutability, ident) = match &*arg.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                (pat.mutability, pat.ident.clone())
            }
            other => {
                return Err(syn::Error::new_spanned(
                    other,
                    "an argument needs a plain name: it is part of the interface's description",
                ));
            }
        };
        if let (Some(token), false) = (mutability, has_body) {
            return Err(syn::Error::new(
                token.span(),
                "`mut` belongs to the implementation; the trait only names the argument",
            ));
        }
        let written = *arg.ty;
        let fit = types::argument(&written)?;
        let with = |name: &str| {
            let mut ty = written.clone();
            NameLifetimes(name).visit_type_mut(&mut ty);
            ty
        };
        Ok(Arg {
            mutability,
            ident,
            call: with("'call"),
            fixed: with("'static"),
            written,
            fit,
        })
    }
}

impl Arg {
    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
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
