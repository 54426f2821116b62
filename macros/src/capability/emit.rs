//! The code that a capability trait becomes.
//!
//! The trait itself, with `async fn` written out as `-> impl Future + Send`; a handle with the
//! same methods; and, in an anonymous block, the method table, one adapter function per method
//! for the author's side, and one forwarding method for the caller's. Adapters and forwarders are
//! a few lines each: guards, leases and conversions are functions of `keyway`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::model::{Arg, Capability, Method};

pub(crate) fn emit(model: &Capability) -> TokenStream {
    let item = emit_trait(model);
    let handle = emit_handle(model);
    let table = emit_table(model);
    let adapters = model
        .methods
        .iter()
        .map(|method| emit_adapter(model, method));
    let capability = emit_capability(model);
    let forward = emit_forward(model);
    quote! {
        #item
        #handle
        #[allow(unsafe_code, reason = "the method table is called and filled here")]
        #[allow(clippy::too_many_arguments, clippy::type_complexity, reason = "the author's methods")]
        const _: () = {
            #table
            #(#adapters)*
            #capability
            #forward
        };
    }
}

fn handle_ident(model: &Capability) -> Ident {
    format_ident!("{}Handle", model.ident)
}

fn emit_trait(model: &Capability) -> TokenStream {
    let Capability {
        attrs,
        vis,
        ident,
        supertraits,
        ..
    } = model;
    let methods = model.methods.iter().map(|method| {
        let attrs = &method.attrs;
        let signature = signature(method);
        let body = method.default.as_ref().map_or_else(
            || quote!(;),
            |body| {
                if method.is_async {
                    quote!({ async move #body })
                } else {
                    quote!(#body)
                }
            },
        );
        quote!(#(#attrs)* #signature #body)
    });
    quote! {
        #(#attrs)*
        #vis trait #ident: #supertraits {
            #(#methods)*
        }
    }
}

/// The method as the trait and the handle declare it.
fn signature(method: &Method) -> TokenStream {
    let Method { ident, output, .. } = method;
    let args = method
        .args
        .iter()
        .map(|Arg { ident, written, .. }| quote!(#ident: #written));
    let output = if method.is_async {
        quote!(impl ::core::future::Future<Output = #output> + ::core::marker::Send)
    } else {
        output.to_token_stream()
    };
    quote!(fn #ident(&self, #(#args),*) -> #output)
}

fn emit_handle(model: &Capability) -> TokenStream {
    let Capability {
        vis,
        ident,
        krate,
        id,
        version,
        ..
    } = model;
    let handle = handle_ident(model);
    let doc = format!(
        "A handle to an implementation of [`{ident}`] (`{id}/{version}`) in a plugin.\n\n\
         Cheap to clone, callable from any thread, and valid over reloads: each call goes to the \
         version that serves at that moment."
    );
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #vis struct #handle {
            target: #krate::capability::Target,
        }

        impl #handle {
            /// Makes an implementation ready to be registered by a plugin.
            #vis fn provide(
                implementation: impl #ident + 'static,
            ) -> #krate::capability::Provided {
                <Self as #krate::capability::Provide<_>>::provide(implementation)
            }

            /// The same handle with a deadline for each async call made through it.
            ///
            /// A call that takes longer is cancelled and answers a deadline-exceeded error.
            #[must_use]
            #vis fn with_deadline(&self, deadline: ::core::time::Duration) -> Self {
                Self { target: self.target.with_deadline(deadline) }
            }
        }
    }
}

/// `<T as Pass>::Abi`, with all tokens at the place of the type, so that a type which does not
/// cross is one error there.
fn abi(krate: &TokenStream, ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as #krate::abi::pass::Pass>::Abi)
}

fn output_abi(krate: &TokenStream, output: &Type) -> TokenStream {
    quote_spanned! {output.span()=>
        <<#output as #krate::abi::pass::Outcome>::Ok as #krate::abi::pass::Pass>::Abi
    }
}

/// What the table's function answers.
fn answer(krate: &TokenStream, method: &Method) -> TokenStream {
    let output = output_abi(krate, &method.output);
    if method.is_async {
        quote!(#krate::abi::BorrowingFfiFuture<'call, #krate::abi::AbiResult<#output>>)
    } else {
        quote!(#krate::abi::AbiResult<#output>)
    }
}

fn emit_table(model: &Capability) -> TokenStream {
    let Capability { krate, ident, .. } = model;
    let fields = model.methods.iter().map(|method| {
        let name = &method.ident;
        let args = method.args.iter().map(|arg| abi(krate, &arg.call));
        let answer = answer(krate, method);
        quote! {
            #name: for<'call> unsafe extern "C" fn(
                #krate::shim::This<'call>, #(#args),*
            ) -> #answer
        }
    });
    let names: Vec<_> = model.methods.iter().map(|method| &method.ident).collect();
    quote! {
        #[repr(C)]
        struct Table {
            header: #krate::abi::VTableHeader,
            #(#fields,)*
        }

        struct TableOf<T>(::core::marker::PhantomData<T>);

        impl<T: #ident + 'static> TableOf<T> {
            const TABLE: Table = Table {
                header: #krate::shim::header::<Table, T>(),
                #(#names: #names::<T>,)*
            };
        }
    }
}

fn emit_adapter(model: &Capability, method: &Method) -> TokenStream {
    let Capability {
        krate,
        ident: trait_ident,
        ..
    } = model;
    let name = &method.ident;
    let args: Vec<_> = method.args.iter().map(|arg| &arg.ident).collect();
    let types = method.args.iter().map(|arg| abi(krate, &arg.call));
    let answer = answer(krate, method);
    let receive = quote! {
        // SAFETY: the caller read this function from the table that belongs to the object.
        let this = unsafe { this.get::<T>() };
        // SAFETY: the layouts of both sides were compared before the first call, and whoever
        // calls holds the arguments' memory for the time of the call.
        #(let #args = unsafe {
            #krate::abi::pass::Pass::receive(#args, &#krate::abi::pass::Origin::OUTLIVES_US)
        }?;)*
    };
    let body = if method.is_async {
        quote! {
            #krate::shim::future(async move {
                #receive
                #trait_ident::#name(this, #(#args),*).await
            })
        }
    } else {
        quote! {
            #krate::shim::call(move || {
                #receive
                #trait_ident::#name(this, #(#args),*)
            })
        }
    };
    quote! {
        unsafe extern "C" fn #name<'call, T: #trait_ident + 'static>(
            this: #krate::shim::This<'call>,
            #(#args: #types),*
        ) -> #answer {
            #body
        }
    }
}

fn emit_capability(model: &Capability) -> TokenStream {
    let Capability {
        krate,
        ident,
        id,
        version,
        ..
    } = model;
    let handle = handle_ident(model);
    let required = u32::try_from(model.required()).unwrap_or(u32::MAX);
    let methods = model.methods.iter().map(|method| {
        let name = method.ident.to_string();
        let kind = if method.is_async {
            quote!(future)
        } else {
            quote!(sync)
        };
        let output = output_abi(krate, &method.output);
        let args = method.args.iter().map(|arg| {
            let (name, ty) = (arg.ident.to_string(), abi(krate, &arg.fixed));
            quote!(#krate::abi::ArgLayout::of::<#ty>(#name))
        });
        quote!(#krate::abi::MethodLayout::#kind::<#output>(#name, &[#(#args),*]))
    });
    quote! {
        impl #krate::capability::Capability for #handle {
            const ID: &'static str = #id;
            const MAJOR: u32 = #version;
            const LAYOUT: &'static #krate::abi::InterfaceLayout =
                &#krate::abi::InterfaceLayout::new(#id, #version, #required, &[#(#methods),*]);

            fn from_target(target: #krate::capability::Target) -> Self {
                Self { target }
            }

            fn target(&self) -> &#krate::capability::Target {
                &self.target
            }
        }

        impl<T: #ident + 'static> #krate::capability::Provide<T> for #handle {
            fn provide(implementation: T) -> #krate::capability::Provided {
                // SAFETY: the table was made for this type and follows the layout.
                unsafe {
                    #krate::capability::Provided::new(
                        implementation,
                        &TableOf::<T>::TABLE.header,
                        <Self as #krate::capability::Capability>::LAYOUT,
                    )
                }
            }
        }
    }
}

fn emit_forward(model: &Capability) -> TokenStream {
    let Capability { krate, ident, .. } = model;
    let handle = handle_ident(model);
    let forward = model.methods.iter().map(|method| {
        let signature = signature(method);
        let body = forward_body(krate, ident, method);
        quote!(#[inline] #signature { #body })
    });
    let mut required = model
        .methods
        .iter()
        .filter(|method| method.default.is_none())
        .peekable();
    let defaults = (model.required() < model.methods.len()).then(|| {
        let unused = required
            .peek()
            .is_none()
            .then(|| quote!(#[allow(dead_code, reason = "no default body calls another method")]));
        let required = required.map(|method| {
            let signature = signature(method);
            let name = &method.ident;
            let args = method.args.iter().map(|arg| &arg.ident);
            quote!(#signature { #ident::#name(self.0, #(#args),*) })
        });
        quote! {
            /// Runs the default bodies, for an implementation that was built before a method
            /// existed. What a default body calls goes to the implementation.
            struct Defaults<'a>(#unused &'a #handle);

            impl #ident for Defaults<'_> {
                #(#required)*
            }
        }
    });
    quote! {
        impl #ident for #handle {
            #(#forward)*
        }
        #defaults
    }
}

fn forward_body(krate: &TokenStream, trait_ident: &Ident, method: &Method) -> TokenStream {
    let name = &method.ident;
    let args: Vec<_> = method.args.iter().map(|arg| &arg.ident).collect();
    let invoke = quote! {
        // SAFETY: the target only hands out objects whose table was compared with the layout of
        // this capability and is long enough for this method.
        unsafe { (object.table::<Table>().#name)(object.this(), #(#args),*) }
    };
    let pass = quote!(#(let #args = #krate::abi::pass::Pass::pass(#args)?;)*);
    let needed = quote! {
        ::core::mem::offset_of!(Table, #name) + ::core::mem::size_of::<usize>()
    };
    match (method.is_async, method.default.is_some()) {
        (false, false) => quote! {
            #pass
            self.target.call(move |object| #invoke)
        },
        (false, true) => quote! {
            if !self.target.offers(#needed) {
                return #trait_ident::#name(&Defaults(self), #(#args),*);
            }
            #pass
            self.target.call_appended(#needed, move |object| #invoke)
        },
        // An async block, since it may capture the lifetimes of several borrowed arguments.
        (true, false) => quote! {
            async move {
                self.target
                    .call_async(0, move |object| {
                        #pass
                        ::core::result::Result::Ok(#invoke)
                    })
                    .await
            }
        },
        (true, true) => quote! {
            async move {
                if !self.target.offers(#needed) {
                    return #trait_ident::#name(&Defaults(self), #(#args),*).await;
                }
                self.target
                    .call_async(#needed, move |object| {
                        #pass
                        ::core::result::Result::Ok(#invoke)
                    })
                    .await
            }
        },
    }
}
