import type { RangeVar } from '@pgsql/types';
import type { RelationDescriptor, ShownRelation } from '../../catalog/descriptors.ts';
import { checkOption } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { type QueryRewrite, raise, rewriteExpr } from '../query-rewrite.ts';
import type { Binder } from './binder.ts';
import { viewQuery } from './from.ts';
import {
  type ModifyVerb,
  TABLE_ROW,
  type TargetColumn,
  type TargetRows,
  tableRows,
} from './modify-target.ts';
import type { OutputColumn, Query, RangeTableEntry, SelectQuery } from './query.ts';
import { visibleOutput } from './sublinks.ts';

/** Views that INSERT, UPDATE and DELETE may name in the place of a table: those that show rows of one table
 * or of one such view, each by itself. What they show of a row is written over the row. */

export function viewRows(
  b: Binder,
  view: RelationDescriptor,
  node: RangeVar,
  verb: ModifyVerb,
  cascaded: boolean,
): TargetRows {
  const query = viewQuery(b, view);
  const refused = refusalOf(query);
  if (refused !== null) {
    b.rewriteErrors.push(notUpdatable(view, verb, refused));
    return tableRows(view, false);
  }
  const { rangeTable, from, where } = query as SelectQuery;
  const relation = (from[0] as { readonly relation: number }).relation;
  const option = checkOption(view);
  const isCascaded = cascaded || option === 'cascaded';
  const inner = innerRows(b, rangeTable[relation] as RangeTableEntry, node, verb, isCascaded);
  const over = (expr: Expr) => rewriteExpr(expr, overInner(relation, inner), 0);
  const columns = visibleOutput(query).map(({ expr, name }, i): TargetColumn => {
    const { default: initial = null, name: written = name } = view.columns[i] ?? {};
    const shown = {
      name: written,
      type: expr.type,
      typmod: expr.typmod,
      expr: over(expr),
      default: initial,
    };
    const source = expr.kind === 'column' && expr.level === 0 ? inner.columns[expr.column] : null;
    if (source) return { ...shown, position: source.position, refusal: source.refusal };
    const reason = expr.kind === 'column' && expr.level === 0 ? SYSTEM : OTHER;
    return { ...shown, position: -1, refusal: { column: written, view: view.name, reason } };
  });
  if (verb !== 'delete' && !columns.some(({ position }) => position >= 0)) {
    b.rewriteErrors.push(notUpdatable(view, verb, 'Views that have no updatable columns'));
  }
  const defaults = new Map(inner.defaults);
  for (const { position, default: initial } of columns) {
    if (initial !== null) defaults.set(position, initial);
  }
  if (where === null) return { ...inner, columns, defaults };
  const condition = over(where);
  const conditions = [condition, ...inner.conditions];
  const isChecked = isCascaded || option !== null;
  const checks = isChecked ? [...inner.checks, { view: view.name, condition }] : inner.checks;
  return { ...inner, columns, defaults, conditions, checks };
}

const OTHER = 'View columns that are not columns of their base relation are not updatable.';
const SYSTEM = 'View columns that refer to system columns are not updatable.';

function innerRows(
  b: Binder,
  entry: RangeTableEntry,
  node: RangeVar,
  verb: ModifyVerb,
  cascaded: boolean,
): TargetRows {
  if (entry.kind === 'table') {
    const only = entry.only === true || node.inh !== true;
    return tableRows(entry.table, only);
  }
  const oid = entry.kind === 'subquery' ? (entry.view ?? 0) : 0;
  const view = b.catalog.relationByOid(oid);
  if (view === undefined) throw pgError('internal_error', `there is no view ${oid}`);
  return viewRows(b, view, node, verb, cascaded);
}

/** Puts what an inner relation shows into the place of its columns. */
function overInner(relation: number, inner: TargetRows): QueryRewrite {
  return {
    reference(part, depth) {
      if (part.kind !== 'column' || part.level !== depth || part.relation !== relation) return null;
      const column = inner.columns[part.column];
      return column === undefined ? { ...part, relation: TABLE_ROW } : raise(column.expr, depth);
    },
    cteLevel: (level) => level,
  };
}

/** What a view shows by its query; null where its rows are not those of one relation. */
export function shownRelation(query: Query): ShownRelation | null {
  if (refusalOf(query) !== null) return null;
  const { rangeTable, from } = query as SelectQuery;
  const { relation } = from[0] as { readonly relation: number };
  const entry = rangeTable[relation] as RangeTableEntry;
  const columns = visibleOutput(query).map(({ expr }) => {
    if (expr.kind !== 'column' || expr.level !== 0) return -1;
    return (entry.kind === 'table' ? entry.attributes[expr.column] : expr.column) ?? -1;
  });
  if (entry.kind === 'table') return { relation: entry.table.oid, columns };
  return { relation: entry.kind === 'subquery' ? (entry.view ?? 0) : 0, columns };
}

/** WITH CHECK OPTION is for views that pass changes on. */
export function refuseCheckOption(query: Query): void {
  const refused = refusalOf(query);
  const isColumn = ({ expr }: OutputColumn) => expr.kind === 'column' && expr.level === 0;
  const isEmpty = refused === null && !visibleOutput(query).some(isColumn);
  if (refused === null && !isEmpty) return;
  const views = refused ?? 'Views that have no updatable columns';
  throw pgError(
    'feature_not_supported',
    'WITH CHECK OPTION is supported only on automatically updatable views',
    { hint: `${views} are not automatically updatable.` },
  );
}

/** Why rows of the query are not rows of one relation; null when they are. */
function refusalOf(query: Query): string | null {
  if (query.kind === 'setOperation') return 'Views containing UNION, INTERSECT, or EXCEPT';
  if (query.kind !== 'select') return NOT_SINGLE;
  if (query.distinct !== 'none') return 'Views containing DISTINCT';
  if (query.groupBy.length > 0 || query.groupingSets !== null) return 'Views containing GROUP BY';
  if (query.having !== null) return 'Views containing HAVING';
  if (query.ctes.length > 0) return 'Views containing WITH';
  if (query.limit !== null || query.offset !== null) return 'Views containing LIMIT or OFFSET';
  if (query.hasAggregates) return 'Views that return aggregate functions';
  if (returns(query, 'window')) return 'Views that return window functions';
  if (returns(query, 'setCall')) return 'Views that return set-returning functions';
  const [only, other] = query.from;
  if (only?.kind !== 'relation' || other !== undefined) return NOT_SINGLE;
  const entry = query.rangeTable[only.relation];
  const isRelation =
    entry?.kind === 'table' || (entry?.kind === 'subquery' && entry.view !== undefined);
  return isRelation ? null : NOT_SINGLE;
}

const NOT_SINGLE = 'Views that do not select from a single table or view';

function returns({ output, orderBy }: SelectQuery, kind: Expr['kind']): boolean {
  const isKind = (part: Expr) => part.kind === kind;
  return [...output, ...orderBy].some(({ expr }) => someExpr(expr, isKind));
}

const WORDS = {
  insert: ['insert into', 'inserting into'],
  update: ['update', 'updating'],
  delete: ['delete from', 'deleting from'],
} as const;

function notUpdatable({ name }: RelationDescriptor, verb: ModifyVerb, views: string): PgError {
  const [infinitive, gerund] = WORDS[verb];
  const event = verb.toUpperCase();
  return pgError('object_not_in_prerequisite_state', `cannot ${infinitive} view "${name}"`, {
    detail: `${views} are not automatically updatable.`,
    hint: `To enable ${gerund} the view, provide an INSTEAD OF ${event} trigger or an unconditional ON ${event} DO INSTEAD rule.`,
  });
}

/** A column that the statement gives a value is one of the table; it is refused after all that is wrong with the
 * statement by itself. */
export function refuseUnlessUpdatable(
  b: Binder,
  { refusal }: TargetColumn,
  verb: ModifyVerb,
): void {
  if (refusal === null) return;
  b.rewriteErrors.push(
    pgError(
      'feature_not_supported',
      `cannot ${WORDS[verb][0]} column "${refusal.column}" of view "${refusal.view}"`,
      { detail: refusal.reason },
    ),
  );
}
