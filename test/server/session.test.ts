/** What a session answers, message by message, held against PostgreSQL 15's own answers. */
import { expect, test } from 'vitest';
import { testServer } from './server.ts';
import answers from './session-answers.json' with { type: 'json' };
import { scenarios } from './session-scenarios.ts';

const server = testServer();
const recorded: Readonly<Record<string, readonly string[]>> = answers;

for (const { name, run } of scenarios) {
  test(name, async () => {
    expect(await run(() => server.wire())).toEqual(recorded[name]);
  });
}
