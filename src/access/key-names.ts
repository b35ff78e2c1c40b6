import { keyExpression, quoteIdentifier } from '../base/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../catalog/descriptors.ts';

/** The columns of an index as the details of errors name them: `a, lower(b)`. */
export function keyNames(table: RelationDescriptor, { columns }: IndexDescriptor): string {
  return columns
    .map(({ column, expression }) =>
      expression === null
        ? quoteIdentifier(table.columns[column]!.name)
        : keyExpression(expression.pretty ?? expression.text),
    )
    .join(', ');
}
