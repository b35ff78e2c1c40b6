/** Cursors: what they see of their own transaction, and what it may do while they are open. */
import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('cursors answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'cursors.txt');
});
