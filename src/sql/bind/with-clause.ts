import type { CommonTableExpr, Node, SelectStmt, WithClause } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { formatType, OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { outputShape } from './from.ts';
import { bindInsert } from './insert.ts';
import { bindDelete, bindUpdate } from './modify.ts';
import type { CommonTable, Query, RelationColumn } from './query.ts';
import { checkRecursiveReferences, dependencyOrder } from './recursion.ts';
import { Scope } from './scope.ts';
import { bindSelectStatement } from './select.ts';
import { visibleOutput } from './sublinks.ts';
import { nameList } from './syntax.ts';

/** WITH: its queries, the recursive ones among them, and changes. */

export function bindWith(b: Binder, scope: Scope, clause: WithClause): void {
  const isRecursive = clause.recursive === true;
  const written = (clause.ctes ?? []).flatMap((item) =>
    'CommonTableExpr' in item ? [item.CommonTableExpr] : [],
  );
  const items = isRecursive ? dependencyOrder(b, written) : written;
  for (const [at, cte] of items.entries()) {
    scope.laterCtes = items.slice(at).map((later) => later.ctename ?? '');
    bindCommonTable(b, scope, cte, isRecursive);
  }
  scope.laterCtes = [];
}

function bindCommonTable(
  b: Binder,
  scope: Scope,
  cte: CommonTableExpr,
  isRecursive: boolean,
): void {
  const name = cte.ctename ?? '';
  if (scope.cteNames.has(name)) {
    throw pgError(
      'duplicate_alias',
      `WITH query name "${name}" specified more than once`,
      b.position(cte.location),
    );
  }
  if (cte.search_clause !== undefined) throw notSupported('SEARCH');
  if (cte.cycle_clause !== undefined) throw notSupported('CYCLE');
  if (isRecursive) checkRecursiveReferences(b, cte);
  const body = cte.ctequery as Node;
  const index = scope.ctes.length;
  const select = 'SelectStmt' in body ? body.SelectStmt : undefined;
  let query: Query;
  let recursive = false;
  if (select === undefined) query = bindChange(b, scope, body, cte.location);
  else if (isRecursive && select.op === 'SETOP_UNION' && select.larg !== undefined) {
    ({ query, recursive } = bindUnion(b, scope, cte, select, select.larg));
  } else query = bindSelectStatement(b, scope, select);
  scope.cteNames.set(name, index);
  const materialized = MATERIALIZED[cte.ctematerialized ?? ''] ?? 'default';
  const columns = namedColumns(b, cte, query);
  scope.ctes.push({ name, query, columns, recursive, materialized });
}

const MATERIALIZED: Readonly<Record<string, CommonTable['materialized']>> = {
  CTEMaterializeAlways: 'always',
  CTEMaterializeNever: 'never',
};

/** The columns of a WITH query under the names that it gives them. */
function namedColumns(b: Binder, cte: CommonTableExpr, query: Query): RelationColumn[] {
  const names = nameList(cte.aliascolnames);
  const shape = outputShape(query);
  if (names.length > shape.length) {
    throw pgError(
      'invalid_column_reference',
      `WITH query "${cte.ctename}" has ${shape.length} columns available but ${names.length} columns specified`,
      b.position(cte.location),
    );
  }
  return shape.map((column, i) => ({ ...column, name: names[i] ?? column.name }));
}

/** A UNION of WITH RECURSIVE, whose second term may refer to the whole. */
function bindUnion(
  b: Binder,
  scope: Scope,
  cte: CommonTableExpr,
  select: SelectStmt,
  first: SelectStmt,
): { query: Query; recursive: boolean } {
  const name = cte.ctename ?? '';
  const index = scope.ctes.length;
  const holder = new Scope(scope);
  if (select.withClause !== undefined) bindWith(b, holder, select.withClause);
  const initial = bindSelectStatement(b, holder, first);
  const columns = namedColumns(b, cte, initial);
  scope.recursiveCte = { index, columns, references: 0 };
  scope.cteNames.set(name, index);
  const query = bindSelectStatement(b, scope, select);
  const recursive = scope.recursiveCte.references > 0;
  scope.recursiveCte = null;
  if (recursive) checkRecursion(b, name, columns, initial, query);
  return { query, recursive };
}

/** INSERT, UPDATE or DELETE in WITH. */
function bindChange(b: Binder, scope: Scope, node: Node, location: number | undefined): Query {
  if (scope.parent !== null || b.viewDepth > 0) {
    throw pgError(
      'feature_not_supported',
      'WITH clause containing a data-modifying statement must be at the top level',
      b.position(location),
    );
  }
  if ('InsertStmt' in node) return bindInsert(b, scope, node.InsertStmt);
  if ('UpdateStmt' in node) return bindUpdate(b, scope, node.UpdateStmt);
  if ('DeleteStmt' in node) return bindDelete(b, scope, node.DeleteStmt);
  throw notSupported('this statement in WITH', b.position(location));
}

function checkRecursion(
  b: Binder,
  name: string,
  columns: readonly RelationColumn[],
  initial: Query,
  query: Query,
): void {
  if (query.kind !== 'setOperation') return;
  outputShape(query).forEach((column, i) => {
    const first = columns[i];
    const { type, typmod } = first ?? column;
    if (type === column.type && typmod === column.typmod) return;
    const initialType = formatType(type, typmod);
    const overall = formatType(column.type, column.typmod);
    throw pgError(
      'datatype_mismatch',
      `recursive query "${name}" column ${i + 1} has type ${initialType} in non-recursive term but type ${overall} overall`,
      {
        hint: 'Cast the output of the non-recursive term to the correct type.',
        ...b.positionOf(visibleOutput(initial)[i]?.expr ?? CONSTANT),
      },
    );
  });
}

const CONSTANT: Expr = { kind: 'const', type: OID.unknown, typmod: -1, value: null };
