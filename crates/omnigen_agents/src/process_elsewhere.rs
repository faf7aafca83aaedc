//! Where there are no process groups: command agents are refused. (Job objects would be the way on Windows.)

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use crate::sandbox::Walls;

/// No process ever runs here.
pub(crate) enum Process {}

/// What reading a pipe gave.
pub(crate) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// All writers are gone.
    End,
}

impl Process {
    pub(crate) fn start(
        _: &Path,
        _: &[String],
        _: &[(String, Option<String>)],
        _: &Path,
        _: Option<&Walls>,
    ) -> io::Result<Process> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "command agents need a Unix system"))
    }

    pub(crate) fn wait(&self, _: bool, _: Duration) {
        match *self {}
    }

    pub(crate) fn read_stdout(&mut self, _: &mut [u8]) -> Got {
        match *self {}
    }

    pub(crate) fn read_stderr(&mut self, _: &mut [u8]) -> Got {
        match *self {}
    }

    pub(crate) fn write_stdin(&mut self, _: &[u8]) -> Option<usize> {
        match *self {}
    }

    pub(crate) fn close_stdin(&mut self) {
        match *self {}
    }

    pub(crate) fn exited(&self) -> bool {
        match *self {}
    }

    pub(crate) fn kill(&mut self) {
        match *self {}
    }

    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        match *self {}
    }
}
