import type { ColumnRef } from '@pgsql/types';
import type { Binder, StarColumn } from './binder.ts';
import type { NamespaceItem, Scope } from './scope.ts';
import type { Target } from './select.ts';
import { nameList } from './syntax.ts';

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

/** The columns of `*`, each named by the item that it is of; null where two items share a name. */
function visibleColumns(b: Binder, scope: Scope): StarColumn[] | null {
  const named = scope.items.filter((item) => item.relationVisible && item.alias !== '');
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
