import type { RunHandle, RunListener } from './backend.ts';

/** A run that has nothing to hold on to. */
export const NO_HANDLE: RunHandle = {
  fetch() {},
  close() {},
  cancel() {},
  drained() {},
  copyData: () => true,
  copyDone() {},
  copyFail() {},
};

/** Stands for a run while the backend starts it, as its answers may come during the call. */
export const PENDING_RUN: RunHandle = { ...NO_HANDLE };

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
