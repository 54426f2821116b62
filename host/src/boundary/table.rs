//! Host tables of hosts that were built at other times, for tests of plugins: one that ends after the methods
//! that every host has, and one with more methods than any plugin knows.
//!
//! They are what a plugin of this interface would meet in an older or a newer host: the same functions, in a
//! table of another size.
#![expect(unsafe_code, reason = "copies a method table")]

use std::sync::OnceLock;

use keyway::abi::{InterfaceLayout, RawObject, VTableHeader};

/// Which methods a host offers its plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostTable {
    /// All that this build knows, which is what every host does that is no test.
    #[default]
    Own,
    /// Only those that have no default body, as the oldest host of this major does. Whatever a plugin asks for
    /// beyond them answers [`Unsupported`](keyway::ErrorKind::Unsupported).
    Older,
    /// All, and after them some that only a later build could know. They end the process when they are
    /// called.
    Newer,
}

/// How many methods a newer host has beyond those of this build.
const MORE: usize = 4;

/// A copy of a method table, for the rest of the process.
struct Table(Box<[*const ()]>);

// SAFETY: it holds functions and a size, and is never changed.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl HostTable {
    /// The object with this table.
    ///
    /// # Safety
    ///
    /// It is an object of the host's, of the one type that it implements the table for, and its table has
    /// the size that the layout says.
    pub(super) unsafe fn reshape(self, object: RawObject, layout: &InterfaceLayout) -> RawObject {
        // There is one implementation of the host table, so one copy of each kind.
        static OLDER: OnceLock<Table> = OnceLock::new();
        static NEWER: OnceLock<Table> = OnceLock::new();
        let (copy, methods) = match self {
            HostTable::Own => return object,
            HostTable::Older => (&OLDER, layout.required_count()),
            HostTable::Newer => (&NEWER, layout.method_count() + MORE),
        };
        // SAFETY: passed on to the caller.
        let Table(table) = copy.get_or_init(|| unsafe { with_methods(object, layout, methods) });
        RawObject {
            data: object.data,
            vtable: table.as_ptr().cast(),
        }
    }
}

/// A copy of an object's table with another number of methods.
///
/// # Safety
///
/// The object's table has the size that the layout says.
unsafe fn with_methods(object: RawObject, layout: &InterfaceLayout, methods: usize) -> Table {
    const WORD: usize = size_of::<*const ()>();
    const HEAD: usize = size_of::<VTableHeader>() / WORD;
    let words = layout.table_size() / WORD;
    // SAFETY: a table is a header of two words and one function pointer for each method, all of which
    // may be read as pointers; it is a static of this binary.
    let whole = unsafe { std::slice::from_raw_parts(object.vtable.cast::<*const ()>(), words) };
    let beyond = beyond as extern "C" fn() -> ! as *const ();
    let mut table: Vec<*const ()> = whole.to_vec();
    table.resize(HEAD + methods, beyond);
    let size = table.len() * WORD;
    // The first field of the header.
    table[0] = std::ptr::without_provenance(size);
    Table(table.into())
}

/// Stands for a method that no plugin of this interface can know.
extern "C" fn beyond() -> ! {
    std::process::abort()
}
