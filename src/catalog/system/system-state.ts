import { type ArrayDatum, arrayOf, type Datum, type Int8, OID } from '../../types/index.ts';
import type { CatalogView, RelationDescriptor } from '../descriptors.ts';

/** What the rows of system views are computed from. */
export interface SystemState {
  readonly catalog: CatalogView;
  readonly session: SystemSession;
  readonly server: ServerFacts;
  /** Start of the transaction, microseconds since 2000-01-01 UTC. */
  readonly now: number;
}

/** The session that asks. */
export interface SystemSession {
  readonly user: string;
  readonly database: string;
  readonly processId: number;
  readonly searchPath: readonly string[];
}

/** What the server knows besides its catalog. What is absent has no rows, or nulls. */
export interface ServerFacts {
  /** Whether a function or aggregate of pg_proc can be called. */
  isImplemented(oid: number): boolean;
  settings(): Iterable<SettingFacts>;
  /** Rows of a table as of now, when they are known without reading it. */
  relationRows?(oid: number): number | undefined;
  /** Pages of 8 KiB of a table's or an index's own tree. */
  relationPages?(oid: number): number | undefined;
  /** Oids of the relations that a view's query names. */
  viewRelations?(view: RelationDescriptor): Iterable<number>;
  sequenceValue?(oid: number): SequenceValue | undefined;
  activity?(): Iterable<ActivityFacts>;
  locks?(): Iterable<LockFacts>;
  preparedStatements?(): Iterable<PreparedStatementFacts>;
  cursors?(): Iterable<CursorFacts>;
  /** Processes that a process waits for: pg_blocking_pids. */
  blockingProcesses?(pid: number): readonly number[];
}

/** A row of pg_settings. */
export interface SettingFacts {
  readonly name: string;
  readonly setting: string;
  readonly unit: string | null;
  readonly category: string;
  readonly description: string;
  readonly context: 'internal' | 'postmaster' | 'sighup' | 'superuser' | 'user';
  readonly type: 'bool' | 'integer' | 'real' | 'enum' | 'string';
  readonly source: string;
  readonly minimum: string | null;
  readonly maximum: string | null;
  readonly values: readonly string[] | null;
  readonly bootValue: string;
  readonly resetValue: string;
}

export interface SequenceValue {
  readonly lastValue: Int8;
  /** Values that may be handed out before the state is logged again. */
  readonly logCount: bigint;
  readonly isCalled: boolean;
}

/** A row of pg_stat_activity. Timestamps are Int8 microseconds since 2000-01-01 UTC. */
export interface ActivityFacts {
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  readonly clientAddress: string | null;
  readonly clientPort: number | null;
  readonly backendStart: Int8 | null;
  readonly transactionStart: Int8 | null;
  readonly queryStart: Int8 | null;
  readonly stateChange: Int8 | null;
  readonly waitEventType: string | null;
  readonly waitEvent: string | null;
  readonly state: string;
  readonly query: string;
}

/** A row of pg_locks. */
export interface LockFacts {
  readonly type: 'relation' | 'tuple' | 'transactionid' | 'virtualxid' | 'advisory';
  readonly relation: number | null;
  readonly transaction?: number;
  readonly advisory?: {
    readonly classId: number;
    readonly objectId: number;
    readonly subId: number;
  };
  readonly pid: number;
  readonly virtualTransaction: string;
  readonly mode: string;
  readonly granted: boolean;
  readonly waitStart: Int8 | null;
}

export interface PreparedStatementFacts {
  readonly name: string;
  readonly statement: string;
  readonly prepareTime: Int8;
  readonly parameterTypes: readonly number[];
  readonly fromSql: boolean;
}

/** A cursor of the session. */
export interface CursorFacts {
  readonly name: string;
  readonly statement: string;
  readonly isHoldable: boolean;
  readonly isBinary: boolean;
  readonly scrollable: boolean;
  readonly createTime: Int8;
}

/** A row by column names; a column that is not given is null. */
export type SystemRow = Readonly<Record<string, Datum>>;

export type RowProducer = (state: SystemState) => Iterable<SystemRow>;

/** Producers by `schema.view`. */
export type ProducerTable = Readonly<Record<string, RowProducer>>;

/** The producer of a catalog in which Heddle never has an object. */
export function noRows(): Iterable<SystemRow> {
  return [];
}

/** An int2vector or oidvector: its first subscript is 0. */
export function int2Vector(elements: readonly number[]): ArrayDatum {
  return vectorOf(OID.int2, elements);
}

export function oidVector(elements: readonly number[]): ArrayDatum {
  return vectorOf(OID.oid, elements);
}

function vectorOf(elementType: number, elements: readonly number[]): ArrayDatum {
  return { elementType, dimensions: [elements.length], lowerBounds: [0], elements };
}

export function textArray(elements: readonly string[]): ArrayDatum {
  return arrayOf(OID.text, elements);
}
