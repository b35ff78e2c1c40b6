import type { CommonTableExpr, JoinExpr, RangeVar, SelectStmt, WithClause } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Binder } from './binder.ts';

/** Where a query of WITH RECURSIVE may refer to itself: once, in the right arm of its UNION, and
 * nowhere that would see more than the rows of the step before. It is told from the syntax alone,
 * before anything is bound, with PostgreSQL's contexts and words. */

type Context = 'fine' | 'its non-recursive term' | 'a subquery' | 'an outer join' | SetContext;
type SetContext = 'INTERSECT' | 'EXCEPT';

interface Walk {
  readonly name: string;
  /** Called at each reference that the name's own query means. */
  readonly reference: (at: RangeVar, context: Context) => void;
}

/** Refuses a self-reference of a common table where it may not stand. */
export function checkRecursiveReferences(b: Binder, cte: CommonTableExpr): void {
  const name = cte.ctename ?? '';
  let recursive = false;
  const find: Walk = {
    name,
    reference: () => {
      recursive = true;
    },
  };
  walk(find, cte.ctequery, 'fine');
  if (!recursive) return;
  const body = cte.ctequery as { SelectStmt?: SelectStmt };
  const select = body.SelectStmt;
  if (select === undefined) {
    throw pgError(
      'invalid_recursion',
      `recursive query "${name}" must not contain data-modifying statements`,
      b.position(cte.location),
    );
  }
  if (select?.op !== 'SETOP_UNION') {
    throw pgError(
      'invalid_recursion',
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
      b.position(cte.location),
    );
  }
  let references = 0;
  const check: Walk = {
    name,
    reference: (at, context) => {
      references++;
      if (context === 'fine' && references === 1) return;
      const where = context === 'fine' ? 'more than once' : `within ${context}`;
      throw pgError(
        'invalid_recursion',
        `recursive reference to query "${name}" must not appear ${where}`,
        b.position(at.location),
      );
    },
  };
  walk(check, select.withClause, 'a subquery');
  walkSelect(check, select.larg, 'its non-recursive term');
  walkSelect(check, select.rarg, 'fine');
  refuseDecoration(b, select);
}

/** What stands behind the UNION would need the rows of all steps. */
function refuseDecoration(b: Binder, select: SelectStmt): void {
  const decorations = [
    ['ORDER BY', select.sortClause],
    ['OFFSET', select.limitOffset],
    ['LIMIT', select.limitCount],
    ['FOR UPDATE/SHARE', select.lockingClause],
  ] as const;
  for (const [name, node] of decorations) {
    if (node === undefined) continue;
    throw pgError(
      'feature_not_supported',
      `${name} in a recursive query is not implemented`,
      b.position(firstLocation(node)),
    );
  }
}

/** The place of a part of the tree: the least location in it. */
function firstLocation(node: unknown): number | undefined {
  if (node === null || typeof node !== 'object') return undefined;
  let first: number | undefined;
  for (const [tag, field] of Object.entries(node)) {
    const location = tag === 'location' && typeof field === 'number' ? field : firstLocation(field);
    if (location === undefined || location < 0) continue;
    if (first === undefined || location < first) first = location;
  }
  return first;
}

/** The tables of WITH RECURSIVE in an order in which each comes after those that it reads. */
export function dependencyOrder(
  b: Binder,
  ctes: readonly CommonTableExpr[],
): readonly CommonTableExpr[] {
  const reads = (cte: CommonTableExpr, other: CommonTableExpr): boolean => {
    let found = false;
    const reference = () => {
      found = true;
    };
    if (cte !== other) walk({ name: other.ctename ?? '', reference }, cte.ctequery, 'fine');
    return found;
  };
  const needs = new Map(ctes.map((cte) => [cte, ctes.filter((other) => reads(cte, other))]));
  const ordered: CommonTableExpr[] = [];
  let left = [...ctes];
  while (left.length > 0) {
    const next = left.find((cte) => needs.get(cte)?.every((other) => ordered.includes(other)));
    if (next === undefined) {
      throw pgError(
        'feature_not_supported',
        'mutual recursion between WITH items is not implemented',
        b.position(left[0]?.location),
      );
    }
    ordered.push(next);
    left = left.filter((cte) => cte !== next);
  }
  return ordered;
}

function walk(state: Walk, node: unknown, context: Context): void {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const item of node) walk(state, item, context);
    return;
  }
  for (const [tag, fields] of Object.entries(node)) walkTagged(state, tag, fields, context);
}

function walkTagged(state: Walk, tag: string, fields: unknown, context: Context): void {
  switch (tag) {
    case 'RangeVar': {
      const table = fields as RangeVar;
      if (table.schemaname === undefined && table.relname === state.name) {
        state.reference(table, context);
      }
      return;
    }
    case 'SelectStmt':
      walkSelect(state, fields as SelectStmt, context);
      return;
    case 'SubLink':
      walk(state, fields, 'a subquery');
      return;
    case 'JoinExpr':
      walkJoin(state, fields as JoinExpr, context);
      return;
    default:
      walk(state, fields, context);
  }
}

function walkJoin(state: Walk, join: JoinExpr, context: Context): void {
  const { larg, rarg, ...rest } = join;
  const outer = context === 'fine' ? 'an outer join' : context;
  const full = join.jointype === 'JOIN_FULL';
  walk(state, larg, full || join.jointype === 'JOIN_RIGHT' ? outer : context);
  walk(state, rarg, full || join.jointype === 'JOIN_LEFT' ? outer : context);
  walk(state, rest, context);
}

function walkSelect(state: Walk, select: SelectStmt | undefined, context: Context): void {
  if (select === undefined) return;
  const { larg, rarg, withClause, ...rest } = select;
  if (withClause !== undefined && walkWith(state, withClause, context)) return;
  walk(state, rest, context);
  walkSelect(state, larg, armContext(select, context, false));
  walkSelect(state, rarg, armContext(select, context, true));
}

function armContext(select: SelectStmt, context: Context, right: boolean): Context {
  if (context !== 'fine') return context;
  if (select.op === 'SETOP_INTERSECT' && select.all === true) return 'INTERSECT';
  if (select.op === 'SETOP_EXCEPT' && (right || select.all === true)) return 'EXCEPT';
  return context;
}

/** Whether a table of the inner WITH hides the name from what follows. */
function walkWith(state: Walk, clause: WithClause, context: Context): boolean {
  const tables = (clause.ctes ?? []).flatMap((node) =>
    'CommonTableExpr' in node ? [node.CommonTableExpr] : [],
  );
  const hiding = tables.findIndex((table) => table.ctename === state.name);
  const seen = hiding < 0 ? tables : tables.slice(0, clause.recursive === true ? 0 : hiding + 1);
  for (const table of seen) walk(state, table.ctequery, context);
  return hiding >= 0;
}
