export { LockFile } from './lock-file.ts';
export { type RedoResult, redo } from './redo.ts';
