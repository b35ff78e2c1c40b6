export { Checkpointer, type CheckpointFacts, copyJournal } from './checkpointer.ts';
export { ControlFile, type ControlState, type StoreFormat } from './control-file.ts';
export { CheckpointJournal } from './journal.ts';
