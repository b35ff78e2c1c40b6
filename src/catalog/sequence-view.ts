/** A sequence as a relation: `select last_value, log_cnt, is_called from s`. It is read as a system view
 * of its own, whose name tells the sequence. */

import { OID } from '../types/index.ts';

export const SEQUENCE_COLUMNS = [
  { name: 'last_value', type: OID.int8, typmod: -1 },
  { name: 'log_cnt', type: OID.int8, typmod: -1 },
  { name: 'is_called', type: OID.bool, typmod: -1 },
] as const;

/** The name that a scan has for the view; EXPLAIN prints what follows the dot. */
export function sequenceView(oid: number, name: string): string {
  return `sequence ${oid}.${name}`;
}

/** The sequence that such a name means, or null for views of another kind. */
export function sequenceOfView(view: string): number | null {
  const match = /^sequence (\d+)\./.exec(view);
  return match === null ? null : Number(match[1]);
}
