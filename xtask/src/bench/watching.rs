//! `omnigen watch`: from the save of a contract until the bytes of its outputs are on disk.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Bench, Rows, row};
use crate::{read, write};

/// Edits that are timed.
const EDITS: usize = 200;
/// Nobody saves more often.
const PAUSE: Duration = Duration::from_millis(60);
/// An edit that has not arrived by then never will.
const PATIENCE: Duration = Duration::from_secs(300);

impl Bench {
    /// Edits of contracts without referrers, one after the other.
    pub(super) fn watching(&self, rows: &mut Rows) -> Result<(), String> {
        let folder = self.ram.as_ref().unwrap_or(&self.folder);
        let settings = "targets = [\"models\", \"validators\"]\n";
        let project = self.project_in(folder, "watching", settings, "jsonschema", self.contracts)?;
        if !self.build(&project, &[]).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Err("the build before watching has failed".to_owned());
        }
        let mut command = Command::new(&self.setup.omnigen);
        command.args(["watch", "-C"]).arg(&project).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("omnigen watch: {error}"))?;
        let timed = edits(&project);
        let memory = peak(&child);
        // Ctrl-C, and if that is not heard, less polite.
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        let begin = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        let mut timed = timed?;
        timed.sort_by(f64::total_cmp);
        let of = |share: f64| timed[((timed.len() - 1) as f64 * share).round() as usize];
        let what = "watch, a field added to a contract without referrers, save to bytes on disk";
        row(rows, &format!("{what}, p50 of {EDITS}"), format!("{:.1} ms", of(0.5) * 1e3), "≤ 15 ms");
        row(rows, &format!("{what}, p99"), format!("{:.1} ms", of(0.99) * 1e3), "≤ 40 ms");
        if let Some(memory) = memory {
            row(rows, "watch, memory", format!("{memory:.0} MB"), "≤ 450 MB");
        }
        crate::remove(&project)
    }
}

/// Seconds that each edit took.
fn edits(project: &Path) -> Result<Vec<f64>, String> {
    let contracts = super::idle::index(project)?;
    let used: std::collections::BTreeSet<u64> = contracts.iter().flat_map(|(_, _, to)| to.iter().copied()).collect();
    let leaves: Vec<&str> =
        contracts.iter().filter(|(id, ..)| !used.contains(id)).map(|(_, path, _)| path.as_str()).collect();
    let mut timed = Vec::new();
    for edit in 0..=EDITS {
        let leaf = leaves.get(edit * 7 % leaves.len().max(1)).ok_or("every contract is referred to")?;
        let path = project.join("contracts").join(leaf);
        let field = format!("bench_field_{edit}");
        let text = read(&path)?;
        let changed = text.replacen(
            "\"properties\": {",
            &format!("\"properties\": {{ \"{field}\": {{\"type\": \"string\"}},"),
            1,
        );
        let outputs: Vec<_> =
            super::idle::outputs_of(leaf).into_iter().take(2).map(|output| project.join(output)).collect();
        let begin = Instant::now();
        write(&path, &changed)?;
        while !outputs.iter().all(|output| read(output).is_ok_and(|text| text.contains(&field))) {
            if begin.elapsed() > PATIENCE {
                return Err(format!("watch has not taken an edit of {leaf}"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        // The first one waits until watching has begun.
        if edit > 0 {
            timed.push(begin.elapsed().as_secs_f64());
        }
        std::thread::sleep(PAUSE);
    }
    Ok(timed)
}

/// The largest resident set in MB, where the system tells.
fn peak(child: &Child) -> Option<f64> {
    let status = read(Path::new(&format!("/proc/{}/status", child.id()))).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1e3)
}
