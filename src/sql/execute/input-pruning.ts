import type { PartitionKey } from '../../catalog/descriptors.ts';
import { type ArrayDatum, typeByOid } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import {
  type KeyValue,
  type KeyValueSource,
  PartitionPruner,
  type PartitionPruning,
} from '../plan/index.ts';
import { coerceKey } from './coerce-key.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { ConstantEvaluator } from './expression/evaluator.ts';
import type { Run } from './run.ts';

/** Leaves out partitions by the values that the conditions of a scan have in this run. */
export class InputPruning implements KeyValueSource {
  readonly #pruner: PartitionPruner;
  readonly #run: Run;
  readonly #compiler: ExpressionCompiler;
  readonly #evaluators = new Map<Expr, ConstantEvaluator>();

  constructor(pruning: PartitionPruning, run: Run, compiler: ExpressionCompiler) {
    this.#pruner = new PartitionPruner(pruning);
    this.#run = run;
    this.#compiler = compiler;
  }

  /** Appends the places of the inputs that are left, ascending. */
  select(out: number[]): void {
    const from = out.length;
    this.#pruner.select(this, out);
    // Inputs may be in the order of the bounds or the other way round.
    if (out.length - from > 1 && out[from]! > out[from + 1]!) out.sort((a, b) => a - b);
  }

  value(expr: Expr, key: PartitionKey): KeyValue {
    const evaluator = this.#evaluator(expr);
    const value = evaluator.value();
    if (value === null) return NULL;
    const { functions } = this.#run.environment;
    return { ...coerceKey(value, evaluator.type, typeByOid(key.type), functions) };
  }

  elements(array: Expr, key: PartitionKey): KeyValue[] {
    const value = this.#evaluator(array).value();
    if (value === null) return [];
    const { elementType, elements } = value as ArrayDatum;
    const { functions } = this.#run.environment;
    return elements.map((element) =>
      element === null
        ? NULL
        : { ...coerceKey(element, typeByOid(elementType), typeByOid(key.type), functions) },
    );
  }

  #evaluator(expr: Expr): ConstantEvaluator {
    let evaluator = this.#evaluators.get(expr);
    if (evaluator === undefined) {
      evaluator = this.#compiler.constant(expr);
      this.#evaluators.set(expr, evaluator);
    }
    return evaluator;
  }
}

const NULL: KeyValue = { value: null, rest: 0 };
