import { pgError } from '../errors/index.ts';
import { arrayType, vectorType } from './array.ts';
import { bitType, varbitType } from './bit/index.ts';
import { boolType } from './boolean.ts';
import { byteaType } from './bytea.ts';
import { CATALOG_TYPES } from './catalog-types.ts';
import {
  dateType,
  intervalType,
  timestampType,
  timestamptzType,
  timeType,
  timetzType,
} from './datetime/index.ts';
import { float4Type, float8Type } from './float.ts';
import { cidType, int2Type, int4Type, int8Type, oidType, xidType } from './integer.ts';
import { jsonbType, jsonType } from './json/index.ts';
import { jsonpathType } from './jsonpath/index.ts';
import { macaddr8Type, macaddrType } from './mac.ts';
import { moneyType } from './money.ts';
import { cidrType, inetType } from './network/index.ts';
import { numericType } from './numeric/index.ts';
import { REFERENCE_TYPES } from './object-reference.ts';
import { OID } from './oid.ts';
import { PSEUDO_TYPES } from './pseudo.ts';
import { MULTIRANGE_TYPES, RANGE_TYPES } from './range/index.ts';
import { recordType } from './record.ts';
import type { SqlType } from './sql-type.ts';
import {
  bpcharType,
  charType,
  nameType,
  refcursorType,
  textType,
  unknownType,
  varcharType,
} from './text.ts';
import { findUserType } from './user-types.ts';
import { uuidType } from './uuid.ts';

/** Types by OID and by their name in pg_type. */
class TypeRegistry {
  private readonly byOid = new Map<number, SqlType>();
  private readonly byName = new Map<string, SqlType>();

  constructor(types: Iterable<SqlType>) {
    for (const type of types) this.add(type);
  }

  add(type: SqlType): void {
    this.byOid.set(type.oid, type);
    this.byName.set(type.name, type);
  }

  find(oid: number): SqlType | undefined {
    return this.byOid.get(oid);
  }

  findByName(name: string): SqlType | undefined {
    return this.byName.get(name);
  }

  /** The type of an OID that must exist. */
  get(oid: number): SqlType {
    const type = this.byOid.get(oid);
    if (type === undefined) throw pgError('internal_error', `cache lookup failed for type ${oid}`);
    return type;
  }

  all(): IterableIterator<SqlType> {
    return this.byOid.values();
  }
}

const BASE_TYPES: readonly SqlType[] = [
  boolType,
  byteaType,
  charType,
  nameType,
  int8Type,
  int2Type,
  int4Type,
  textType,
  oidType,
  xidType,
  cidType,
  float4Type,
  float8Type,
  unknownType,
  bpcharType,
  varcharType,
  dateType,
  timeType,
  timetzType,
  timestampType,
  timestamptzType,
  intervalType,
  numericType,
  refcursorType,
  uuidType,
  inetType,
  cidrType,
  macaddrType,
  macaddr8Type,
  bitType,
  varbitType,
  moneyType,
  jsonType,
  jsonbType,
  jsonpathType,
  ...RANGE_TYPES,
  ...MULTIRANGE_TYPES,
  ...REFERENCE_TYPES,
  ...CATALOG_TYPES,
];

function builtins(): TypeRegistry {
  const registry = new TypeRegistry([...BASE_TYPES, ...PSEUDO_TYPES]);
  registry.add(recordType(typeByOid));
  registry.add(vectorType(22, 'int2vector', 1006, int2Type));
  registry.add(vectorType(30, 'oidvector', 1013, oidType));
  for (const type of [...registry.all()]) {
    if (type.arrayOid !== 0) registry.add(arrayType(type));
  }
  // The array of a pseudo-type is one too, but for cstring[].
  registry.add({ ...registry.get(OID._record), category: 'P' });
  return registry;
}

/** The types that every database has. */
export const builtinTypes = builtins();

/** A type by OID, built-in or of users; fails with XX000 when there is none. */
export function typeByOid(oid: number): SqlType {
  return findType(oid) ?? builtinTypes.get(oid);
}

/** The same; undefined when there is none. */
export function findType(oid: number): SqlType | undefined {
  return builtinTypes.find(oid) ?? findUserType(oid);
}

/** A built-in type by its name in pg_type (`int4`), or undefined. */
export function typeByName(name: string): SqlType | undefined {
  return builtinTypes.findByName(name);
}
