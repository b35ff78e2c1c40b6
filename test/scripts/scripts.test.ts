/** Runs test/scripts/*.txt on a server of our own and, where it is installed, on PostgreSQL 15, which
 * must answer the same. `UPDATE_SCRIPTS=1 npx vitest run test/scripts` writes PostgreSQL's answers into
 * the files (Heddle's into heddle-*.txt, which show what it does its own way), to be reviewed like
 * code. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresProcess, postgresPrograms } from '../support/postgres-process.ts';
import { ServerProcess } from '../support/server-process.ts';
import { readScript, ScriptRunner, writeScript } from './script.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const FILES = readdirSync(HERE).filter((name) => name.endsWith('.txt'));

interface Server {
  readonly port: number;
  stop(): Promise<unknown>;
}

const SERVERS: Record<string, (data: string) => Promise<Server>> = {
  PostgreSQL: (data) => PostgresProcess.start({ data, settings: { fsync: 'off' } }),
  Heddle: (data) => ServerProcess.start({ data }),
};

for (const [name, start] of Object.entries(SERVERS)) {
  describe.skipIf(name === 'PostgreSQL' && postgresPrograms() === null)(name, () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-scripts-'));
    let server: Server;
    beforeAll(async () => {
      server = await start(folder);
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test.each(FILES)('%s', async (file) => {
      const ownWay = file.startsWith('heddle-');
      if (name === 'PostgreSQL' && ownWay) return;
      const path = join(HERE, file);
      const blocks = readScript(readFileSync(path, 'utf8'));
      const runner = new ScriptRunner(server.port);
      const answers: string[] = [];
      for (const block of blocks) answers.push(await runner.run(block));
      await runner.close();
      if (process.env.UPDATE_SCRIPTS && (name === 'Heddle') === ownWay) {
        writeFileSync(path, writeScript(blocks, answers));
        return;
      }
      const text = readFileSync(path, 'utf8');
      expect(writeScript(blocks, answers)).toBe(text);
    });
  });
}
