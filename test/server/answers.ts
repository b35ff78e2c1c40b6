/** Files of statements (`> `; the data of a COPY in `< `) and what PostgreSQL 15 answers to them, one after
 * the other on one connection; a line `! ` holds Heddle's own answer where it differs, for the reason in
 * the comment above it. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import {
  type BackendMessage,
  copyData,
  copyDone,
  query,
  readFields,
  type WireClient,
} from '../support/wire-client.ts';
import type { TestServer } from './server.ts';
import { words } from './session-scenarios.ts';

/** Errors with their details, on one line. */
function answer(messages: readonly BackendMessage[]): string {
  return messages
    .flatMap((message) => {
      if (message.type !== 'E') return words([message]);
      const { C, M, D, H, W } = readFields(message.body);
      return [C, M, D && `DETAIL ${D}`, H && `HINT ${H}`, W && `CONTEXT ${W}`].filter(Boolean);
    })
    .join(' | ')
    .replaceAll('\n', '\\n');
}

export async function ask(
  wire: WireClient,
  statement: string,
  data: string | undefined,
): Promise<string> {
  wire.send(query(statement));
  if (data !== undefined) wire.send(copyData(data), copyDone());
  return answer(await wire.untilReady());
}

/** Asks the server what the file asks. */
export async function expectAnswers(server: TestServer, file: string): Promise<void> {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8').split('\n');
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
}
