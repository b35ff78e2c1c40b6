/** Facts about the session and the server, privileges (there is one superuser), and random. */

import { pgError } from '../../errors/index.ts';
import {
  type Datum,
  formatType,
  type Int8,
  type Numeric,
  numeric,
  OID,
} from '../../types/index.ts';
import { ENCODINGS, encodingNumber, UTF8 } from './encoding.ts';
import type { FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import type { Scalars } from './order.ts';
import { allFunctions } from './signatures.ts';

const POSTGRES_VERSION = '15.18';
export const HEDDLE_VERSION = '0.1.0';

const BOOTSTRAP_SUPERUSER = { oid: 10, name: 'postgres' };

type C = FunctionContext;

function currentSetting(context: C, name: string, missingOk: boolean): string | null {
  const value = context.session.setting(name);
  if (value === null && !missingOk) {
    throw pgError('undefined_object', `unrecognized configuration parameter "${name}"`);
  }
  return value;
}

function setSeed(context: C, seed: number): Datum {
  if (!(seed >= -1 && seed <= 1)) {
    throw pgError(
      'invalid_parameter_value',
      `setseed parameter ${String(seed)} is out of allowed range [-1,1]`,
    );
  }
  context.setRandomSeed(seed);
  return '';
}

const SIZE_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];
/** A size is shown in the next unit from 10240 of one on. */
const SIZE_LIMIT = 10n * 1024n;

/** Halves are rounded away from zero, by shifting to half a unit first. */
function sizePretty(bytes: bigint): string {
  const magnitude = (value: bigint) => (value < 0n ? -value : value);
  if (magnitude(bytes) < SIZE_LIMIT) return `${bytes} bytes`;
  let halves = bytes / (1n << 9n);
  for (const [index, unit] of SIZE_UNITS.entries()) {
    if (magnitude(halves) < SIZE_LIMIT * 2n - 1n || index === SIZE_UNITS.length - 1) {
      return `${(halves + (halves < 0n ? -1n : 1n)) / 2n} ${unit}`;
    }
    halves /= 1024n;
  }
  return `${bytes} bytes`;
}

function sizePrettyNumeric(size: Numeric): string {
  const limit = numeric.fromInteger(Number(SIZE_LIMIT));
  if (size.kind !== 'finite') return `${size.kind === 'nan' ? 'NaN' : 'Infinity'} bytes`;
  if (numeric.compareNumeric(numeric.abs(size), limit) < 0) {
    return `${numeric.formatNumeric(size)} bytes`;
  }
  const whole = numeric.trunc(size, 0);
  return whole.kind === 'finite' ? sizePretty(whole.unscaled) : '';
}

const UNIT_SHIFTS: Readonly<Record<string, number>> = {
  bytes: 0,
  kb: 10,
  mb: 20,
  gb: 30,
  tb: 40,
  pb: 50,
};

function sizeBytes(text: string): Int8 {
  const match =
    /^[ \t-\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t-\r]*(.*?)[ \t-\r]*$/s.exec(
      text,
    );
  if (match === null) {
    throw pgError('invalid_parameter_value', `invalid size: "${text}"`);
  }
  const unit = match[2]!;
  const shift = unit === '' ? 0 : UNIT_SHIFTS[unit.toLowerCase()];
  if (shift === undefined) {
    throw pgError('invalid_parameter_value', `invalid size: "${text}"`, {
      detail: `Invalid size unit: "${unit}".`,
      hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
    });
  }
  const size = numeric.parseNumeric(match[1]!);
  return numeric.toInt8(numeric.multiply(size, numeric.fromInteger(2 ** shift)));
}

function versionText(): string {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return (
    `PostgreSQL ${POSTGRES_VERSION} (Heddle ${HEDDLE_VERSION}) on ${machine}-${process.platform}, ` +
    `compiled by Node.js ${process.versions.node}, 64-bit`
  );
}

const scalars: Scalars = {
  pgsql_version: () => versionText(),
  current_database: (c: C) => c.session.database,
  current_user: (c: C) => c.session.user,
  session_user: (c: C) => c.session.sessionUser,
  show_config_by_name: (c: C, name: string) => currentSetting(c, name, false),
  show_config_by_name_missing_ok: (c: C, name: string, missingOk: boolean) =>
    currentSetting(c, name, missingOk),
  pg_backend_pid: (c: C) => c.session.processId,
  pg_postmaster_start_time: (c: C) => c.session.serverStartTimestamp,
  pg_conf_load_time: (c: C) => c.session.serverStartTimestamp,
  pg_client_encoding: () => 'UTF8',
  getdatabaseencoding: () => 'UTF8',
  PG_encoding_to_char: (_c, encoding: number) => ENCODINGS[encoding] ?? '',
  PG_char_to_encoding: (_c, name: string) => encodingNumber(name),
  pg_encoding_max_length_sql: (_c, encoding: number) => (encoding === UTF8 ? 4 : null),
  pg_jit_available: () => false,
  pg_is_in_recovery: () => false,
  pg_trigger_depth: () => 0,
  pg_get_userbyid: (_c, oid: number) =>
    oid === BOOTSTRAP_SUPERUSER.oid ? BOOTSTRAP_SUPERUSER.name : `unknown (OID=${oid})`,
  pg_tablespace_location: () => '',
  pg_last_xact_replay_timestamp: () => null,
  pg_collation_actual_version: () => null,
  pg_database_collation_actual_version: () => null,
  row_security_active: () => false,
  row_security_active_name: () => false,
  format_type: (_c, type: number | null, typmod: number | null) =>
    type === null ? null : formatType(type, typmod),
  drandom: (c: C) => c.random(),
  setseed: (c: C, seed: number) => setSeed(c, seed),
  pg_size_pretty: (_c, size: Int8) => sizePretty(BigInt(size)),
  pg_size_pretty_numeric: (_c, size: Numeric) => sizePrettyNumeric(size),
  pg_size_bytes: (_c, text: string) => sizeBytes(text),
};

/** has_table_privilege, pg_has_role and the others: the one user is superuser. */
for (const { source } of allFunctions()) {
  if (/^has_\w+_privilege|^pg_has_role/.test(source)) scalars[source] = () => true;
}

registerFunctions({
  scalars,
  typedScalars: {
    pg_typeof:
      ({ arguments: [type = OID.unknown] }) =>
      () =>
        type,
  },
});
