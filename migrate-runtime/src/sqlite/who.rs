//! Who runs this process. A file knows no users: the operating system does.

/// What is noted of a run besides the number of its process; nothing where the operating system doesn't say.
#[derive(Debug)]
pub(super) struct Who {
    /// The name of the program.
    pub(super) application: Option<String>,
    /// The user whose rights it has.
    pub(super) user: Option<String>,
    /// The machine, or the container.
    pub(super) host: Option<String>,
}

impl Who {
    pub(super) fn ask() -> Self {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_stem());
        Self { application: name.map(|name| name.to_string_lossy().into_owned()), user: user(), host: host() }
    }
}

/// The variables that tell can be anything, and `sudo` and containers leave them as they were: the kernel is asked.
#[cfg(target_os = "linux")]
fn user() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let id = effective(&status)?;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(called(&users, id).unwrap_or(id).to_owned())
}

#[cfg(not(target_os = "linux"))]
fn user() -> Option<String> {
    variable("USERNAME").or_else(|| variable("USER"))
}

#[cfg(target_os = "linux")]
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn host() -> Option<String> {
    variable("COMPUTERNAME").or_else(|| variable("HOSTNAME"))
}

#[cfg(not(target_os = "linux"))]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The number of the user whose rights count, of a line such as `Uid: 1000 0 0 0`: the real one comes first.
#[cfg(target_os = "linux")]
fn effective(status: &str) -> Option<&str> {
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)
}

/// The name of the user of that number.
#[cfg(target_os = "linux")]
fn called<'a>(users: &'a str, id: &str) -> Option<&'a str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)? == id).then_some(name)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{called, effective};

    #[test]
    fn the_user_whose_rights_count_is_found() {
        assert_eq!(effective("Name:\tshop\nUid:\t1000\t33\t33\t33\nGid:\t1000\t1000\t1000\t1000\n"), Some("33"));
        assert_eq!(effective("Name:\tshop\n"), None);
    }

    #[test]
    fn a_user_has_the_name_of_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n\nwww-data:x:33:33::/var/www:/bin/false\nodd\n";
        assert_eq!(called(users, "33"), Some("www-data"));
        assert_eq!(called(users, "0"), Some("root"));
        assert_eq!(called(users, "3"), None);
    }
}
