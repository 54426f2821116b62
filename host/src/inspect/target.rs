//! Whether a library fits a target, by what its headers say and by what its note says.

use std::fmt;

use super::facts::{Arch, Endian, Inspection, NoteState, ObjectFormat, Os};

/// The first difference between a library and a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetMismatch {
    /// What differs: `"container format"`, `"architecture"`, `"address width"`, `"byte order"`,
    /// `"operating system"` or `"target triple"`.
    pub what: &'static str,
    /// What the target wants.
    pub expected: String,
    /// What the library is.
    pub found: String,
    /// The target.
    pub target: String,
}

impl fmt::Display for TargetMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            expected,
            found,
            target,
        } = self;
        write!(
            f,
            "wrong {what} for {target}: expected {expected}, found {found}"
        )
    }
}

impl Inspection {
    /// The operating system: that of the headers or, where they name none, as those of most Linux
    /// libraries, that of the triple in the note. None if neither tells.
    pub fn target_os(&self) -> Option<Os> {
        match &self.note {
            _ if self.os != Os::Unspecified => Some(self.os),
            NoteState::One(note) => Target::of(&note.target).os,
            _ => None,
        }
    }

    /// Compares the library with a target triple, or tells the first difference: of its headers,
    /// since they are what the loader goes by, then of the triple in its note, which says more.
    ///
    /// What this does not know of a triple, and what the headers leave open, is not compared.
    pub fn target_mismatch(&self, host_triple: &str) -> Option<TargetMismatch> {
        let target = Target::of(host_triple);
        let differs =
            |what, expected: &dyn fmt::Display, found: &dyn fmt::Display| TargetMismatch {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
                target: host_triple.to_owned(),
            };
        if self.format != target.format {
            return Some(differs("container format", &target.format, &self.format));
        }
        if let Some(expected) = target.machine {
            if self.arch != expected.arch {
                return Some(differs("architecture", &expected.arch, &self.arch));
            }
            if self.bits != expected.bits {
                return Some(differs("address width", &expected.bits, &self.bits));
            }
            if self.endian != expected.endian {
                return Some(differs("byte order", &expected.endian, &self.endian));
            }
        }
        if let Some(expected) = target.os
            && self.os != expected
            && self.os != Os::Unspecified
        {
            return Some(differs("operating system", &expected, &self.os));
        }
        match &self.note {
            NoteState::One(note) if note.target != host_triple => {
                Some(differs("target triple", &host_triple, &note.target))
            }
            _ => None,
        }
    }
}

/// What a target triple says about the headers of its libraries.
struct Target {
    format: ObjectFormat,
    machine: Option<Machine>,
    os: Option<Os>,
}

#[derive(Clone, Copy)]
struct Machine {
    arch: Arch,
    bits: u8,
    endian: Endian,
}

impl Target {
    fn of(triple: &str) -> Self {
        let mut parts = triple.split('-');
        let arch = parts.next().unwrap_or_default();
        let has = |wanted: &[&str]| parts.clone().any(|part| wanted.contains(&part));
        let (format, os) = if has(&["windows", "cygwin"]) {
            (ObjectFormat::Pe, Some(Os::Windows))
        } else if has(&["uefi"]) {
            (ObjectFormat::Pe, Some(Os::Uefi))
        } else if has(&["apple"]) {
            let macos = has(&["darwin", "macos"]);
            (
                ObjectFormat::MachO,
                Some(if macos { Os::MacOs } else { Os::AppleMobile }),
            )
        } else {
            let os = [
                ("linux", Os::Linux),
                ("freebsd", Os::FreeBsd),
                ("netbsd", Os::NetBsd),
                ("openbsd", Os::OpenBsd),
                ("solaris", Os::Solaris),
                ("illumos", Os::Solaris),
            ];
            let os = os
                .into_iter()
                .find(|(name, _)| has(&[*name]))
                .map(|(_, os)| os);
            (ObjectFormat::Elf, os)
        };
        let mut machine = machine(arch);
        if let Some(machine) = &mut machine
            && (has(&["gnux32"]) || has(&["gnu_ilp32"]))
        {
            machine.bits = 32;
        }
        Self {
            format,
            machine,
            os,
        }
    }
}

/// The machine of a triple's first part; the names are those of `rustc --print target-list`.
fn machine(name: &str) -> Option<Machine> {
    let machine = |arch, bits, endian| Some(Machine { arch, bits, endian });
    let (little, big) = (Endian::Little, Endian::Big);
    match name {
        "x86_64" | "x86_64h" => machine(Arch::X86_64, 64, little),
        "i386" | "i586" | "i686" => machine(Arch::X86, 32, little),
        "aarch64" | "arm64e" | "arm64ec" => machine(Arch::Aarch64, 64, little),
        "arm64_32" => machine(Arch::Aarch64, 32, little),
        "aarch64_be" => machine(Arch::Aarch64, 64, big),
        "armeb" | "armebv7r" => machine(Arch::Arm, 32, big),
        "powerpc" => machine(Arch::PowerPc, 32, big),
        "powerpc64" => machine(Arch::PowerPc64, 64, big),
        "powerpc64le" => machine(Arch::PowerPc64, 64, little),
        "s390x" => machine(Arch::S390, 64, big),
        "sparc" => machine(Arch::Sparc, 32, big),
        "sparc64" | "sparcv9" => machine(Arch::Sparc64, 64, big),
        "mips" | "mipsisa32r6" => machine(Arch::Mips, 32, big),
        "mipsel" | "mipsisa32r6el" => machine(Arch::Mips, 32, little),
        "mips64" | "mipsisa64r6" => machine(Arch::Mips, 64, big),
        "mips64el" | "mipsisa64r6el" => machine(Arch::Mips, 64, little),
        "loongarch32" => machine(Arch::LoongArch, 32, little),
        "loongarch64" => machine(Arch::LoongArch, 64, little),
        _ if name.starts_with("riscv64") => machine(Arch::RiscV, 64, little),
        _ if name.starts_with("riscv32") => machine(Arch::RiscV, 32, little),
        _ if name.starts_with("arm") || name.starts_with("thumb") => machine(Arch::Arm, 32, little),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{NoteFacts, PanicStrategy, UniqueSymbols};
    use super::*;

    fn library(format: ObjectFormat, arch: Arch, bits: u8, endian: Endian, os: Os) -> Inspection {
        Inspection {
            path: None,
            format,
            arch,
            endian,
            bits,
            os,
            size: 0,
            mapped_bytes: None,
            needed: Vec::new(),
            soname: None,
            nodelete: false,
            unique_symbols: UniqueSymbols::default(),
            note: NoteState::Absent,
        }
    }

    fn note(target: &str) -> NoteState {
        NoteState::One(NoteFacts {
            interface_major: 1,
            built_minor: 0,
            required_minor: 0,
            panic: PanicStrategy::Unwind,
            target: target.to_owned(),
            rustc: String::new(),
            symbol: "symbol".to_owned(),
            symbol_exported: true,
            manifest: String::new(),
        })
    }

    fn check(library: &Inspection, target: &str, expected: Option<&str>) {
        let found = library
            .target_mismatch(target)
            .map(|mismatch| mismatch.to_string());
        assert_eq!(found.as_deref(), expected, "{target}");
    }

    #[test]
    fn the_note_tells_the_system_where_the_headers_do_not() {
        let of = |os, note| {
            let library = library(ObjectFormat::Elf, Arch::X86_64, 64, Endian::Little, os);
            Inspection { note, ..library }.target_os()
        };
        let linux = || note("x86_64-unknown-linux-gnu");
        assert_eq!(of(Os::Unspecified, linux()), Some(Os::Linux));
        assert_eq!(of(Os::FreeBsd, linux()), Some(Os::FreeBsd));
        assert_eq!(of(Os::Unspecified, NoteState::Absent), None);
    }

    #[test]
    fn headers_are_compared_with_the_triple() {
        use Arch::{Aarch64, Arm, PowerPc64, X86_64};
        use Endian::{Big, Little};
        use ObjectFormat::{Elf, MachO, Pe};

        let linux = "x86_64-unknown-linux-gnu";
        check(
            &library(Elf, X86_64, 64, Little, Os::Unspecified),
            linux,
            None,
        );
        check(&library(Elf, X86_64, 64, Little, Os::Linux), linux, None);
        check(
            &library(Elf, Aarch64, 64, Little, Os::Unspecified),
            linux,
            Some("wrong architecture for x86_64-unknown-linux-gnu: expected x86_64, found aarch64"),
        );
        check(
            &library(MachO, X86_64, 64, Little, Os::MacOs),
            linux,
            Some("wrong container format for x86_64-unknown-linux-gnu: expected ELF, found Mach-O"),
        );
        check(
            &library(Elf, X86_64, 64, Little, Os::FreeBsd),
            linux,
            Some(
                "wrong operating system for x86_64-unknown-linux-gnu: expected linux, found freebsd",
            ),
        );
        check(
            &library(Elf, X86_64, 32, Little, Os::Unspecified),
            linux,
            Some("wrong address width for x86_64-unknown-linux-gnu: expected 64, found 32"),
        );
        check(
            &library(Elf, X86_64, 32, Little, Os::Linux),
            "x86_64-unknown-linux-gnux32",
            None,
        );
        check(
            &library(Elf, PowerPc64, 64, Big, Os::Unspecified),
            "powerpc64le-unknown-linux-gnu",
            Some(
                "wrong byte order for powerpc64le-unknown-linux-gnu: expected little endian, found big endian",
            ),
        );
        check(
            &library(MachO, Aarch64, 64, Little, Os::MacOs),
            "aarch64-apple-darwin",
            None,
        );
        check(
            &library(MachO, Aarch64, 64, Little, Os::AppleMobile),
            "aarch64-apple-darwin",
            Some(
                "wrong operating system for aarch64-apple-darwin: expected macos, found apple-mobile",
            ),
        );
        check(
            &library(Pe, X86_64, 64, Little, Os::Windows),
            "x86_64-pc-windows-msvc",
            None,
        );
        check(
            &library(Elf, Arm, 32, Little, Os::Unspecified),
            "thumbv7neon-linux-androideabi",
            None,
        );
        check(
            &library(Elf, Arch::Other(999), 64, Little, Os::Unspecified),
            "future-none-elf",
            None,
        );
    }

    #[test]
    fn the_triple_of_the_note_is_compared_when_the_headers_agree() {
        let mut library = library(
            ObjectFormat::Elf,
            Arch::X86_64,
            64,
            Endian::Little,
            Os::Unspecified,
        );
        library.note = note("x86_64-unknown-linux-musl");
        check(&library, "x86_64-unknown-linux-musl", None);
        check(
            &library,
            "x86_64-unknown-linux-gnu",
            Some(
                "wrong target triple for x86_64-unknown-linux-gnu: expected x86_64-unknown-linux-gnu, \
                 found x86_64-unknown-linux-musl",
            ),
        );
    }
}
