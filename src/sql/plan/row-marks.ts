import { OID } from '../../types/index.ts';
import { ROW_MARK_COLUMN } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { type Clause, withColumnValue } from './clauses.ts';
import { Layout } from './layout.ts';
import { projectNode } from './nodes.ts';
import type { Candidates, Path } from './paths.ts';

/** The mark of a relation tells its rows, even those of NULLs, from the nulls that an outer join puts in their
 * place: a column of TRUE that is added right above the scan, where a query reads whole rows. */

const MARK: Expr = { kind: 'const', type: OID.bool, typmod: -1, value: true };

/** The relation with its mark as a further column. */
export function withMark(relation: number, input: Candidates): Candidates {
  const { parameterized } = input;
  return {
    ...input,
    paths: input.paths.map((path) => markedPath(relation, path)),
    parameterized:
      parameterized &&
      ((outer, clauses) =>
        parameterized(outer, clauses).map(({ path, used }) => ({
          path: markedPath(relation, path),
          used,
        }))),
  };
}

function markedPath(relation: number, path: Path): Path {
  return {
    ...path,
    build: (slots) => {
      const { node, layout, needs } = path.build(slots);
      const columns = node.output.map(({ type, typmod }, column): Expr => {
        return { kind: 'input', type, typmod, column };
      });
      return {
        node: projectNode(node, [...columns, MARK]),
        layout: Layout.concat(layout, Layout.ofRelation(relation, [ROW_MARK_COLUMN])),
        needs,
      };
    },
  };
}

/** A condition on a relation alone, for the scan: its rows are there. */
export function withoutMark(clause: Clause, relation: number): Clause {
  return withColumnValue(clause, relation, ROW_MARK_COLUMN, MARK);
}
