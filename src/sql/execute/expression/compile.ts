import { assert, assertNever } from '../../../base/index.ts';
import { notSupported } from '../../../errors/index.ts';
import {
  type ArrayDatum,
  type Datum,
  mapElements,
  OID,
  type RecordDatum,
  type SqlType,
  typeByOid,
} from '../../../types/index.ts';
import type {
  ArrayAssignmentExpr,
  CallExpr,
  CastExpr,
  Expr,
  SequenceExpr,
  SubplanExpr,
  SubscriptExpr,
} from '../../expression.ts';
import {
  btreeOperator,
  EQUAL,
  functionByOid,
  scalarImplementation,
} from '../../functions/index.ts';
import type { Run } from '../run.ts';
import { setArrayElement, setArraySlice } from './array-assignment.ts';
import { ArrayCastEvaluator, ArrayOperatorEvaluator } from './array-operator.ts';
import { arrayElement, arraySlice, makeArray, nameCharacter } from './arrays.ts';
import {
  CaseEvaluator,
  CoalesceEvaluator,
  DistinctEvaluator,
  MinMaxEvaluator,
  NullIfEvaluator,
} from './conditional.ts';
import { ConstantLookup } from './constant-lookup.ts';
import {
  CaseValueEvaluator,
  ConstantEvaluator,
  type Evaluator,
  FoldedEvaluator,
  InputEvaluator,
  LiteralEvaluator,
  ParameterEvaluator,
  SlotEvaluator,
} from './evaluator.ts';
import { DatumEvaluator, FunctionCall } from './function-call.ts';
import { kernelFor } from './kernels-by-source.ts';
import { CastUnsigned, LaneCopy } from './lane-casts.ts';
import { BooleanTest, LogicEvaluator, NotEvaluator, NullTest } from './logic.ts';
import { sqlValue } from './sql-value.ts';

/** Turns a subplan expression into an evaluator; supplied by the compiler of plans. */
export type SubplanCompiler = (expr: SubplanExpr, capacity: number) => Evaluator;

/** Compiles the expressions of one plan for chunks of up to `capacity` rows. */
export class ExpressionCompiler {
  readonly run: Run;
  readonly capacity: number;
  readonly #subplans: SubplanCompiler;
  #caseValue: CaseValueEvaluator | null = null;

  constructor(run: Run, capacity: number, subplans: SubplanCompiler) {
    this.run = run;
    this.capacity = capacity;
    this.#subplans = subplans;
  }

  /** The same compiler for chunks of another size. */
  withCapacity(capacity: number): ExpressionCompiler {
    if (capacity === this.capacity) return this;
    return new ExpressionCompiler(this.run, capacity, this.#subplans);
  }

  all(exprs: readonly Expr[]): Evaluator[] {
    return exprs.map((expr) => this.compile(expr));
  }

  compile(expr: Expr): Evaluator {
    if (isConstant(expr) || !isFoldable(expr)) return this.#build(expr);
    const single = this.withCapacity(1).#build(expr);
    return new FoldedEvaluator(this.capacity, this.run, single, usesSlots(expr));
  }

  /** An expression without input columns, as one value: a limit, a bound of an index scan. */
  constant(expr: Expr): ConstantEvaluator {
    const evaluator = this.compile(expr);
    if (evaluator instanceof ConstantEvaluator) return evaluator;
    const single = this.withCapacity(1).#build(expr);
    return new FoldedEvaluator(1, this.run, single, true);
  }

  #build(expr: Expr): Evaluator {
    const type = typeByOid(expr.type);
    const capacity = this.capacity;
    switch (expr.kind) {
      case 'const':
        return new LiteralEvaluator(type, capacity, expr.value);
      case 'param':
        return new ParameterEvaluator(type, capacity, this.run, expr.index);
      case 'outer':
        return new SlotEvaluator(type, capacity, this.run, expr.slot);
      case 'input':
        return new InputEvaluator(type, expr.column);
      case 'call':
        return this.#call(expr, type);
      case 'cast':
        return this.#cast(expr, type);
      case 'typmod':
        return this.#typmod(type, this.compile(expr.argument), expr.typmod, expr.explicit);
      case 'and':
      case 'or':
        return new LogicEvaluator(type, capacity, expr.kind, this.all(expr.arguments));
      case 'not':
        return new NotEvaluator(type, capacity, this.compile(expr.argument));
      case 'isNull': {
        const argument = this.compile(expr.argument);
        const isRecord = argument.type.oid === OID.record;
        return new NullTest(type, capacity, argument, expr.negated, isRecord);
      }
      case 'booleanTest':
        return new BooleanTest(
          type,
          capacity,
          this.compile(expr.argument),
          expr.test,
          expr.negated,
        );
      case 'distinct': {
        const left = this.compile(expr.left);
        const right = this.compile(expr.right);
        const leftValue = new CaseValueEvaluator(left.type);
        const rightValue = new CaseValueEvaluator(right.type);
        const equal = this.#apply(expr.function, type, [leftValue, rightValue]);
        const operands = { left, right, leftValue, rightValue };
        return new DistinctEvaluator(type, capacity, operands, equal, expr.negated);
      }
      case 'case':
        return this.#case(expr, type);
      case 'caseValue':
        assert(this.#caseValue !== null, 'case value outside of CASE');
        return this.#caseValue;
      case 'coalesce':
        return new CoalesceEvaluator(type, capacity, this.all(expr.arguments));
      case 'nullIf': {
        const left = this.compile(expr.left);
        const leftValue = new CaseValueEvaluator(left.type);
        const operands = [leftValue, this.compile(expr.right)];
        const equal = this.#apply(expr.function, typeByOid(OID.bool), operands);
        return new NullIfEvaluator(type, capacity, left, leftValue, equal);
      }
      case 'greatest':
      case 'least':
        return new MinMaxEvaluator(type, capacity, expr.kind, this.all(expr.arguments));
      case 'any':
      case 'all':
        return this.#arrayOperator(expr, type);
      case 'array': {
        const { elementType, nested } = expr;
        return new DatumEvaluator(type, capacity, this.all(expr.elements), (values) =>
          makeArray(elementType, values, nested),
        );
      }
      case 'subscript':
        return this.#subscript(expr, type);
      case 'arrayAssignment':
        return this.#arrayAssignment(expr, type);
      case 'row': {
        const fieldTypes = expr.fields.map((field) => field.type);
        const fieldNames = expr.names;
        return new DatumEvaluator(
          type,
          capacity,
          this.all(expr.fields),
          (values): RecordDatum => ({ fieldTypes, fields: [...values], fieldNames }),
        );
      }
      case 'field': {
        const field = expr.field;
        return new DatumEvaluator(type, capacity, [this.compile(expr.argument)], ([record]) =>
          record === null ? null : ((record as RecordDatum).fields[field] ?? null),
        );
      }
      case 'rowCompare':
        return this.#rowCompare(expr, type);
      case 'sqlValue':
        return sqlValue(expr, type, capacity, this.run);
      case 'sequence':
        return this.#sequence(expr, type);
      case 'subplan':
        return this.#subplans(expr, capacity);
      case 'column':
      case 'subquery':
      case 'aggregate':
      case 'window':
      case 'grouping':
      case 'setCall':
        throw new Error(`a plan has no ${expr.kind} here`);
      default:
        return assertNever(expr);
    }
  }

  #call(expr: CallExpr, type: SqlType): Evaluator {
    const signature = functionByOid(expr.function);
    const args = this.all(expr.arguments);
    const kernel = signature === undefined ? undefined : kernelFor(signature.source);
    if (kernel !== undefined) return kernel(type, this.capacity, args);
    return this.#generic(expr.function, type, args, expr);
  }

  /** A comparison or cast function applied to compiled operands. */
  #apply(oid: number, type: SqlType, args: readonly Evaluator[]): Evaluator {
    const signature = functionByOid(oid);
    const kernel = signature === undefined ? undefined : kernelFor(signature.source);
    if (kernel !== undefined) return kernel(type, this.capacity, args);
    return this.#generic(oid, type, args);
  }

  #generic(oid: number, type: SqlType, args: readonly Evaluator[], call?: CallExpr): Evaluator {
    const signature = functionByOid(oid);
    const implementation = scalarImplementation(oid, {
      arguments: args.map((argument) => argument.type.oid),
      result: type.oid,
      variadicArray: call?.variadicArray ?? false,
      columns: call?.columns,
    });
    if (implementation === undefined) {
      throw notSupported(`function ${signature?.name ?? oid}`);
    }
    const strict = signature?.strict ?? false;
    return new FunctionCall(type, this.capacity, this.run, implementation, strict, args);
  }

  #cast(expr: CastExpr, type: SqlType): Evaluator {
    const argument = this.compile(expr.argument);
    const source = argument.type;
    switch (expr.method) {
      case 'function': {
        const args = [argument];
        const signature = functionByOid(expr.function);
        const parameters = signature?.arguments.length ?? 1;
        if (parameters > 1) args.push(this.#literal(OID.int4, expr.typmod));
        if (parameters > 2) args.push(this.#literal(OID.bool, expr.explicit));
        // From int2 to oid it goes by the function that makes an int4.
        const made = signature === undefined ? type : typeByOid(signature.result);
        if (made.lane === 'number' && type.lane === 'number' && made.stored !== type.stored) {
          return this.#relabel(this.#apply(expr.function, made, args), made, type);
        }
        return this.#apply(expr.function, type, args);
      }
      case 'relabel':
        return this.#relabel(argument, source, type);
      case 'io': {
        const run = this.run;
        return new DatumEvaluator(type, this.capacity, [argument], ([value]) => {
          if (value === null || value === undefined) return null;
          const context = run.environment.functions;
          return type.input(source.output(value, context), context, -1);
        });
      }
      case 'array': {
        assert(expr.element !== undefined, 'a cast of arrays has an element cast');
        const outer = this.#caseValue;
        const value = new CaseValueEvaluator(typeByOid(source.elementOid));
        this.#caseValue = value;
        const element = this.#build(expr.element);
        this.#caseValue = outer;
        return new ArrayCastEvaluator(type, this.capacity, argument, value, element);
      }
      default:
        return assertNever(expr.method);
    }
  }

  #relabel(argument: Evaluator, source: SqlType, type: SqlType): Evaluator {
    if (source.lane === 'number' && type.lane === 'number' && source.stored !== type.stored) {
      return new CastUnsigned(type, this.capacity, argument, type.stored === 'int8');
    }
    if (source.lane === type.lane) return new LaneCopy(type, argument);
    const run = this.run;
    return new DatumEvaluator(type, this.capacity, [argument], ([value]) => {
      if (value === null || value === undefined) return null;
      const context = run.environment.functions;
      return type.input(source.output(value, context), context, -1);
    });
  }

  #literal(oid: number, value: Datum): Evaluator {
    return new LiteralEvaluator(typeByOid(oid), this.capacity, value);
  }

  #typmod(type: SqlType, argument: Evaluator, typmod: number, explicit: boolean): Evaluator {
    if (type.elementOid !== 0 && type.applyTypmod === undefined) {
      const element = typeByOid(type.elementOid);
      const fit = element.applyTypmod?.bind(element);
      if (fit === undefined) return argument;
      return new DatumEvaluator(type, this.capacity, [argument], ([value]) => {
        if (value === null || value === undefined) return null;
        const array = value as ArrayDatum;
        const elements = mapElements(array.elements, (item) =>
          item === null ? null : fit(item, typmod, explicit),
        );
        return { ...array, elements };
      });
    }
    const fit = type.applyTypmod?.bind(type);
    if (fit === undefined || typmod < 0) return argument;
    return new DatumEvaluator(type, this.capacity, [argument], ([value]) =>
      value === null || value === undefined ? null : fit(value, typmod, explicit),
    );
  }

  #case(expr: Extract<Expr, { kind: 'case' }>, type: SqlType): Evaluator {
    const argument = expr.argument === null ? null : this.compile(expr.argument);
    const outer = this.#caseValue;
    if (argument !== null) this.#caseValue = new CaseValueEvaluator(argument.type);
    const value = argument === null ? null : this.#caseValue;
    const conditions = expr.whens.map((when) => this.compile(when.condition));
    this.#caseValue = outer;
    const results = expr.whens.map((when) => this.compile(when.result));
    const otherwise = expr.otherwise === null ? null : this.compile(expr.otherwise);
    return new CaseEvaluator(type, this.capacity, argument, value, conditions, results, otherwise);
  }

  #arrayOperator(expr: Extract<Expr, { kind: 'any' | 'all' }>, type: SqlType): Evaluator {
    const left = this.compile(expr.left);
    const list = expr.list === null ? null : this.all(expr.list);
    const array = expr.array === null ? null : this.compile(expr.array);
    const elementType =
      array === null ? (list![0]?.type ?? left.type) : typeByOid(array.type.elementOid);
    const leftValue = new CaseValueEvaluator(left.type);
    const element = new CaseValueEvaluator(elementType);
    const comparison = this.#apply(expr.function, type, [leftValue, element]);
    return new ArrayOperatorEvaluator(type, this.capacity, {
      kind: expr.kind,
      left,
      leftValue,
      element,
      comparison,
      list,
      array,
      elementType,
      lookup: this.#lookup(expr, left.type, elementType, list, array),
    });
  }

  #lookup(
    expr: Extract<Expr, { kind: 'any' | 'all' }>,
    left: SqlType,
    element: SqlType,
    list: readonly Evaluator[] | null,
    array: Evaluator | null,
  ): ConstantLookup | null {
    const isOfOneType = left.oid === element.oid || (isInteger(left.oid) && isInteger(element.oid));
    if (!isOfOneType || left.oid === OID.record) return null;
    const equality = btreeOperator(EQUAL, left.oid, element.oid);
    const operator = expr.kind === 'any' ? equality?.oid : equality?.negator;
    if (operator === undefined || expr.operator !== operator) return null;
    if (list?.some((item) => !(item instanceof ConstantEvaluator))) return null;
    if (array !== null && !(array instanceof ConstantEvaluator)) return null;
    return new ConstantLookup(
      expr.kind,
      left,
      list as readonly ConstantEvaluator[] | null,
      array as ConstantEvaluator | null,
      () => this.run.slotEpoch,
    );
  }

  #subscript(expr: SubscriptExpr, type: SqlType): Evaluator {
    const bounds = this.#bounds(expr);
    const { slice } = expr;
    const isName = expr.array.type === OID.name;
    return new DatumEvaluator(
      type,
      this.capacity,
      [...bounds.operands, this.compile(expr.array)],
      (values) => {
        const subscripts = bounds.upper(values) as readonly Datum[];
        const container = values[bounds.operands.length]!;
        if (isName) return nameCharacter(container as string | null, subscripts);
        const array = container as ArrayDatum | null;
        if (slice) return arraySlice(array, bounds.lower(values), bounds.upper(values));
        return arrayElement(array, subscripts);
      },
    );
  }

  #arrayAssignment(expr: ArrayAssignmentExpr, type: SqlType): Evaluator {
    const bounds = this.#bounds(expr);
    const count = bounds.operands.length;
    const operands = [...bounds.operands, this.compile(expr.array), this.compile(expr.value)];
    const { slice } = expr;
    return new DatumEvaluator(type, this.capacity, operands, (values) => {
      const array = values[count] as ArrayDatum | null;
      const value = values[count + 1]!;
      const upper = bounds.upper(values);
      if (!slice) return setArrayElement(array, type.elementOid, upper, value);
      const lower = bounds.lower(values);
      return setArraySlice(array, type.elementOid, lower, upper, value as ArrayDatum | null);
    });
  }

  /** The bounds of subscripts, as operands, and how to find them among the values of those: a bound
   * that is left out is undefined. */
  #bounds(expr: SubscriptExpr | ArrayAssignmentExpr) {
    const operands: Evaluator[] = [];
    const add = (bound: Expr | null): number =>
      bound === null ? -1 : operands.push(this.compile(bound)) - 1;
    const lowerAt = expr.lower.map(add);
    const upperAt = expr.upper.map(add);
    const pick = (values: readonly Datum[], at: readonly number[]) =>
      at.map((index) => (index < 0 ? undefined : values[index]!));
    return {
      operands,
      lower: (values: readonly Datum[]) => pick(values, lowerAt),
      upper: (values: readonly Datum[]) => pick(values, upperAt),
    };
  }

  /** Column by column: (a, b) < (c, d) is a < c or a = c and b < d. */
  #rowCompare(expr: Extract<Expr, { kind: 'rowCompare' }>, type: SqlType): Evaluator {
    const compare = (oids: readonly number[], i: number): Evaluator =>
      this.#apply(oids[i]!, type, [this.compile(expr.left[i]!), this.compile(expr.right[i]!)]);
    const logic = (kind: 'and' | 'or', operands: Evaluator[]): Evaluator =>
      new LogicEvaluator(type, this.capacity, kind, operands);
    const count = expr.left.length;
    const { comparison } = expr;
    if (comparison === '=' || comparison === '<>') {
      const equal: Evaluator[] = [];
      for (let i = 0; i < count; i++) equal.push(compare(expr.equality, i));
      const all = logic('and', equal);
      return comparison === '=' ? all : new NotEvaluator(type, this.capacity, all);
    }
    // Columns have `less` and `equality` alone: what is greater is neither.
    const greater = comparison === '>' || comparison === '>=';
    const direction = (less: Evaluator): Evaluator =>
      greater ? new NotEvaluator(type, this.capacity, less) : less;
    const last = compare(expr.less, count - 1);
    const withEqual = comparison === '<=' || comparison === '>';
    let result = direction(
      withEqual ? logic('or', [last, compare(expr.equality, count - 1)]) : last,
    );
    for (let i = count - 2; i >= 0; i--) {
      const ordered = direction(compare(expr.less, i));
      result = this.#lexicographic(type, compare(expr.equality, i), result, ordered);
    }
    return result;
  }

  /** Decided by this column unless it is equal. */
  #lexicographic(type: SqlType, equal: Evaluator, rest: Evaluator, ordered: Evaluator): Evaluator {
    return new CaseEvaluator(type, this.capacity, null, null, [equal], [rest], ordered);
  }

  #sequence(expr: SequenceExpr, type: SqlType): Evaluator {
    const run = this.run;
    const operands: Evaluator[] = [];
    for (const operand of [expr.relation, expr.value, expr.isCalled]) {
      if (operand !== null) operands.push(this.compile(operand));
    }
    const { operation } = expr;
    return new DatumEvaluator(type, this.capacity, operands, ([relation, value, isCalled]) => {
      const { sequences } = run.environment;
      assert(sequences !== null, 'a plan with sequences runs in the writer');
      if (operation === 'lastval') return sequences.lastval();
      if (relation === null || value === null || isCalled === null) return null;
      const oid = relation as number;
      if (operation === 'nextval') {
        const next = sequences.nextval(oid);
        run.draws?.note(oid, next);
        return next;
      }
      if (operation === 'currval') return sequences.currval(oid);
      return sequences.setval(
        oid,
        value as number | bigint,
        (isCalled as boolean | undefined) ?? true,
      );
    });
  }
}

function isInteger(oid: number): boolean {
  return oid === OID.int2 || oid === OID.int4 || oid === OID.int8;
}

/** Whether the expression's evaluator is a constant of its own. */
function isConstant(expr: Expr): boolean {
  return expr.kind === 'const' || expr.kind === 'param' || expr.kind === 'outer';
}

/** Whether an expression has one value for all rows of a scan: it reads no input and is not volatile. */
function isFoldable(expr: Expr): boolean {
  switch (expr.kind) {
    case 'const':
    case 'param':
    case 'outer':
      return true;
    case 'call':
      return isStable(expr.function) && expr.arguments.every(isFoldable);
    case 'cast':
      return expr.method !== 'array' && isFoldable(expr.argument);
    case 'typmod':
    case 'not':
    case 'isNull':
    case 'booleanTest':
      return isFoldable(expr.argument);
    case 'and':
    case 'or':
    case 'coalesce':
    case 'greatest':
    case 'least':
      return expr.arguments.every(isFoldable);
    case 'array':
      return expr.elements.every(isFoldable);
    default:
      return false;
  }
}

function isStable(oid: number): boolean {
  return functionByOid(oid)?.volatility !== 'v';
}

/** Whether a foldable expression reads a slot. */
function usesSlots(expr: Expr): boolean {
  switch (expr.kind) {
    case 'outer':
      return true;
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
    case 'greatest':
    case 'least':
      return expr.arguments.some(usesSlots);
    case 'cast':
    case 'typmod':
    case 'not':
    case 'isNull':
    case 'booleanTest':
      return usesSlots(expr.argument);
    case 'array':
      return expr.elements.some(usesSlots);
    default:
      return false;
  }
}
