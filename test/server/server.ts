import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';

/** One server for the tests of a file, in a data directory that goes with it. */
export class TestServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  private readonly settings: Readonly<Record<string, string>>;
  private process: ServerProcess | null = null;

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.settings = settings;
  }

  get running(): ServerProcess {
    if (this.process === null) throw new Error('the server is not running');
    return this.process;
  }

  get port(): number {
    return this.running.port;
  }

  async start(): Promise<void> {
    this.process = await ServerProcess.start({
      data: join(this.folder, 'data'),
      settings: this.settings,
    });
  }

  wire(): Promise<WireClient> {
    return WireClient.start(this.port);
  }

  async driver(): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      database: 'postgres',
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async remove(): Promise<void> {
    if (this.process?.running === true) await this.process.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function testServer(settings: Readonly<Record<string, string>> = {}): TestServer {
  const server = new TestServer(settings);
  beforeAll(() => server.start());
  afterAll(() => server.remove());
  return server;
}
