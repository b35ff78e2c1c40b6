/** The row of a sequence that is read as a relation, see catalog/sequence-view.ts. */

import { int8 } from '../../types/index.ts';
import type { SystemRow, SystemState } from './system-state.ts';

export function* sequenceRow({ server }: SystemState, oid: number): Iterable<SystemRow> {
  const value = server.sequenceValue?.(oid);
  if (value === undefined) return;
  yield {
    last_value: value.lastValue,
    log_cnt: int8(value.logCount),
    is_called: value.isCalled,
  };
}
