/** Heddle as a library: a PostgreSQL-compatible server inside a Node process. */
import { fileURLToPath } from 'node:url';
import { EngineServer } from './runtime/index.ts';
import { canonicalSetting, initialSetting } from './session/index.ts';
import { type ListenAddress, PgServer } from './wire/index.ts';

/** How a server is started. */
export interface ServerOptions {
  /** Data directory; made when it is absent. */
  readonly data: string;
  /** Where to listen: a host and port (0 for a free one), or the path of a Unix socket; or several. */
  readonly listen: ListenAddress | readonly ListenAddress[];
  /** Settings by name, as in PostgreSQL's configuration: `{ shared_buffers: '1GB' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What the server has to say to its operator; standard error by default. */
  readonly log?: (message: string) => void;
}

/** A server that accepts connections. */
export interface HeddleServer {
  /** The port it listens on, of several the first; 0 for a Unix socket. */
  readonly port: number;
  /** The ports of all addresses, in their order. */
  readonly ports: readonly number[];
  /** Ends all connections, writes what is in memory to the data directory, and lets go of it. */
  close(): Promise<void>;
}

/** Opens the data directory, recovering it when it was not closed cleanly, and serves PostgreSQL clients.
 *
 * Fails with a PgError when the directory is in use (58P03 or the like), of another version, or
 * damaged; with Node's error when the address cannot be listened on. Authentication is trust, so the
 * address has to be one of this machine.
 *
 * ```ts
 * const server = await startServer({ data: './heddle-data', listen: { host: '127.0.0.1', port: 0 } });
 * console.log(`postgres://postgres@127.0.0.1:${server.port}/postgres`);
 * await server.close();
 * ```
 */
export async function startServer(options: ServerOptions): Promise<HeddleServer> {
  const { log = console.error } = options;
  const addresses = [options.listen].flat();
  for (const address of addresses) {
    if (!('host' in address) || isLoopback(address.host)) continue;
    throw new Error(
      `listening on "${address.host}" needs SCRAM authentication, which is not supported yet`,
    );
  }
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    settings.set(name.toLowerCase(), canonicalSetting(name, value));
  }
  const engine = await EngineServer.start({
    dataDirectory: options.data.replace(/^file:\/\//, ''),
    settings,
    workerDirectory: fileURLToPath(new URL('../workers/', import.meta.url)),
    log,
  });
  const server = new PgServer(engine.sessions, {
    connectionCountMax: Number(
      settings.get('max_connections') ?? initialSetting('max_connections'),
    ),
    authenticationTimeoutMs: AUTHENTICATION_TIMEOUT_MS,
    onInternalError: (error) => log(String(error instanceof Error ? error.stack : error)),
    pollSource: engine.pollSource,
  });
  engine.onRequest = () => server.expectSoon();
  engine.atTurnEnd = (work) => server.atTurnEnd(work);
  engine.onFatal = (error) => {
    log(`heddle: recovery failed: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  };
  try {
    const ports: number[] = [];
    for (const address of addresses) ports.push(await server.listen(address));
    return {
      port: ports[0] ?? 0,
      ports,
      close: async () => {
        await server.close();
        await engine.close();
      },
    };
  } catch (thrown) {
    await server.close();
    await engine.close();
    throw thrown;
  }
}

const AUTHENTICATION_TIMEOUT_MS = 60_000;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

export type { ListenAddress } from './wire/index.ts';
