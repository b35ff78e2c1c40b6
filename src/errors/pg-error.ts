import { type Condition, SQLSTATES } from './sqlstates.ts';

export type Severity =
  | 'ERROR'
  | 'FATAL'
  | 'PANIC'
  | 'WARNING'
  | 'NOTICE'
  | 'DEBUG'
  | 'INFO'
  | 'LOG';

/** The fields of an error or notice that a client sees; plain data, so that threads can exchange it. */
export interface PgErrorFields {
  readonly severity: Severity;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based, in characters of the statement's text. */
  readonly position?: number | undefined;
  readonly internalPosition?: number | undefined;
  readonly internalQuery?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly dataType?: string | undefined;
  readonly constraint?: string | undefined;
  /** PostgreSQL's function that reports the error, where drivers know an error by it. */
  readonly routine?: string | undefined;
}

export type PgErrorOptions = Partial<Omit<PgErrorFields, 'sqlstate' | 'message'>>;

/** An error that a client is told of, with PostgreSQL's SQLSTATE and wording. */
export class PgError extends Error {
  override readonly name = 'PgError';
  readonly fields: PgErrorFields;

  constructor(fields: PgErrorFields) {
    super(fields.message);
    this.fields = fields;
  }

  get sqlstate(): string {
    return this.fields.sqlstate;
  }

  /** The same error with a position (or other fields) that only an outer layer knows. */
  with(options: PgErrorOptions): PgError {
    return new PgError({ ...this.fields, ...options });
  }
}

/** The same error where its position means nothing: the text that it is in is not the client's. */
export function withoutPosition(error: PgError): PgError {
  const { position: _, ...fields } = error.fields;
  return new PgError(fields);
}

/** The same error in an outer place: adds a line to its context. */
export function inContext(error: PgError, where: string): PgError {
  const inner = error.fields.where;
  return error.with({ where: inner === undefined ? where : `${inner}\n${where}` });
}

/** Makes the error of a named condition: `throw pgError('undefined_table', 'relation "t" does not exist')`. */
export function pgError(condition: Condition, message: string, options?: PgErrorOptions): PgError {
  return new PgError({ severity: 'ERROR', sqlstate: SQLSTATES[condition], message, ...options });
}

/** Whether something thrown is the error of a condition. */
export function hasCondition(thrown: unknown, condition: Condition): thrown is PgError {
  return thrown instanceof PgError && thrown.sqlstate === SQLSTATES[condition];
}

/** 0A000 for what PostgreSQL has and Heddle does not have yet. */
export function notSupported(feature: string, options?: PgErrorOptions): PgError {
  return pgError('feature_not_supported', `${feature} is not supported`, options);
}

/** 54001: expressions, subqueries or the like nest beyond what the stack holds. */
export function stackDepthExceeded(): PgError {
  return pgError('statement_too_complex', 'stack depth limit exceeded', {
    hint: 'Rewrite the statement so that less of it is nested.',
  });
}

/** What a client is told of any thrown value; what is not a PgError is an internal error, XX000. */
export function toErrorFields(thrown: unknown): PgErrorFields {
  if (thrown instanceof PgError) return thrown.fields;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof RangeError && message.includes('call stack')) {
    return stackDepthExceeded().fields;
  }
  if (thrown instanceof RangeError && LENGTH_ERRORS.test(thrown.message)) {
    return {
      severity: 'ERROR',
      sqlstate: SQLSTATES.program_limit_exceeded,
      message: 'out of memory',
      detail: 'A value is longer than the server can hold.',
    };
  }
  return {
    severity: 'ERROR',
    sqlstate: SQLSTATES.internal_error,
    message: `internal error: ${message}`,
  };
}

/** The same; the operator is told, with the stack, of what only a bug can cause. */
export function reportedErrorFields(thrown: unknown): PgErrorFields {
  const fields = toErrorFields(thrown);
  if (fields.sqlstate === SQLSTATES.internal_error) console.error(thrown);
  return fields;
}

/** What V8 says of strings, arrays and buffers beyond its limits. */
const LENGTH_ERRORS = /^Invalid (string|array|array buffer|typed array) length|allocation failed/;
