/** The form of cases/*.json: calls with arguments as text, and what PostgreSQL 15 answered. */
export interface CaseGroup {
  readonly kind: 'scalar' | 'set' | 'aggregate';
  readonly name: string;
  /** Names of the argument types. */
  readonly types: readonly string[];
  /** Oid of the result type; 0 when every call failed. */
  readonly result: number;
  readonly rows: readonly CaseRow[];
}

export interface CaseRow {
  /** One list of arguments, or for an aggregate one list for each input row. */
  readonly args: readonly (string | null)[] | readonly (readonly (string | null)[])[];
  readonly result?: string | null | readonly (string | null)[];
  /** SQLSTATE and message. */
  readonly error?: string;
}

/** Settings that both sides run under. */
export const ORACLE_SETTINGS = {
  TimeZone: 'America/New_York',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
} as const;
