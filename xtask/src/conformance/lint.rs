//! What other tools say of generated Python.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::{Setup, row};

/// How many findings are listed for each tool; the rest is counted.
const SHOWN: usize = 20;

/// Rows of files without findings, and the findings.
pub(super) fn score(setup: &Setup, project: &Path) -> Result<(String, String), String> {
    let files = crate::tidy::walk(&project.join("generated"))?;
    let all = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "py")).count();
    let cache = setup.folder.join("mypy-cache").display().to_string();
    // In basic mode; it reads no such option from the command line.
    crate::write(&project.join("pyrightconfig.json"), r#"{"typeCheckingMode": "basic", "include": ["generated"]}"#)?;
    let python = setup.python.display().to_string();
    let (here, root) = (setup.python.as_path(), format!("{}{}", project.display(), std::path::MAIN_SEPARATOR));
    let tools: [(&str, &Path, &[&str]); 4] = [
        (
            // The default set, and more.
            "ruff check",
            here,
            &[
                "-m",
                "ruff",
                "check",
                "--isolated",
                "--no-cache",
                "--extend-select",
                "I,UP,B",
                "--output-format",
                "concise",
                "generated",
            ],
        ),
        ("ruff format --check", here, &["-m", "ruff", "format", "--isolated", "--no-cache", "--check", "generated"]),
        (
            "mypy --strict",
            here,
            &[
                "-m",
                "mypy",
                "--strict",
                "--config-file",
                "",
                "--no-color-output",
                "--no-error-summary",
                "--hide-error-context",
                "--cache-dir",
                &cache,
                "-p",
                "generated",
            ],
        ),
        (
            "pyright",
            &setup.pyright,
            &["-m", "pyright", "--level", "error", "--pythonpath", &python, "--project", "pyrightconfig.json"],
        ),
    ];
    let (mut table, mut found) = (String::new(), String::new());
    for (name, program, arguments) in tools {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(project)
            .output()
            .map_err(|error| format!("{name}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        // `path:line:column: finding`, or ` --> path:line:column`.
        let lines: BTreeSet<&str> = text
            .lines()
            .map(|line| line.split_once("--> ").map_or(line, |(_, place)| place))
            .map(|line| {
                line.trim_start().strip_prefix(root.as_str()).filter(|_| line.contains(" - error")).unwrap_or(line)
            })
            .filter(|line| line.starts_with("generated"))
            .collect();
        if !matches!(output.status.code(), Some(0 | 1)) || (lines.is_empty() && !output.status.success()) {
            return Err(format!("{name}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        let faulty: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
        table += &row(&format!("modules that `{name}` passes"), (all - faulty.len()) as u64, all as u64, "all");
        for line in lines.iter().take(SHOWN) {
            found += &format!("  {name}: {}\n", line.chars().take(240).collect::<String>());
        }
        if lines.len() > SHOWN {
            found += &format!("  {name}: and {} more\n", lines.len() - SHOWN);
        }
    }
    Ok((table, found))
}
