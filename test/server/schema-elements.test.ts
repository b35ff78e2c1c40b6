import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('schemas are created with what is in them as in PostgreSQL', async () => {
  await expectAnswers(server, 'schema-elements.txt');
});
