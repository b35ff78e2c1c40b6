import type { Constraint, Node } from '@pgsql/types';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';

/** Column constraints with the DEFERRABLE and INITIALLY clauses, which the grammar gives as
 * constraints of their own, made part of the ones that they follow: PostgreSQL's
 * transformConstraintAttrs. */
export function withAttributes(command: Command, nodes: readonly Node[]): Constraint[] {
  const constraints: Attributed[] = [];
  for (const node of nodes) {
    if (!('Constraint' in node)) continue;
    const { Constraint: constraint } = node;
    const clause = CLAUSES[constraint.contype ?? ''];
    if (clause === undefined) {
      constraints.push({ constraint, deferrable: undefined, deferred: undefined });
      continue;
    }
    const last = constraints.at(-1);
    const position = command.position(constraint.location);
    const target = last?.constraint.contype ?? '';
    if (last === undefined || !ATTRIBUTED.has(target)) {
      throw syntaxError(`misplaced ${clause.words} clause`, position);
    }
    apply(last, clause, position);
  }
  return constraints.map(({ constraint, deferrable, deferred }) => ({
    ...constraint,
    deferrable: constraint.deferrable === true || deferrable === true,
    initdeferred: constraint.initdeferred === true || deferred === true,
  }));
}

interface Attributed {
  readonly constraint: Constraint;
  deferrable: boolean | undefined;
  deferred: boolean | undefined;
}

interface Clause {
  readonly words: string;
  readonly attribute: 'deferrable' | 'deferred';
  readonly value: boolean;
}

const CLAUSES: Readonly<Record<string, Clause>> = {
  CONSTR_ATTR_DEFERRABLE: { words: 'DEFERRABLE', attribute: 'deferrable', value: true },
  CONSTR_ATTR_NOT_DEFERRABLE: { words: 'NOT DEFERRABLE', attribute: 'deferrable', value: false },
  CONSTR_ATTR_DEFERRED: { words: 'INITIALLY DEFERRED', attribute: 'deferred', value: true },
  CONSTR_ATTR_IMMEDIATE: { words: 'INITIALLY IMMEDIATE', attribute: 'deferred', value: false },
};

/** Constraints that the clauses can follow. */
const ATTRIBUTED: ReadonlySet<string> = new Set([
  'CONSTR_PRIMARY',
  'CONSTR_UNIQUE',
  'CONSTR_EXCLUSION',
  'CONSTR_FOREIGN',
]);

function apply(
  constraint: Attributed,
  { attribute, value }: Clause,
  position: ReturnType<Command['position']>,
): void {
  if (constraint[attribute] !== undefined) {
    const pair =
      attribute === 'deferrable' ? 'DEFERRABLE/NOT DEFERRABLE' : 'INITIALLY IMMEDIATE/DEFERRED';
    throw syntaxError(`multiple ${pair} clauses not allowed`, position);
  }
  constraint[attribute] = value;
  if (constraint.deferred !== true) return;
  // INITIALLY DEFERRED alone says DEFERRABLE too.
  constraint.deferrable ??= true;
  if (!constraint.deferrable) {
    throw syntaxError('constraint declared INITIALLY DEFERRED must be DEFERRABLE', position);
  }
}

function syntaxError(message: string, position: ReturnType<Command['position']>): PgError {
  return pgError('syntax_error', message, position);
}
