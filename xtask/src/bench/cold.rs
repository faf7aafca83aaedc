//! Everything from nothing: computing, and writing.

use std::path::Path;
use std::process::Command;

use super::{Bench, Rows, SHORT, clean, mb, median, row, seconds, times};
use crate::conformance::schemastore;
use crate::{finish, remove};

impl Bench {
    /// Models and validators: computing alone, and cold.
    pub(super) fn pair(&self, rows: &mut Rows) -> Result<(), String> {
        let settings = "targets = [\"models\", \"validators\"]\n";
        let folder = self.ram.as_ref().unwrap_or(&self.folder);
        let project = self.project_in(folder, "pair", settings, "jsonschema", self.contracts)?;
        self.computing(rows, &project)?;
        self.cold(rows, &project)?;
        remove(&project)
    }

    /// Everything but writing: a check where there are no outputs.
    fn computing(&self, rows: &mut Rows, project: &Path) -> Result<(), String> {
        let what = "models and validators, computing";
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..if self.large() { 1 } else { SHORT } {
            one.push(self.measure(&self.build(project, &["--check", "-j1"]))?);
            two.push(self.measure(&self.build(project, &["--check", "-j2"]))?);
        }
        let (one, two) = (median(&one), median(&two));
        for (cost, threads) in [(one, "-j1"), (two, "-j2")] {
            row(rows, &format!("{what}, `{threads}`, CPU"), seconds(cost.cpu), "≤ 1.5 s");
            row(rows, &format!("{what}, `{threads}`, wall"), seconds(cost.wall), "");
            row(rows, &format!("{what}, `{threads}`, memory"), mb(cost), "");
        }
        row(rows, &format!("{what}, `-j2` faster than `-j1`"), times(one.wall / two.wall), "≥ 1.6 ×");
        Ok(())
    }

    /// Everything, against unpacking the same outputs.
    fn cold(&self, rows: &mut Rows, project: &Path) -> Result<(), String> {
        let what = "models and validators, cold";
        let (archive, unpacked) = (project.with_extension("tar"), project.with_extension("unpacked"));
        let (mut built, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..self.long() {
            clean(project)?;
            built.push(self.measure(&self.build(project, &[]))?);
            let pack = Command::new("tar").arg("cf").arg(&archive).arg("-C").arg(project).arg("generated").status();
            if pack.is_ok_and(|status| status.success()) {
                remove(&unpacked)?;
                finish("mkdir", Command::new("mkdir").arg("-p").arg(&unpacked))?;
                let mut unpack = Command::new("tar");
                unpack.arg("xf").arg(&archive).arg("-C").arg(&unpacked);
                plain.push(self.measure(&unpack)?);
                remove(&unpacked)?;
            }
        }
        let _ = std::fs::remove_file(&archive);
        let built = median(&built);
        self.without_tests.set(built.cpu);
        row(rows, &format!("{what}, CPU"), seconds(built.cpu), "");
        row(rows, &format!("{what}, wall"), seconds(built.wall), "");
        if !plain.is_empty() {
            let plain = median(&plain);
            let goal =
                format!("≤ {}", seconds(plain.wall * 1.5 + 1.5 * (self.contracts as f64 / super::CONTRACTS as f64)));
            row(rows, "`tar xf` of the same outputs, wall", seconds(plain.wall), "");
            row(rows, &format!("{what}, wall, against 1.5 × `tar xf` + 1.5 s"), seconds(built.wall), &goal);
        }
        row(rows, &format!("{what}, memory"), mb(built), "≤ 400 MB");
        Ok(())
    }

    /// What tests cost beyond models and validators: when nothing is known, and when it is known what was judged.
    pub(super) fn with_tests(&self, rows: &mut Rows) -> Result<(), String> {
        let folder = self.ram.as_ref().unwrap_or(&self.folder);
        let project = self.project_in(folder, "judged", "", "jsonschema", self.contracts)?;
        let (state, aside) = (project.join(".omnigen"), project.with_extension("aside"));
        let moved = |from: &Path, to: &Path| {
            let each = |name| std::fs::rename(from.join(name), to.join(name));
            std::fs::create_dir_all(to).and_then(|()| ["answers.redb", "judged"].into_iter().try_for_each(each))
        };
        let problem = |error: std::io::Error| format!("{}: {error}", state.display());
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for _ in 0..self.long() {
            clean(&project)?;
            first.push(self.measure(&self.build(&project, &[]))?);
            // Verdicts stay, and the tests that were made of them.
            remove(&aside)?;
            moved(&state, &aside).map_err(problem)?;
            clean(&project)?;
            moved(&aside, &state).map_err(problem)?;
            again.push(self.measure(&self.build(&project, &[]))?);
        }
        remove(&aside)?;
        let (first, again) = (median(&first), median(&again));
        let beyond = |cpu: f64| format!("+ {}", seconds(cpu - self.without_tests.get()));
        row(rows, "with tests, cold, CPU", seconds(first.cpu), "");
        row(rows, "with tests, cold, CPU beyond models and validators", beyond(first.cpu), "+ 4 s");
        row(rows, "with tests, cold, memory", mb(first), "≤ 400 MB");
        row(rows, "with tests, cold, verdicts known, CPU", seconds(again.cpu), "");
        row(rows, "with tests, cold, verdicts known, CPU beyond models and validators", beyond(again.cpu), "+ 0.5 s");
        row(rows, "with tests, cold, verdicts known, memory", mb(again), "≤ 400 MB");
        remove(&project)
    }

    /// The set of real schemas.
    pub(super) fn schemastore(&self, rows: &mut Rows) -> Result<(), String> {
        let project = self.setup.project("schemastore-bench", "[python]\nformat = \"assert\"\n")?;
        schemastore::lay_out(&self.setup, &project)?;
        let mut costs = Vec::new();
        for _ in 0..SHORT {
            clean(&project)?;
            costs.push(self.measure(&self.build(&project, &[]))?);
        }
        let cost = median(&costs);
        row(rows, "SchemaStore, all three, cold, CPU", seconds(cost.cpu), "< 2 s");
        row(rows, "SchemaStore, all three, cold, wall", seconds(cost.wall), "");
        row(rows, "SchemaStore, all three, cold, memory", mb(cost), "");
        Ok(())
    }
}
