import type { RunHandle, RunListener } from './backend.ts';

/** A run to which nothing can be done. */
function inertRun(): RunHandle {
  return {
    fetch() {},
    close() {},
    cancel() {},
    drained() {},
    copyData: () => true,
    copyDone() {},
    copyFail() {},
  };
}

/** Stands for a run while the backend starts it, as its answers may come during the call. */
export const PENDING_RUN: RunHandle = inertRun();

/** What a backend returns for a run that it has answered during the call. */
export const ANSWERED_RUN: RunHandle = inertRun();

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
