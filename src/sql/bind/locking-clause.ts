import type { LockingClause, SelectStmt } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import type { Binder } from './binder.ts';
import type { RowLockClause, RowLockStrength } from './query.ts';
import type { Scope } from './scope.ts';

/** FOR UPDATE and its kin. */

const STRENGTHS: Readonly<Record<string, RowLockStrength>> = {
  LCS_FORKEYSHARE: 'keyShare',
  LCS_FORSHARE: 'share',
  LCS_FORNOKEYUPDATE: 'noKeyUpdate',
  LCS_FORUPDATE: 'update',
};

const STRENGTH_NAMES: Readonly<Record<RowLockStrength, string>> = {
  keyShare: 'FOR KEY SHARE',
  share: 'FOR SHARE',
  noKeyUpdate: 'FOR NO KEY UPDATE',
  update: 'FOR UPDATE',
};

const STRENGTH_ORDER: readonly RowLockStrength[] = ['keyShare', 'share', 'noKeyUpdate', 'update'];

const WAIT_POLICIES: Readonly<Record<string, RowLockClause['waitPolicy']>> = {
  LockWaitError: 'nowait',
  LockWaitSkip: 'skip',
};

export function bindLocking(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  grouped: boolean,
  distinct: boolean,
): RowLockClause[] {
  const locks = new Map<number, RowLockClause>();
  for (const item of node.lockingClause ?? []) {
    if (!('LockingClause' in item)) continue;
    const clause = item.LockingClause;
    const strength = STRENGTHS[clause.strength ?? ''] ?? 'update';
    const name = STRENGTH_NAMES[strength];
    const refuse = (what: string): never => {
      throw pgError('feature_not_supported', `${name} is not allowed with ${what}`);
    };
    if (distinct) refuse('DISTINCT clause');
    if ((node.groupClause?.length ?? 0) > 0) refuse('GROUP BY clause');
    if (node.havingClause !== undefined) refuse('HAVING clause');
    if (grouped) refuse('aggregate functions');
    if (scope.hasWindows) refuse('window functions');
    if (scope.hasSets) refuse('set-returning functions in the target list');
    for (const relation of lockedRelations(b, scope, clause, name)) {
      const waitPolicy = WAIT_POLICIES[clause.waitPolicy ?? ''] ?? 'block';
      const before = locks.get(relation);
      const stronger =
        before === undefined ||
        STRENGTH_ORDER.indexOf(strength) > STRENGTH_ORDER.indexOf(before.strength);
      locks.set(relation, {
        relation,
        strength: stronger ? strength : before.strength,
        waitPolicy: before === undefined || waitPolicy !== 'block' ? waitPolicy : before.waitPolicy,
      });
    }
  }
  return [...locks.values()];
}

function lockedRelations(b: Binder, scope: Scope, clause: LockingClause, name: string): number[] {
  const relations: number[] = [];
  if (clause.lockedRels === undefined || clause.lockedRels.length === 0) {
    scope.rangeTable.forEach((entry, relation) => {
      if (entry.kind === 'table') relations.push(relation);
      else if (entry.kind === 'subquery') throw notSupported(`${name} on a subquery or view`);
    });
    return relations;
  }
  for (const item of clause.lockedRels) {
    if (!('RangeVar' in item)) continue;
    const { relname = '', schemaname, location } = item.RangeVar;
    const position = b.position(location ?? 0);
    if (schemaname !== undefined) {
      throw pgError('syntax_error', `${name} must specify unqualified relation names`, position);
    }
    const relation = scope.rangeTable.findIndex((entry) => entry.alias === relname);
    const entry = scope.rangeTable[relation];
    if (entry === undefined) {
      throw pgError(
        'undefined_table',
        `relation "${relname}" in ${name} clause not found in FROM clause`,
        position,
      );
    }
    if (entry.kind === 'table') relations.push(relation);
    else if (entry.kind === 'subquery') throw notSupported(`${name} on a subquery or view`);
    else {
      const what = {
        join: 'a join',
        function: 'a function',
        values: 'VALUES',
        cte: 'a WITH query',
        systemView: 'a system view',
      }[entry.kind];
      const condition = entry.kind === 'systemView' ? 'wrong_object_type' : 'feature_not_supported';
      throw pgError(condition, `${name} cannot be applied to ${what}`, position);
    }
  }
  return relations;
}
