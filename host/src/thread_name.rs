//! What people call the threads of this process.

/// The name of a thread by the kernel's id; `thread <id>` where it has ended, or the system does not
/// tell.
pub(crate) fn thread_name(id: u64) -> String {
    let comm = std::fs::read_to_string(format!("/proc/self/task/{id}/comm"));
    comm.map_or_else(
        |_| format!("thread {id}"),
        |name| name.trim_end().to_owned(),
    )
}
