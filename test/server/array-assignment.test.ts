import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('assignments to parts of arrays answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'array-assignment.txt');
});
