/** pg_range: the range types. */

import classFacts from '../../../schemas/catalog/pg_opclass.json' with { type: 'json' };
import { range } from '../../types/index.ts';
import { functionOid } from './functions.ts';
import { BTREE_METHOD } from './object-identity.ts';
import type { ProducerTable, SystemRow } from './system-state.ts';

function* rangeRows(): Iterable<SystemRow> {
  for (const { oid, name, subtype, successor } of range.RANGE_KINDS) {
    const operators = classFacts.find(
      (facts) => facts.inputType === subtype.oid && facts.method === BTREE_METHOD && facts.default,
    );
    yield {
      rngtypid: oid,
      rngsubtype: subtype.oid,
      rngmultitypid: range.multirangeKindOf(oid)?.oid ?? 0,
      rngcollation: 0,
      rngsubopc: operators?.oid ?? 0,
      rngcanonical: successor === undefined ? 0 : functionOid(`${name}_canonical`),
      rngsubdiff: functionOid(`${name}_subdiff`),
    };
  }
}

export const RANGE_VIEWS: ProducerTable = {
  'pg_catalog.pg_range': rangeRows,
};
