/** The types of users.
 *
 * Their definitions are in the catalog, which lies above this layer and differs from transaction to
 * transaction, as one sees its own changes. So a thread has a source of definitions at hand: the one it was
 * given (`useTypes`), or while a statement runs that of the statement's transaction (`withTypes`). A
 * `SqlType` of an oid is made once and asks the source whenever it needs its definition, so that plans and
 * layouts that hold it never show an old one.
 */
import { pgError } from '../errors/index.ts';
import { arrayType } from './array.ts';
import { type EnumDefinition, enumType } from './enum.ts';
import type { SqlType } from './sql-type.ts';

export type TypeDefinition = EnumDefinition;

/** Where definitions come from. */
export interface TypeSource {
  /** By the oid of a type, or by that of its array type. */
  typeByOid(oid: number): TypeDefinition | undefined;
  /** The definition is of the transaction at hand, and not committed. */
  isOwnType(oid: number): boolean;
}

/** Committed definitions by oid, for a thread without a catalog. */
export class CommittedTypes implements TypeSource {
  private readonly byOid = new Map<number, TypeDefinition>();

  /** Takes over what has been committed: new definitions, or null for types that are gone. */
  learn(changes: Iterable<readonly [oid: number, definition: TypeDefinition | null]>): void {
    for (const [oid, definition] of changes) {
      const known = this.byOid.get(oid);
      if (known !== undefined) {
        this.byOid.delete(oid);
        this.byOid.delete(known.arrayOid);
      }
      if (definition === null) continue;
      this.byOid.set(oid, definition);
      this.byOid.set(definition.arrayOid, definition);
    }
  }

  typeByOid(oid: number): TypeDefinition | undefined {
    return this.byOid.get(oid);
  }

  isOwnType(): boolean {
    return false;
  }
}

interface MadeType {
  readonly type: SqlType;
  /** Of the enum, which the type is or is the array of. */
  readonly enumOid: number;
}

const madeTypes = new Map<number, MadeType>();
let source: TypeSource = new CommittedTypes();

/** The source of the thread, for all that runs outside of `withTypes`. */
export function useTypes(types: TypeSource): void {
  source = types;
}

/** Runs `body` with the types as a transaction sees them. */
export function withTypes<Result>(types: TypeSource, body: () => Result): Result {
  const before = source;
  source = types;
  try {
    return body();
  } finally {
    source = before;
  }
}

/** The definition of an enum; undefined for all other types. */
export function enumDefinition(oid: number): EnumDefinition | undefined {
  const definition = source.typeByOid(oid);
  return definition?.oid === oid ? definition : undefined;
}

/** Whether the definition of a type is of the transaction at hand, and not committed. */
export function isOwnType(oid: number): boolean {
  return source.isOwnType(oid);
}

/** A type of users or its array type; undefined where there is none. */
export function findUserType(oid: number): SqlType | undefined {
  const definition = source.typeByOid(oid);
  if (definition === undefined) return undefined;
  const made = madeTypes.get(oid);
  if (made?.enumOid === definition.oid) return made.type;
  const type = makeType(oid, definition.oid);
  madeTypes.set(oid, { type, enumOid: definition.oid });
  return type;
}

function makeType(oid: number, enumOid: number): SqlType {
  const element = enumType(enumOid, {
    definition: () => requireDefinition(enumOid),
    isOwn: () => source.isOwnType(enumOid),
  });
  return oid === enumOid ? element : arrayOfEnum(enumOid, element);
}

function requireDefinition(oid: number): TypeDefinition {
  const definition = source.typeByOid(oid);
  if (definition !== undefined) return definition;
  throw pgError('internal_error', `cache lookup failed for type ${oid}`);
}

/** Names are asked for anew, as they may change. */
function arrayOfEnum(enumOid: number, element: SqlType): SqlType {
  return {
    ...arrayType(element),
    get name() {
      return requireDefinition(enumOid).arrayName;
    },
    get sqlName() {
      return `${element.sqlName}[]`;
    },
  };
}
