/** Definitions: what depends on what, and what is left of it when something is altered or dropped. */
import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('statements about definitions answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'definitions.txt');
});
