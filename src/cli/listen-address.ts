import { isAbsolute, join } from 'node:path';
import type { ListenAddress } from '../index.ts';

const PORT_DEFAULT = 5433;

/** `HOST:PORT`, or the absolute path of the directory of a Unix socket, with or without a port. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const port = match === null ? PORT_DEFAULT : Number(match[3]);
  const host = match?.[1] ?? match?.[2] ?? text;
  if (port > 65535) throw new Error(`"${text}" is not an address: there is no port ${port}`);
  // Clients look for this name: psql -h DIRECTORY -p PORT.
  if (isAbsolute(host)) return { path: join(host, `.s.PGSQL.${port}`) };
  if (match === null) throw new Error(`"${text}" is not an address HOST:PORT or /DIRECTORY`);
  return { host, port };
}

/** The address as users write it. */
export function addressText(address: ListenAddress, port: number): string {
  if ('path' in address) return address.path;
  const { host } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
