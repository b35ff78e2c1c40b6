import { test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('statements about partitioned tables answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'partitions.txt');
});
