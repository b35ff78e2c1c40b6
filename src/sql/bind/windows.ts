import type { FuncCall, Node, WindowDef } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, FrameBound, SortKey, WindowExpr, WindowFrame } from '../expression.ts';
import { someExpr, visitReferences } from '../expression-tree.ts';
import {
  aggregateByOid,
  btreeSupport,
  type FunctionSignature,
  IN_RANGE,
  isImplemented,
  orderedTypeOf,
} from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { signatureText } from './calls.ts';
import { coerceToBoolean, coerceToSpecific, resolveUnknown } from './coercion.ts';
import { canCoerceOne } from './coercion-rules.ts';
import { bindExpr } from './expressions.ts';
import type { WindowClause } from './query.ts';
import type { Place, Scope } from './scope.ts';
import { requireEquality, sortKeys } from './sort-keys.ts';
import type { Target } from './target-list.ts';
import { typeDisplay } from './type-facts.ts';
import {
  END_CURRENT_ROW,
  END_FOLLOWING,
  END_PRECEDING,
  EXCLUDE_CURRENT_ROW,
  EXCLUDE_GROUP,
  EXCLUDE_TIES,
  FRAME_DEFAULT,
  FRAME_GROUPS,
  FRAME_RANGE,
  FRAME_ROWS,
  START_CURRENT_ROW,
  START_FOLLOWING,
  START_PRECEDING,
  sameDefinition,
} from './window-nodes.ts';

const WINDOW_PLACES: ReadonlySet<Place> = new Set(['SELECT', 'ORDER BY', 'DISTINCT ON']);
const DEFINITION_PLACES: ReadonlySet<Place> = new Set([
  'window PARTITION BY',
  'window ORDER BY',
  'window ROWS',
  'window RANGE',
  'window GROUPS',
]);

/** A call with OVER, its arguments bound: of a window function or of an aggregate. */
export function bindWindowCall(
  b: Binder,
  scope: Scope,
  call: FuncCall,
  signature: FunctionSignature,
  args: readonly Expr[],
  result: number,
): Expr {
  refuseSyntax(b, call, signature, args);
  if (!isImplemented(signature.oid)) {
    throw notSupported(
      `aggregate function ${signatureText(signature.name, signature.arguments, [])}`,
      b.position(call.location),
    );
  }
  const expr: WindowExpr = {
    kind: 'window',
    type: result,
    typmod: -1,
    function: signature.oid,
    arguments: args,
    star: call.agg_star === true,
    filter: bindFilter(b, scope, call),
    window: placeCall(b, scope, args, call),
  };
  return b.at(expr, call.location);
}

function refuseSyntax(
  b: Binder,
  call: FuncCall,
  signature: FunctionSignature,
  args: readonly Expr[],
): void {
  const position = b.position(call.location);
  const { name } = signature;
  const isAggregate = signature.kind === 'a';
  if (isAggregate) refuseOrderedSet(b, call, signature);
  else if (call.agg_within_group === true) {
    throw pgError(
      'wrong_object_type',
      `window function ${name} cannot have WITHIN GROUP`,
      position,
    );
  }
  const refuse = (what: string): never => {
    throw pgError('feature_not_supported', what, position);
  };
  if (call.agg_distinct === true) refuse('DISTINCT is not implemented for window functions');
  if (isAggregate && args.length === 0 && call.agg_star !== true) {
    throw pgError(
      'wrong_object_type',
      `${name}(*) must be used to call a parameterless aggregate function`,
      position,
    );
  }
  if ((call.agg_order?.length ?? 0) > 0) {
    refuse('aggregate ORDER BY is not implemented for window functions');
  }
  if (!isAggregate && call.agg_filter !== undefined) {
    refuse('FILTER is not implemented for non-aggregate window functions');
  }
  for (const arg of args) refuseSetCalls(b, arg);
}

function refuseOrderedSet(b: Binder, call: FuncCall, { oid, name }: FunctionSignature): void {
  const isNormal = aggregateByOid(oid)?.kind === 'n';
  const position = b.position(call.location);
  if (isNormal && call.agg_within_group === true) {
    throw pgError(
      'wrong_object_type',
      `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`,
      position,
    );
  }
  if (isNormal) return;
  if (call.agg_within_group !== true) {
    throw pgError(
      'wrong_object_type',
      `WITHIN GROUP is required for ordered-set aggregate ${name}`,
      position,
    );
  }
  throw pgError(
    'feature_not_supported',
    `OVER is not supported for ordered-set aggregate ${name}`,
    position,
  );
}

function refuseSetCalls(b: Binder, arg: Expr): void {
  someExpr(arg, (part) => {
    if (part.kind !== 'setCall') return false;
    throw pgError(
      'feature_not_supported',
      'window function calls cannot contain set-returning function calls',
      {
        hint: 'You might be able to move the set-returning function into a LATERAL FROM item.',
        ...b.positionOf(part),
      },
    );
  });
}

function bindFilter(b: Binder, scope: Scope, call: FuncCall): Expr | null {
  if (call.agg_filter === undefined) return null;
  const { place } = scope;
  scope.place = 'FILTER';
  const filter = coerceToBoolean(b, bindExpr(b, scope, call.agg_filter), 'FILTER');
  scope.place = place;
  return filter;
}

/** The window of a call: one of WINDOW, one that another call has written out, or a new one. */
function placeCall(b: Binder, scope: Scope, args: readonly Expr[], call: FuncCall): number {
  for (const arg of args) {
    refuseWindowCalls(b, arg, 'windowing_error', 'window function calls cannot be nested');
  }
  if (!WINDOW_PLACES.has(scope.place)) {
    const place = DEFINITION_PLACES.has(scope.place) ? 'window definitions' : scope.place;
    throw pgError(
      'windowing_error',
      `window functions are not allowed in ${place}`,
      b.position(call.location),
    );
  }
  scope.hasWindows = true;
  const over = call.over as WindowDef;
  if (over.name !== undefined) {
    const found = scope.windows.findIndex(({ name }) => name === over.name);
    if (found < 0) throw undefinedWindow(b, over.name, over);
    return found;
  }
  const known = scope.windows.findIndex((other) => sameDefinition(b, other, over));
  return known >= 0 ? known : scope.windows.push(over) - 1;
}

/** Throws where an expression holds a window call of its own query level. */
export function refuseWindowCalls(
  b: Binder,
  expr: Expr,
  condition: 'windowing_error' | 'grouping_error',
  message: string,
): void {
  someExpr(expr, (part) => {
    if (part.kind !== 'window') return false;
    throw pgError(condition, message, b.positionOf(part));
  });
}

function undefinedWindow(b: Binder, name: string, definition: WindowDef): Error {
  return pgError(
    'undefined_object',
    `window "${name}" does not exist`,
    b.position(definition.location),
  );
}

/** Binds the windows of a query, when all calls are known. */
export function bindWindows(b: Binder, scope: Scope, targets: readonly Target[]): WindowClause[] {
  const bound: WindowClause[] = [];
  const named = new Map<string, number>();
  for (const definition of scope.windows) {
    const error = (message: string) =>
      pgError('windowing_error', message, b.position(definition.location));
    const { name, refname } = definition;
    if (name !== undefined && named.has(name)) throw error(`window "${name}" is already defined`);
    let copied: number | null = null;
    if (refname !== undefined) {
      copied = named.get(refname) ?? null;
      if (copied === null) throw undefinedWindow(b, refname, definition);
    }
    const orderBy = sortKeys(b, definition.orderClause ?? [], (item) =>
      bindKey(b, scope, targets, item, 'window ORDER BY'),
    );
    const own = bindPartition(b, scope, targets, definition.partitionClause ?? [], orderBy);
    const base = copied === null ? null : (bound[copied] as WindowClause);
    if (base !== null && copied !== null) {
      if (own.length > 0) throw error(`cannot override PARTITION BY clause of window "${refname}"`);
      if (orderBy.length > 0 && base.orderBy.length > 0) {
        throw error(`cannot override ORDER BY clause of window "${refname}"`);
      }
      refuseFrameCopy(b, scope.windows[copied] as WindowDef, definition);
    }
    const keys = orderBy.length > 0 ? orderBy : (base?.orderBy ?? []);
    const frame = bindFrame(b, scope, definition, keys, error);
    if (name !== undefined) named.set(name, bound.length);
    bound.push({ partitionBy: base?.partitionBy ?? own, orderBy: keys, frame });
  }
  return bound;
}

function refuseFrameCopy(b: Binder, copied: WindowDef, definition: WindowDef): void {
  if ((copied.frameOptions ?? FRAME_DEFAULT) === FRAME_DEFAULT) return;
  const isPlain =
    definition.name === undefined &&
    (definition.orderClause?.length ?? 0) === 0 &&
    (definition.frameOptions ?? FRAME_DEFAULT) === FRAME_DEFAULT;
  throw pgError(
    'windowing_error',
    `cannot copy window "${definition.refname}" because it has a frame clause`,
    {
      ...(isPlain ? { hint: 'Omit the parentheses in this OVER clause.' } : {}),
      ...b.position(definition.location),
    },
  );
}

function bindPartition(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  nodes: readonly Node[],
  orderBy: readonly SortKey[],
): SortKey[] {
  const keys: SortKey[] = [];
  for (const node of nodes) {
    const expr = bindKey(b, scope, targets, node, 'window PARTITION BY');
    if (keys.some((key) => b.same(key.expr, expr))) continue;
    requireEquality(b, expr);
    const ordered = orderBy.find((key) => b.same(key.expr, expr));
    keys.push(ordered ?? { expr, descending: false, nullsFirst: false });
  }
  return keys;
}

/** A key is always an expression, never the name or number of a target. */
function bindKey(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  node: Node,
  place: Place,
): Expr {
  scope.place = place;
  const expr = resolveUnknown(b, bindExpr(b, scope, node));
  return targets.find((target) => b.same(target.expr, expr))?.expr ?? expr;
}

function bindFrame(
  b: Binder,
  scope: Scope,
  definition: WindowDef,
  orderBy: readonly SortKey[],
  error: (message: string) => Error,
): WindowFrame {
  const options = definition.frameOptions ?? FRAME_DEFAULT;
  const { startOffset, endOffset } = definition;
  const hasOffset = startOffset !== undefined || endOffset !== undefined;
  if ((options & FRAME_RANGE) !== 0 && hasOffset && orderBy.length !== 1) {
    throw error('RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column');
  }
  if ((options & FRAME_GROUPS) !== 0 && orderBy.length === 0) {
    throw error('GROUPS mode requires an ORDER BY clause');
  }
  const bound = (
    offset: Node | undefined,
    currentRow: number,
    preceding: number,
    following: number,
  ): FrameBound => {
    if ((options & currentRow) !== 0) return { kind: 'currentRow' };
    if ((options & (preceding | following)) === 0) return { kind: 'unbounded' };
    const kind = (options & preceding) !== 0 ? 'preceding' : 'following';
    return { kind, ...bindOffset(b, scope, options, offset as Node, orderBy) };
  };
  return {
    mode:
      (options & FRAME_ROWS) !== 0 ? 'rows' : (options & FRAME_GROUPS) !== 0 ? 'groups' : 'range',
    start: bound(startOffset, START_CURRENT_ROW, START_PRECEDING, START_FOLLOWING),
    end: bound(endOffset, END_CURRENT_ROW, END_PRECEDING, END_FOLLOWING),
    exclude: exclusionOf(options),
  };
}

function exclusionOf(options: number): WindowFrame['exclude'] {
  if ((options & EXCLUDE_CURRENT_ROW) !== 0) return 'currentRow';
  if ((options & EXCLUDE_GROUP) !== 0) return 'group';
  return (options & EXCLUDE_TIES) !== 0 ? 'ties' : 'none';
}

function bindOffset(
  b: Binder,
  scope: Scope,
  options: number,
  node: Node,
  orderBy: readonly SortKey[],
): { readonly offset: Expr; readonly inRange: number } {
  const word =
    (options & FRAME_ROWS) !== 0 ? 'ROWS' : (options & FRAME_GROUPS) !== 0 ? 'GROUPS' : 'RANGE';
  scope.place = `window ${word}`;
  const bound = bindExpr(b, scope, node);
  const { type, inRange } =
    word === 'RANGE'
      ? rangeSupport(b, bound, (orderBy[0] as SortKey).expr)
      : { type: OID.int8, inRange: 0 };
  const offset = coerceToSpecific(b, bound, type, word);
  visitReferences(offset, (reference, depth) => {
    if (reference.kind !== 'column' || reference.level !== depth) return;
    throw pgError(
      'invalid_column_reference',
      `argument of ${word} must not contain variables`,
      b.positionOf(reference),
    );
  });
  return { offset, inRange };
}

/** The function that compares values of the order key by an offset, and the offset's type. */
function rangeSupport(b: Binder, offset: Expr, key: Expr): { type: number; inRange: number } {
  const keyType = orderedTypeOf(key.type);
  const refuse = (message: string, hint: string | null): never => {
    throw pgError('feature_not_supported', `RANGE with offset PRECEDING/FOLLOWING ${message}`, {
      ...(hint === null ? {} : { hint }),
      ...b.positionOf(offset),
    });
  };
  const support = btreeSupport(keyType, IN_RANGE);
  const column = `column type ${typeDisplay(keyType)}`;
  if (support.length === 0) refuse(`is not supported for ${column}`, null);
  const preferred = offset.type === OID.unknown ? keyType : offset.type;
  const matches = support.filter(({ right }) => canCoerceOne(offset.type, right, 'implicit'));
  const types = `${column} and offset type ${typeDisplay(offset.type)}`;
  const chosen = matches.find(({ right }) => right === preferred) ?? matches.at(-1);
  if (chosen === undefined) {
    return refuse(`is not supported for ${types}`, 'Cast the offset value to an appropriate type.');
  }
  if (matches.length > 1 && chosen.right !== preferred) {
    refuse(
      `has multiple interpretations for ${types}`,
      'Cast the offset value to the exact intended type.',
    );
  }
  return { type: chosen.right, inRange: chosen.function };
}
