import type { DefElem, Node } from '@pgsql/types';
import type { SequenceOptions } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import {
  formatType,
  INT2_MAX,
  INT2_MIN,
  INT4_MAX,
  INT4_MIN,
  INT8_MAX,
  INT8_MIN,
  OID,
} from '../../types/index.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';

/** Options of CREATE and ALTER SEQUENCE and of identity columns: PostgreSQL's init_params. */

export interface SequenceValue {
  readonly last: bigint;
  readonly isCalled: boolean;
}

export interface ResolvedSequence {
  readonly options: SequenceOptions;
  readonly value: SequenceValue;
  /** The value is not what it was: RESTART, or a new sequence. */
  readonly restarted: boolean;
  /** OWNED BY as written; `['none']` for nobody, null when it was not said. */
  readonly ownedBy: readonly string[] | null;
}

/** Resolves options over those of an existing sequence, or over the defaults (`present` is null). */
export function resolveSequenceOptions(
  command: Command,
  nodes: readonly Node[],
  present: { readonly options: SequenceOptions; readonly value: SequenceValue } | null,
  defaultType: number,
): ResolvedSequence {
  const written = collect(command, nodes);
  const old = present?.options ?? null;
  const type = sequenceType(command, written.get('as'), old?.type ?? defaultType);
  const typeChanged = old !== null && type !== old.type;

  const increment = given(written, 'increment') ?? old?.increment ?? 1n;
  if (increment === 0n) throw invalid('INCREMENT must not be zero');

  const maximum = limit(written, 'maxvalue', old, type, typeChanged, increment);
  checkRange('MAXVALUE', maximum, type);
  const minimum = limit(written, 'minvalue', old, type, typeChanged, increment);
  checkRange('MINVALUE', minimum, type);
  if (minimum >= maximum) {
    throw invalid(`MINVALUE (${minimum}) must be less than MAXVALUE (${maximum})`);
  }

  const start = given(written, 'start') ?? old?.start ?? (increment > 0n ? minimum : maximum);
  if (start < minimum)
    throw invalid(`START value (${start}) cannot be less than MINVALUE (${minimum})`);
  if (start > maximum) {
    throw invalid(`START value (${start}) cannot be greater than MAXVALUE (${maximum})`);
  }

  const restart = written.get('restart');
  let value = present?.value ?? { last: start, isCalled: false };
  if (restart !== undefined) value = { last: integer(restart) ?? start, isCalled: false };
  if (value.last < minimum) {
    throw invalid(`RESTART value (${value.last}) cannot be less than MINVALUE (${minimum})`);
  }
  if (value.last > maximum) {
    throw invalid(`RESTART value (${value.last}) cannot be greater than MAXVALUE (${maximum})`);
  }

  const cache = given(written, 'cache') ?? old?.cache ?? 1n;
  if (cache <= 0n) throw invalid(`CACHE (${cache}) must be greater than zero`);
  const cycle = written.get('cycle');
  const owner = written.get('owned_by')?.arg;

  return {
    options: {
      type,
      start,
      increment,
      minimum,
      maximum,
      cache,
      cycle: cycle === undefined ? (old?.cycle ?? false) : isTrue(cycle),
      ownerTable: old?.ownerTable ?? 0,
      ownerColumn: old?.ownerColumn ?? 0,
    },
    value,
    restarted: present === null || restart !== undefined,
    ownedBy: owner !== undefined && 'List' in owner ? nameList(owner.List.items) : null,
  };
}

const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'as',
  'increment',
  'start',
  'restart',
  'maxvalue',
  'minvalue',
  'cache',
  'cycle',
  'owned_by',
]);

function collect(command: Command, nodes: readonly Node[]): ReadonlyMap<string, DefElem> {
  const written = new Map<string, DefElem>();
  for (const node of nodes) {
    if (!('DefElem' in node)) continue;
    const name = node.DefElem.defname ?? '';
    if (name === 'sequence_name') {
      throw pgError(
        'syntax_error',
        'invalid sequence option SEQUENCE NAME',
        command.position(node.DefElem.location),
      );
    }
    if (!KNOWN_OPTIONS.has(name)) throw notSupported(`sequence option ${name.toUpperCase()}`);
    if (written.has(name)) {
      throw pgError(
        'syntax_error',
        'conflicting or redundant options',
        command.position(node.DefElem.location),
      );
    }
    written.set(name, node.DefElem);
  }
  return written;
}

function sequenceType(command: Command, option: DefElem | undefined, otherwise: number): number {
  const name = option?.arg;
  if (name === undefined || !('TypeName' in name)) return otherwise;
  const { type } = command.type(name.TypeName);
  if (type === OID.int2 || type === OID.int4 || type === OID.int8) return type;
  throw invalid('sequence type must be smallint, integer, or bigint');
}

const BOUNDS: ReadonlyMap<number, readonly [bigint, bigint]> = new Map([
  [OID.int2, [BigInt(INT2_MIN), BigInt(INT2_MAX)]],
  [OID.int4, [BigInt(INT4_MIN), BigInt(INT4_MAX)]],
  [OID.int8, [INT8_MIN, INT8_MAX]],
]);

function boundsOf(type: number): readonly [bigint, bigint] {
  return BOUNDS.get(type) ?? [INT8_MIN, INT8_MAX];
}

/** MINVALUE or MAXVALUE: as given, as before, or that of the type and the direction. When the type
 * changes, a bound that was the old type's becomes the new type's, whatever the direction. */
function limit(
  written: ReadonlyMap<string, DefElem>,
  name: 'minvalue' | 'maxvalue',
  old: SequenceOptions | null,
  type: number,
  typeChanged: boolean,
  increment: bigint,
): bigint {
  const value = given(written, name);
  if (value !== null) return value;
  const isMaximum = name === 'maxvalue';
  const side = isMaximum ? 1 : 0;
  if (old !== null && !written.has(name)) {
    const present = isMaximum ? old.maximum : old.minimum;
    if (!typeChanged || present !== boundsOf(old.type)[side]) return present;
  }
  const natural = boundsOf(type)[side];
  const keepsNatural = old !== null && !written.has(name);
  if (isMaximum) return keepsNatural || increment > 0n ? natural : -1n;
  return keepsNatural || increment < 0n ? natural : 1n;
}

function checkRange(name: string, value: bigint, type: number): void {
  const [minimum, maximum] = boundsOf(type);
  if (value >= minimum && value <= maximum) return;
  throw invalid(`${name} (${value}) is out of range for sequence data type ${formatType(type)}`);
}

function given(written: ReadonlyMap<string, DefElem>, name: string): bigint | null {
  const option = written.get(name);
  return option === undefined ? null : integer(option);
}

/** Value of a numeric option; null for NO MAXVALUE and a bare RESTART. */
function integer(option: DefElem): bigint | null {
  const { arg } = option;
  if (arg === undefined) return null;
  if ('Integer' in arg) return BigInt(arg.Integer.ival ?? 0);
  const text = 'Float' in arg ? (arg.Float.fval ?? '') : '';
  if (!/^[+-]?\d+$/.test(text)) {
    throw pgError('syntax_error', `invalid value for option "${option.defname}"`);
  }
  const value = BigInt(text);
  if (value >= INT8_MIN && value <= INT8_MAX) return value;
  throw pgError('numeric_value_out_of_range', `value "${text}" is out of range for type bigint`);
}

function isTrue(option: DefElem): boolean {
  return option.arg !== undefined && 'Boolean' in option.arg && option.arg.Boolean.boolval === true;
}

function invalid(message: string) {
  return pgError('invalid_parameter_value', message);
}
