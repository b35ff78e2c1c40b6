/** Advisory locks. They are calls to the lock table, which the writer alone has: the planner sends
 * statements there that call a function of which isWriterFunction is true. */

import { notSupported } from '../../errors/index.ts';
import type { AdvisoryKey, FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import type { Scalars } from './order.ts';
import { functionByOid } from './signatures.ts';

type C = FunctionContext;
type Scope = 'session' | 'transaction';

function locksOf(context: C) {
  if (context.advisoryLocks !== undefined) return context.advisoryLocks;
  throw notSupported('an advisory lock in a utility statement');
}

/** One int8, or two int4: the two key spaces do not meet. */
function keyOf(args: readonly (number | bigint)[]): AdvisoryKey {
  if (args.length === 2) {
    return { high: Number(args[0]) >>> 0, low: Number(args[1]) >>> 0, space: 2 };
  }
  const whole = BigInt.asUintN(64, BigInt(args[0]!));
  return { high: Number(whole >> 32n), low: Number(whole & 0xffff_ffffn), space: 1 };
}

function lock(scope: Scope, shared: boolean) {
  return (context: C, ...args: number[]): string => {
    locksOf(context).lock(keyOf(args), shared, scope, true);
    return '';
  };
}

function tryLock(scope: Scope, shared: boolean) {
  return (context: C, ...args: number[]): boolean =>
    locksOf(context).lock(keyOf(args), shared, scope, false);
}

function unlock(shared: boolean) {
  return (context: C, ...args: number[]): boolean => {
    const held = locksOf(context).unlock(keyOf(args), shared);
    if (!held) {
      const mode = shared ? 'ShareLock' : 'ExclusiveLock';
      context.notice(`you don't own a lock of type ${mode}`, 'WARNING');
    }
    return held;
  };
}

function unlockAll(context: C): string {
  locksOf(context).unlockAll();
  return '';
}

function functionsOf(keyTypes: 'int4' | 'int8'): Scalars {
  return {
    [`pg_advisory_lock_${keyTypes}`]: lock('session', false),
    [`pg_advisory_lock_shared_${keyTypes}`]: lock('session', true),
    [`pg_advisory_xact_lock_${keyTypes}`]: lock('transaction', false),
    [`pg_advisory_xact_lock_shared_${keyTypes}`]: lock('transaction', true),
    [`pg_try_advisory_lock_${keyTypes}`]: tryLock('session', false),
    [`pg_try_advisory_lock_shared_${keyTypes}`]: tryLock('session', true),
    [`pg_try_advisory_xact_lock_${keyTypes}`]: tryLock('transaction', false),
    [`pg_try_advisory_xact_lock_shared_${keyTypes}`]: tryLock('transaction', true),
    [`pg_advisory_unlock_${keyTypes}`]: unlock(false),
    [`pg_advisory_unlock_shared_${keyTypes}`]: unlock(true),
  };
}

const SCALARS: Scalars = {
  ...functionsOf('int4'),
  ...functionsOf('int8'),
  pg_advisory_unlock_all: unlockAll,
};

registerFunctions({ scalars: SCALARS });

const OTHER_WRITER_SOURCES: ReadonlySet<string> = new Set([
  'pg_blocking_pids',
  'pg_sequence_last_value',
]);

/** Whether a function changes or reads the lock table, or reads sequences. */
export function isWriterFunction(oid: number): boolean {
  const source = functionByOid(oid)?.source;
  return source !== undefined && (source in SCALARS || OTHER_WRITER_SOURCES.has(source));
}

/** Whether it takes advisory locks: it may wait, and its statement begins anew when it goes on. */
export function isAdvisoryFunction(oid: number): boolean {
  const source = functionByOid(oid)?.source;
  return source !== undefined && source in SCALARS;
}
