import type { RunHandle, RunListener } from './backend.ts';

/** Stands for a run while the backend starts it, as its answers may come during the call. */
export const PENDING_RUN: RunHandle = {
  fetch() {},
  close() {},
  cancel() {},
  drained() {},
  copyData: () => true,
  copyDone() {},
  copyFail() {},
};

/** Listener for what needs no answer. */
export const IGNORE_ANSWER: RunListener = {
  rows: () => true,
  complete() {},
  suspended() {},
  error() {},
  notice() {},
  sessionCatalog() {},
  copyIn() {},
  copyReady() {},
};
