import { type RelationDescriptor, schemaOfName } from '../catalog/index.ts';
import type { ClientSession } from './session.ts';

/** The table that a name leads to, if any. */
export function findTable(
  session: ClientSession,
  schema: string | undefined,
  name: string,
): RelationDescriptor | undefined {
  const { catalog, processId } = session;
  const schemas =
    schema === undefined
      ? session.prepareContext().searchPath
      : [schemaOfName(catalog, schema, processId)?.oid ?? 0];
  for (const oid of schemas) {
    const relation = catalog.relationByName(oid, name);
    if (relation !== undefined) return relation;
  }
  return undefined;
}
