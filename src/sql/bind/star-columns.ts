import type { ColumnRef } from '@pgsql/types';
import type { Expr } from '../expression.ts';
import type { Binder, StarColumn } from './binder.ts';
import { type NamespaceItem, raiseLevels, type Scope } from './scope.ts';
import { nameList } from './syntax.ts';
import type { Target } from './target-list.ts';

/** Tells the context what a `*` stands for; not where that cannot be written. */
export function reportStar(
  b: Binder,
  scope: Scope,
  { fields, location }: ColumnRef,
  targets: readonly Target[],
): void {
  if (b.context.onStar === undefined || b.viewDepth > 0 || targets.length === 0) return;
  const qualifier = nameList(fields).at(-1);
  const columns =
    qualifier === undefined
      ? visibleColumns(b, scope)
      : targets.map(({ name }) => ({ qualifier, column: name }));
  if (columns !== null) b.context.onStar(location ?? 0, columns);
}

/** Tells the context which item a column is of; not where the item's name means another one, or none. */
export function reportColumn(
  b: Binder,
  scope: Scope,
  name: string,
  column: Expr,
  location: number,
): void {
  if (b.context.onColumn === undefined || b.viewDepth > 0) return;
  const passed = new Set<string>();
  let levels = 0;
  for (let level: Scope | null = scope; level !== null; level = level.parent, levels++) {
    const named = namedItems(level);
    const owners = named.filter((item) =>
      item.columns.some(
        (other) => other.name === name && b.same(raiseLevels(other.expr, levels), column),
      ),
    );
    const [owner] = owners;
    if (owner !== undefined) {
      const isOnly = named.filter(({ alias }) => alias === owner.alias).length === 1;
      if (isOnly && !passed.has(owner.alias)) b.context.onColumn(location, owner.alias);
      return;
    }
    for (const { alias } of named) passed.add(alias);
  }
}

/** The columns of `*`, each named by the item that it is of; null where two items share a name. */
function visibleColumns(b: Binder, scope: Scope): StarColumn[] | null {
  const named = namedItems(scope);
  if (new Set(named.map((item) => item.alias)).size < named.length) return null;
  return scope.items
    .filter((item) => item.columnsVisible && !item.lateralOnly)
    .flatMap((item) =>
      item.columns.map(({ name, expr }): StarColumn => {
        const isOwner = (other: NamespaceItem) =>
          other.columns.some((column) => column.name === name && b.same(column.expr, expr));
        const owner = named.includes(item) ? item : named.find(isOwner);
        return { qualifier: owner?.alias ?? null, column: name };
      }),
    );
}

function namedItems(scope: Scope): NamespaceItem[] {
  return scope.items.filter((item) => item.relationVisible && item.alias !== '');
}
