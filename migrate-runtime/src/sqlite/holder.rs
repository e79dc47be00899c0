//! Who stands in the way: who writes to a database file, or reads it.
//!
//! SQLite doesn't tell. Linux does: the locks are the operating system's, on certain bytes of the file, or of its `-shm` file
//! in WAL mode ("File Locking And Concurrency", "WAL-mode File Format").

use std::path::Path;

/// Who writes, as a part of a sentence.
pub(super) fn writer(path: &Path) -> String {
    // the reserved byte, which every writer locks first; in WAL mode that is byte 120 of the shared memory
    let pid = locker(path, "WRITE", 0x4000_0001).or_else(|| locker(&shared_memory(path), "WRITE", 120));
    format!("{} is writing to {}", describe(pid), path.display())
}

/// Who reads, where a commit has to wait for that: never in WAL mode.
pub(super) fn reader(path: &Path) -> String {
    format!("{} is reading {}", describe(locker(path, "READ", 0x4000_0002)), path.display())
}

fn describe(pid: Option<u32>) -> String {
    match pid {
        Some(pid) if pid == std::process::id() => format!("another connection of this process (pid {pid})"),
        Some(pid) => {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.is_empty() { format!("pid {pid}") } else { format!("pid {pid} (`{}`)", name.trim()) }
        }
        None => "another connection".to_owned(),
    }
}

/// SQLite puts it beside the file that a link leads to.
fn shared_memory(path: &Path) -> std::path::PathBuf {
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push("-shm");
    name.into()
}

#[cfg(target_os = "linux")]
fn locker(file: &Path, mode: &str, byte: u64) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = std::fs::metadata(file).ok()?.ino();
    // the kernel writes the list while it changes: a lock may be missing from one reading of it
    (0..3).find_map(|_| {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| holds(line, mode, inode, byte))
    })
}

#[cfg(not(target_os = "linux"))]
fn locker(_: &Path, _: &str, _: u64) -> Option<u32> {
    None
}

/// The process of a line such as `3: POSIX  ADVISORY  WRITE 4711 08:01:131 1073741825 1073741825`, if it locks that byte.
/// The device isn't compared: some file systems have another one here than in their metadata.
#[cfg(target_os = "linux")]
fn holds(line: &str, mode: &str, inode: u64, byte: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "POSIX", _, its_mode, pid, file, first, last] = words.as_slice() else { return None };
    let locked_inode: u64 = file.rsplit(':').next()?.parse().ok()?;
    let first: u64 = first.parse().ok()?;
    let last = if *last == "EOF" { u64::MAX } else { last.parse().ok()? };
    let pid: u32 = pid.parse().ok()?;
    (*its_mode == mode && locked_inode == inode && (first..=last).contains(&byte) && pid > 0).then_some(pid)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::holds;

    #[test]
    fn a_lock_of_the_byte_is_found() {
        let line = "3: POSIX  ADVISORY  WRITE 4711 08:01:131 1073741824 1073742335";
        assert_eq!(holds(line, "WRITE", 131, 0x4000_0001), Some(4711));
        assert_eq!(holds(line, "WRITE", 132, 0x4000_0001), None);
        assert_eq!(holds(line, "WRITE", 131, 120), None);
    }

    #[test]
    fn readers_and_other_locks_are_not_writers() {
        assert_eq!(holds("4: POSIX  ADVISORY  READ  4711 08:01:131 1073741826 1073742335", "WRITE", 131, 0x4000_0001), None);
        assert_eq!(holds("5: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF", "WRITE", 131, 120), None);
        assert_eq!(holds("1: -> POSIX  ADVISORY  WRITE 4711 08:01:131 0 EOF", "WRITE", 131, 120), None);
    }
}
