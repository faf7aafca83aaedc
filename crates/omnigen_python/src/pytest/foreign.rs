//! Values of other contracts' types, as their own test modules have them.
//!
//! They are asked for when the test runs: a test module that is not there, or has no valid document, is skipped and breaks nothing.

use omnigen_ir::naming::Unit;

use super::definitions::parametrized;
use crate::layout::{Doc, Writer, string};

/// A member of the root object that is, and only is, what another contract describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its name in JSON; the first valid document has it.
    pub name: Box<str>,
    /// The other contract.
    pub unit: Unit,
}

/// The list of such members.
pub(super) fn put_list(out: &mut Writer, unit: &Unit, foreign: &[Foreign]) {
    let case = |one: &Foreign| {
        let module = unit.import("test", &one.unit, "test");
        let texts = [string(&one.name), string(&module)].map(Doc::text);
        let id = Doc::keyword("id", Doc::text(string(&one.name)));
        Doc::group("pytest.param(", texts.into_iter().chain([id]).collect(), ")")
    };
    out.line("");
    out.statement("FOREIGN = ", &Doc::group("[", foreign.iter().map(case).collect(), "]"), "");
}

/// The test that takes them in.
pub(super) fn put_test(out: &mut Writer) {
    out.line("");
    out.line("");
    parametrized(out, "test_foreign", "FOREIGN", &[], &[("name", "str"), ("module", "str")]);
    out.indent();
    out.line("\"\"\"What another contract's tests know as valid is valid in here.\"\"\"");
    out.line("try:");
    out.line("    samples = import_module(module, __package__).VALID");
    out.line("except (ImportError, AttributeError):");
    out.line("    pytest.skip(\"the other contract has no valid samples\")");
    out.line("document: Any = VALID[0].values[0]");
    out.line("accept({**document, name: samples[0].values[0]})");
    out.dedent();
}
