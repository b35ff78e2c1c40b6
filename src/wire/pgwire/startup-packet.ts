import { type PgError, pgError } from '../../errors/index.ts';
import { decodeClientText } from './client-text.ts';
import { protocolViolation } from './message-reader.ts';

/** The first packet of a connection: a length of 4 bytes, a code of 4 bytes, then
 *
 *   protocol version 3.x   name NUL value NUL … NUL
 *   SSLRequest, GSSENCRequest   nothing
 *   CancelRequest          process id and secret key, 4 bytes each
 */

const CANCEL_REQUEST = 0x04d2_162e;
const SSL_REQUEST = 0x04d2_162f;
const GSSENC_REQUEST = 0x04d2_1630;
const PROTOCOL_3_0 = 0x0003_0000;

export type StartupPacket =
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'gssenc-request' }
  | { readonly kind: 'cancel-request'; readonly processId: number; readonly secretKey: number }
  | StartupMessage;

export interface StartupMessage {
  readonly kind: 'startup';
  readonly user: string;
  readonly database: string;
  readonly replication: string | null;
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Set when the client asked for more than protocol 3.0: what it must do without. */
  readonly negotiate: {
    readonly version: number;
    readonly unknownOptions: readonly string[];
  } | null;
}

/** Reads the packet whose code and content are bytes[start, end). */
export function readStartupPacket(bytes: Buffer, start: number, end: number): StartupPacket {
  const code = bytes.readInt32BE(start);
  switch (code) {
    case SSL_REQUEST:
      return { kind: 'ssl-request' };
    case GSSENC_REQUEST:
      return { kind: 'gssenc-request' };
    case CANCEL_REQUEST:
      if (end - start !== 12) throw protocolViolation('invalid length of startup packet');
      return {
        kind: 'cancel-request',
        processId: bytes.readInt32BE(start + 4),
        secretKey: bytes.readInt32BE(start + 8),
      };
    default:
      return readStartupMessage(bytes, start, end, code);
  }
}

export function unsupportedProtocol(code: number): PgError {
  return pgError(
    'feature_not_supported',
    `unsupported frontend protocol ${code >>> 16}.${code & 0xffff}: server supports 3.0 to 3.0`,
    { severity: 'FATAL' },
  );
}

function readStartupMessage(
  bytes: Buffer,
  start: number,
  end: number,
  version: number,
): StartupMessage {
  if (version >>> 16 !== 3) throw unsupportedProtocol(version);
  const pairs = readPairs(bytes, start + 4, end);
  let user = '';
  let database = '';
  let replication: string | null = null;
  let options = '';
  const settings: [string, string][] = [];
  const unknownOptions: string[] = [];
  for (const [name, value] of pairs) {
    if (name === 'user') user = value;
    else if (name === 'database') database = value;
    else if (name === 'replication') replication = value;
    else if (name === 'options') options = value;
    else if (name.startsWith('_pq_.')) unknownOptions.push(name);
    else settings.push([name, value]);
  }
  if (user === '') {
    throw pgError(
      'invalid_authorization_specification',
      'no PostgreSQL user name specified in startup packet',
      { severity: 'FATAL' },
    );
  }
  return {
    kind: 'startup',
    user,
    database: database === '' ? user : database,
    replication: isOff(replication) ? null : replication,
    settings: [...settingsOfOptions(options), ...settings],
    negotiate:
      version > PROTOCOL_3_0 || unknownOptions.length > 0
        ? { version: PROTOCOL_3_0, unknownOptions }
        : null,
  };
}

function readPairs(bytes: Buffer, start: number, end: number): [string, string][] {
  const pairs: [string, string][] = [];
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const nameEnd = bytes.indexOf(0, at);
    const valueEnd = nameEnd < 0 ? -1 : bytes.indexOf(0, nameEnd + 1);
    if (nameEnd < 0 || nameEnd >= end || valueEnd < 0 || valueEnd >= end) break;
    pairs.push([
      decodeClientText(bytes, at, nameEnd),
      decodeClientText(bytes, nameEnd + 1, valueEnd),
    ]);
    at = valueEnd + 1;
  }
  if (at !== end - 1) {
    throw protocolViolation('invalid startup packet layout: expected terminator as last byte');
  }
  return pairs;
}

function isOff(value: string | null): boolean {
  return value === null || ['', 'false', 'off', 'no', '0'].includes(value.toLowerCase());
}

/** The settings in `-c name=value`, `-cname=value` and `--name=value`; arguments end at white
 * space unless a backslash stands before it, and `-` in the name of the last form means `_`. */
function settingsOfOptions(options: string): [string, string][] {
  const settings: [string, string][] = [];
  const argumentsLeft = splitOptions(options);
  for (let argument = argumentsLeft.shift(); argument !== undefined; ) {
    let assignment: string | undefined;
    if (argument === '-c') assignment = argumentsLeft.shift();
    else if (argument.startsWith('--')) assignment = argument.slice(2);
    else if (argument.startsWith('-c')) assignment = argument.slice(2);
    else throw invalidOption(`invalid command-line argument for server process: ${argument}`);
    if (assignment === undefined) {
      throw invalidOption('invalid command-line argument for server process: -c');
    }
    const equals = assignment.indexOf('=');
    if (equals < 0) {
      throw invalidOption(
        argument.startsWith('--')
          ? `--${assignment} requires a value`
          : `-c ${assignment} requires a value`,
      );
    }
    settings.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
    argument = argumentsLeft.shift();
  }
  return settings;
}

function invalidOption(message: string): PgError {
  return pgError('syntax_error', message, { severity: 'FATAL' });
}

function splitOptions(options: string): string[] {
  const found: string[] = [];
  let current = '';
  let inArgument = false;
  for (let i = 0; i < options.length; i++) {
    const character = options.charAt(i);
    if (/\s/.test(character)) {
      if (inArgument) found.push(current);
      current = '';
      inArgument = false;
      continue;
    }
    inArgument = true;
    if (character === '\\') {
      i++;
      current += options.charAt(i);
    } else {
      current += character;
    }
  }
  if (inArgument) found.push(current);
  return found;
}
