import type { Constraint, RangeVar } from '@pgsql/types';
import type { ForeignKey } from '../../catalog/index.ts';
import { notSupported } from '../../errors/index.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';

/** A foreign key as written. */
export interface ForeignKeyDraft {
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly table: RangeVar;
  /** Columns referred to; none: the primary key's. */
  readonly referenced: readonly string[];
  readonly foreign: Pick<ForeignKey, 'onUpdate' | 'onDelete' | 'match'>;
  readonly deleteColumns: readonly string[];
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly validate: boolean;
}

type Action = ForeignKey['onDelete'];

/** `column` is the one that a column constraint stands at. */
export function foreignKeyDraft(
  command: Command,
  constraint: Constraint,
  column: string | null,
): ForeignKeyDraft {
  const position = command.position(constraint.location);
  if (constraint.fk_with_period === true || constraint.pk_with_period === true) {
    throw notSupported('FOREIGN KEY ... PERIOD', position);
  }
  const deferred = constraint.initdeferred === true;
  return {
    name: constraint.conname ?? null,
    columns: column === null ? nameList(constraint.fk_attrs) : [column],
    table: constraint.pktable ?? {},
    referenced: nameList(constraint.pk_attrs),
    foreign: {
      onUpdate: (constraint.fk_upd_action ?? 'a') as Action,
      onDelete: (constraint.fk_del_action ?? 'a') as Action,
      match: constraint.fk_matchtype === 'f' ? 'f' : 's',
    },
    deleteColumns: nameList(constraint.fk_del_set_cols),
    deferrable: deferred || constraint.deferrable === true,
    deferred,
    validate: constraint.skip_validation !== true,
  };
}
