import type { FuncCall, GroupingFunc, Node } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { json, OID, resolveTypeName } from '../../types/index.ts';
import type { AggregateExpr, Expr } from '../expression.ts';
import { someExpr, visitReferences } from '../expression-tree.ts';
import { aggregateByOid, type FunctionSignature, isImplemented } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { type Candidate, chooseFunction, functionCandidates } from './candidates.ts';
import {
  coerceToBoolean,
  coerceToTarget,
  coerceType,
  constant,
  resolveUnknown,
} from './coercion.ts';
import { coercionPathway } from './coercion-rules.ts';
import { bindExpr, bindExprUntyped } from './expressions.ts';
import { orderedSetArguments } from './ordered-sets.ts';
import { resolvePolymorphic } from './polymorphic.ts';
import type { Scope } from './scope.ts';
import { requireEquality, sortKey } from './sort-keys.ts';
import { nameList } from './syntax.ts';
import { arrayTypeOid, elementTypeOf, typeDisplay } from './type-facts.ts';
import { bindWindowCall, refuseWindowCalls } from './windows.ts';

/** Calls of functions, aggregates and casts written as functions. */
export function bindFunctionCall(b: Binder, scope: Scope, call: FuncCall): Expr {
  const names = nameList(call.funcname);
  const name = names.at(-1) ?? '';
  const { location } = call;
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const displayName = names.join('.');

  const special = schema === undefined || schema === 'pg_catalog';
  if (special && call.over === undefined && SEQUENCE_FUNCTIONS.has(name)) {
    const sequence = bindSequenceCall(b, scope, call, name);
    if (sequence !== null) return sequence;
  }

  const argumentNames: (string | null)[] = [];
  const args = (call.args ?? []).map((node) => {
    if ('NamedArgExpr' in node && node.NamedArgExpr.arg !== undefined) {
      argumentNames.push(node.NamedArgExpr.name ?? '');
      return bindExprUntyped(b, scope, node.NamedArgExpr.arg);
    }
    if (argumentNames.some((argument) => argument !== null)) {
      throw pgError(
        'syntax_error',
        'positional argument cannot follow named argument',
        b.position(location),
      );
    }
    argumentNames.push(null);
    return bindExprUntyped(b, scope, node);
  });
  const withinGroup = call.agg_within_group === true;
  const orderNodes = call.agg_order ?? [];
  const ordered = withinGroup
    ? orderNodes.map((node) =>
        'SortBy' in node && node.SortBy.node !== undefined
          ? bindExprUntyped(b, scope, node.SortBy.node)
          : constant(OID.unknown, null),
      )
    : [];
  const allArgs = [...args, ...ordered];
  const actual = allArgs.map((arg) => arg.type);
  const variadicCall = call.func_variadic === true;

  const candidates = functionCandidates(
    name,
    allArgs.length,
    pad(argumentNames, allArgs.length),
    !variadicCall,
  ).filter(
    (candidate) => (candidate.signature.schema ?? 'pg_catalog') === (schema ?? 'pg_catalog'),
  );
  const choice = chooseFunction(candidates, actual);
  const plain =
    !withinGroup && call.agg_star !== true && call.agg_distinct !== true && call.over === undefined;
  if (choice.kind !== 'found' || !exactly(choice.candidate, actual)) {
    const cast = plain && special && args.length === 1 ? castCall(b, name, args[0] as Expr) : null;
    if (cast !== null) return b.at(cast, location);
  }
  if (choice.kind === 'ambiguous') {
    throw pgError(
      'ambiguous_function',
      `function ${signatureText(displayName, actual, argumentNames)} is not unique`,
      {
        hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
        ...b.position(location),
      },
    );
  }
  if (choice.kind === 'none') throw undefinedFunction(b, call, displayName, actual, argumentNames);
  const { candidate } = choice;
  const { signature } = candidate;
  const last = allArgs.at(-1);
  if (variadicCall && signature.variadic === OID.any && last !== undefined) {
    if (elementTypeOf(last.type) === 0) {
      throw pgError('datatype_mismatch', 'VARIADIC argument must be an array', b.positionOf(last));
    }
  }

  if (signature.kind === 'f' || signature.kind === 'p') refuseAggregateSyntax(b, call, displayName);

  const resolved = resolvePolymorphic(candidate.types, actual, signature.result, true) ?? {
    declared: candidate.types,
    result: signature.result,
  };
  const coerced = allArgs.map((arg, i) =>
    coerceType(b, arg, resolved.declared[i] as number, -1, 'implicit'),
  );
  const result = resolved.result;
  if (result === OID.anyelement || result === OID.anyarray) {
    throw pgError(
      'datatype_mismatch',
      'could not determine polymorphic type because input has type unknown',
      b.position(location),
    );
  }

  if (signature.kind === 'w' && call.over === undefined) {
    throw pgError(
      'wrong_object_type',
      `window function ${displayName} requires an OVER clause`,
      b.position(location),
    );
  }
  if (signature.kind === 'w') return bindWindowCall(b, scope, call, signature, coerced, result);
  if (signature.kind === 'a') {
    return bindAggregate(b, scope, call, signature, coerced, result, ordered.length);
  }
  if (signature.kind === 'p') {
    throw pgError(
      'wrong_object_type',
      `${signatureText(displayName, actual, argumentNames)} is a procedure`,
      {
        hint: 'To call a procedure, use CALL.',
        ...b.position(location),
      },
    );
  }
  if (!isImplemented(signature.oid)) {
    throw notSupported(
      `function ${signatureText(displayName, candidate.types, [])}`,
      b.position(location),
    );
  }
  const complete = completeArguments(candidate, coerced, variadicCall);
  if (signature.returnsSet) {
    checkSetCall(b, scope, location);
    return b.at(
      {
        kind: 'setCall',
        type: result,
        typmod: -1,
        function: signature.oid,
        arguments: complete.arguments,
      },
      location,
    );
  }
  return b.at(
    {
      kind: 'call',
      type: result,
      typmod: -1,
      function: signature.oid,
      operator: 0,
      arguments: complete.arguments,
      ...(complete.variadicArray ? { variadicArray: true } : {}),
      ...(call.funcformat === 'COERCE_SQL_SYNTAX' ? { inWords: true } : {}),
    },
    location,
  );
}

function pad(names: (string | null)[], length: number): (string | null)[] {
  while (names.length < length) names.push(null);
  return names;
}

function exactly(candidate: Candidate<FunctionSignature>, actual: readonly number[]): boolean {
  return candidate.types.every((type, i) => type === actual[i]);
}

/** Puts named arguments in order, supplies defaults, gathers variadic ones into an array. */
function completeArguments(
  candidate: Candidate<FunctionSignature>,
  args: readonly Expr[],
  variadicCall: boolean,
): { arguments: Expr[]; variadicArray: boolean } {
  const { signature } = candidate;
  let complete: Expr[];
  if (candidate.positions !== null) {
    const placed = new Array<Expr | undefined>(signature.arguments.length).fill(undefined);
    candidate.positions.forEach((position, i) => {
      placed[position] = args[i];
    });
    complete = placed.map((arg, i) => arg ?? defaultArgument(signature, i));
  } else {
    complete = [...args];
    for (
      let i = args.length;
      candidate.variadicCount === 0 && i < signature.arguments.length;
      i++
    ) {
      complete.push(defaultArgument(signature, i));
    }
  }
  if (candidate.variadicCount > 0 && signature.variadic !== OID.any) {
    const first = complete.length - candidate.variadicCount;
    const elements = complete.slice(first);
    const elementType = (elements[0] as Expr).type;
    complete = complete.slice(0, first);
    complete.push({
      kind: 'array',
      type: arrayTypeOid(elementType),
      typmod: -1,
      elementType,
      elements,
      nested: false,
    });
  }
  return { arguments: complete, variadicArray: variadicCall && signature.variadic !== 0 };
}

/** No variables, not silent. */
const PATH_DEFAULTS: readonly [position: number, value: Expr][] = [
  [2, constant(OID.jsonb, json.encodeJsonb(json.jsonbObject([])))],
  [3, constant(OID.bool, false)],
];

/** pg_proc keeps defaults as node trees; these are all that PostgreSQL 15's own functions have. */
const DEFAULT_ARGUMENTS: Readonly<Record<string, readonly [position: number, value: Expr][]>> = {
  make_interval: [0, 1, 2, 3, 4, 5].map((i) => [i, constant(OID.int4, 0)]),
  parse_ident: [[1, constant(OID.bool, true)]],
  random_normal: [
    [0, constant(OID.float8, 0)],
    [1, constant(OID.float8, 1)],
  ],
  jsonb_set: [[3, constant(OID.bool, true)]],
  jsonb_set_lax: [
    [3, constant(OID.bool, true)],
    [4, constant(OID.text, 'use_json_null')],
  ],
  jsonb_insert: [[3, constant(OID.bool, false)]],
  json_populate_record: [[2, constant(OID.bool, false)]],
  json_populate_recordset: [[2, constant(OID.bool, false)]],
  pg_terminate_backend: [[1, constant(OID.int8, 0)]],
  normalize: [[1, constant(OID.text, 'NFC')]],
  is_normalized: [[1, constant(OID.text, 'NFC')]],
  ...Object.fromEntries(
    ['exists', 'match', 'query', 'query_array', 'query_first'].flatMap((what) =>
      ['', '_tz'].map((suffix) => [`jsonb_path_${what}${suffix}`, PATH_DEFAULTS]),
    ),
  ),
};

function defaultArgument(signature: FunctionSignature, position: number): Expr {
  if (signature.name === 'make_interval' && position === 6) return constant(OID.float8, 0);
  const value = DEFAULT_ARGUMENTS[signature.name]?.find(([index]) => index === position)?.[1];
  if (value === undefined) throw notSupported(`a default argument of function ${signature.name}`);
  return value;
}

export function signatureText(
  name: string,
  types: readonly number[],
  names: readonly (string | null)[],
): string {
  const args = types.map((type, i) => {
    const argument = names[i] ?? null;
    return argument === null ? typeDisplay(type) : `${argument} => ${typeDisplay(type)}`;
  });
  return `${name}(${args.join(', ')})`;
}

function undefinedFunction(
  b: Binder,
  call: FuncCall,
  name: string,
  actual: readonly number[],
  names: readonly (string | null)[],
): Error {
  const ordered = (call.agg_order?.length ?? 0) > 1 && call.agg_within_group !== true;
  const text = call.agg_star === true ? `${name}()` : signatureText(name, actual, names);
  return pgError('undefined_function', `function ${text} does not exist`, {
    hint: ordered
      ? 'No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.'
      : 'No function matches the given name and argument types. You might need to add explicit type casts.',
    ...b.position(call.location),
  });
}

/** `int4(x)`, `text(x)`: a type's name with one argument that needs no function of its own. */
function castCall(b: Binder, name: string, arg: Expr): Expr | null {
  const type = resolveTypeName([name]);
  if (type === undefined) return null;
  if (arg.type === OID.unknown) {
    return arg.kind === 'const' || b.literalOf(arg) >= 0
      ? (coerceToTarget(b, arg, type.oid, -1, 'explicit') ?? null)
      : null;
  }
  const pathway = coercionPathway(arg.type, type.oid, 'explicit');
  if (pathway === null || pathway.kind === 'function' || pathway.kind === 'array') return null;
  return coerceType(b, arg, type.oid, -1, 'explicit');
}

function refuseAggregateSyntax(b: Binder, call: FuncCall, name: string): void {
  const refuse = (message: string): never => {
    throw pgError('wrong_object_type', message, b.position(call.location));
  };
  if (call.agg_star === true) {
    refuse(`${name}(*) specified, but ${name} is not an aggregate function`);
  }
  if (call.agg_distinct === true) {
    refuse(`DISTINCT specified, but ${name} is not an aggregate function`);
  }
  if (call.agg_within_group === true) {
    refuse(`WITHIN GROUP specified, but ${name} is not an aggregate function`);
  }
  if ((call.agg_order?.length ?? 0) > 0) {
    refuse(`ORDER BY specified, but ${name} is not an aggregate function`);
  }
  if (call.agg_filter !== undefined) {
    refuse(`FILTER specified, but ${name} is not an aggregate function`);
  }
  if (call.over !== undefined) {
    refuse(`OVER specified, but ${name} is not a window function nor an aggregate function`);
  }
}

function checkSetCall(b: Binder, scope: Scope, location: number | undefined): void {
  const refuse = (where: string, hint = false): never => {
    throw pgError('feature_not_supported', `set-returning functions are not allowed in ${where}`, {
      ...(hint
        ? {
            hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
          }
        : {}),
      ...b.position(location),
    });
  };
  if (scope.setBarrier !== '') refuse(scope.setBarrier, true);
  switch (scope.place) {
    case 'SELECT':
    case 'ORDER BY':
    case 'GROUP BY':
    case 'DISTINCT ON':
    case 'INSERT':
    case 'window PARTITION BY':
    case 'window ORDER BY':
      scope.hasSets = true;
      return;
    case 'functions in FROM':
      return;
    case 'window ROWS':
    case 'window RANGE':
    case 'window GROUPS':
      refuse('window definitions');
      return;
    default:
      refuse(scope.place);
  }
}

const AGGREGATE_PLACES: ReadonlySet<string> = new Set([
  'SELECT',
  'HAVING',
  'ORDER BY',
  'DISTINCT ON',
  'INSERT',
  'window PARTITION BY',
  'window ORDER BY',
]);

function bindAggregate(
  b: Binder,
  scope: Scope,
  call: FuncCall,
  signature: FunctionSignature,
  given: readonly Expr[],
  result: number,
  orderedCount: number,
): Expr {
  const { location } = call;
  const name = signature.name;
  if (call.over !== undefined) return bindWindowCall(b, scope, call, signature, given, result);
  const aggregate = aggregateByOid(signature.oid);
  if (aggregate === undefined || !isImplemented(signature.oid)) {
    throw notSupported(
      `aggregate function ${signatureText(name, signature.arguments, [])}`,
      b.position(location),
    );
  }
  if (aggregate.kind === 'n' && call.agg_within_group === true) {
    throw pgError(
      'wrong_object_type',
      `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`,
      b.position(location),
    );
  }
  if (aggregate.kind !== 'n' && call.agg_within_group !== true) {
    throw pgError(
      'wrong_object_type',
      `WITHIN GROUP is required for ordered-set aggregate ${name}`,
      b.position(location),
    );
  }
  const args =
    aggregate.kind === 'n'
      ? given
      : orderedSetArguments(b, call, signature, aggregate, given, orderedCount);
  if (args.length === 0 && call.agg_star !== true && aggregate.kind === 'n') {
    throw pgError(
      'wrong_object_type',
      `${name}(*) must be used to call a parameterless aggregate function`,
      b.position(location),
    );
  }
  for (const arg of args) refuseSetsIn(b, arg);
  const distinct = call.agg_distinct === true;
  const plain = args.slice(0, args.length - orderedCount);
  // What is compared has a type, also where the function takes any.
  const direct = distinct ? plain.map((arg) => resolveUnknown(b, arg)) : plain;
  const orderNodes = (call.agg_order ?? []).flatMap((node) =>
    'SortBy' in node ? [node.SortBy] : [],
  );
  const orderBy =
    orderedCount > 0
      ? orderNodes.map((node, i) => sortKey(b, args[direct.length + i] as Expr, node))
      : orderNodes.map((node) => {
          const expr = bindExpr(b, scope, node.node as Node);
          // An argument that is ordered by is the same expression after its coercion.
          const argument = direct.find((arg) => b.same(arg, expr) || b.same(uncoerced(arg), expr));
          return sortKey(b, argument ?? resolveUnknown(b, expr), node);
        });
  if (distinct) {
    for (const key of orderBy) {
      if (direct.some((arg) => b.same(arg, key.expr))) continue;
      throw pgError(
        'invalid_column_reference',
        'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
        b.positionOf(key.expr),
      );
    }
    for (const arg of direct) requireEquality(b, arg);
  }
  let filter: Expr | null = null;
  if (call.agg_filter !== undefined) {
    const place = scope.place;
    scope.place = 'FILTER';
    filter = coerceToBoolean(b, bindExpr(b, scope, call.agg_filter), 'FILTER');
    scope.place = place;
  }
  const expr: AggregateExpr = {
    kind: 'aggregate',
    type: result,
    typmod: -1,
    function: signature.oid,
    arguments: direct,
    star: call.agg_star === true,
    distinct,
    filter,
    orderBy,
    level: 0,
    withinGroup: aggregate.kind !== 'n',
  };
  return b.at(placeAggregate(b, scope, expr, location), location);
}

/** An argument as it was before it was made fit for the function. */
export function uncoerced(arg: Expr): Expr {
  return arg.kind === 'cast' && !arg.explicit ? arg.argument : arg;
}

function refuseSetsIn(b: Binder, arg: Expr): void {
  someExpr(arg, (inner) => {
    if (inner.kind !== 'setCall') return false;
    throw pgError(
      'feature_not_supported',
      'aggregate function calls cannot contain set-returning function calls',
      {
        hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
        ...b.positionOf(inner),
      },
    );
  });
}

/** An aggregate belongs to the innermost level that its arguments refer to. */
function placeAggregate(
  b: Binder,
  scope: Scope,
  expr: AggregateExpr,
  location: number | undefined,
): AggregateExpr {
  let level = Number.POSITIVE_INFINITY;
  let nested = Number.POSITIVE_INFINITY;
  let inner: Expr | null = null;
  const inspect = (part: Expr) =>
    visitReferences(part, (reference, depth) => {
      if (reference.kind === 'column' && reference.level >= depth) {
        level = Math.min(level, reference.level - depth);
      } else if (reference.kind === 'aggregate' && reference.level >= depth) {
        nested = Math.min(nested, reference.level - depth);
        inner ??= reference;
      } else if (reference.kind === 'grouping' && depth === 0) {
        nested = 0;
        inner ??= reference;
      }
    });
  if (!expr.withinGroup) for (const arg of expr.arguments) inspect(arg);
  for (const key of expr.orderBy) inspect(key.expr);
  if (expr.filter !== null) inspect(expr.filter);
  const message = 'aggregate function calls cannot contain window function calls';
  for (const part of [...expr.arguments, ...expr.orderBy.map((key) => key.expr)]) {
    refuseWindowCalls(b, part, 'grouping_error', message);
  }
  if (nested < level) level = nested;
  if (level === Number.POSITIVE_INFINITY) level = 0;
  if (expr.withinGroup) {
    const decided = level;
    for (const arg of expr.arguments) inspect(arg);
    if (level < decided) {
      throw pgError(
        'grouping_error',
        'outer-level aggregate cannot contain a lower-level variable in its direct arguments',
        b.positionOf(expr.arguments[0] as Expr),
      );
    }
  }
  if (nested <= level) {
    throw pgError(
      'grouping_error',
      'aggregate function calls cannot be nested',
      inner === null ? b.position(location) : b.positionOf(inner),
    );
  }
  let owner: Scope | null = scope;
  for (let i = 0; i < level; i++) owner = owner?.parent ?? null;
  if (owner === null) throw pgError('grouping_error', 'aggregate of no query level');
  if (!AGGREGATE_PLACES.has(owner.place)) {
    throw pgError(
      'grouping_error',
      `aggregate functions are not allowed in ${owner.place}`,
      b.position(location),
    );
  }
  owner.hasAggregates = true;
  return level === 0 ? expr : { ...expr, level };
}

const GROUPING_ARGUMENTS_MAX = 31;

/** GROUPING(…). That its arguments are keys of GROUP BY is checked when these are known. */
export function bindGrouping(b: Binder, scope: Scope, node: GroupingFunc): Expr {
  const { location } = node;
  const nodes = node.args ?? [];
  if (nodes.length > GROUPING_ARGUMENTS_MAX) {
    throw pgError(
      'too_many_arguments',
      'GROUPING must have fewer than 32 arguments',
      b.position(location),
    );
  }
  const args = nodes.map((arg) => bindExpr(b, scope, arg));
  const isOuter = args.some((arg) =>
    someExpr(arg, (part) => part.kind === 'column' && part.level > 0),
  );
  if (isOuter) throw notSupported('GROUPING of an outer query', b.position(location));
  if (!AGGREGATE_PLACES.has(scope.place)) {
    throw pgError(
      'grouping_error',
      `grouping operations are not allowed in ${scope.place}`,
      b.position(location),
    );
  }
  scope.hasAggregates = true;
  return b.at({ kind: 'grouping', type: OID.int4, typmod: -1, arguments: args }, location);
}

const SEQUENCE_FUNCTIONS: ReadonlyMap<string, readonly number[]> = new Map([
  ['nextval', [1]],
  ['currval', [1]],
  ['setval', [2, 3]],
  ['lastval', [0]],
]);

function bindSequenceCall(b: Binder, scope: Scope, call: FuncCall, name: string): Expr | null {
  const nodes = call.args ?? [];
  if (!SEQUENCE_FUNCTIONS.get(name)?.includes(nodes.length)) return null;
  const args = nodes.map((node) => bindExprUntyped(b, scope, node));
  const [relation, value, isCalled] = args;
  const coerced = [
    relation && coerceToTarget(b, relation, OID.regclass, -1, 'implicit'),
    value && coerceToTarget(b, value, OID.int8, -1, 'implicit'),
    isCalled && coerceToTarget(b, isCalled, OID.bool, -1, 'implicit'),
  ];
  if (args.some((_, i) => coerced[i] === undefined)) {
    throw undefinedFunction(
      b,
      call,
      name,
      args.map((arg) => arg.type),
      [],
    );
  }
  return b.at(
    {
      kind: 'sequence',
      type: OID.int8,
      typmod: -1,
      operation: name as 'nextval' | 'currval' | 'setval' | 'lastval',
      relation: coerced[0] ?? null,
      value: coerced[1] ?? null,
      isCalled: coerced[2] ?? null,
    },
    call.location,
  );
}
