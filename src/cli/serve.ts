import { Command } from 'commander';
import { startServer } from '../index.ts';
import { dataDirectory } from './data-directory.ts';
import { addressText, parseListenAddress } from './listen-address.ts';
import { readSettingsFile } from './settings-file.ts';

interface ServeOptions {
  readonly listen?: readonly string[];
  readonly data: string;
  readonly config?: string;
  readonly auth: string;
  readonly set?: readonly string[];
}

const LISTEN_DEFAULT = '127.0.0.1:5433';

/** `heddle serve`: the server in the foreground, until a signal stops it. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve PostgreSQL clients, in the foreground, until SIGTERM or SIGINT.')
    .option(
      '--listen <address>',
      `HOST:PORT, or /DIRECTORY[:PORT] for a Unix socket in it; may be repeated (default: ${LISTEN_DEFAULT})`,
      collect,
    )
    .option('--data <dir>', 'data directory, made when it is absent', './heddle-data')
    .option('--config <file.toml>', 'settings, one `name = value` a line')
    .option('--auth <method>', 'authentication: trust', 'trust')
    .option('-c, --set <name=value>', 'a setting; may be repeated', collect)
    .addHelpText(
      'after',
      `
Examples:
  heddle serve
  heddle serve --listen 127.0.0.1:6000 --data /srv/heddle
  heddle serve --listen /run/heddle:5432     then: psql -h /run/heddle -p 5432
  heddle serve -c shared_buffers=1GB -c read_workers=3

The first SIGTERM or SIGINT stops it cleanly, a second one at once.`,
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const addresses = (options.listen ?? [LISTEN_DEFAULT]).map(parseListenAddress);
  if (options.auth !== 'trust') {
    throw new Error(`authentication method "${options.auth}" is not supported`);
  }
  const signal = firstSignal();
  const server = await startServer({
    data: dataDirectory(options.data),
    listen: addresses,
    settings: readSettings(options),
  });
  const names = addresses.map((address, i) => addressText(address, server.ports[i] ?? 0));
  console.log(`heddle: ready to accept connections on ${names.join(', ')}`);
  await signal;
  await server.close();
  process.exit(0);
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function firstSignal(): Promise<void> {
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
  const settings = options.config === undefined ? {} : readSettingsFile(options.config);
  for (const assignment of options.set ?? []) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new Error(`-c takes name=value, not "${assignment}"`);
    settings[assignment.slice(0, at).trim()] = assignment.slice(at + 1).trim();
  }
  return settings;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
