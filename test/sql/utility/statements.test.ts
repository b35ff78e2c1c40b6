import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { Database } from './database.ts';

/** The files have statements (`> `) and what PostgreSQL 15 answers to them, one after the other
 * in one database: the tag or the error, then notices. A line `! ` holds Heddle's own answer where it
 * differs, for the reason in the comment above it; it stands in place of what PostgreSQL says. */
const FILES = [
  'statements.txt',
  'options.txt',
  'foreign-keys.txt',
  'partitions.txt',
  'alter-partitions.txt',
];

beforeAll(loadParser);

test.each(FILES)('utility statements answer as PostgreSQL does: %s', (file) => {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8').split('\n');
  const database = new Database();
  const expected: string[] = [];
  const actual: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (!line.startsWith('> ')) continue;
    const statement = line.slice(2);
    const answer: string[] = [];
    while (lines[i + 1] !== undefined && /^(?!> |#|$)/.test(lines[i + 1]!))
      answer.push(lines[++i]!);
    const own = answer.filter((text) => text.startsWith('! ')).map((text) => text.slice(2));
    expected.push(line, ...(own.length > 0 ? own : answer));
    actual.push(line, database.run(statement), ...database.takeNotices());
  }
  expect(actual).toEqual(expected);
});
