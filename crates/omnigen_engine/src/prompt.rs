//! Prompts: templates over a context package. Pure; a name that is not there is an error, and no template runs for ever.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};
use omnigen_ir::Json;

/// Steps that a template may take: far more than any prompt needs.
const FUEL: u64 = 2_000_000;

/// A template's last line ends as it is written.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(syntax());
    // Prompts are plain text, whatever the template's file is called.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

/// Renders a template over the members of an object.
///
/// # Errors
/// In words, with the template's line.
pub fn render(name: &str, template: &str, context: &Json) -> Result<String, String> {
    // By way of text: numbers of any length stay what they are where they fit.
    let context: serde_json::Value = serde_json::from_str(&context.to_string()).map_err(|error| error.to_string())?;
    let environment = environment();
    let said = |error: minijinja::Error| problem(name, &error);
    let template = environment.template_from_named_str(name, template).map_err(said)?;
    template.render(Value::from(minijinja::value::Serde(&context))).map_err(said)
}

/// What is wrong with a template itself, if anything.
pub fn template_problem(name: &str, template: &str) -> Option<String> {
    environment().template_from_named_str(name, template).err().map(|error| problem(name, &error))
}

fn problem(name: &str, error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.line() {
        Some(line) => format!("{name}:{line}: {what}"),
        None => format!("{name}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Json {
        Json::Object(vec![("contract".into(), Json::Object(vec![("name".into(), Json::String("a<b".into()))]))])
    }

    #[test]
    fn templates_see_the_package_and_nothing_else() {
        assert_eq!(render("p.html", "Hi {{ contract.name }}\n", &context()).as_deref(), Ok("Hi a<b\n"));
        assert_eq!(render("p", "{{ contract | tojson }}", &context()).as_deref(), Ok("{\"name\": \"a\\u003cb\"}"));
        for (template, part) in [
            ("\n{{ other }}", "p:2: undefined value"),
            ("{% include 'x' %}", "p:1: syntax error"),
            ("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}", "ran out of fuel"),
            ("{{ ", "p:1: syntax error"),
        ] {
            let error = render("p", template, &context()).expect_err(template);
            assert!(error.contains(part), "{template}: {error}");
        }
        assert!(template_problem("p", "{% if %}").is_some() && template_problem("p", "{{ x }}").is_none());
    }
}
