import { notSupported } from '../../../errors/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { SqlValueExpr } from '../../expression.ts';
import {
  castBetween,
  currentSchema,
  type FunctionContext,
  scalarImplementation,
} from '../../functions/index.ts';
import type { Run } from '../run.ts';
import { ConstantEvaluator, type Evaluator } from './evaluator.ts';

const TIMESTAMPTZ = 1184;

type CastFunction = (context: FunctionContext, value: Datum) => Datum;

class SqlValueEvaluator extends ConstantEvaluator {
  readonly #run: Run;
  readonly #read: (context: FunctionContext) => Datum;
  #epoch = -1;
  #value: Datum = null;

  constructor(
    type: SqlType,
    capacity: number,
    run: Run,
    read: (context: FunctionContext) => Datum,
  ) {
    super(type, capacity);
    this.#run = run;
    this.#read = read;
  }

  override value(): Datum {
    if (this.#epoch !== this.#run.epoch) {
      this.#value = this.#read(this.#run.environment.functions);
      this.#epoch = this.#run.epoch;
    }
    return this.#value;
  }
}

/** current_date and its kin: one value a statement. */
export function sqlValue(expr: SqlValueExpr, type: SqlType, capacity: number, run: Run): Evaluator {
  return new SqlValueEvaluator(type, capacity, run, reader(expr, type));
}

function reader(expr: SqlValueExpr, type: SqlType): (context: FunctionContext) => Datum {
  switch (expr.name) {
    case 'current_role':
    case 'current_user':
    case 'user':
      return (context) => context.session.user;
    case 'session_user':
      return (context) => context.session.sessionUser;
    case 'current_catalog':
      return (context) => context.session.database;
    case 'current_schema':
      return (context) => currentSchema(context);
    case 'current_timestamp':
      return (context) => fit(type, context.transactionTimestamp, expr.typmod);
    default:
      return clockReader(expr, type);
  }
}

/** The transaction's timestamp cast to the type. */
function clockReader(expr: SqlValueExpr, type: SqlType): (context: FunctionContext) => Datum {
  const cast = castBetween(TIMESTAMPTZ, type.oid);
  const code = cast === undefined ? undefined : scalarImplementation(cast.function);
  if (code === undefined) throw notSupported(expr.name.toUpperCase());
  return (context) =>
    fit(type, (code as CastFunction)(context, context.transactionTimestamp), expr.typmod);
}

function fit(type: SqlType, value: Datum, typmod: number): Datum {
  if (value === null || typmod < 0 || type.applyTypmod === undefined) return value;
  return type.applyTypmod(value, typmod, false);
}
