/** The types of users.
 *
 * Their definitions are in the catalog, which lies above this layer and differs from transaction to
 * transaction, as one sees its own changes. So a thread has a source of definitions at hand: the one it was
 * given (`useTypes`), or while a statement runs that of the statement's transaction (`withTypes`). A
 * `SqlType` of an oid is made once and asks the source whenever it needs its definition, so that plans and
 * layouts that hold it never show an old one.
 */
import { quoteIdentifier } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { arrayType } from './array.ts';
import { type EnumDefinition, enumType } from './enum.ts';
import { OID } from './oid.ts';
import type { SqlType } from './sql-type.ts';

export type TypeDefinition = EnumDefinition;

/** Where definitions come from. */
export interface TypeSource {
  /** By the oid of a type, or by that of its array type. */
  typeByOid(oid: number): TypeDefinition | undefined;
  /** The definition is of the transaction at hand, and not committed. */
  isOwnType(oid: number): boolean;
  /** A type's name as messages show it, which may need its schema; absent where no path is known. */
  userTypeName?(definition: TypeDefinition): string;
  /** Looks for a newer definition of a type whose label is not known; false when there is none. */
  refresh?(oid: number): boolean;
}

/** A definition for threads without a catalog. */
export interface PlacedDefinition extends TypeDefinition {
  readonly schemaName: string;
}

/** Committed definitions by oid, for a thread without a catalog. */
export class CommittedTypes implements TypeSource {
  /** Of the session whose statement runs. */
  searchPath: readonly string[] = [];
  /** Reads all definitions anew where they are kept. */
  private readonly readAgain: () => Parameters<CommittedTypes['learn']>[0];
  private readonly byOid = new Map<number, PlacedDefinition>();

  constructor(readAgain: () => Parameters<CommittedTypes['learn']>[0] = () => []) {
    this.readAgain = readAgain;
  }

  /** Rows may show a new label before the thread has been told of it. */
  refresh(oid: number): boolean {
    const before = this.byOid.get(oid);
    this.learn(this.readAgain());
    return this.byOid.get(oid)?.labels.length !== before?.labels.length;
  }

  /** Takes over what has been committed: new definitions, or null for types that are gone. */
  learn(changes: Iterable<readonly [oid: number, definition: PlacedDefinition | null]>): void {
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

  userTypeName({ oid }: TypeDefinition): string {
    const { name, schemaName } = this.byOid.get(oid)!;
    for (const schema of this.searchPath) {
      if (schema === schemaName) return quoteIdentifier(name);
      for (const other of this.byOid.values()) {
        if (other.name !== name || other.schemaName !== schema) continue;
        return `${quoteIdentifier(schemaName)}.${quoteIdentifier(name)}`;
      }
    }
    return `${quoteIdentifier(schemaName)}.${quoteIdentifier(name)}`;
  }
}

interface MadeType {
  readonly type: SqlType;
  /** Of the enum, which the type is or is the array of. */
  readonly enumOid: number;
}

const madeTypes = new Map<number, MadeType>();

/** How many types are made before those that are gone are looked for. */
const SWEEP_MIN = 1000;
let sweepAt = SWEEP_MIN;

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
  if (madeTypes.size >= sweepAt) forgetGoneTypes();
  madeTypes.set(oid, { type, enumOid: definition.oid });
  return type;
}

/** A type that is still about after all is made anew when it is asked for. */
function forgetGoneTypes(): void {
  for (const oid of madeTypes.keys()) {
    if (source.typeByOid(oid) === undefined) madeTypes.delete(oid);
  }
  sweepAt = Math.max(SWEEP_MIN, 2 * madeTypes.size);
}

/** A type with the same stored form that is always there. */
export function lastingType(oid: number): number {
  const definition = source.typeByOid(oid);
  if (definition === undefined) return oid;
  return definition.oid === oid ? OID.float8 : OID.bytea;
}

function makeType(oid: number, enumOid: number): SqlType {
  const element = enumType(enumOid, {
    definition: () => requireDefinition(enumOid),
    isOwn: () => source.isOwnType(enumOid),
    refresh: () => source.refresh?.(enumOid) === true,
    shownName: (definition) =>
      source.userTypeName?.(definition) ?? quoteIdentifier(definition.name),
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
