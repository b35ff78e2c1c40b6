import type { RunHandle } from '../../session/index.ts';

/** Handle of what was answered in the call that started it. */
export const ANSWERED: RunHandle = {
  fetch() {},
  close() {},
  cancel() {},
  drained() {},
  copyData: () => true,
  copyDone() {},
  copyFail() {},
};
