import type { TypeContext } from '../../src/types/index.ts';

/** Default settings of a session. */
export const CONTEXT: TypeContext = {
  timeZone: 'UTC',
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 0,
};
