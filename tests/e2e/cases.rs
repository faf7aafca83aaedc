//! The list of feature fixtures, in one place.

/// Makes a test of every case, and one that no fixture was forgotten.
macro_rules! each_case {
    ($check:path) => {
        crate::cases::each_case!(
            $check;
            api arrays choices combinators conditions defaults draft07 drafts dynamic formats_annotated formats_asserted
            naming objects onex realistic references roots scalars unevaluated vocabularies yaml
        );
    };
    ($check:path; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $check(stringify!($case));
            }
        )*

        #[test]
        fn no_fixture_is_forgotten() {
            let listed = [$(stringify!($case)),*];
            for case in crate::cases::all() {
                assert!(listed.contains(&case.as_str()), "fixtures/{case} is not in tests/e2e/cases.rs");
            }
        }
    };
}

pub(crate) use each_case;

/// The feature fixtures there are: all but the projects to copy, which have their outputs committed, and the one whose agents have to be
/// compiled.
pub(crate) fn all() -> Vec<String> {
    let mut names: Vec<String> = omnigen_tests::tree(&omnigen_tests::fixtures())
        .keys()
        .filter_map(|path| Some(path.split_once('/')?.0.to_owned()))
        .collect();
    names.dedup();
    names.retain(|name| !["shop", "clinic", "lifecycle"].contains(&name.as_str()));
    names
}
