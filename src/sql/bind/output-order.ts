import type { Node } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import type { SortKey } from '../expression.ts';
import type { Binder } from './binder.ts';
import type { OutputColumn } from './query.ts';
import { sortKeys } from './sort-keys.ts';
import { integerConstant, nameList } from './syntax.ts';

/** ORDER BY of a set operation or of VALUES, which names columns of the result. */

export function bindOutputOrder(
  b: Binder,
  output: readonly OutputColumn[],
  nodes: readonly Node[],
  clause: string,
): SortKey[] {
  return sortKeys(b, nodes, (node) => {
    const index = outputIndex(b, output, node, clause);
    const { type, typmod } = (output[index] as OutputColumn).expr;
    return { kind: 'input', type, typmod, column: index };
  });
}

function outputIndex(
  b: Binder,
  output: readonly OutputColumn[],
  node: Node,
  clause: string,
): number {
  const position = integerConstant(node);
  if (position !== undefined) {
    if (position >= 1 && position <= output.length) return position - 1;
    throw pgError(
      'invalid_column_reference',
      `ORDER BY position ${position} is not in select list`,
      b.position('A_Const' in node ? node.A_Const.location : undefined),
    );
  }
  if ('ColumnRef' in node && node.ColumnRef.fields?.length === 1) {
    const name = nameList(node.ColumnRef.fields)[0];
    const index = output.findIndex((column) => column.name === name);
    if (index >= 0) return index;
    throw pgError(
      'undefined_column',
      `column "${name}" does not exist`,
      b.position(node.ColumnRef.location ?? 0),
    );
  }
  if (clause === 'VALUES') throw notSupported('ORDER BY an expression over VALUES');
  throw pgError('feature_not_supported', `invalid ${clause} ORDER BY clause`, {
    detail: 'Only result column names can be used, not expressions or functions.',
    hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
  });
}
