//! Which directories lie on file systems that other machines write to.
//!
//! The kernel gives events for what this machine does. What the server or another client of a
//! network file system does, or the host of a virtual machine, gives none, so files there are
//! looked at regularly.

use std::path::Path;

/// By the names that Linux gives them. Of FUSE only those that are known to be remote: many are
/// local and give their events.
const REMOTE: &[&str] = &[
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "fuse.vmhgfs-fuse",
    "gfs2",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
];

/// The type of a directory's file system if others may write to it. The path is absolute and free
/// of links. None also where that cannot be found out: away from Linux, or without `/proc`.
pub(super) fn remote_type(directory: &Path) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let table = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let found = type_of(&table, directory)?;
    REMOTE.contains(&found).then(|| found.to_owned())
}

/// The type of the file system that a directory is on, from the text of `mountinfo`.
fn type_of<'t>(table: &'t str, directory: &Path) -> Option<&'t str> {
    let mut best = None;
    for line in table.lines() {
        // `36 35 98:0 /root /mount/point options optional.. - type source options`
        let Some((mount, system)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(point), Some(kind)) = (mount.split(' ').nth(4), system.split(' ').next()) else {
            continue;
        };
        let point = unescape(point);
        let depth = Path::new(&point).components().count();
        // A later mount on the same point hides the earlier one.
        if directory.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

/// Spaces, tabs, newlines and backslashes are written as octal numbers.
fn unescape(point: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .into_iter()
    .fold(point.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - ext4 /dev/sda2 rw
31 30 0:41 / /home/ada/work\\040here rw shared:7 master:2 - nfs4 server:/work rw
32 22 0:42 / /mnt rw - ext4 /dev/sdb rw
33 22 0:43 / /mnt rw - virtiofs shared rw
a line that makes no sense
";

    #[test]
    fn the_deepest_and_latest_mount_counts() {
        let cases = [
            ("/", "ext4"),
            ("/home/ada", "ext4"),
            ("/home/ada/work here/target/debug", "nfs4"),
            ("/home/ada/work", "ext4"),
            ("/mnt/x", "virtiofs"),
            ("/mntx", "ext4"),
        ];
        for (directory, expected) in cases {
            assert_eq!(
                type_of(TABLE, Path::new(directory)),
                Some(expected),
                "{directory}"
            );
        }
    }

    #[test]
    fn where_nothing_is_mounted_nothing_is_known() {
        assert_eq!(type_of("", Path::new("/home")), None);
    }
}
