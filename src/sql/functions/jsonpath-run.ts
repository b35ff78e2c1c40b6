/** Runs a jsonpath over a value: PostgreSQL's jsonpath_exec.c.
 *
 * An item takes one value and gives a sequence, each of which goes on to the next item. Results are
 * collected in an array, or, where only their existence matters, in none: then the first ends it.
 * In lax mode arrays are unwrapped and single values wrapped where an item needs it, and what is
 * missing gives nothing; in strict mode it is an error. Errors are thrown, or with `silent` and in
 * predicates they end the path as 'error'. */

import { countWork } from '../../base/index.ts';
import { type Condition, hasCondition, PgError, pgError } from '../../errors/index.ts';
import { type FiniteNumeric, json, jsonpath, numeric, pushElement } from '../../types/index.ts';
import type { FunctionContext } from './function.ts';
import {
  calculate,
  checkDatetime,
  PathFault,
  rounded,
  toDouble,
  toMoment,
} from './jsonpath-methods.ts';
import { offsetWithin } from './jsonpath-object-id.ts';
import { comparePathValues, startsWith, type Truth } from './jsonpath-predicates.ts';
import { likePattern } from './jsonpath-regex.ts';
import {
  integer,
  isPathArray,
  isPathNumber,
  isPathObject,
  type PathValue,
  typeNameOf,
} from './jsonpath-values.ts';

type Item = jsonpath.PathItem;
type ItemOf<Kind extends Item['kind']> = Extract<Item, { readonly kind: Kind }>;

/** What a path came to; 'error' only where errors are not thrown. */
export type Outcome = 'found' | 'nothing' | 'error';

type Results = PathValue[] | null;

export interface PathOptions {
  /** The object that $name refers to; null where there are no variables. */
  readonly variables: json.JsonbObject | null;
  readonly silent: boolean;
  /** The session, where its time zone may be used. */
  readonly zone: FunctionContext | null;
}

/** Runs the path over `root`; results are appended to `results` unless it is null. */
export function runPath(
  path: jsonpath.JsonPath,
  root: json.JsonbValue,
  options: PathOptions,
  results: Results,
): Outcome {
  const run = new PathRun(path, root, options);
  // In strict mode there may be an error behind the first result.
  if (!path.strict || results !== null) return run.item(path.root, root, results);
  const found: PathValue[] = [];
  const outcome = run.item(path.root, root, found);
  if (outcome === 'error') return outcome;
  return found.length === 0 ? 'nothing' : 'found';
}

/** What an object's id counts from: the jsonb it is a part of, and that one's number. */
interface BaseObject {
  readonly value: json.JsonbValue;
  readonly id: number;
}

/** An object's id is its place, and its base's number times this. */
const BASE_ID_FACTOR = 10_000_000_000n;

/** What is done for an item or a value, in units of work. */
const ITEM_WORK = 32;

const ROOT_ID = 0;
const VARIABLES_ID = 1;

class PathRun {
  private readonly lax: boolean;
  private readonly root: json.JsonbValue;
  private readonly options: PathOptions;
  private throwErrors: boolean;
  /** Whether what is missing is no error; in lax mode, and within **. */
  private ignoresStructure: boolean;
  /** What @ means. */
  private current: PathValue;
  private base: BaseObject;
  private lastObjectId: number;
  /** Of the array whose subscripts are computed; -1 outside of subscripts. */
  private arraySize = -1;

  constructor(path: jsonpath.JsonPath, root: json.JsonbValue, options: PathOptions) {
    this.lax = !path.strict;
    this.root = root;
    this.options = options;
    this.throwErrors = !options.silent;
    this.ignoresStructure = this.lax;
    this.current = root;
    this.base = { value: root, id: ROOT_ID };
    this.lastObjectId = options.variables === null ? VARIABLES_ID : VARIABLES_ID + 1;
  }

  item(item: Item, value: PathValue, results: Results): Outcome {
    return this.unwrapping(item, value, results, this.lax);
  }

  /** With `unwrap`, items that want no array are applied to its elements. */
  private unwrapping(item: Item, value: PathValue, results: Results, unwrap: boolean): Outcome {
    countWork(ITEM_WORK);
    switch (item.kind) {
      case 'and':
      case 'or':
      case 'not':
      case 'isUnknown':
      case 'exists':
      case 'comparison':
      case 'startsWith':
      case 'likeRegex': {
        const truth = this.truth(item, value);
        if (item.next === null && results === null) return 'found';
        return this.next(item, truth, results);
      }
      case 'field':
        return this.field(item, value, results, unwrap);
      case 'root':
        return this.withBase(this.root, ROOT_ID, () => this.next(item, this.root, results));
      case 'current':
        return this.next(item, this.current, results);
      case 'anyElement':
        if (isPathArray(value)) return this.elements(item.next, value, results, this.lax);
        if (this.lax) return this.next(item, value, results);
        return this.missing(
          'sql_json_array_not_found',
          'jsonpath wildcard array accessor can only be applied to an array',
        );
      case 'anyField':
        if (isPathObject(value)) {
          return this.descend(item.next, value, results, 1, ONE_LEVEL, false, this.lax);
        }
        if (unwrap && isPathArray(value)) return this.elements(item, value, results, false);
        return this.missing(
          'sql_json_object_not_found',
          'jsonpath wildcard member accessor can only be applied to an object',
        );
      case 'subscript':
        return this.subscript(item, value, results);
      case 'last':
        return this.next(item, integer(this.arraySize - 1), results);
      case 'descendants':
        return this.descendants(item, value, results);
      case 'filter': {
        if (unwrap && isPathArray(value)) return this.elements(item, value, results, false);
        const isTrue = this.nestedTruth(item.argument, value) === true;
        return isTrue ? this.next(item, value, results) : 'nothing';
      }
      case 'arithmetic':
        return this.arithmetic(item, value, results);
      case 'sign':
        return this.sign(item, value, results);
      case 'null':
        return this.next(item, null, results);
      case 'boolean':
      case 'number':
      case 'string':
        return this.next(item, item.value, results);
      case 'variable':
        return this.variable(item, results);
      case 'datetime':
        if (unwrap && isPathArray(value)) return this.elements(item, value, results, false);
        if (typeof value === 'string') checkDatetime(item);
        return this.made(item, () => toMoment(value, item.template), results);
      case 'method':
        return this.method(item, value, results, unwrap);
    }
  }

  /** Hands a value to the item after this one, or to the results. */
  private next(item: Item, value: PathValue, results: Results): Outcome {
    if (item.next !== null) return this.item(item.next, value, results);
    results?.push(value);
    return 'found';
  }

  private fail(condition: Condition, message: string, hint?: string): 'error' {
    if (!this.throwErrors) return 'error';
    throw pgError(condition, message, hint === undefined ? {} : { hint });
  }

  /** Something is not there, or of another kind than the path expects. */
  private missing(condition: Condition, message: string): Outcome {
    return this.ignoresStructure ? 'nothing' : this.fail(condition, message);
  }

  private withBase(value: json.JsonbValue, id: number, body: () => Outcome): Outcome {
    const { base } = this;
    this.base = { value, id };
    const outcome = body();
    this.base = base;
    return outcome;
  }

  // ---------------------------------------------------------------- accessors

  private field(
    item: ItemOf<'field'>,
    value: PathValue,
    results: Results,
    unwrap: boolean,
  ): Outcome {
    if (isPathObject(value)) {
      const found = value.get(item.name);
      if (found !== undefined) return this.next(item, found, results);
      return this.missing(
        'sql_json_member_not_found',
        `JSON object does not contain key "${item.name}"`,
      );
    }
    if (unwrap && isPathArray(value)) return this.elements(item, value, results, false);
    return this.missing(
      'sql_json_member_not_found',
      'jsonpath member accessor can only be applied to an object',
    );
  }

  private subscript(item: ItemOf<'subscript'>, value: PathValue, results: Results): Outcome {
    if (!isPathArray(value) && !this.lax) {
      return this.missing(
        'sql_json_array_not_found',
        'jsonpath array accessor can only be applied to an array',
      );
    }
    const elements = isPathArray(value) ? value : [value];
    const outerSize = this.arraySize;
    this.arraySize = elements.length;
    const outcome = this.subscripts(item, value, elements, results);
    this.arraySize = outerSize;
    return outcome;
  }

  private subscripts(
    item: ItemOf<'subscript'>,
    value: PathValue,
    elements: readonly PathValue[],
    results: Results,
  ): Outcome {
    const size = elements.length;
    let outcome: Outcome = 'nothing';
    for (const { from, to } of item.subscripts) {
      const first = this.arrayIndex(from, value);
      if (first === null) return 'error';
      const last = to === null ? first : this.arrayIndex(to, value);
      if (last === null) return 'error';
      if (!this.ignoresStructure && (first < 0 || first > last || last >= size)) {
        return this.fail('invalid_sql_json_subscript', 'jsonpath array subscript is out of bounds');
      }
      outcome = 'nothing';
      for (let i = Math.max(0, first); i <= Math.min(last, size - 1); i++) {
        outcome = this.next(item, elements[i]!, results);
        if (isOver(outcome, results)) return outcome;
      }
    }
    return outcome;
  }

  /** A subscript as an integer; null for an error that is not thrown. */
  private arrayIndex(item: Item, value: PathValue): number | null {
    const found: PathValue[] = [];
    if (this.item(item, value, found) === 'error') return null;
    const [index] = found;
    if (found.length !== 1 || !isPathNumber(index)) {
      this.fail(
        'invalid_sql_json_subscript',
        'jsonpath array subscript is not a single numeric value',
      );
      return null;
    }
    const whole = Number(truncated(index));
    if (whole >= -0x8000_0000 && whole <= 0x7fff_ffff) return whole;
    this.fail('invalid_sql_json_subscript', 'jsonpath array subscript is out of integer range');
    return null;
  }

  /** Applies an item to each element of an array, or collects them. */
  private elements(
    item: Item | null,
    array: json.JsonbArray,
    results: Results,
    unwrap: boolean,
  ): Outcome {
    return this.descend(item, array, results, 1, ONE_LEVEL, false, unwrap);
  }

  private descendants(item: ItemOf<'descendants'>, value: PathValue, results: Results): Outcome {
    let outcome: Outcome = 'nothing';
    if (item.first === 0) {
      outcome = this.ignoringStructure(() => this.next(item, value, results));
      if (outcome === 'found' && results === null) return outcome;
    }
    if (!isPathArray(value) && !isPathObject(value)) return outcome;
    return this.descend(item.next, value, results, 1, item, true, this.lax);
  }

  /** Applies an item to what is so many levels below a container. */
  private descend(
    item: Item | null,
    container: json.JsonbArray | json.JsonbObject,
    results: Results,
    level: number,
    levels: Levels,
    ignoreStructure: boolean,
    unwrapNext: boolean,
  ): Outcome {
    let outcome: Outcome = 'nothing';
    if (level > levels.last) return outcome;
    for (const value of container.values()) {
      countWork(ITEM_WORK);
      const isLeaf = json.isScalar(value);
      if (level >= levels.first || (isLeaf && levels.first === levels.last && isLast(levels))) {
        if (item === null) {
          if (results === null) return 'found';
          results.push(value);
          outcome = 'found';
        } else {
          const apply = () => this.unwrapping(item, value, results, unwrapNext);
          outcome = ignoreStructure ? this.ignoringStructure(apply) : apply();
          if (isOver(outcome, results)) return outcome;
        }
      }
      if (level < levels.last && !isLeaf) {
        outcome = this.descend(
          item,
          value as json.JsonbArray | json.JsonbObject,
          results,
          level + 1,
          levels,
          ignoreStructure,
          unwrapNext,
        );
        if (isOver(outcome, results)) return outcome;
      }
    }
    return outcome;
  }

  private ignoringStructure(body: () => Outcome): Outcome {
    const before = this.ignoresStructure;
    this.ignoresStructure = true;
    const outcome = body();
    this.ignoresStructure = before;
    return outcome;
  }

  // ---------------------------------------------------------------- values and operators

  private variable(item: ItemOf<'variable'>, results: Results): Outcome {
    const { variables } = this.options;
    if (variables === null) return this.next(item, null, results);
    const value = variables.get(item.name);
    if (value === undefined) {
      throw pgError('undefined_object', `could not find jsonpath variable "${item.name}"`);
    }
    return this.withBase(variables, VARIABLES_ID, () => this.next(item, value, results));
  }

  /** What an operand comes to, arrays unwrapped in lax mode; null for an error. */
  private operand(item: Item, value: PathValue, unwrap = true): PathValue[] | null {
    const found: PathValue[] = [];
    if (this.item(item, value, found) === 'error') return null;
    if (!unwrap || !this.lax) return found;
    const unwrapped: PathValue[] = [];
    for (const each of found) {
      if (!isPathArray(each)) pushElement(unwrapped, each);
      else for (const element of each) pushElement(unwrapped, element);
    }
    return unwrapped;
  }

  private arithmetic(item: ItemOf<'arithmetic'>, value: PathValue, results: Results): Outcome {
    const left = this.operand(item.left, value);
    const right = left && this.operand(item.right, value);
    if (left === null || right === null) return 'error';
    return this.made(item, () => calculate(item.operator, left, right), results);
  }

  /** Goes on with a value that is yet to be made. */
  private made(item: Item, make: () => PathValue | PathFault, results: Results): Outcome {
    let value: PathValue | PathFault;
    try {
      value = make();
    } catch (error) {
      if (this.throwErrors || !(error instanceof PgError)) throw error;
      if (hasCondition(error, 'query_canceled')) throw error;
      return 'error';
    }
    if (!(value instanceof PathFault)) return this.next(item, value, results);
    return this.fail(value.condition, value.message, value.hint);
  }

  private sign(item: ItemOf<'sign'>, value: PathValue, results: Results): Outcome {
    const operands = this.operand(item.argument, value);
    if (operands === null) return 'error';
    const onlyExists = item.next === null && results === null;
    let outcome: Outcome = 'nothing';
    for (const operand of operands) {
      if (!isPathNumber(operand)) {
        if (onlyExists) continue;
        return this.fail(
          'sql_json_number_not_found',
          `operand of unary jsonpath operator ${item.operator} is not a numeric value`,
        );
      }
      const signed = item.operator === '-' ? (numeric.negate(operand) as FiniteNumeric) : operand;
      const one = this.next(item, signed, results);
      if (one === 'error' || (one === 'found' && results === null)) return one;
      if (one === 'found') outcome = one;
    }
    return outcome;
  }

  // ---------------------------------------------------------------- methods

  private method(
    item: ItemOf<'method'>,
    value: PathValue,
    results: Results,
    unwrap: boolean,
  ): Outcome {
    if (item.name === 'type') return this.next(item, typeNameOf(value), results);
    if (item.name === 'size') return this.size(item, value, results);
    if (unwrap && isPathArray(value)) return this.elements(item, value, results, false);
    const { name } = item;
    if (name === 'keyvalue') return this.keyValue(item, value, results);
    return this.made(
      item,
      () => (name === 'double' ? toDouble(value) : rounded(name, value)),
      results,
    );
  }

  private size(item: ItemOf<'method'>, value: PathValue, results: Results): Outcome {
    if (isPathArray(value)) return this.next(item, integer(value.length), results);
    if (this.lax) return this.next(item, integer(1), results);
    return this.missing(
      'sql_json_array_not_found',
      'jsonpath item method .size() can only be applied to an array',
    );
  }

  private keyValue(item: ItemOf<'method'>, value: PathValue, results: Results): Outcome {
    if (!isPathObject(value)) {
      return this.fail(
        'sql_json_object_not_found',
        'jsonpath item method .keyvalue() can only be applied to an object',
      );
    }
    let outcome: Outcome = 'nothing';
    const offset = BigInt(offsetWithin(this.base.value, value));
    const id = integer(offset + BigInt(this.base.id) * BASE_ID_FACTOR);
    for (const [key, field] of value) {
      if (item.next === null && results === null) return 'found';
      const pair = json.jsonbObject([
        ['key', key],
        ['value', field],
        ['id', id],
      ]);
      outcome = this.withBase(pair, this.lastObjectId++, () => this.next(item, pair, results));
      if (isOver(outcome, results)) return outcome;
    }
    return outcome;
  }

  // ---------------------------------------------------------------- predicates

  /** A predicate with another value for @. */
  private nestedTruth(item: Item, value: PathValue): Truth {
    const outer = this.current;
    this.current = value;
    const truth = this.truth(item, value);
    this.current = outer;
    return truth;
  }

  private truth(item: Item, value: PathValue): Truth {
    switch (item.kind) {
      case 'and': {
        const left = this.truth(item.left, value);
        if (left === false) return false;
        const right = this.truth(item.right, value);
        return right === true ? left : right;
      }
      case 'or': {
        const left = this.truth(item.left, value);
        if (left === true) return true;
        const right = this.truth(item.right, value);
        return right === false ? left : right;
      }
      case 'not': {
        const truth = this.truth(item.argument, value);
        return truth === null ? null : !truth;
      }
      case 'isUnknown':
        return this.truth(item.argument, value) === null;
      case 'exists':
        return this.exists(item.argument, value);
      case 'comparison':
        return this.anyPair(item.left, item.right, value, true, (a, b) =>
          comparePathValues(item.operator, a, b, this.options.zone),
        );
      case 'startsWith':
        return this.anyPair(item.left, item.right, value, false, startsWith);
      case 'likeRegex': {
        const regex = likePattern(item.pattern, item.flags);
        const matches = (text: PathValue) => (typeof text === 'string' ? regex.test(text) : null);
        return this.anyPair(item.argument, null, value, false, matches);
      }
      default:
        throw pgError('internal_error', `invalid boolean jsonpath item type: ${item.kind}`);
    }
  }

  private exists(item: Item, value: PathValue): Truth {
    const found: Results = this.lax ? null : [];
    const outcome = this.withoutThrowing(() => this.item(item, value, found));
    if (outcome === 'error') return null;
    return found === null ? outcome === 'found' : found.length > 0;
  }

  /** Whether a test holds for any value of the left operand with any of the right one. In lax mode
   * the first that holds decides; in strict mode one that is unknown does. */
  private anyPair(
    left: Item,
    right: Item | null,
    value: PathValue,
    unwrapRight: boolean,
    test: (a: PathValue, b: PathValue) => Truth,
  ): Truth {
    const lefts = this.withoutThrowing(() => this.operand(left, value));
    if (lefts === null) return null;
    const rights =
      right === null ? [null] : this.withoutThrowing(() => this.operand(right, value, unwrapRight));
    if (rights === null) return null;
    let holds = false;
    let isUnknown = false;
    for (const a of lefts) {
      for (const b of rights) {
        countWork(ITEM_WORK);
        const truth = test(a, b);
        if (truth === null) {
          if (!this.lax) return null;
          isUnknown = true;
        } else if (truth) {
          if (this.lax) return true;
          holds = true;
        }
      }
    }
    if (holds) return true;
    return isUnknown ? null : false;
  }

  private withoutThrowing<Result>(body: () => Result): Result {
    const before = this.throwErrors;
    this.throwErrors = false;
    const result = body();
    this.throwErrors = before;
    return result;
  }
}

/** Whether nothing more is to be looked for. */
function isOver(outcome: Outcome, results: Results): boolean {
  return outcome === 'error' || (outcome === 'found' && results === null);
}

/** Levels below a container, from 1. */
interface Levels {
  readonly first: number;
  readonly last: number;
}

const ONE_LEVEL: Levels = { first: 1, last: 1 };

function isLast({ first }: Levels): boolean {
  return first === jsonpath.LAST_LEVEL;
}

function truncated(value: FiniteNumeric): bigint {
  return (numeric.trunc(value, 0) as FiniteNumeric).unscaled;
}
