import type { CallExpr, Expr } from '../expression.ts';
import { sameExpr } from '../expression-tree.ts';
import { btreeMembers } from '../functions/index.ts';
import { type Clause, hasSubquery, isVolatile, makeClause, NO_RELS, relsOf } from './clauses.ts';

/** Expressions that conditions say are all equal, by one operator. */
interface EqualSet {
  readonly operator: number;
  readonly members: Expr[];
  /** The member without columns, if there is one. */
  constant: Expr | null;
  readonly clauses: Clause[];
}

/** What equalities say together: where a = b and b = 5, there a = 5, by which rows of a's relation can be
 * found, and a = b says nothing more. */
export interface ImpliedEqualities {
  readonly added: readonly Clause[];
  readonly redundant: readonly Clause[];
}

export function impliedEqualities(clauses: readonly Clause[]): ImpliedEqualities {
  const added: Clause[] = [];
  const redundant: Clause[] = [];
  for (const { constant, members, clauses: known } of equalSets(clauses)) {
    if (constant === null) continue;
    for (const member of members) {
      if (known.some((clause) => compares(clause, member, constant))) continue;
      const shape = known[0]?.expr as CallExpr;
      added.push(makeClause({ ...shape, arguments: [member, constant] }));
    }
    for (const clause of known) {
      const [a, b] = (clause.expr as CallExpr).arguments as [Expr, Expr];
      if (relsOf(a) !== NO_RELS && relsOf(b) !== NO_RELS) redundant.push(clause);
    }
  }
  return { added, redundant };
}

function compares(clause: Clause, member: Expr, constant: Expr): boolean {
  const [a, b] = (clause.expr as CallExpr).arguments as [Expr, Expr];
  return (
    (sameExpr(a, member) && sameExpr(b, constant)) || (sameExpr(b, member) && sameExpr(a, constant))
  );
}

/** The sets that have an equality of columns in them. */
function equalSets(clauses: readonly Clause[]): EqualSet[] {
  const equalities = clauses.filter(isEquality);
  if (equalities.length < 2) return [];
  let sets: EqualSet[] = [];
  for (const clause of equalities) {
    const { operator, arguments: sides } = clause.expr as CallExpr;
    const touched = sets.filter(
      (set) => set.operator === operator && sides.some((side) => isMember(set, side)),
    );
    const joined: EqualSet = {
      operator,
      members: touched.flatMap((set) => set.members),
      constant: touched.find((set) => set.constant !== null)?.constant ?? null,
      clauses: [...touched.flatMap((set) => set.clauses), clause],
    };
    for (const side of sides) {
      if (relsOf(side) === NO_RELS) joined.constant ??= side;
      else if (!isMember(joined, side)) joined.members.push(side);
    }
    sets = [...sets.filter((set) => !touched.includes(set)), joined];
  }
  return sets.filter((set) => set.members.length > 1);
}

function isMember(set: EqualSet, side: Expr): boolean {
  return set.members.some((member) => sameExpr(member, side));
}

/** `a = b` of one type, by an operator that is transitive. */
function isEquality({ expr, rels }: Clause): boolean {
  if (expr.kind !== 'call' || rels === NO_RELS) return false;
  const [a, b] = expr.arguments;
  if (a === undefined || b === undefined || a.type !== b.type) return false;
  if (btreeMembers(expr.operator)[0]?.strategy !== 3) return false;
  return !isVolatile(expr) && !hasSubquery(expr);
}
