import { getSystemErrorMap } from 'node:util';
import { PgError } from '../errors/index.ts';

/** What went wrong, as one line for the operator. */
export function errorLine(thrown: unknown): string {
  return `heddle: ${reason(thrown).trim().split('\n', 1)[0]}`;
}

function reason(thrown: unknown): string {
  if (thrown instanceof PgError) {
    const { message, detail, hint } = thrown.fields;
    const more = [detail, hint].filter((text) => text !== undefined);
    return more.length === 0 ? message : `${message} (${more.join(' ')})`;
  }
  if (!(thrown instanceof Error)) return String(thrown);
  return systemReason(thrown) ?? thrown.message;
}

/** An error of the system: `could not listen on 127.0.0.1:5433: address already in use`. */
function systemReason(error: NodeJS.ErrnoException & Partial<Address>): string | null {
  const { errno, syscall, path, address, port } = error;
  const text = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  if (syscall === undefined || text === undefined) return null;
  if (syscall === 'listen' || syscall === 'bind') {
    const where = port !== undefined && port >= 0 ? `${address}:${port}` : `"${address}"`;
    return `could not listen on ${where}: ${text}`;
  }
  const what = path === undefined ? '' : ` "${path}"`;
  return `could not ${syscall}${what}: ${text}`;
}

/** What Node adds to the error of a listener. */
interface Address {
  readonly address: string;
  readonly port: number;
}
