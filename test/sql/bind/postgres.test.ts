import { beforeAll, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { plan } from '../support/test-catalog.ts';
import answers from './postgres-answers.json' with { type: 'json' };

/** What PostgreSQL 15.18 says to each statement, over the tables of the test catalog: the error with
 * its fields, or the names and types of the result's columns. */
beforeAll(loadParser);

test.each(answers as readonly { sql: string; error?: object; columns?: unknown }[])(
  '$sql',
  (answer) => {
    const { sql, ...expected } = answer;
    expect(answerTo(sql)).toEqual(expected);
  },
);

function answerTo(sql: string): object {
  try {
    return { columns: plan(sql).output.map(({ name, type }) => [name, type]) };
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    const { sqlstate, message, detail, hint, position } = error.fields;
    const error_ = { sqlstate, message, detail, hint, position };
    return {
      error: Object.fromEntries(Object.entries(error_).filter(([, value]) => value !== undefined)),
    };
  }
}
