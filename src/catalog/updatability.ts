import type { CatalogView, RelationDescriptor } from './descriptors.ts';

/** What INSERT, UPDATE and DELETE can do with a relation: a view passes changes on where its rows are those of
 * one relation that takes them. */
export interface Updatability {
  /** INSERT and UPDATE. */
  readonly takesValues: boolean;
  readonly takesDelete: boolean;
  /** By positions of columns, those of dropped ones among them. */
  readonly columns: readonly boolean[];
}

const NOTHING: Updatability = { takesValues: false, takesDelete: false, columns: [] };

export function updatabilityOf(catalog: CatalogView, relation: RelationDescriptor): Updatability {
  const { kind, columns, shows } = relation;
  if (kind === 'sequence') return NOTHING;
  if (kind !== 'view') {
    return { takesValues: true, takesDelete: true, columns: columns.map(() => true) };
  }
  const base = shows && catalog.relationByOid(shows.relation);
  if (!base) return NOTHING;
  const inner = updatabilityOf(catalog, base);
  const taken = shows.columns.map((position) => inner.columns[position] === true);
  return {
    takesValues: inner.takesValues && taken.includes(true),
    takesDelete: inner.takesDelete,
    columns: taken,
  };
}
