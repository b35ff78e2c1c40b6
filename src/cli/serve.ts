import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { parse as parseToml } from 'smol-toml';
import { startServer } from '../index.ts';

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
  const server = await startServer({
    data: options.data,
    listen: { host, port },
    settings: readSettings(options),
  });
  console.log(`heddle: ready to accept connections on ${host}:${server.port}`);
  await untilSignal();
  await server.close();
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

function readSettings(options: ServeOptions): Record<string, string> {
  const settings: Record<string, string> = {};
  if (options.config !== undefined) {
    const table = parseToml(readFileSync(options.config, 'utf8'));
    for (const [name, value] of Object.entries(table)) {
      settings[name] = String(value);
    }
  }
  for (const assignment of options.set) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new Error(`-c takes name=value, not "${assignment}"`);
    settings[assignment.slice(0, at).trim()] = assignment.slice(at + 1).trim();
  }
  return settings;
}

function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) throw new Error(`"${text}" is not an address host:port`);
  return { host: match[1] ?? match[2] ?? '', port };
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
