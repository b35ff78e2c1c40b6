import type { ExecuteStmt, Node, TypeName } from '@pgsql/types';
import { type PgErrorOptions, pgError } from '../errors/index.ts';
import { type BindContext, bindExpression, bindParameterType } from '../sql/bind/index.ts';
import type { Expr } from '../sql/expression.ts';
import { type Plan, planValues } from '../sql/plan/index.ts';
import { type Datum, formatType, typeByOid } from '../types/index.ts';
import type { PrepareContext } from './prepared-statement.ts';

/** In what arguments are bound. */
interface ArgumentScope {
  /** The query string. */
  readonly queryText: string;
  prepareContext(): PrepareContext;
}

/** The plan whose one row has the arguments of EXECUTE as values of the statement's parameters; null for
 * a statement without parameters. */
export function planArguments(
  statement: ExecuteStmt,
  types: readonly number[],
  scope: ArgumentScope,
): Plan | null {
  const given = statement.params ?? [];
  if (types.length === 0) return null;
  if (given.length !== types.length) {
    const name = statement.name ?? '';
    throw pgError('syntax_error', `wrong number of parameters for prepared statement "${name}"`, {
      detail: `Expected ${types.length} parameters but got ${given.length}.`,
    });
  }
  const context = bindContext(scope);
  const exprs = given.map((node, i) => bindArgument(node, i + 1, types[i]!, context));
  return planValues(exprs, { catalog: context.catalog, parameterTypes: [] });
}

/** The values of a DataRow message whose columns are binary. */
export function rowValues(row: Uint8Array, types: readonly number[]): Datum[] {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let at = ROW_HEADER;
  return types.map((type) => {
    const length = view.getInt32(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return typeByOid(type).receive(row, at - length, at);
  });
}

/** Type byte, length and number of columns. */
const ROW_HEADER = 7;

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
