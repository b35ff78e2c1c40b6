import type { AlterTableCmd, Node } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { requireColumn, withColumn } from './alter-column.ts';
import type { Command } from './command.ts';
import { bindDefault } from './create-table.ts';
import { changeRelation } from './relation-change.ts';
import { viewOptions } from './storage-options.ts';
import { checkCheckOption } from './view-dependencies.ts';

/** What ALTER VIEW and ALTER TABLE change of a view: defaults, which INSERT through it takes before those of
 * its table, and options. */

export function setViewDefault(
  command: Command,
  view: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const position = requireColumn(view, action.name);
  const { def } = action;
  const column = view.columns[position]!;
  const value =
    def === undefined ? null : bindDefault(command, view.name, view.columns, column, def);
  changeRelation(command, view, { columns: withColumn(view, position, { default: value }) });
}

export function setViewOptions(
  command: Command,
  view: RelationDescriptor,
  nodes: readonly Node[],
  reset: boolean,
): void {
  const options = viewOptions(view.options, nodes, reset);
  const next = { ...view, options };
  checkCheckOption(command, next);
  changeRelation(command, view, { options });
}
