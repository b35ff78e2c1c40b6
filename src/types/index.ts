export * from './datum.ts';
export * from './sql-type.ts';
