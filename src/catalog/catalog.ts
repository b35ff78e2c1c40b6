import type {
  CatalogView,
  DatabaseDescriptor,
  ForeignKeyPlace,
  IndexDescriptor,
  RelationDescriptor,
  RoleDescriptor,
  SchemaDescriptor,
  SystemViewShape,
  TypeDescriptor,
} from './descriptors.ts';
import { inBoundOrder } from './partition-bounds.ts';
import { isTemporaryName } from './search-path.ts';
import { TreeAges } from './tree-ages.ts';

/** What the catalog holds, by kind; the number is stored in keys of the catalog tree. */
export const CATALOG_KIND = { schema: 1, relation: 2, role: 3, database: 4, type: 5 } as const;

export type CatalogKind = keyof typeof CATALOG_KIND;

export interface CatalogObjects {
  readonly schema: SchemaDescriptor;
  readonly relation: RelationDescriptor;
  readonly role: RoleDescriptor;
  readonly database: DatabaseDescriptor;
  readonly type: TypeDescriptor;
}

/** One change: an object's new descriptor, or null when it is gone. Plain data; crosses threads. */
export interface CatalogChange {
  readonly kind: CatalogKind;
  readonly oid: number;
  readonly descriptor: CatalogObjects[CatalogKind] | null;
}

/** Finds the shape of views that are computed from the catalog: pg_catalog, information_schema. */
export type SystemViewLookup = (schema: string, name: string) => SystemViewShape | undefined;

interface Named {
  readonly oid: number;
  readonly name: string;
}

/** Where an index or constraint name leads. */
interface IndexPlace {
  readonly table: RelationDescriptor;
  readonly index: IndexDescriptor;
}

/** What is known of a session's temporary schema. */
interface TemporarySchema {
  /** Catalog version of its last change. */
  readonly version: number;
  readonly relations: ReadonlySet<number>;
}

/** Every object of the catalog in memory, as one point in time has it.
 *
 * A catalog is changed in place by `apply` (the committed catalog of a thread) or copied by `with`
 * (a transaction's own view, over the committed one). Copies share unchanged descriptors.
 */
export class Catalog implements CatalogView {
  /** Stands for this object in what must not keep it alive: plans outlive the catalogs of transactions. */
  readonly identity: object = {};
  version = 0;
  /** The version of the last change that was not of temporary objects alone. */
  private sharedVersion = 0;
  private readonly lookupSystemView: SystemViewLookup;
  private readonly byOid: { [K in CatalogKind]: Map<number, CatalogObjects[K]> };
  private readonly schemaNames: Map<string, SchemaDescriptor>;
  /** Temporary schemas by oid. */
  private readonly temporary: Map<number, TemporarySchema>;
  /** Relations by `schema oid/name`; indexes share the namespace. */
  private readonly relationNames: Map<string, RelationDescriptor>;
  private readonly indexNames: Map<string, IndexPlace>;
  private readonly indexOids: Map<number, IndexPlace>;
  /** Oids of types and their array types by `schema oid/name`; types by the oid of their array. */
  private readonly typeNames: Map<string, number>;
  private readonly arrayTypes: Map<number, TypeDescriptor>;
  /** The types that a transaction has changed; null where it has changed none. */
  private ownTypes: ReadonlySet<number> | null;
  /** Foreign keys by the table that they refer to. */
  private readonly foreignKeys: Map<number, readonly ForeignKeyPlace[]>;
  /** Oids of the partitions by the oid of their parent, as they came. */
  private readonly partitions: Map<number, ReadonlySet<number>>;
  /** The same in the order of their bounds, as far as somebody has asked for it. */
  private readonly orderedPartitions: Map<number, readonly RelationDescriptor[]>;
  private readonly ages: TreeAges;

  constructor(lookupSystemView: SystemViewLookup, from?: Catalog) {
    this.lookupSystemView = lookupSystemView;
    this.byOid = {
      schema: new Map(from?.byOid.schema),
      relation: new Map(from?.byOid.relation),
      role: new Map(from?.byOid.role),
      database: new Map(from?.byOid.database),
      type: new Map(from?.byOid.type),
    };
    this.schemaNames = new Map(from?.schemaNames);
    this.temporary = new Map(from?.temporary);
    this.relationNames = new Map(from?.relationNames);
    this.indexNames = new Map(from?.indexNames);
    this.indexOids = new Map(from?.indexOids);
    this.typeNames = new Map(from?.typeNames);
    this.arrayTypes = new Map(from?.arrayTypes);
    this.ownTypes = from?.ownTypes ?? null;
    this.foreignKeys = new Map(from?.foreignKeys);
    this.partitions = new Map(from?.partitions);
    this.orderedPartitions = new Map(from?.orderedPartitions);
    this.ages = new TreeAges(from?.ages);
    this.version = from?.version ?? 0;
    this.sharedVersion = from?.sharedVersion ?? 0;
  }

  /** This catalog with changes on top that are not committed, under a version of its own. */
  with(changes: readonly CatalogChange[], version: number): Catalog {
    const copy = new Catalog(this.lookupSystemView, this);
    copy.apply(changes, version, Number.POSITIVE_INFINITY);
    const types = changes.filter(({ kind }) => kind === 'type').map(({ oid }) => oid);
    if (types.length > 0) copy.ownTypes = new Set([...(this.ownTypes ?? []), ...types]);
    return copy;
  }

  /** `commit`: that of the changes; 0 for what was there at the start. */
  apply(changes: Iterable<CatalogChange>, version: number, commit = 0): void {
    for (const change of changes) {
      if (this.isTemporaryChange(change)) this.noteTemporary(change, version);
      else this.sharedVersion = version;
      this.applyOne(change, commit);
    }
    this.version = version;
  }

  /** The version of the last change that concerns a session with this temporary schema (0: none). The
   * temporary objects of other sessions are no concern of its. */
  versionFor(temporarySchema: number): number {
    return Math.max(this.sharedVersion, this.temporary.get(temporarySchema)?.version ?? 0);
  }

  /** Whether some session has temporary objects. */
  get hasTemporary(): boolean {
    return this.temporary.size > 0;
  }

  /** Whether a change is of temporary objects. */
  isTemporaryChange({ kind, oid, descriptor }: CatalogChange): boolean {
    if (kind === 'schema') {
      const schema = (descriptor ?? this.schemaByOid(oid)) as SchemaDescriptor | undefined;
      return schema !== undefined && isTemporaryName(schema.name);
    }
    if (kind !== 'relation') return false;
    const relation = (descriptor ?? this.relationByOid(oid)) as RelationDescriptor | undefined;
    return relation?.persistence === 't';
  }

  /** The relations of a temporary schema. */
  temporaryRelations(schema: number): RelationDescriptor[] {
    const relations: RelationDescriptor[] = [];
    for (const oid of this.temporary.get(schema)?.relations ?? []) {
      const relation = this.relationByOid(oid);
      if (relation !== undefined) relations.push(relation);
    }
    return relations;
  }

  schemaByName(name: string): SchemaDescriptor | undefined {
    return this.schemaNames.get(name);
  }

  schemaByOid(oid: number): SchemaDescriptor | undefined {
    return this.byOid.schema.get(oid);
  }

  schemas(): Iterable<SchemaDescriptor> {
    return this.byOid.schema.values();
  }

  relationByName(schema: number, name: string): RelationDescriptor | undefined {
    return this.relationNames.get(nameKey(schema, name));
  }

  relationByOid(oid: number): RelationDescriptor | undefined {
    return this.byOid.relation.get(oid);
  }

  relations(): Iterable<RelationDescriptor> {
    return this.byOid.relation.values();
  }

  indexByName(schema: number, name: string): IndexPlace | undefined {
    return this.indexNames.get(nameKey(schema, name));
  }

  indexByOid(oid: number): IndexPlace | undefined {
    return this.indexOids.get(oid);
  }

  /** A snapshot from this commit on can be read through all indexes. */
  get newestIndexCommit(): number {
    return this.ages.newest;
  }

  isYoungIndex(table: RelationDescriptor, index: IndexDescriptor, snapshot: number): boolean {
    return this.ages.isYoung(table, index, snapshot);
  }

  hasMovedRows(table: RelationDescriptor, snapshot: number): boolean {
    return this.ages.hasMoved(table, snapshot);
  }

  /** The foreign keys that refer to a table. */
  referencing(oid: number): readonly ForeignKeyPlace[] {
    return this.foreignKeys.get(oid) ?? NO_FOREIGN_KEYS;
  }

  partitionsOf(oid: number): readonly RelationDescriptor[] {
    const ordered = this.orderedPartitions.get(oid);
    if (ordered !== undefined) return ordered;
    const parent = this.relationByOid(oid);
    const oids = this.partitions.get(oid);
    if (parent === undefined || oids === undefined) return NO_PARTITIONS;
    const found: RelationDescriptor[] = [];
    for (const child of oids) {
      const relation = this.relationByOid(child);
      if (relation !== undefined) found.push(relation);
    }
    const partitions = inBoundOrder(parent, found);
    this.orderedPartitions.set(oid, partitions);
    return partitions;
  }

  typeOidByName(schema: number, name: string): number | undefined {
    return this.typeNames.get(nameKey(schema, name));
  }

  typeByOid(oid: number): TypeDescriptor | undefined {
    return this.byOid.type.get(oid) ?? this.arrayTypes.get(oid);
  }

  /** Whether there are types of users. */
  get hasTypes(): boolean {
    return this.byOid.type.size > 0;
  }

  types(): Iterable<TypeDescriptor> {
    return this.byOid.type.values();
  }

  /** The transaction at hand has changed the type. */
  isOwnType(oid: number): boolean {
    return this.ownTypes?.has(oid) === true;
  }

  /** It has changed some type. */
  get changesTypes(): boolean {
    return this.ownTypes !== null;
  }

  roleByName(name: string): RoleDescriptor | undefined {
    return findByName(this.byOid.role.values(), name);
  }

  roleByOid(oid: number): RoleDescriptor | undefined {
    return this.byOid.role.get(oid);
  }

  roles(): Iterable<RoleDescriptor> {
    return this.byOid.role.values();
  }

  databaseByName(name: string): DatabaseDescriptor | undefined {
    return findByName(this.byOid.database.values(), name);
  }

  databases(): Iterable<DatabaseDescriptor> {
    return this.byOid.database.values();
  }

  systemView(schema: string, name: string): SystemViewShape | undefined {
    return this.lookupSystemView(schema, name);
  }

  /** The highest oid in use, of objects, indexes and constraints. */
  highestOid(): number {
    let highest = 0;
    for (const objects of Object.values(this.byOid)) {
      for (const oid of objects.keys()) highest = Math.max(highest, oid);
    }
    for (const relation of this.relations()) {
      highest = Math.max(highest, relation.rowType + 1);
      for (const index of relation.indexes) highest = Math.max(highest, index.oid);
      for (const constraint of relation.constraints) highest = Math.max(highest, constraint.oid);
    }
    for (const type of this.types()) {
      highest = Math.max(highest, type.arrayOid, ...type.labels.map(({ oid }) => oid));
    }
    return highest;
  }

  private applyOne(change: CatalogChange, commit: number): void {
    const objects = this.byOid[change.kind] as Map<number, CatalogObjects[CatalogKind]>;
    if (change.kind === 'schema') {
      const before = this.schemaByOid(change.oid);
      if (before !== undefined) this.schemaNames.delete(before.name);
      const schema = change.descriptor as SchemaDescriptor | null;
      if (schema !== null) this.schemaNames.set(schema.name, schema);
    }
    if (change.kind === 'relation') {
      const before = this.byOid.relation.get(change.oid);
      const relation = change.descriptor as RelationDescriptor | null;
      this.ages.note(before, relation, commit);
      this.forgetNames(before);
      this.learnNames(relation);
    }
    if (change.kind === 'type') {
      this.forgetType(this.byOid.type.get(change.oid));
      this.learnType(change.descriptor as TypeDescriptor | null);
    }
    if (change.descriptor === null) objects.delete(change.oid);
    else objects.set(change.oid, change.descriptor);
  }

  private forgetType(type: TypeDescriptor | undefined): void {
    if (type === undefined) return;
    this.arrayTypes.delete(type.arrayOid);
    for (const name of [type.name, type.arrayName]) {
      this.typeNames.delete(nameKey(type.schema, name));
    }
  }

  private learnType(type: TypeDescriptor | null): void {
    if (type === null) return;
    this.arrayTypes.set(type.arrayOid, type);
    this.typeNames.set(nameKey(type.schema, type.name), type.oid);
    this.typeNames.set(nameKey(type.schema, type.arrayName), type.arrayOid);
  }

  /** Notes a change of temporary objects in what is known of their schema. */
  private noteTemporary({ kind, oid, descriptor }: CatalogChange, version: number): void {
    if (kind === 'schema') {
      const relations = this.temporary.get(oid)?.relations ?? new Set();
      if (descriptor === null) this.temporary.delete(oid);
      else this.temporary.set(oid, { version, relations });
      return;
    }
    const { schema } = (descriptor ?? this.relationByOid(oid)) as RelationDescriptor;
    const relations = new Set(this.temporary.get(schema)?.relations);
    if (descriptor === null) relations.delete(oid);
    else relations.add(oid);
    this.temporary.set(schema, { version, relations });
  }

  private forgetNames(relation: RelationDescriptor | undefined): void {
    if (relation === undefined) return;
    this.changePartitions(relation, (oids) => oids.delete(relation.oid));
    this.relationNames.delete(nameKey(relation.schema, relation.name));
    for (const index of relation.indexes) {
      this.indexNames.delete(nameKey(relation.schema, index.name));
      this.indexOids.delete(index.oid);
    }
    for (const { foreign } of relation.constraints) {
      if (foreign === null) continue;
      const rest = this.referencing(foreign.table).filter(({ table }) => table !== relation.oid);
      if (rest.length > 0) this.foreignKeys.set(foreign.table, rest);
      else this.foreignKeys.delete(foreign.table);
    }
  }

  private learnNames(relation: RelationDescriptor | null): void {
    if (relation === null) return;
    this.changePartitions(relation, (oids) => oids.add(relation.oid));
    this.relationNames.set(nameKey(relation.schema, relation.name), relation);
    for (const index of relation.indexes) {
      const place = { table: relation, index };
      this.indexNames.set(nameKey(relation.schema, index.name), place);
      this.indexOids.set(index.oid, place);
    }
    for (const constraint of relation.constraints) {
      const { foreign } = constraint;
      if (foreign === null) continue;
      const place = { table: relation.oid, constraint };
      this.foreignKeys.set(foreign.table, [...this.referencing(foreign.table), place]);
    }
  }

  /** Notes that a relation comes or goes, which is its parent's partition or has partitions. */
  private changePartitions(
    relation: RelationDescriptor,
    change: (oids: Set<number>) => void,
  ): void {
    this.orderedPartitions.delete(relation.oid);
    if (relation.partitionOf === null) return;
    const { parent } = relation.partitionOf;
    const oids = new Set(this.partitions.get(parent));
    change(oids);
    if (oids.size > 0) this.partitions.set(parent, oids);
    else this.partitions.delete(parent);
    this.orderedPartitions.delete(parent);
  }
}

const NO_FOREIGN_KEYS: readonly ForeignKeyPlace[] = [];
const NO_PARTITIONS: readonly RelationDescriptor[] = [];

function nameKey(schema: number, name: string): string {
  return `${schema}/${name}`;
}

function findByName<T extends Named>(objects: Iterable<T>, name: string): T | undefined {
  for (const object of objects) if (object.name === name) return object;
  return undefined;
}
