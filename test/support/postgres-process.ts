import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';

export interface PostgresOptions {
  /** An empty or absent folder; one that initdb made before is opened again. */
  readonly data: string;
  readonly port?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Folder of PostgreSQL's programs, or null where it is not installed. */
export function postgresPrograms(): string | null {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** A private PostgreSQL server: C locale, UTF8, trust on loopback, otherwise its defaults. PostgreSQL
 * refuses to run as root, so root starts it as the user postgres. */
export class PostgresProcess {
  readonly port: number;
  readonly data: string;
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | string>;

  static async start(options: PostgresOptions): Promise<PostgresProcess> {
    const programs = postgresPrograms();
    if (programs === null) throw new Error('PostgreSQL is not installed: pg_config is missing');
    const user = ownUser();
    mkdirSync(options.data, { recursive: true, mode: 0o700 });
    if (user !== null) chownSync(options.data, user.uid, user.gid);
    const identity = user ?? {};
    try {
      execFileSync(
        `${programs}/initdb`,
        ['-D', options.data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-A', 'trust'],
        { ...identity, stdio: 'pipe', cwd: options.data },
      );
    } catch (thrown) {
      if (!String(thrown).includes('exists but is not empty')) throw thrown;
    }
    const port = options.port ?? (await freePort());
    const settings = Object.entries({
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      ...options.settings,
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(`${programs}/postgres`, ['-D', options.data, ...settings], {
      ...identity,
      cwd: options.data,
      stdio: 'ignore',
    });
    const ended = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const server = new PostgresProcess(options.data, port, child, ended);
    await server.untilReady();
    return server;
  }

  private constructor(
    data: string,
    port: number,
    child: ChildProcess,
    ended: Promise<number | string>,
  ) {
    this.data = data;
    this.port = port;
    this.child = child;
    this.ended = ended;
  }

  /** A fast shutdown. */
  async stop(): Promise<number | string> {
    this.child.kill('SIGINT');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    // Its children leave when they notice.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }

  private async untilReady(): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (this.child.exitCode !== null) throw new Error('PostgreSQL ended during its start');
      if (await this.answers()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('PostgreSQL was not ready in time');
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const check = spawn('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(this.port)]);
      check.once('exit', (code) => resolve(code === 0));
    });
  }
}

function ownUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}
