//! One child process in a process group of its own, with pipes that are never waited for.
//!
//! Reading in threads would need pipes to end, and a grandchild that left the group can hold them open for ever. So
//! they are polled: nothing here blocks for longer than it is told to.

use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::sandbox::Walls;

/// A running child. Dropping it kills its whole group.
pub(crate) struct Process {
    child: Child,
    /// The group's id: that of the child, which leads it.
    group: Pid,
    /// Where it was started.
    folder: PathBuf,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Tells, when it is waited at, that the child has exited; not every system has such a thing.
    #[cfg(target_os = "linux")]
    exit: Option<OwnedFd>,
    /// Whether the child was waited for. From then on its id may belong to somebody else.
    reaped: bool,
}

/// What reading a pipe gave.
pub(crate) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// All writers are gone, or the pipe is broken.
    End,
}

impl Process {
    /// Starts a program with these variables only.
    #[expect(clippy::disallowed_methods, reason = "this is where programs are started")]
    pub(crate) fn start(
        program: &Path,
        args: &[String],
        values: &[(String, Option<String>)],
        folder: &Path,
        walls: Option<&Walls>,
    ) -> io::Result<Process> {
        // What this process itself was given at its start would go on to everything that it starts.
        static OWN: OnceLock<()> = OnceLock::new();
        OWN.get_or_init(|| close_fds::set_fds_cloexec(3, &[]));
        let mut command = Command::new(program);
        command.args(args).current_dir(folder).env_clear().process_group(0);
        command.envs(values.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let until = Instant::now() + Duration::from_secs(1);
        let mut child = loop {
            match spawn(&mut command, folder, walls) {
                // Another thread forked while the program's file was being written, and its child has not yet
                // closed what it inherited.
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < until => {
                    sleep(Duration::from_millis(2));
                }
                result => break result?,
            }
        };
        let group = Pid::from_child(&child);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process {
            child,
            group,
            folder: folder.to_path_buf(),
            stdin,
            stdout,
            stderr,
            #[cfg(target_os = "linux")]
            exit: rustix::process::pidfd_open(group, rustix::process::PidfdFlags::empty()).ok(),
            reaped: false,
        };
        // These are settings of our ends: the child's are files of their own.
        for pipe in process.pipes() {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(process)
    }

    #[cfg(target_os = "linux")]
    fn tells_of_exit(&self) -> bool {
        self.exit.is_some()
    }

    #[cfg(not(target_os = "linux"))]
    fn tells_of_exit(&self) -> bool {
        false
    }

    fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let stdin = self.stdin.as_ref().map(AsFd::as_fd);
        stdin.into_iter().chain(self.stdout.as_ref().map(AsFd::as_fd)).chain(self.stderr.as_ref().map(AsFd::as_fd))
    }

    /// Waits until one of the pipes can be used, or the child has exited, but not longer than this. False: nothing of that has
    /// happened, for certain.
    pub(crate) fn wait(&self, writing: bool, at_most: Duration) -> bool {
        let mut pipes = Vec::with_capacity(4);
        #[cfg(target_os = "linux")]
        pipes.extend(self.exit.as_ref().map(|exit| PollFd::new(exit, PollFlags::IN)));
        if writing && let Some(pipe) = &self.stdin {
            pipes.push(PollFd::new(pipe, PollFlags::OUT));
        }
        if let Some(pipe) = &self.stdout {
            pipes.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = &self.stderr {
            pipes.push(PollFd::new(pipe, PollFlags::IN));
        }
        let timeout = Timespec::try_from(at_most).ok();
        // An error, as after a signal, is an early wake-up; but never a busy loop.
        match poll(&mut pipes, timeout.as_ref()) {
            // Where nothing tells of the exit, it has to be looked for.
            Ok(0) => !self.tells_of_exit(),
            Ok(_) | Err(Errno::INTR) => true,
            Err(_) => {
                sleep(at_most.min(Duration::from_millis(10)));
                true
            }
        }
    }

    /// Reads what standard output has. After its end the pipe is closed.
    pub(crate) fn read_stdout(&mut self, buffer: &mut [u8]) -> Got {
        read(&mut self.stdout, buffer)
    }

    /// Reads what standard error has. After its end the pipe is closed.
    pub(crate) fn read_stderr(&mut self, buffer: &mut [u8]) -> Got {
        read(&mut self.stderr, buffer)
    }

    /// Writes as much as the pipe takes, and says how much. `None` if nobody will read it.
    pub(crate) fn write_stdin(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            match self.stdin.as_mut()?.write(bytes) {
                Ok(count) => return Some(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(0),
                Err(_) => {
                    self.stdin = None;
                    return None;
                }
            }
        }
    }

    /// Tells the child that nothing more will come.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Whether the child has exited. It is left unreaped, so that its group's id stays its own.
    pub(crate) fn exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.group), options) {
            Ok(status) => status.is_some(),
            // No such child: somebody set the system to reap by itself.
            Err(error) => error == Errno::CHILD,
        }
    }

    /// Kills the whole group.
    pub(crate) fn kill(&mut self) {
        if !self.reaped {
            // An error means that nobody is left.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }

    /// Kills the whole group and gives the child's status, which is its own if it had exited before. `None` if the
    /// system does not tell.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        self.kill();
        // A killed process can stay for a while if the system is writing for it: it is not worth hanging for.
        let until = Instant::now() + Duration::from_secs(2);
        let mut pause = Duration::from_micros(200);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.over();
                    return Some(status);
                }
                Ok(None) if Instant::now() < until => sleep(pause),
                Ok(None) => return None,
                Err(_) => {
                    self.over();
                    return None;
                }
            }
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

impl Process {
    /// It was waited for: those that left its group are all that can be left.
    fn over(&mut self) {
        self.reaped = true;
        #[cfg(target_os = "linux")]
        {
            crate::orphans::over(self.group);
            crate::orphans::end(&self.folder);
        }
    }
}

/// Starts a program, within walls if there are to be some.
#[cfg(target_os = "linux")]
fn spawn(command: &mut Command, folder: &Path, walls: Option<&Walls>) -> io::Result<Child> {
    crate::orphans::started(folder, || match walls {
        Some(walls) => crate::sandbox::spawn(command, walls),
        None => command.spawn(),
    })
}

#[cfg(not(target_os = "linux"))]
fn spawn(command: &mut Command, _: &Path, _: Option<&Walls>) -> io::Result<Child> {
    command.spawn()
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.end();
        }
    }
}

fn read<P: Read>(pipe: &mut Option<P>, buffer: &mut [u8]) -> Got {
    loop {
        match pipe.as_mut().map(|pipe| pipe.read(buffer)) {
            Some(Ok(count)) if count > 0 => return Got::Bytes(count),
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => return Got::Nothing,
            _ => {
                *pipe = None;
                return Got::End;
            }
        }
    }
}
