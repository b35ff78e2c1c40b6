import type { FunctionContext } from '../../../src/sql/functions/index.ts';

/** 2024-03-01 12:00:00 UTC, in microseconds since 2000. */
export const NOW = 762609600000000;

/** A statement's context with the settings of ORACLE_SETTINGS and a clock that stands still. */
export const context: FunctionContext = {
  timeZone: 'America/New_York',
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: NOW,
  statementTimestamp: NOW,
  clockTimestamp: () => NOW,
  random: () => 0.5,
  setRandomSeed: () => {},
  notice: () => {},
  session: {
    user: 'postgres',
    sessionUser: 'postgres',
    database: 'postgres',
    processId: 4711,
    searchPath: ['public'],
    serverStartTimestamp: NOW,
    setting: (name) => (name.toLowerCase() === 'timezone' ? 'America/New_York' : null),
  },
};
