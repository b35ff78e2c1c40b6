import type { CatalogView } from '../../catalog/descriptors.ts';
import type { ServerFacts } from '../../catalog/system/index.ts';
import type { Datum, TypeContext } from '../../types/index.ts';

/** What a function may ask of the statement that calls it. */
export interface FunctionContext extends TypeContext {
  /** now(): start of the transaction; statement_timestamp(); both as Int8 timestamptz. */
  readonly statementTimestamp: number;
  clockTimestamp(): number;
  /** [0, 1), from the session's seed. */
  random(): number;
  setRandomSeed(seed: number): void;
  readonly session: SessionFacts;
  /** The catalog as the statement sees it; absent where Plan.needsCatalog is false. */
  readonly catalog?: CatalogView | undefined;
  /** Sizes and locks, as far as the thread knows them. */
  readonly server?: ServerKnowledge | undefined;
  /** Lets the statement wait so long, once it has computed the rows at hand. Absent where none can. */
  readonly sleep?: ((milliseconds: number) => void) | undefined;
  /** Absent on all threads but the main one. */
  readonly control?: StatementControl | undefined;
  /** Present where Plan.needsWriter is true. */
  readonly advisoryLocks?: AdvisoryLocks | undefined;
  /** Raises a notice or warning to the client. */
  notice(message: string, condition?: string): void;
}

/** What functions change outside of their statement. */
export interface StatementControl {
  setSetting(name: string, value: string | null, local: boolean): string;
  /** False when there is no such process. */
  signal(processId: number, signal: 'cancel' | 'terminate'): boolean;
  /** NOTIFY; the listeners hear of it when the transaction commits. */
  notify(channel: string, payload: string): void;
  listeningChannels(): Iterable<string>;
  notificationQueueUsage(): number;
  /** Null for a Unix socket. */
  readonly connection: ConnectionEnds | null;
}

/** The two ends of a client's connection, addresses as sockets name them. */
export interface ConnectionEnds {
  readonly address: string;
  readonly port: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** Key of an advisory lock: halves of an int8 (space 1), or two int4 (space 2), unsigned. */
export interface AdvisoryKey {
  readonly high: number;
  readonly low: number;
  readonly space: 1 | 2;
}

/** The advisory locks of the session that runs the statement. */
export interface AdvisoryLocks {
  /** False when another session holds it and the call is not to wait. */
  lock(key: AdvisoryKey, shared: boolean, scope: 'session' | 'transaction', wait: boolean): boolean;
  /** Lets go of a lock of the session; false when it has none. */
  unlock(key: AdvisoryKey, shared: boolean): boolean;
  unlockAll(): void;
}

export type ServerKnowledge = Pick<
  ServerFacts,
  'relationPages' | 'sequenceValue' | 'blockingProcesses'
>;

/** Session information functions read these: current_user, current_database(), current_setting(). */
export interface SessionFacts {
  readonly user: string;
  readonly sessionUser: string;
  readonly database: string;
  readonly processId: number;
  readonly searchPath: readonly string[];
  readonly serverStartTimestamp: number;
  setting(name: string): string | null;
}

/** A scalar function over Datums. Strict functions are never called with null. */
export type ScalarFunction = (context: FunctionContext, ...args: never[]) => Datum;

/** A set-returning function: one Datum a row, or an array of the row's columns when it has several. */
export type SetFunction = (context: FunctionContext, ...args: never[]) => Iterable<Datum | Datum[]>;

/** The types of one call, which functions of polymorphic and "any" arguments depend on. */
export interface CallTypes {
  readonly arguments: readonly number[];
  readonly result: number;
  /** `concat(variadic array[...])`: the last argument is the array of the variadic ones. */
  readonly variadicArray?: boolean;
  /** The columns that a query names of the records of the call. */
  readonly columns?:
    | readonly { readonly name: string; readonly type: number; readonly typmod: number }[]
    | undefined;
}

/** An aggregate over Datums. `accumulate` returns the new state (it may change and return the old one).
 * Strict aggregates (see pg_aggregate and pg_proc) skip rows with a null argument. */
export interface AggregateFunction<State = unknown> {
  initial(context: FunctionContext): State;
  accumulate(context: FunctionContext, state: State, ...args: Datum[]): State;
  /** Takes the values of the row that was accumulated first away again. False where the state cannot
   * forget them; it is not used any more then. */
  remove?(context: FunctionContext, state: State, ...args: Datum[]): boolean;
  /** Merges the state of another part of the input. */
  combine?(context: FunctionContext, state: State, other: State): State;
  finish(context: FunctionContext, state: State): Datum;
  readonly strict: boolean;
  /** Bytes that a state holds, for the work_mem account; default 64. */
  sizeOf?(state: State): number;
}

/** A function's signature: a row of pg_proc (schemas/catalog/pg_proc.json). */
export interface FunctionSignature {
  readonly oid: number;
  readonly name: string;
  /** Name of the implementation (prosrc), which joins a signature with its code. */
  readonly source: string;
  /** Where it is not in pg_catalog. */
  readonly schema?: 'information_schema';
  readonly kind: 'f' | 'a' | 'w' | 'p';
  readonly language: 'internal' | 'sql' | 'c';
  readonly parallel: 's' | 'r' | 'u';
  readonly strict: boolean;
  readonly volatility: 'i' | 's' | 'v';
  readonly returnsSet: boolean;
  readonly variadic: number;
  readonly result: number;
  readonly arguments: readonly number[];
  readonly defaults: number;
  readonly allArguments?: readonly number[];
  readonly modes?: readonly string[];
  readonly names?: readonly string[];
}

export interface OperatorSignature {
  readonly oid: number;
  readonly name: string;
  readonly kind: 'b' | 'l';
  readonly left: number;
  readonly right: number;
  readonly result: number;
  readonly commutator: number;
  readonly negator: number;
  /** Oid of the function that computes it. */
  readonly function: number;
  readonly hash: boolean;
  readonly merge: boolean;
  readonly restrict: string;
  readonly join: string;
}

export interface CastSignature {
  readonly source: number;
  readonly target: number;
  readonly function: number;
  /** Allowed implicitly, in assignments, or only written out. */
  readonly context: 'i' | 'a' | 'e';
  /** By function, by relabelling, by text input and output. */
  readonly method: 'f' | 'b' | 'i';
}

/** A row of pg_aggregate. Function names stand for functions; `-` for none. */
export interface AggregateSignature {
  readonly function: number;
  /** Normal, ordered-set, hypothetical-set. */
  readonly kind: 'n' | 'o' | 'h';
  readonly directArguments: number;
  readonly transition: string;
  readonly final: string;
  readonly combine: string;
  /** For min and max: an index in this order answers the aggregate with its first row. */
  readonly sortOperator: number;
  readonly transitionType: number;
}

/** An operator's place in a btree operator family (pg_amop). */
export interface BtreeMember {
  readonly family: number;
  /** 1 `<`, 2 `<=`, 3 `=`, 4 `>=`, 5 `>`. */
  readonly strategy: BtreeStrategy;
  readonly left: number;
  readonly right: number;
  readonly operator: number;
}

export type BtreeStrategy = 1 | 2 | 3 | 4 | 5;
