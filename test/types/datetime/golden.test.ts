import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import {
  dateType,
  intervalType,
  timestampType,
  timestamptzType,
  timeType,
  timetzType,
} from '../../../src/types/datetime/index.ts';
import type { SqlType, TypeContext } from '../../../src/types/sql-type.ts';
import { CONTEXT, FUNCTIONS } from './functions.ts';

/** Holds the types and functions against PostgreSQL's recorded answers. */

const TYPES: Readonly<Record<string, SqlType>> = {
  date: dateType,
  time: timeType,
  timestamp: timestampType,
  timestamptz: timestamptzType,
  interval: intervalType,
  timetz: timetzType,
};

function linesOf(file: string): string[][] {
  return readFileSync(new URL(`./golden/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => line.split('\t'));
}

function answer(run: () => string): string {
  try {
    return run();
  } catch (thrown) {
    if (!(thrown instanceof PgError)) throw thrown;
    const { sqlstate, message, detail, hint } = thrown.fields;
    const extra = [detail, hint].filter((text) => text !== undefined);
    return `!${[`${sqlstate} ${message}`, ...extra].join(' / ')}`;
  }
}

/** All differences of a file at once, so that one run shows what is wrong. */
function differences(
  file: string,
  run: (fields: readonly string[]) => string,
): { readonly count: number; readonly wrong: readonly string[] } {
  const lines = linesOf(file);
  const wrong: string[] = [];
  for (const fields of lines) {
    const expected = fields.at(-1) ?? '';
    const got = answer(() => run(fields.slice(0, -1)));
    if (got !== expected) wrong.push(`${fields.slice(0, -1).join(' | ')}: ${got}, not ${expected}`);
  }
  return { count: lines.length, wrong };
}

describe('PostgreSQL 15 answers', () => {
  it('reads and prints literals in every style', () => {
    const { count, wrong } = differences('literals.tsv', ([type, style, zone, intervals, text]) => {
      const [dateStyle, dateOrder] = (style ?? '').split(', ');
      const context = {
        ...CONTEXT,
        timeZone: zone,
        dateStyle,
        dateOrder,
        intervalStyle: intervals,
      } as TypeContext;
      const sqlType = TYPES[type ?? ''] as SqlType;
      return sqlType.output(sqlType.input(text ?? '', context, -1), context);
    });
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(1000);
  });

  for (const file of ['arithmetic.tsv', 'extract.tsv', 'format.tsv', 'zones.tsv', 'samples.tsv']) {
    it(`computes ${file}`, () => {
      const { count, wrong } = differences(file, ([name, ...args]) => {
        const run = FUNCTIONS[name ?? ''];
        if (run === undefined) throw new Error(`no function ${name}`);
        return run(...args);
      });
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(50);
    });
  }
});
