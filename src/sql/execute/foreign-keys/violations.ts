import type {
  CatalogView,
  ConstraintDescriptor,
  RelationDescriptor,
} from '../../../catalog/descriptors.ts';
import { type PgError, pgError } from '../../../errors/index.ts';
import type { Datum, SqlType, TypeContext } from '../../../types/index.ts';
import type { Reference } from './reference.ts';

/** 23503 in PostgreSQL's words. The schema and the table named are the referencing one's. */

/** A row of the child refers to a key that the parent does not have. */
export function missingParent(
  reference: Reference,
  values: readonly Datum[],
  schema: string | undefined,
  context: TypeContext,
): PgError {
  const { child, constraint, conversions, parent } = reference;
  const names = constraint.columns.map((column) => child.columns[column]!.name);
  const types = conversions.map((conversion) => conversion.child);
  return childViolation(
    reference,
    schema,
    `Key ${keyText(names, values, types, context)} is not present in table "${parent.name}".`,
  );
}

/** MATCH FULL: some columns are NULL and others are not. */
export function mixedNulls(reference: Reference, schema: string | undefined): PgError {
  return childViolation(
    reference,
    schema,
    'MATCH FULL does not allow mixing of null and nonnull key values.',
  );
}

function childViolation(
  { child, constraint }: Reference,
  schema: string | undefined,
  detail: string,
): PgError {
  return pgError(
    'foreign_key_violation',
    `insert or update on table "${child.name}" violates foreign key constraint "${constraint.name}"`,
    { detail, schema, table: child.name, constraint: constraint.name },
  );
}

/** The foreign key whose part a partition has, and the table that has it; the key itself of others. */
export function wholeKey(
  catalog: CatalogView,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): { readonly table: RelationDescriptor; readonly constraint: ConstraintDescriptor } {
  const above = catalog.relationByOid(table.partitionOf?.parent ?? 0);
  const whole = above?.constraints.find(({ oid }) => oid === constraint.parent);
  if (above === undefined || whole === undefined) return { table, constraint };
  return wholeKey(catalog, above, whole);
}

/** A row of `table`, the parent or a partition of it, is to go to which one of the child refers. */
export function stillReferenced(
  catalog: CatalogView,
  reference: Reference,
  key: readonly Datum[],
  table: string,
  context: TypeContext,
): PgError {
  const { conversions, foreign, parent } = reference;
  const { table: child, constraint } = wholeKey(catalog, reference.child, reference.constraint);
  const schema = catalog.schemaByOid(child.schema)?.name;
  const names = foreign.columns.map((column) => parent.columns[column]!.name);
  const types = conversions.map((conversion) => conversion.parent);
  return pgError(
    'foreign_key_violation',
    `update or delete on table "${table}" violates foreign key constraint "${constraint.name}" on table "${child.name}"`,
    {
      detail: `Key ${keyText(names, key, types, context)} is still referenced from table "${child.name}".`,
      schema,
      table: child.name,
      constraint: constraint.name,
    },
  );
}

function keyText(
  names: readonly string[],
  values: readonly Datum[],
  types: readonly SqlType[],
  context: TypeContext,
): string {
  const texts = values.map((value, i) =>
    value === null ? 'null' : types[i]!.output(value, context),
  );
  return `(${names.join(', ')})=(${texts.join(', ')})`;
}
