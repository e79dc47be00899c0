//! Functions and procedures.

use super::syntax;
use crate::data_type::{BaseType, DataType};
use crate::expression::{Expression, Token, tokens};
use crate::name::Name;
use crate::schema::{Argument, ArgumentMode, Parallel, Returns, RoutineAttributes, RoutineBody, Volatility};
use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode};

/// The arguments; `None`, where a type can't be said: `users.name%type`, `"any"`.
pub(crate) fn arguments(list: &ast::ParamList) -> Option<Vec<Argument>> {
    if list.aggregate_order_by().is_some() || list.syntax().children_with_tokens().any(|child| child.kind() == SyntaxKind::STAR) {
        return None;
    }
    list.params().map(|parameter| argument(&parameter)).collect()
}

fn argument(parameter: &ast::Param) -> Option<Argument> {
    let mode = match parameter.mode() {
        None | Some(ast::ParamMode::ParamIn(_)) => ArgumentMode::In,
        Some(ast::ParamMode::ParamOut(_)) => ArgumentMode::Out,
        Some(ast::ParamMode::ParamInOut(_)) => ArgumentMode::InOut,
        Some(ast::ParamMode::ParamVariadic(_)) => ArgumentMode::Variadic,
    };
    let default = match parameter.param_default() {
        Some(default) => Some(syntax::expression(&default.expr()?)),
        None => None,
    };
    let name = parameter.name().map(|name| syntax::name(&name));
    Some(Argument { mode, name, data_type: data_type(&parameter.func_type()?)?.0, default })
}

/// A type without its modifier, and whether `setof` stands before it.
fn data_type(written: &ast::FuncType) -> Option<(DataType, bool)> {
    let ast::FuncType::Type(written) = written else { return None };
    let data_type = DataType { modifier: None, ..syntax::data_type(written)? };
    let any = matches!(&data_type.base, BaseType::Builtin(name) if name == "any");
    let set = syntax::significant_tokens(written.syntax()).next().is_some_and(|token| token.kind() == SyntaxKind::SETOF_KW);
    (!any).then_some((data_type, set))
}

/// What stands behind `returns`. What only repeats the `out` arguments is left out.
pub(crate) fn returns(written: Option<ast::RetType>, arguments: &[Argument]) -> Option<Returns> {
    let Some(written) = written else { return Some(Returns::Nothing) };
    if let Some(list) = written.return_table_arg_list() {
        let column = |column: ast::ReturnTableColumn| Some((syntax::name(&column.name()?), data_type(&column.func_type()?)?.0));
        return list.args().map(column).collect::<Option<_>>().map(Returns::Table);
    }
    let (data_type, set) = data_type(&written.func_type()?)?;
    let repeats = arguments.iter().any(|argument| argument.mode.is_output());
    Some(match (set, repeats) {
        (true, _) => Returns::Set(data_type),
        (false, true) => Returns::Nothing,
        (false, false) => Returns::Value(data_type),
    })
}

/// What the options of `create function` say.
#[derive(Default)]
pub(crate) struct Options {
    pub language: Option<Name>,
    pub body: Option<RoutineBody>,
    pub attributes: RoutineAttributes,
}

/// Reads the options; `None`, where the model can't say one of them.
pub(crate) fn options(list: Option<ast::FuncOptionList>) -> Option<Options> {
    let mut options = Options::default();
    for option in list.iter().flat_map(ast::FuncOptionList::options) {
        match &option {
            ast::FuncOption::AsFuncOption(it) => match it.as_func_target()? {
                ast::AsFuncTarget::AsDefinition(it) => {
                    let literal = it.literal()?;
                    options.body = Some(RoutineBody::Text(literal.string_value()?));
                }
                ast::AsFuncTarget::AsObjFile(it) => {
                    let mut literals = it.syntax().children().filter_map(ast::Literal::cast);
                    options.body = Some(RoutineBody::Library(literals.next()?.string_value()?, literals.next()?.string_value()?));
                }
            },
            ast::FuncOption::LanguageFuncOption(it) => options.language = Some(language(it)?),
            other => attribute(other, &mut options.attributes)?,
        }
    }
    Some(options)
}

fn language(option: &ast::LanguageFuncOption) -> Option<Name> {
    match (option.language_ref(), option.literal()) {
        (Some(name), _) => Some(syntax::name(&name)),
        // a string is folded, too
        (None, Some(literal)) => Some(Name::written(literal.string_value()?.to_lowercase(), syntax::at(literal.syntax()))),
        (None, None) => None,
    }
}

/// Changes the attribute that an option is about; `None`, where the model can't say it.
pub(crate) fn attribute(option: &ast::FuncOption, attributes: &mut RoutineAttributes) -> Option<()> {
    match option {
        ast::FuncOption::VolatilityFuncOption(it) => {
            attributes.volatility_at = syntax::at(it.syntax());
            attributes.volatility = match it {
                ast::VolatilityFuncOption::Immutable(_) => Volatility::Immutable,
                ast::VolatilityFuncOption::Stable(_) => Volatility::Stable,
                ast::VolatilityFuncOption::Volatile(_) => Volatility::Volatile,
            }
        }
        ast::FuncOption::StrictFuncOption(_) | ast::FuncOption::ReturnsNullOnNullInputFuncOption(_) => attributes.strict = true,
        ast::FuncOption::CalledOnNullInputFuncOption(_) => attributes.strict = false,
        ast::FuncOption::SecurityDefinerFuncOption(it) => {
            (attributes.security_definer, attributes.security_definer_at) = (true, syntax::at(it.syntax()));
        }
        ast::FuncOption::SecurityInvokerFuncOption(_) => attributes.security_definer = false,
        ast::FuncOption::LeakproofFuncOption(_) => attributes.leakproof = true,
        ast::FuncOption::NotLeakproofFuncOption(_) => attributes.leakproof = false,
        ast::FuncOption::ParallelFuncOption(it) => {
            attributes.parallel = match syntax::significant_tokens(it.syntax()).last()?.text().to_lowercase().as_str() {
                "safe" => Parallel::Safe,
                "restricted" => Parallel::Restricted,
                "unsafe" => Parallel::Unsafe,
                _ => return None,
            }
        }
        ast::FuncOption::CostFuncOption(it) => attributes.cost = Some(number(&it.literal()?)?),
        ast::FuncOption::RowsFuncOption(it) => attributes.rows = Some(number(&it.literal()?)?),
        ast::FuncOption::SetFuncOption(it) => {
            let (name, values) = setting(&it.set_config_param()?)?;
            match values {
                Some(values) => attributes.settings.insert(name, values),
                None => attributes.settings.remove(&name),
            };
        }
        ast::FuncOption::ResetFuncOption(it) => match it.config_parameter_ref() {
            Some(name) => {
                attributes.settings.remove(&setting_name(&name));
            }
            None => attributes.settings.clear(),
        },
        ast::FuncOption::AsFuncOption(_)
        | ast::FuncOption::LanguageFuncOption(_)
        | ast::FuncOption::SupportFuncOption(_)
        | ast::FuncOption::TransformFuncOption(_)
        | ast::FuncOption::WindowFuncOption(_) => return None,
    }
    Some(())
}

/// As PostgreSQL prints a `real`.
fn number(literal: &ast::Literal) -> Option<String> {
    Some(syntax::text(literal.syntax()).parse::<f32>().ok()?.to_string())
}

pub(crate) fn setting_name(name: &ast::ConfigParameterRef) -> String {
    syntax::significant_tokens(name.syntax()).map(|token| token.text().trim_matches('"').to_lowercase()).collect()
}

/// A setting and its values; none: its default. `None` for `from current`, which only the server knows.
fn setting(option: &ast::SetConfigParam) -> Option<(String, Option<Vec<String>>)> {
    let name = setting_name(&option.config_parameter_ref()?);
    let ast::ConfigAssignment::ToConfigValue(assigned) = option.config_assignment()? else { return None };
    if assigned.default_token().is_some() {
        return Some((name, None));
    }
    let value = |value: ast::ConfigValue| match tokens(&syntax::text(value.syntax())).as_slice() {
        [(Token::Word(text) | Token::Quoted(text) | Token::String(text) | Token::Number(text), _)] => Some(text.clone()),
        [(sign, _), (Token::Number(number), _)] if sign.is("-") => Some(format!("-{number}")),
        _ => None,
    };
    let values: Vec<String> = assigned.config_values().map(value).collect::<Option<_>>()?;
    // PostgreSQL keeps a list of names as a list, and anything else as one text
    let is_list = crate::schema::LISTS.contains(&name.as_str());
    Some((name, Some(if is_list { values } else { vec![values.join(", ")] })))
}

/// `return …` and `begin atomic … end`.
pub(crate) fn sql_body(body: &ast::RoutineBody) -> RoutineBody {
    let text = syntax::text(body.syntax());
    RoutineBody::Sql(Expression::written(text.trim_end_matches(';').trim_end(), syntax::at(body.syntax())))
}
