//! Walls around an agent, where Linux offers them: it reads the system, its program and its scratch folder, writes the scratch
//! folder, and has no network.
//!
//! Landlock and seccomp bind the calling thread and what it starts, so a thread is made for nothing but to enter them and to start
//! the program: cheaper than a process that would have to be loaded first, and safe code. What is denied is denied quietly: the
//! agent sees "permission denied". Kernels without Landlock give no walls; groups, limits and the empty environment remain.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// What a program may need of the system. Homes, temporary and other people's folders are not among it.
/// Of `/proc` only what is about the machine: an environment can be read there as well.
const SYSTEM: [&str; 18] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/opt",
    "/nix",
    "/sys",
    "/run/systemd/resolve",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/version",
];
/// The newest Landlock that is known here; older kernels do what they can.
const ABI_KNOWN: ABI = ABI::V6;
/// Devices without memory.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What one program may reach.
#[derive(Clone, Debug)]
pub(crate) struct Walls {
    /// The folder in which it may do anything.
    pub(crate) scratch: PathBuf,
    /// The program.
    pub(crate) program: PathBuf,
    /// More folders to read.
    pub(crate) read: Vec<PathBuf>,
    /// Whether it may use the network.
    pub(crate) network: bool,
}

/// Starts a program within its walls.
pub(crate) fn spawn(command: &mut Command, walls: &Walls) -> io::Result<Child> {
    let rules = walls.rules().map_err(|error| io::Error::other(refused(&error)))?;
    std::thread::scope(|scope| {
        let spawn = || {
            enter(rules, walls.network).map_err(io::Error::other)?;
            command.spawn()
        };
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).stack_size(256 << 10);
        match thread.spawn_scoped(scope, spawn)?.join() {
            Ok(child) => child,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl Walls {
    /// What may be reached, before anybody is bound by it.
    fn rules(&self) -> Result<RulesetCreated, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI_KNOWN))
            .and_then(|rules| rules.scope(Scope::from_all(ABI_KNOWN)))?;
        if !self.network {
            rules = rules.handle_access(AccessNet::from_all(ABI_KNOWN))?;
        }
        let programs = programs(&self.program);
        let own = programs.iter().chain(&self.read);
        rules
            .create()?
            .add_rules(system().iter().map(|(path, access)| Ok::<_, RulesetError>(PathBeneath::new(path, *access))))?
            .add_rules(path_beneath_rules(own, AccessFs::from_read(ABI_KNOWN)))?
            .add_rules(path_beneath_rules([&self.scratch], AccessFs::from_all(ABI_KNOWN)))
    }
}

/// Shuts the calling thread in, for good.
fn enter(rules: RulesetCreated, network: bool) -> Result<(), String> {
    rules.restrict_self().map_err(|error| refused(&error))?;
    if !network && let Some(filter) = no_sockets() {
        // Landlock knows TCP only.
        seccompiler::apply_filter(filter).map_err(|error| format!("the sandbox cannot be entered: {error}"))?;
    }
    Ok(())
}

fn refused(error: &RulesetError) -> String {
    format!("the sandbox cannot be entered: {error}")
}

/// What every program may reach of the system, and how; looked up once for all of them.
fn system() -> &'static [(PathFd, BitFlags<AccessFs>)] {
    static FOUND: OnceLock<Vec<(PathFd, BitFlags<AccessFs>)>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let open = |path: &&str| PathFd::new(path).ok();
        let is_folder = |path: &PathFd| {
            rustix::fs::fstat(path).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
        };
        let read = SYSTEM.iter().filter_map(open).map(|path| match is_folder(&path) {
            true => (path, AccessFs::from_read(ABI_KNOWN)),
            false => (path, AccessFs::ReadFile.into()),
        });
        let devices = DEVICES.iter().filter_map(open).map(|path| (path, AccessFs::ReadFile | AccessFs::WriteFile));
        read.chain(devices).collect()
    })
}

/// The folders that a program was installed into: where it is, and where it really is; with what lies beside `bin`.
fn programs(program: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let real = omnigen_disk::files::real_path(program).ok();
    for path in std::iter::once(program).chain(real.as_deref()) {
        let Some(folder) = path.parent() else { continue };
        let above = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "bin"));
        match above {
            // Programs that choose the program (pyenv, asdf) lie beside those that they choose from.
            None if folder.file_name().is_some_and(|name| name == "shims") => {
                folders.extend(folder.parent().map(Path::to_path_buf));
            }
            // `~/.local/bin`: beside it lie keys and mail.
            Some(above) if above.file_name().is_some_and(|name| name == ".local") => {
                folders.extend(["bin", "lib", "share/uv"].map(|name| above.join(name)));
            }
            // `~/bin`: above it is all that somebody has.
            Some(above) if above.components().count() > 3 => folders.push(above.to_path_buf()),
            _ => folders.push(folder.to_path_buf()),
        }
    }
    folders
}

/// Refuses sockets of all families but the one between processes of this machine; `None` where nothing is known of the processor.
fn no_sockets() -> Option<&'static BpfProgram> {
    static FILTER: OnceLock<Option<BpfProgram>> = OnceLock::new();
    let made = FILTER.get_or_init(|| {
        let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, libc::AF_UNIX as u64).ok()?;
        let rules = BTreeMap::from([
            (libc::SYS_socket, vec![SeccompRule::new(vec![other]).ok()?]),
            // It makes sockets without that call.
            (libc::SYS_io_uring_setup, Vec::new()),
        ]);
        let refuse = SeccompAction::Errno(libc::EACCES as u32);
        let arch = std::env::consts::ARCH.try_into().ok()?;
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).ok()?.try_into().ok()
    });
    made.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_a_program_is_read_unless_it_is_somebodys_home() {
        let of = |path: &str| programs(Path::new(path))[0].display().to_string();
        assert_eq!(of("/srv/app/.venv/bin/python"), "/srv/app/.venv");
        assert_eq!(of("/home/ann/bin/tool"), "/home/ann/bin");
        assert_eq!(of("/home/ann/.local/bin/tool"), "/home/ann/.local/bin");
        assert_eq!(of("/srv/tools/tool"), "/srv/tools");
    }
}
