import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('options and defaults of views answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'check-option.txt');
});
