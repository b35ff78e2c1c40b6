import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parse as parseToml } from 'smol-toml';
import { EngineServer } from '../runtime/index.ts';
import { canonicalSetting } from '../session/index.ts';
import { PgServer } from '../wire/index.ts';

interface ServeOptions {
  readonly listen: string;
  readonly data: string;
  readonly config?: string;
  readonly auth: string;
  readonly set: readonly string[];
}

/** `heddle serve`: the server in the foreground, until a signal stops it. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve PostgreSQL clients.')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:5433')
    .option('--data <dir>', 'data directory, made when it is absent', './heddle-data')
    .option('--config <file.toml>', 'settings, one `name = value` a line')
    .option('--auth <method>', 'authentication: trust', 'trust')
    .option('-c, --set <name=value>', 'a setting, as often as needed', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  heddle serve
  heddle serve --listen 127.0.0.1:6000 --data /srv/heddle
  heddle serve -c shared_buffers=1GB -c read_workers=3`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { host, port } = parseAddress(options.listen);
  if (options.auth !== 'trust') {
    throw new Error(`authentication method "${options.auth}" is not supported`);
  }
  if (!isLoopback(host)) {
    throw new Error(
      `listening on "${host}" needs SCRAM authentication, which is not supported yet`,
    );
  }
  const settings = readSettings(options);
  const engine = await EngineServer.start({
    dataDirectory: options.data.replace(/^file:\/\//, ''),
    settings,
    workerDirectory: fileURLToPath(new URL('../../workers/', import.meta.url)),
    log: (message) => console.error(message),
  });
  const server = new PgServer(engine.sessions, {
    connectionCountMax: Number(settings.get('max_connections') ?? 10000),
    authenticationTimeoutMs: 60_000,
    onInternalError: (error) => console.error(error),
    pollSource: engine.pollSource,
  });
  engine.onRequest = () => server.expectSoon();
  engine.onFatal = (error) => {
    console.error(`heddle: recovery failed: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  };
  let boundPort: number;
  try {
    boundPort = await server.listen({ host, port });
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  console.log(`heddle: ready to accept connections on ${host}:${boundPort}`);
  await untilSignal();
  await server.close();
  await engine.close();
  process.exit(0);
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve();
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

function readSettings(options: ServeOptions): Map<string, string> {
  const settings = new Map<string, string>();
  if (options.config !== undefined) {
    const table = parseToml(readFileSync(options.config, 'utf8'));
    for (const [name, value] of Object.entries(table)) {
      settings.set(name.toLowerCase(), canonicalSetting(name, String(value)));
    }
  }
  for (const assignment of options.set) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new Error(`-c takes name=value, not "${assignment}"`);
    const name = assignment.slice(0, at).trim();
    settings.set(name.toLowerCase(), canonicalSetting(name, assignment.slice(at + 1).trim()));
  }
  return settings;
}

function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) throw new Error(`"${text}" is not an address host:port`);
  return { host: match[1] ?? match[2] ?? '', port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
