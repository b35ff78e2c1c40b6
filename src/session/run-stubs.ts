import type { RunHandle, RunListener } from './backend.ts';

/** What a backend returns for a run that it has answered during the call: nothing can be done to it. */
export const ANSWERED_RUN: RunHandle = {
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
