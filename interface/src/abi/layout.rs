//! What a method table looks like, as data that the other side can compare before it calls.
//!
//! Each side carries the layout of every interface it uses: the names of the methods in order,
//! and for each the layouts of arguments and result. [`InterfaceLayout::check`] compares what the
//! caller expects with what the callee offers. Types are compared by abi_stable, methods by this
//! module, so a refusal names the method and the argument.
//!
//! abi_stable's own check has a direction: the older side must be the "interface", or trailing
//! additions are refused. It is not always knowable which side is older, so both are tried.

mod cause;
mod describe;
mod name;
mod same;

#[cfg(test)]
mod tests;

use std::fmt;

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::std_types::{RSlice, RStr};
use abi_stable::type_layout::TypeLayout;

pub use describe::describe_types;

use name::type_name;
use same::Same;

/// One argument of a method. Frozen.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct ArgLayout {
    name: RStr<'static>,
    layout: &'static TypeLayout,
}

impl ArgLayout {
    /// An argument of this name and type.
    pub const fn of<T: StableAbi>(name: &'static str) -> Self {
        ArgLayout {
            name: RStr::from_str(name),
            layout: T::LAYOUT,
        }
    }
}

/// One method of an interface. Frozen.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct MethodLayout {
    name: RStr<'static>,
    /// Bit 0: answers a future.
    flags: u32,
    args: RSlice<'static, ArgLayout>,
    output: &'static TypeLayout,
}

const ASYNC: u32 = 1;

impl MethodLayout {
    /// A method that answers at once with a `T`.
    pub const fn sync<T: StableAbi>(name: &'static str, args: &'static [ArgLayout]) -> Self {
        Self::new::<T>(name, 0, args)
    }

    /// A method that answers a future of a `T`.
    pub const fn future<T: StableAbi>(name: &'static str, args: &'static [ArgLayout]) -> Self {
        Self::new::<T>(name, ASYNC, args)
    }

    const fn new<T: StableAbi>(name: &'static str, flags: u32, args: &'static [ArgLayout]) -> Self {
        MethodLayout {
            name: RStr::from_str(name),
            flags,
            args: RSlice::from_slice(args),
            output: T::LAYOUT,
        }
    }

    fn is_async(&self) -> bool {
        self.flags & ASYNC != 0
    }
}

/// The methods of an interface, in the order of its table. Frozen.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct InterfaceLayout {
    id: RStr<'static>,
    major: u32,
    /// How many methods, from the first, every implementation has; the others have defaults.
    required: u32,
    methods: RSlice<'static, MethodLayout>,
}

impl InterfaceLayout {
    /// An interface `id/major` whose first `required` methods have no default body.
    pub const fn new(
        id: &'static str,
        major: u32,
        required: u32,
        methods: &'static [MethodLayout],
    ) -> Self {
        InterfaceLayout {
            id: RStr::from_str(id),
            major,
            required,
            methods: RSlice::from_slice(methods),
        }
    }

    /// The same layout at another place: its methods stay where they are.
    pub(super) const fn copied(&self) -> Self {
        let InterfaceLayout {
            id,
            major,
            required,
            methods,
        } = *self;
        InterfaceLayout {
            id,
            major,
            required,
            methods,
        }
    }

    /// The identifier, for example `keyway.tool`.
    pub fn id(&self) -> &'static str {
        self.id.as_str()
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// How many methods the table has.
    pub fn method_count(&self) -> usize {
        self.methods.len()
    }

    /// How many methods, from the first, have no default body.
    pub fn required_count(&self) -> usize {
        self.required as usize
    }

    /// The size in bytes of a table with these methods.
    pub fn table_size(&self) -> usize {
        size_of::<super::VTableHeader>() + self.methods.len() * size_of::<fn()>()
    }

    /// Compares what a caller expects (`self`) with what a callee offers.
    ///
    /// # Errors
    ///
    /// The first difference that makes a call impossible, with the full comparison of the types
    /// concerned in [`LayoutError::details`].
    pub fn check(&self, offered: &InterfaceLayout) -> Result<(), LayoutError> {
        Comparison::new().interface(self, offered)
    }

    /// A stable text of the whole layout, for the golden file that guards it.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "interface {}/{} required {}\n",
            self.id, self.major, self.required
        );
        for method in self.methods.iter() {
            let kind = if method.is_async() { "async fn" } else { "fn" };
            let args: Vec<String> = method
                .args
                .iter()
                .map(|arg| format!("{}: {}", arg.name, type_name(arg.layout)))
                .collect();
            text.push_str(&format!(
                "  {kind} {}({}) -> {}\n",
                method.name,
                args.join(", "),
                type_name(method.output)
            ));
        }
        text
    }
}

/// Comparisons of the layouts of two sides. What was found to fit is not looked at again, so one of these
/// for all that is compared at a time makes it a good deal faster; it leads into the libraries of both
/// sides, and must be gone before they are.
#[derive(Debug, Default)]
pub struct Comparison {
    same: Same,
}

impl Comparison {
    /// Nothing was compared yet.
    pub fn new() -> Self {
        Comparison::default()
    }

    /// Compares what a caller expects of an interface with what a callee offers.
    ///
    /// # Errors
    ///
    /// As [`InterfaceLayout::check`].
    pub fn interface(
        &mut self,
        expected: &InterfaceLayout,
        offered: &InterfaceLayout,
    ) -> Result<(), LayoutError> {
        let refuse = |message: String| LayoutError {
            message: format!("interface {}/{}: {message}", expected.id, expected.major),
            details: None,
        };
        if expected.id != offered.id || expected.major != offered.major {
            return Err(refuse(format!(
                "expected this interface, found {}/{}",
                offered.id, offered.major
            )));
        }
        if offered.methods.len() < expected.required as usize {
            let missing = &expected.methods[offered.methods.len()];
            return Err(refuse(format!(
                "method `{}` is required, and the implementation ends after {} of {} methods",
                missing.name,
                offered.methods.len(),
                expected.required
            )));
        }
        if expected.methods.len() < offered.required as usize {
            return Err(refuse(format!(
                "the implementation requires {} methods, the caller knows {}",
                offered.required,
                expected.methods.len()
            )));
        }
        let methods = expected.methods.iter().zip(offered.methods.iter());
        for (index, (ours, theirs)) in methods.enumerate() {
            self.method(index, ours, theirs)
                .map_err(|error| LayoutError {
                    details: error.details,
                    ..refuse(error.message)
                })?;
        }
        Ok(())
    }

    fn method(
        &mut self,
        index: usize,
        ours: &MethodLayout,
        theirs: &MethodLayout,
    ) -> Result<(), LayoutError> {
        let refuse = |message: String| LayoutError {
            message,
            details: None,
        };
        if ours.name != theirs.name {
            return Err(refuse(format!(
                "method {index}: expected `{}`, found `{}`; methods may only be appended",
                ours.name, theirs.name
            )));
        }
        let name = ours.name.as_str();
        if ours.is_async() != theirs.is_async() {
            let kind = |method: &MethodLayout| {
                if method.is_async() {
                    "async"
                } else {
                    "not async"
                }
            };
            return Err(refuse(format!(
                "method `{name}`: expected it to be {}, found it {}",
                kind(ours),
                kind(theirs)
            )));
        }
        if ours.args.len() != theirs.args.len() {
            return Err(refuse(format!(
                "method `{name}`: expected {} arguments, found {}",
                ours.args.len(),
                theirs.args.len()
            )));
        }
        for (ours, theirs) in ours.args.iter().zip(theirs.args.iter()) {
            self.types(ours.layout, theirs.layout)
                .map_err(|error| error.at(&format!("method `{name}`, argument `{}`", ours.name)))?;
        }
        self.types(ours.output, theirs.output)
            .map_err(|error| error.at(&format!("method `{name}`, result")))
    }

    /// Compares two type layouts, whichever side is the older one.
    ///
    /// # Errors
    ///
    /// The first difference, with the full text of abi_stable in [`LayoutError::details`].
    pub fn types(
        &mut self,
        ours: &'static TypeLayout,
        theirs: &'static TypeLayout,
    ) -> Result<(), LayoutError> {
        match self.same.holds(ours, theirs) {
            true => Ok(()),
            false => compatible(ours, theirs),
        }
    }
}

/// What abi_stable says of two type layouts.
///
/// The checking state is made anew for each comparison: the state that abi_stable would cache
/// keeps pointers into the plugin, and would outlive it.
fn compatible(ours: &'static TypeLayout, theirs: &'static TypeLayout) -> Result<(), LayoutError> {
    let forward = check_layout_compatibility_with_globals(ours, theirs, &CheckingGlobals::new());
    let Err(error) = forward else { return Ok(()) };
    let backward = check_layout_compatibility_with_globals(theirs, ours, &CheckingGlobals::new());
    if backward.is_ok() {
        return Ok(());
    }
    // The errors borrow from the plugin's memory, so they become text here and now.
    let details = error.to_string();
    let (expected, found) = (type_name(ours), type_name(theirs));
    let message = if expected == found {
        let cause = cause::first_cause(&error);
        format!("type `{expected}` has another layout: {cause}")
    } else {
        format!("expected type `{expected}`, found `{found}`")
    };
    Err(LayoutError {
        message,
        details: Some(details),
    })
}

/// Why two layouts do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError {
    message: String,
    details: Option<String>,
}

impl LayoutError {
    /// The full comparison, many lines, where there is more to say than the first cause.
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

/// The first cause, in one line.
impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LayoutError {}
