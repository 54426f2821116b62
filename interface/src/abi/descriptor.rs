//! L1: the one static that a plugin exports.
//!
//! The host reads it after `dlopen`, compares it with the note that it read from the file before,
//! and checks every layout before the first function of the plugin is called. Append only: a
//! reader trusts `magic`, then `size`, and then no field beyond `size`.
#![expect(
    unsafe_code,
    reason = "layout pointers of a library are made Sync here, and a table of functions is copied"
)]

use abi_stable::library::AbiHeader;
use abi_stable::library::c_abi_testing::{C_ABI_TESTING_FNS, CAbiTestingFns};
use abi_stable::type_layout::TypeLayout;
use abi_stable::{StableAbi, std_types::RSlice};

use super::error::AbiResult;
use super::layout::InterfaceLayout;
use super::object::RawObject;
use super::root::PluginRootHandle;
use crate::capability::Capability;
use crate::host::HostServicesHandle;
use crate::shim::hooks::{EXPORTED, PluginThreads};

/// The first bytes of every descriptor.
pub const MAGIC: [u8; 16] = *b"KEYWAY-PLUGIN-L1";

/// What a plugin exports. Only [`Descriptor::new`] makes one.
#[repr(C)]
pub struct Descriptor {
    magic: [u8; 16],
    size: u32,
    interface_major: u16,
    built_minor: u16,
    required_minor: u16,
    flags: u16,
    abi_stable: AbiHeader,
    c_abi: &'static CAbiTestingFns,
    note: RSlice<'static, u8>,
    core: &'static TypeLayout,
    root: &'static InterfaceLayout,
    host: &'static InterfaceLayout,
    entry: Entry,
    threads: Option<&'static PluginThreads>,
}

/// Takes the host's services and answers the plugin's root object.
pub type Entry = unsafe extern "C" fn(host: RawObject) -> AbiResult<RawObject>;

// Statics and not the constants themselves, which would be laid out again in each plugin's crate, with
// the layout of every type in them, at each build.
static CORE: TypeLayout = *Descriptor::CORE;
// SAFETY: a table of function pointers, which may be copied.
static C_ABI: CAbiTestingFns = unsafe { std::ptr::read(C_ABI_TESTING_FNS) };
static ROOT: InterfaceLayout = <PluginRootHandle as Capability>::LAYOUT.copied();
static HOST: InterfaceLayout = <HostServicesHandle as Capability>::LAYOUT.copied();

// SAFETY: every pointer in a descriptor leads to immutable statics of the same library.
unsafe impl Sync for Descriptor {}

impl Descriptor {
    /// The layout of the types that every interface uses.
    pub const CORE: &'static TypeLayout = <super::CoreTypes<'static> as StableAbi>::LAYOUT;

    /// The descriptor of a plugin with this note and this entry function.
    pub const fn new(note: &'static [u8], required_minor: u16, entry: Entry) -> Self {
        Descriptor {
            magic: MAGIC,
            size: size_of::<Descriptor>() as u32,
            interface_major: crate::version::INTERFACE.major,
            built_minor: crate::version::INTERFACE.minor,
            required_minor,
            flags: 0,
            abi_stable: AbiHeader::VALUE,
            c_abi: &C_ABI,
            note: RSlice::from_slice(note),
            core: &CORE,
            root: &ROOT,
            host: &HOST,
            entry,
            threads: EXPORTED,
        }
    }

    /// Bytes at the start of every descriptor of every version: the magic and the size.
    pub const HEAD: usize = 20;

    /// The size that the head of a descriptor states, if it is the head of one. A newer plugin's
    /// descriptor is larger than ours.
    pub fn size_in(head: &[u8; Self::HEAD]) -> Option<usize> {
        let size = head.strip_prefix(&MAGIC)?;
        Some(u32::from_ne_bytes(size.try_into().ok()?) as usize)
    }

    /// The size of the descriptor that this build knows, in bytes.
    pub const SIZE: usize = size_of::<Descriptor>();

    /// Each field with its offset in bytes, for the golden file that guards the layout.
    pub fn describe() -> String {
        macro_rules! offsets {
            ($($field:ident: $type:literal),* $(,)?) => {
                [$((std::mem::offset_of!(Descriptor, $field), stringify!($field), $type)),*]
            };
        }
        let fields = offsets! {
            magic: "[u8; 16]",
            size: "u32",
            interface_major: "u16",
            built_minor: "u16",
            required_minor: "u16",
            flags: "u16",
            abi_stable: "AbiHeader",
            c_abi: "&CAbiTestingFns",
            note: "RSlice<u8>",
            core: "&TypeLayout",
            root: "&InterfaceLayout",
            host: "&InterfaceLayout",
            entry: "unsafe fn(RawObject) -> RResult<RawObject, AbiError>",
            threads: "Option<&PluginThreads>",
        };
        let mut text = format!("descriptor: size {}\n", Self::SIZE);
        for (offset, field, ty) in fields {
            text.push_str(&format!("  {offset} {field}: {ty}\n"));
        }
        text + &crate::shim::hooks::describe()
    }

    /// Major, built minor and required minor of the interface.
    pub fn interface(&self) -> (u16, u16, u16) {
        (self.interface_major, self.built_minor, self.required_minor)
    }

    /// The header of the plugin's copy of abi_stable.
    pub fn abi_stable(&self) -> &AbiHeader {
        &self.abi_stable
    }

    /// Functions that show how the plugin's compiler passes values over the C ABI.
    pub fn c_abi(&self) -> &'static CAbiTestingFns {
        self.c_abi
    }

    /// The plugin's own copy of its note.
    pub fn note(&self) -> &'static [u8] {
        self.note.as_slice()
    }

    /// The plugin's layout of the core types.
    pub fn core(&self) -> &'static TypeLayout {
        self.core
    }

    /// The layout of the plugin's root table.
    pub fn root(&self) -> &'static InterfaceLayout {
        self.root
    }

    /// The layout of the host table as the plugin expects it.
    pub fn host(&self) -> &'static InterfaceLayout {
        self.host
    }

    /// The plugin's thread hooks; none on a platform without them.
    pub fn threads(&self) -> Option<&'static PluginThreads> {
        self.threads
    }

    /// The function that makes the root object.
    pub fn entry(&self) -> Entry {
        self.entry
    }
}

impl std::fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Descriptor")
            .field("size", &self.size)
            .field("interface", &self.interface())
            .finish_non_exhaustive()
    }
}
