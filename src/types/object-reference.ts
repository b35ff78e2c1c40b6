/** regclass, regtype and the like: an oid that reads and prints as a name.
 *
 * Names live in the catalog, which is above this layer; whoever has one hands it down as
 * `TypeContext.objectNames`. Without it only numbers and `-` are read, and numbers are printed.
 */
import { pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';
import { parseOid, UNSIGNED } from './integer.ts';
import type { SqlType, TypeContext } from './sql-type.ts';

/** What kind of object a type of this file refers to. */
export type ReferenceKind =
  | 'regproc'
  | 'regprocedure'
  | 'regoper'
  | 'regoperator'
  | 'regclass'
  | 'regtype'
  | 'regnamespace'
  | 'regrole'
  | 'regcollation';

/** The catalog's part in reading and printing references. */
export interface ObjectNames {
  /** Name of an object as it must be written in the session, or null when there is none. */
  nameOf(kind: ReferenceKind, oid: number): string | null;
  /** OID of a named object; fails with the error that PostgreSQL has for the kind. */
  oidOf(kind: ReferenceKind, name: string): number;
}

function parseReference(kind: ReferenceKind, text: string, context: TypeContext): number {
  if (text === '-') return 0;
  if (/^\d+$/.test(text)) return parseOid(text);
  if (context.objectNames !== undefined) return context.objectNames.oidOf(kind, text);
  throw pgError('feature_not_supported', `reading a ${kind} by name is not supported here`);
}

function formatReference(kind: ReferenceKind, value: Datum, context: TypeContext): string {
  const oid = value as number;
  if (oid === 0) return kind === 'regoper' || kind === 'regoperator' ? '0' : '-';
  return context.objectNames?.nameOf(kind, oid) ?? String(oid);
}

function referenceType(kind: ReferenceKind, oid: number, arrayOid: number): SqlType {
  return {
    ...UNSIGNED,
    oid,
    name: kind,
    sqlName: kind,
    arrayOid,
    category: 'N',
    input: (text, context) => parseReference(kind, text, context),
    output: (value, context) => formatReference(kind, value, context),
    writeText(value, out, context) {
      out.utf8(formatReference(kind, value, context));
    },
  };
}

export const REFERENCE_TYPES: readonly SqlType[] = [
  referenceType('regproc', 24, 1008),
  referenceType('regprocedure', 2202, 2207),
  referenceType('regoper', 2203, 2208),
  referenceType('regoperator', 2204, 2209),
  referenceType('regclass', 2205, 2210),
  referenceType('regtype', 2206, 2211),
  referenceType('regnamespace', 4089, 4090),
  referenceType('regrole', 4096, 4097),
  referenceType('regcollation', 4191, 4192),
];
