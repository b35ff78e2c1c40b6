import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { documentFaults } from './docs.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

test('links, scripts and commands in the documents exist', () => {
  expect(documentFaults(ROOT)).toEqual([]);
});
