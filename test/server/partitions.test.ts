/** partitions.txt has statements about rows of partitioned tables (`> `; the data of a COPY in `< `) and
 * what PostgreSQL 15 answers to them, one after the other on one connection; a line `! ` holds Heddle's
 * own answer where it differs, for the reason in the comment above it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type BackendMessage,
  copyData,
  copyDone,
  query,
  readFields,
  type WireClient,
} from '../support/wire-client.ts';
import { testServer } from './server.ts';
import { words } from './session-scenarios.ts';

const server = testServer();

/** Errors with their details. */
function answer(messages: readonly BackendMessage[]): string {
  return messages
    .flatMap((message) => {
      if (message.type !== 'E') return words([message]);
      const { C, M, D, H, W } = readFields(message.body);
      return [C, M, D && `DETAIL ${D}`, H && `HINT ${H}`, W && `CONTEXT ${W}`].filter(Boolean);
    })
    .join(' | ');
}

async function ask(wire: WireClient, statement: string, data: string | undefined): Promise<string> {
  wire.send(query(statement));
  if (data !== undefined) wire.send(copyData(data), copyDone());
  return answer(await wire.untilReady());
}

test('statements about partitioned tables answer as in PostgreSQL', async () => {
  const lines = readFileSync(new URL('partitions.txt', import.meta.url), 'utf8').split('\n');
  const wire = await server.wire();
  const expected: string[] = [];
  const actual: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (!line.startsWith('> ')) continue;
    const given = lines[i + 1]!.startsWith('< ') ? lines[++i]!.slice(2) : undefined;
    const data = given?.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
    const [theirs = '', own = ''] = lines.slice(i + 1);
    expected.push(line, own.startsWith('! ') ? own.slice(2) : theirs);
    actual.push(line, await ask(wire, line.slice(2), data));
  }
  await wire.end();
  expect(actual).toEqual(expected);
});
