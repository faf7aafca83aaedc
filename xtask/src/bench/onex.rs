//! Contracts of nodes: the real ones beside the checkout, and a thousand synthetic ones.

use crate::conformance::onex;

use super::{Bench, Rows, SHORT, clean, median, row, seconds};

/// Synthetic contracts.
const NODES: usize = 1000;

impl Bench {
    /// Cold builds of node contracts, and how many are read in a second.
    pub(super) fn onex(&self, rows: &mut Rows) -> Result<(), String> {
        let project = self.setup.project("onex-bench", "")?;
        onex::lay_out(&self.setup, &project)?;
        let mut costs = Vec::new();
        for _ in 0..SHORT {
            clean(&project)?;
            costs.push(self.measure(&self.build(&project, &[]))?);
        }
        row(rows, "ONEX corpus, all outputs, cold, CPU", seconds(median(&costs).cpu), "");
        let folder = self.ram.as_ref().unwrap_or(&self.folder);
        let project = self.project_in(folder, "nodes", "", "onex", NODES)?;
        let mut check = std::process::Command::new(&self.setup.omnigen);
        check.args(["check", "-C"]).arg(&project);
        let mut costs = Vec::new();
        for _ in 0..SHORT {
            costs.push(self.measure(&check)?);
        }
        let cost = median(&costs);
        row(rows, "1,000 ONEX contracts read and checked, wall", seconds(cost.wall), "< 0.2 s");
        row(
            rows,
            "1,000 ONEX contracts read and checked, a second",
            format!("{:.0}", NODES as f64 / cost.wall),
            "> 2000",
        );
        crate::remove(&project)
    }
}
