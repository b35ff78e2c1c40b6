import type { TableLikeClause } from '@pgsql/types';
import { notSupported } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { TableElements } from './table-elements.ts';

export function likeElements(
  _command: Command,
  _clause: TableLikeClause,
  _elements: TableElements,
): void {
  throw notSupported('LIKE');
}
