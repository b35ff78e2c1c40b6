import { pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { functionByOid } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { resolvePolymorphic } from './polymorphic.ts';
import type { RelationColumn } from './query.ts';
import type { Scope } from './scope.ts';
import { visibleOutput } from './sublinks.ts';
import { typeDisplay } from './type-facts.ts';

/** The fields of records: what `(row).field` and `(row).*` mean. */

/** Binds `(expr).field`. */
export function selectField(b: Binder, scope: Scope, expr: Expr, field: string): Expr {
  const fields = rowFields(scope, expr);
  if (fields === null && expr.type !== OID.record) {
    throw pgError(
      'wrong_object_type',
      `column notation .${field} applied to type ${typeDisplay(expr.type)}, which is not a composite type`,
      b.positionOf(expr),
    );
  }
  const position = fields?.findIndex(({ name }) => name === field) ?? -1;
  const found = fields?.[position];
  if (found !== undefined) return fieldOf(expr, position, found);
  const owner = expr.kind === 'row' ? b.rowOwners.get(expr) : undefined;
  throw pgError(
    'undefined_column',
    owner === undefined
      ? `could not identify column "${field}" in record data type`
      : `column ${owner}.${field} does not exist`,
    b.positionOf(expr),
  );
}

/** Binds `(expr).*`. */
export function expandRow(b: Binder, scope: Scope, expr: Expr): { name: string; expr: Expr }[] {
  const fields = rowFields(scope, expr);
  if (fields === null) {
    throw expr.type === OID.record
      ? pgError('wrong_object_type', 'record type has not been registered', b.positionOf(expr))
      : pgError(
          'wrong_object_type',
          `type ${typeDisplay(expr.type)} is not composite`,
          b.positionOf(expr),
        );
  }
  return fields.map((field, i) => ({ name: field.name, expr: fieldOf(expr, i, field) }));
}

function fieldOf(expr: Expr, position: number, { type, typmod }: RelationColumn): Expr {
  const part = expr.kind === 'row' ? expr.fields[position] : undefined;
  return part ?? { kind: 'field', type, typmod, argument: expr, field: position };
}

/** The fields of a record, where they can be seen; null elsewhere. */
function rowFields(scope: Scope, expr: Expr): readonly RelationColumn[] | null {
  switch (expr.kind) {
    case 'row':
      return expr.fields.map(({ type, typmod }, i) => ({
        name: expr.names[i] ?? '',
        type,
        typmod,
      }));
    case 'call':
    case 'setCall': {
      const outputs = functionOutputs(expr);
      return outputs.length > 1 ? outputs : null;
    }
    case 'column': {
      let owner: Scope | null = scope;
      for (let i = 0; i < expr.level; i++) owner = owner?.parent ?? null;
      const entry = owner?.rangeTable[expr.relation];
      if (entry?.kind !== 'subquery') return null;
      const inner = visibleOutput(entry.query)[expr.column]?.expr;
      return inner === undefined || inner.kind === 'column' ? null : rowFields(scope, inner);
    }
    case 'subquery': {
      if (expr.form !== 'scalar') return null;
      const inner = visibleOutput(expr.query)[0]?.expr;
      return inner === undefined || inner.kind === 'column' ? null : rowFields(scope, inner);
    }
    case 'case':
      // The row of an item that an outer join may have no row of.
      return expr.otherwise?.kind === 'row' ? rowFields(scope, expr.otherwise) : null;
    default:
      return null;
  }
}

/** The columns of a function's rows that its OUT parameters name. */
export function functionOutputs(expr: Expr): RelationColumn[] {
  if (expr.kind !== 'setCall' && expr.kind !== 'call') return [];
  const signature = functionByOid(expr.function);
  const outputs: RelationColumn[] = [];
  signature?.modes?.forEach((mode, i) => {
    if (mode !== 'o' && mode !== 't' && mode !== 'b') return;
    const declared = signature.allArguments?.[i] ?? OID.text;
    const actual = expr.arguments.map((argument) => argument.type);
    const type =
      resolvePolymorphic(signature.arguments, actual, declared, false)?.result ?? declared;
    outputs.push({ name: signature.names?.[i] ?? `column${i + 1}`, type, typmod: -1 });
  });
  return outputs;
}
