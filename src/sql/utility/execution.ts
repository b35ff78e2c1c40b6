import { type ColumnVector, createVector } from '../../chunk/index.ts';
import { notSupported } from '../../errors/index.ts';
import { type Datum, typeByOid } from '../../types/index.ts';
import type { ExecutionEnvironment } from '../execute/environment.ts';
import { ExpressionCompiler } from '../execute/expression/compile.ts';
import { Run } from '../execute/run.ts';
import type { Expr } from '../expression.ts';
import type { UtilityEnvironment } from './environment.ts';

/** What the executor's parts run in when a utility statement uses them. */
export function executionEnvironment(environment: UtilityEnvironment): ExecutionEnvironment {
  return {
    functions: environment.functions,
    parameters: [],
    workMem: environment.workMem,
    openCursor: (tree) => environment.openCursor(tree),
    closeCursor: (cursor) => environment.closeCursor(cursor),
    createSpillFile: () => environment.createSpillFile(),
    shouldPause: () => environment.shouldPause(),
    checkInterrupts: () => environment.checkInterrupts(),
    systemViews: environment.systemViews,
    sequences: environment.sequences,
    rows: environment.rows,
  };
}

/** Begins a run of expressions and sorts; the caller ends it. */
export function beginRun(environment: UtilityEnvironment): Run {
  const run = new Run(0);
  run.begin(executionEnvironment(environment));
  return run;
}

/** Compiles stored expressions, which hold no subqueries. */
export function storedExpressions(run: Run, capacity: number): ExpressionCompiler {
  return new ExpressionCompiler(run, capacity, () => {
    throw notSupported('a subquery here');
  });
}

/** The value of an expression without columns. */
export function constantValue(environment: UtilityEnvironment, expr: Expr): Datum {
  const run = beginRun(environment);
  try {
    return storedExpressions(run, 1).constant(expr).value();
  } finally {
    run.end();
  }
}

/** A vector for each column of a table, dropped ones too. */
export function columnVectors(
  columns: readonly { readonly type: number }[],
  capacity: number,
): ColumnVector[] {
  return columns.map((column) => createVector(typeByOid(column.type), capacity));
}
