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

/** WITH CHECK OPTION of a view: whether new rows have to be among those that it shows. */
export function checkOption({ options }: RelationDescriptor): 'local' | 'cascaded' | null {
  const value = options.find((option) => option.startsWith('check_option='))?.split('=')[1];
  return value === undefined ? null : value.toLowerCase() === 'local' ? 'local' : 'cascaded';
}

/** Whether nothing that a statement says of the view's rows is computed of rows that it does not show. */
export function isSecurityBarrier({ options }: RelationDescriptor): boolean {
  const value = options.find((option) => option.startsWith('security_barrier='))?.split('=')[1];
  return value !== undefined && /^(?:t|y|on|1)/i.test(value);
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
