//! An open library: from `dlopen` to a descriptor that was checked in every respect.
//!
//! The file was inspected before; nothing in here is the first to look at it. The order of the
//! checks is the order of trust: magic, size, the header of abi_stable, how values are passed,
//! the note, and last the layouts of all types and tables.
#![expect(unsafe_code, reason = "opens libraries and reads what they export")]

mod exit;
mod mapped;
mod reaper;
mod tally;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod threads;

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use abi_stable::library::c_abi_testing;
use keyway::abi::Descriptor;
use keyway::abi::layout::{Comparison, LayoutError};
use keyway::abi::note::{self, Endian};
use keyway::abi::root::PluginRootHandle;
use keyway::capability::Capability;
use keyway::host::HostServicesHandle;

use crate::error::{HostError, HostErrorKind};
use crate::inspect::{Inspection, NoteFacts};

pub(crate) use reaper::IdleThreads;
pub use tally::LibraryCounts;
pub(crate) use tally::{Closed, Tally};
pub(crate) use threads::host_thread;

use reaper::Closing;
use threads::Record;

/// What is known and decided of a library before it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    note: NoteFacts,
    /// How many bytes of address space it takes, as far as the file tells.
    mapped_bytes: Option<u64>,
    /// What in the file keeps the library in memory once it is there.
    pin: Option<String>,
    idle_threads: IdleThreads,
    /// How long threads get to destroy their thread-locals when the library is closed.
    patience: Duration,
}

impl Terms {
    pub(crate) fn new(
        inspection: &Inspection,
        note: &NoteFacts,
        idle_threads: IdleThreads,
        patience: Duration,
    ) -> Self {
        Terms {
            note: note.clone(),
            mapped_bytes: inspection.mapped_bytes,
            pin: pin_of(inspection),
            idle_threads,
            patience,
        }
    }
}

fn pin_of(inspection: &Inspection) -> Option<String> {
    if inspection.nodelete {
        return Some(
            "it forbids its unloading (DF_1_NODELETE); link it without `-z nodelete`".to_owned(),
        );
    }
    let unique = &inspection.unique_symbols;
    (unique.count > 0).then(|| {
        let names = unique.names.join(", ");
        format!(
            "it has {} symbols that the dynamic loader keeps unique (STB_GNU_UNIQUE), such as \
             {names}; C++ code needs -fno-gnu-unique",
            unique.count
        )
    })
}

/// A library whose descriptor was checked.
///
/// When it is dropped the [reaper](reaper) closes it. Whatever leads into it has to be gone by
/// then; its threads and thread-locals are the business of [`threads`].
pub(crate) struct Library {
    /// Lives as long as the library is open.
    descriptor: &'static Descriptor,
    mapped_bytes: Option<u64>,
    /// Taken by drop.
    closing: Option<Closing>,
}

impl Library {
    /// Opens a staged file and checks what it exports, unless too many libraries stay in memory.
    ///
    /// Its constructors run in here, as the first code of the plugin.
    pub(crate) fn open(path: &Path, terms: &Terms, tally: &Arc<Tally>) -> Result<Self, HostError> {
        tally.admit()?;
        exit::watch();
        let handle = open(path).map_err(|error| {
            HostError::new(
                HostErrorKind::Open,
                format!("the dynamic loader refused the library: {error}"),
            )
            .hint("`keyway inspect` lists the libraries that it needs")
        })?;
        let mut closing = Closing {
            handle,
            threads: None,
            record: Record::new(),
            path: path.to_owned(),
            tally: Arc::clone(tally),
            pin: terms.pin.clone(),
            idle_threads: terms.idle_threads,
            patience: terms.patience,
            listeners: Mutex::default(),
        };
        tally.opened();
        match check(&mut closing, &terms.note) {
            Ok(descriptor) => Ok(Library {
                descriptor,
                mapped_bytes: terms.mapped_bytes,
                closing: Some(closing),
            }),
            Err(error) if closing.threads.is_some() => {
                // Nothing of it has run but its constructors, and the reaper finds out what these
                // have left behind.
                reaper::close(closing);
                Err(error)
            }
            Err(error) => {
                closing.retain(
                    "it was refused after its constructors had run, and what these have left \
                     behind is not known",
                );
                Err(error)
            }
        }
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// Says whom the threads of the plugin are to hold.
    pub(crate) fn set_generation(&self, generation: Weak<dyn Any + Send + Sync>) {
        if let Some(closing) = &self.closing {
            closing.record.set_generation(generation);
        }
    }

    /// Has the listener told how the library ends: once, with no lock held, on the reaper's thread,
    /// which waits for it.
    pub(crate) fn on_closed(&self, listener: impl FnOnce(&Closed) + Send + 'static) {
        if let Some(closing) = &self.closing {
            let mut listeners = closing
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            listeners.push(Box::new(listener));
        }
    }

    /// How many bytes of address space its code and data take, where the platform tells.
    pub(crate) fn mapped_bytes(&self) -> Option<u64> {
        self.mapped_bytes
    }

    /// The names of the plugin's own threads that run.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        self.closing
            .as_ref()
            .map(|closing| closing.record.thread_names())
            .unwrap_or_default()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Some(closing) = self.closing.take() {
            reaper::close(closing);
        }
    }
}

/// Finds the descriptor, takes over the threads, and checks everything.
fn check(closing: &mut Closing, note: &NoteFacts) -> Result<&'static Descriptor, HostError> {
    // SAFETY: a symbol read as a pointer is the address of what it names; nothing is read.
    let symbol = unsafe {
        closing
            .handle
            .get::<*const Descriptor>(note.symbol.as_bytes())
    };
    let address = *symbol.map_err(|_| {
        HostError::new(
            HostErrorKind::Descriptor,
            format!(
                "the note names the descriptor `{}`, and the library does not export it",
                note.symbol
            ),
        )
        .hint(REBUILD)
    })?;
    // SAFETY: the address is that of an exported symbol; what is made of it is kept by a
    // `Library`, or not at all, and the library is open until that is dropped.
    let descriptor = unsafe { descriptor_at(address) }?;
    if let Some(hooks) = descriptor.threads() {
        // SAFETY: the table is a static; nothing of the library but its constructors has run.
        unsafe { (hooks.install)(threads::table(), closing.record.context()) };
        closing.threads = Some(hooks);
    }
    check_descriptor(descriptor, note)?;
    check_layouts(descriptor).map_err(|error| HostError::layout(&error))?;
    Ok(descriptor)
}

const REBUILD: &str = "the file was changed after it was built; rebuild the plugin";

#[cfg(unix)]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // RTLD_NOW: a missing symbol is an error here and not in some later call. RTLD_LOCAL: no
    // other library sees this one's symbols.
    // SAFETY: runs the constructors of the library. That is what loading means; all that could be
    // checked without running it has been.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { libloading::Library::new(path) }
}

/// The descriptor at the address of an exported symbol, once its head says that it is one.
///
/// # Safety
///
/// The address is that of a symbol of a library that is open for as long as the answer is used.
unsafe fn descriptor_at(address: *const Descriptor) -> Result<&'static Descriptor, HostError> {
    let refuse = |message: String| HostError::new(HostErrorKind::Descriptor, message).hint(REBUILD);
    if address.is_null() || !address.is_aligned() {
        return Err(refuse(format!(
            "the descriptor has the impossible address {address:p}"
        )));
    }
    let head = address.cast::<[u8; Descriptor::HEAD]>();
    // SAFETY: `inspect` found that the symbol is defined, so its section holds at least the head;
    // a head that is no descriptor's is told apart by its magic.
    let head = unsafe { head.read() };
    let size = Descriptor::size_in(&head)
        .ok_or_else(|| refuse("the descriptor does not start with the magic bytes".to_owned()))?;
    if size < Descriptor::SIZE {
        return Err(HostError::new(
            HostErrorKind::Descriptor,
            format!(
                "the descriptor is too short: expected at least {} bytes, found {size}",
                Descriptor::SIZE
            ),
        )
        .hint("it was built with another revision of keyway than this host; rebuild the plugin"));
    }
    // SAFETY: magic and size say that all fields known to us are there; the library is open, says
    // the caller.
    Ok(unsafe { &*address })
}

fn check_descriptor(descriptor: &'static Descriptor, note: &NoteFacts) -> Result<(), HostError> {
    let refuse = |message: String| HostError::new(HostErrorKind::Descriptor, message);
    if !descriptor.abi_stable().is_valid() {
        let (ours, theirs) = (
            &abi_stable::library::AbiHeader::VALUE,
            descriptor.abi_stable(),
        );
        return Err(refuse(format!(
            "built with another abi_stable: expected {}.{}, found {}.{}",
            ours.abi_major, ours.abi_minor, theirs.abi_major, theirs.abi_minor
        ))
        .hint("build the plugin with the version of keyway that the host uses"));
    }
    c_abi_testing::run_tests(descriptor.c_abi()).map_err(|error| {
        refuse(format!(
            "passes values in another way over the C ABI: {error}"
        ))
        .hint("build host and plugin for the same target with compatible compilers")
    })?;
    let own = own_note(descriptor).map_err(|what| {
        refuse(format!("the note in memory does not read: {what}")).hint(REBUILD)
    })?;
    let disagree = |field: &str, file: &dyn std::fmt::Display, memory: &dyn std::fmt::Display| {
        Err(refuse(format!(
            "note and descriptor disagree about {field}: the note in the file says {file}, the \
             loaded library {memory}"
        ))
        .hint(REBUILD))
    };
    let (major, built, required) = descriptor.interface();
    if (major, built, required) != (note.interface_major, note.built_minor, note.required_minor) {
        return disagree(
            "the interface version",
            &format!(
                "{}.{} ({})",
                note.interface_major, note.built_minor, note.required_minor
            ),
            &format!("{major}.{built} ({required})"),
        );
    }
    if own.symbol != note.symbol {
        return disagree("the descriptor's name", &note.symbol, &own.symbol);
    }
    if own.target != note.target {
        return disagree("the target", &note.target, &own.target);
    }
    if own.manifest != note.manifest {
        return disagree(
            "the manifest",
            &format!("{} bytes", note.manifest.len()),
            &format!("{} other bytes", own.manifest.len()),
        );
    }
    Ok(())
}

fn own_note(descriptor: &'static Descriptor) -> Result<note::Note<'static>, String> {
    let first = note::split(descriptor.note(), Endian::NATIVE).next();
    let raw = first
        .ok_or("it is empty")?
        .map_err(|error| error.to_string())?;
    note::decode_desc(raw.desc).map_err(|error| error.to_string())
}

/// Compares the types that all interfaces use, and the two tables that every plugin uses.
fn check_layouts(descriptor: &'static Descriptor) -> Result<(), LayoutError> {
    let mut comparison = Comparison::new();
    comparison.types(Descriptor::CORE, descriptor.core())?;
    // The host calls the root table, the plugin calls the host table.
    comparison.interface(<PluginRootHandle as Capability>::LAYOUT, descriptor.root())?;
    comparison.interface(
        descriptor.host(),
        <HostServicesHandle as Capability>::LAYOUT,
    )
}
