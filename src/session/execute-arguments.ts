import type { ExecuteStmt, Node, TypeName } from '@pgsql/types';
import { type PgErrorOptions, pgError } from '../errors/index.ts';
import { type BindContext, bindExpression, bindParameterType } from '../sql/bind/index.ts';
import type { Expr } from '../sql/expression.ts';
import { type Datum, formatType } from '../types/index.ts';
import type { PrepareContext } from './prepared-statement.ts';

/** Evaluates expressions without columns. */
type Evaluate = (exprs: readonly Expr[]) => Datum[];

/** In what arguments are bound. */
interface ArgumentScope {
  /** The query string. */
  readonly queryText: string;
  prepareContext(): PrepareContext;
}

/** The arguments of EXECUTE as values of the statement's parameters. */
export function executeArguments(
  statement: ExecuteStmt,
  types: readonly number[],
  scope: ArgumentScope,
  evaluate: Evaluate,
): readonly Datum[] {
  const given = statement.params ?? [];
  if (types.length === 0) return [];
  if (given.length !== types.length) {
    const name = statement.name ?? '';
    throw pgError('syntax_error', `wrong number of parameters for prepared statement "${name}"`, {
      detail: `Expected ${types.length} parameters but got ${given.length}.`,
    });
  }
  const context = bindContext(scope);
  return evaluate(given.map((node, i) => bindArgument(node, i + 1, types[i]!, context)));
}

/** The type that PREPARE gives a parameter. */
export function parameterType(name: TypeName, scope: ArgumentScope): number {
  return bindParameterType(name, bindContext(scope));
}

/** An argument: an expression without columns, cast to its parameter's type. */
function bindArgument(node: Node, number: number, type: number, context: BindContext): Expr {
  const mismatch = (given: string, position: PgErrorOptions) =>
    pgError(
      'datatype_mismatch',
      `parameter $${number} of type ${given} cannot be coerced to the expected type ${formatType(type)}`,
      { hint: 'You will need to rewrite or cast the expression.', ...position },
    );
  const target = { type, typmod: -1, column: '', mismatch };
  return bindExpression(node, context, 'EXECUTE parameters', null, target).expr as Expr;
}

/** For what is bound outside of a prepared statement. */
function bindContext(scope: ArgumentScope): BindContext {
  const { catalog, searchPath, processId, types } = scope.prepareContext();
  return {
    catalog,
    searchPath,
    processId,
    parameterTypes: [],
    literals: [],
    parameterCount: 0,
    parametersAllowed: false,
    text: scope.queryText,
    types,
  };
}
