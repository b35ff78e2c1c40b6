import { expect, test } from 'vitest';
import { PgError } from '../../src/errors/index.ts';
import '../../src/sql/functions/index.ts';
import { typeByName } from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';
import answers from './jsonpath-answers.json' with { type: 'json' };

/** Texts of paths with PostgreSQL 15's canonical forms of them, or its errors. */
const ANSWERS = answers as unknown as readonly (readonly [text: string, answer: string])[];

const type = typeByName('jsonpath')!;

function answerTo(text: string): string {
  try {
    return type.output(type.input(text, CONTEXT, -1), CONTEXT);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    const { sqlstate, message, detail } = error.fields;
    return `${sqlstate} ${message}${detail === undefined ? '' : ` / ${detail}`}`;
  }
}

test.each(ANSWERS)('%s', (text, answer) => {
  expect(answerTo(text)).toBe(answer);
});

test('the canonical text is its own', () => {
  for (const [, answer] of ANSWERS) {
    if (/^[0-9A-Z]{5} /.test(answer)) continue;
    expect(answerTo(answer)).toBe(answer);
  }
});
