import { notSupported, pgError } from '../errors/index.ts';
import { canonicalTimeZone } from '../types/index.ts';
import { SETTING_DEFINITIONS, type SettingDefinition } from './setting-definitions.ts';

const BY_NAME = new Map(
  SETTING_DEFINITIONS.map((definition) => [definition.name.toLowerCase(), definition]),
);

export function settingDefinition(name: string): SettingDefinition | undefined {
  return BY_NAME.get(name.toLowerCase());
}

export function requireSetting(name: string): SettingDefinition {
  const definition = settingDefinition(name);
  if (definition !== undefined) return definition;
  throw pgError('undefined_object', `unrecognized configuration parameter "${name}"`);
}

/** Values that differ from the built-in ones when sessions start: the server's configuration. */
export type SettingValues = ReadonlyMap<string, string>;

/** A session's settings. Values are kept in the form that SHOW prints.
 *
 * SET and SET LOCAL take part in the transaction, and each statement is in one: `commit` drops what SET LOCAL
 * did, `rollback` restores everything, savepoints restore to their mark.
 */
export class Settings {
  private readonly defaults: SettingValues;
  private readonly values = new Map<string, string>();
  /** What to restore: newest last. */
  private readonly undo: { name: string; before: string | undefined; local: boolean }[] = [];
  /** Hears of the change of a setting that clients are told of, with the value it had. */
  private readonly onReported: (name: string, before: string) => void;
  /** Grows with every change, so that what was derived from settings can be kept. */
  version = 0;

  constructor(defaults: SettingValues, onReported: (name: string, before: string) => void) {
    this.defaults = defaults;
    this.onReported = onReported;
  }

  get(name: string): string {
    const value = this.find(name);
    if (value !== undefined) return value;
    throw pgError('undefined_object', `unrecognized configuration parameter "${name}"`);
  }

  /** The value, or undefined for a name that is neither known nor set. */
  find(name: string): string | undefined {
    const key = name.toLowerCase();
    const value = this.values.get(key) ?? this.defaults.get(key);
    if (value !== undefined) return value;
    const definition = BY_NAME.get(key);
    return definition === undefined ? undefined : initialText(definition);
  }

  integer(name: string): number {
    const definition = requireSetting(name);
    return definition.kind === 'integer' ? parseInteger(definition, this.get(name)) : Number.NaN;
  }

  isOn(name: string): boolean {
    return this.get(name) === 'on';
  }

  /** SET name = value. Returns a notice when the setting has no effect. */
  set(name: string, value: string, local: boolean): string | null {
    const key = name.toLowerCase();
    const definition = BY_NAME.get(key);
    if (definition === undefined) {
      if (!isCustomName(name)) requireSetting(name);
      this.store(key, value, local);
      return null;
    }
    this.checkChangeable(definition);
    let canonical = canonicalValue(definition, value);
    if (definition.name === 'DateStyle') canonical = mergeDateStyle(canonical, this.get(name));
    this.store(key, canonical, local);
    return definition.inert ? `parameter "${definition.name}" has no effect in Heddle` : null;
  }

  reset(name: string, local: boolean): void {
    const key = name.toLowerCase();
    const definition = BY_NAME.get(key);
    if (definition === undefined) {
      if (!isCustomName(name)) requireSetting(name);
      this.store(key, '', local);
      return;
    }
    this.checkChangeable(definition);
    this.store(key, undefined, local);
  }

  resetAll(): void {
    for (const key of [...this.values.keys()]) {
      if (!key.startsWith('transaction_')) this.store(key, undefined, false);
    }
  }

  get mark(): number {
    return this.undo.length;
  }

  commit(): void {
    if (this.undo.length === 0) return;
    // A later SET outlives an earlier SET LOCAL, so only what is still local is restored.
    const settled = new Set<string>();
    for (let i = this.undo.length - 1; i >= 0; i--) {
      const { name, before, local } = this.undo[i]!;
      if (!local) settled.add(name);
      else if (!settled.has(name)) this.put(name, before);
    }
    this.undo.length = 0;
  }

  rollback(mark = 0): void {
    while (this.undo.length > mark) {
      const { name, before } = this.undo.pop()!;
      this.put(name, before);
    }
  }

  /** All settings for SHOW ALL and pg_settings. */
  *all(): Iterable<{ definition: SettingDefinition; value: string }> {
    for (const definition of SETTING_DEFINITIONS) {
      yield { definition, value: this.get(definition.name) };
    }
  }

  /** Settings that the session or the server's configuration has set, by lower-case name. */
  *changed(): Iterable<{ name: string; value: string }> {
    for (const name of new Set([...this.defaults.keys(), ...this.values.keys()])) {
      yield { name, value: this.get(name) };
    }
  }

  /** Settings that bear on plans and differ from their defaults, by name: EXPLAIN (SETTINGS). */
  plannerSettings(): { readonly name: string; readonly value: string }[] {
    return [...this.all()]
      .filter(({ definition, value }) => definition.planner && value !== initialText(definition))
      .map(({ definition, value }) => ({ name: definition.name, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private checkChangeable(definition: SettingDefinition): void {
    if (definition.scope === 'internal') {
      throw pgError(
        'cant_change_runtime_param',
        `parameter "${definition.name}" cannot be changed`,
      );
    }
    if (definition.scope === 'startup') {
      throw pgError(
        'cant_change_runtime_param',
        `parameter "${definition.name}" cannot be changed without restarting the server`,
      );
    }
  }

  private store(key: string, value: string | undefined, local: boolean): void {
    this.undo.push({ name: key, before: this.values.get(key), local });
    this.put(key, value);
  }

  private put(key: string, value: string | undefined): void {
    const before = this.find(key);
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
    this.version++;
    const definition = BY_NAME.get(key);
    const after = this.find(key);
    if (definition?.reported && after !== before) this.onReported(definition.name, before ?? '');
  }
}

/** Settings that SET takes several values for. */
export function isListSetting(name: string): boolean {
  return BY_NAME.get(name.toLowerCase())?.isList === true;
}

/** Names with a dot belong to applications and extensions; any value goes. */
function isCustomName(name: string): boolean {
  return /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)+$/.test(name);
}

export function initialText(definition: SettingDefinition): string {
  switch (definition.kind) {
    case 'bool':
      return definition.initial ? 'on' : 'off';
    case 'integer':
      return showInteger(definition, definition.initial);
    case 'real':
      return String(definition.initial);
    default:
      return definition.initial;
  }
}

/** Checks a value and gives the form that SHOW prints. */
export function canonicalValue(definition: SettingDefinition, value: string): string {
  switch (definition.kind) {
    case 'bool': {
      const on = parseBoolean(value);
      if (on === null) {
        throw pgError(
          'invalid_parameter_value',
          `parameter "${definition.name}" requires a Boolean value`,
        );
      }
      if (!on && definition.name === 'standard_conforming_strings') {
        throw notSupported('standard_conforming_strings = off');
      }
      return on ? 'on' : 'off';
    }
    case 'integer':
      return showInteger(definition, parseInteger(definition, value));
    case 'real': {
      const number = Number(value);
      if (value.trim() === '' || Number.isNaN(number)) throw invalidValue(definition, value);
      checkRange(definition, number);
      return String(number);
    }
    case 'enum':
      return canonicalEnum(definition, value);
    case 'string':
      return canonicalString(definition, value);
  }
}

function canonicalEnum(definition: SettingDefinition & { kind: 'enum' }, value: string): string {
  const lower = value.toLowerCase();
  if (definition.name === 'synchronous_commit') {
    const on = parseBoolean(value);
    if (on !== null) return on ? 'on' : 'off';
  }
  const found = definition.values.find((candidate) => candidate === lower);
  if (found === undefined) {
    throw invalidValue(
      definition,
      value,
      `Available values: ${definition.values.filter((v) => v !== 'debug').join(', ')}.`,
    );
  }
  return found;
}

function canonicalString(definition: SettingDefinition, value: string): string {
  switch (definition.name) {
    case 'TimeZone': {
      const zone = canonicalTimeZone(value);
      if (zone === null) throw invalidValue(definition, value);
      return zone;
    }
    case 'client_encoding': {
      const encoding = value.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
      if (encoding === 'UTF8' || encoding === 'UNICODE') return 'UTF8';
      if (encoding === 'SQLASCII') return 'SQL_ASCII';
      throw pgError(
        'feature_not_supported',
        `conversion between ${value} and UTF8 is not supported`,
      );
    }
    case 'DateStyle':
      return canonicalDateStyle(definition, value);
    case 'lc_monetary':
      if (!C_LOCALES.has(value)) throw invalidValue(definition, value);
      return value;
    default:
      return value;
  }
}

/** Names of the one locale that there is. */
const C_LOCALES: ReadonlySet<string> = new Set(['', 'C', 'POSIX']);

const DATE_STYLES = new Map([
  ['iso', 'ISO'],
  ['sql', 'SQL'],
  ['postgres', 'Postgres'],
  ['german', 'German'],
]);
const DATE_ORDERS = new Map([
  ['ymd', 'YMD'],
  ['dmy', 'DMY'],
  ['euro', 'DMY'],
  ['european', 'DMY'],
  ['mdy', 'MDY'],
  ['us', 'MDY'],
  ['noneuro', 'MDY'],
  ['noneuropean', 'MDY'],
]);

function canonicalDateStyle(definition: SettingDefinition, value: string): string {
  let style: string | null = null;
  let order: string | null = null;
  for (const part of value.split(',')) {
    const word = part.trim().toLowerCase();
    if (word === 'default') {
      style ??= 'ISO';
      order ??= 'MDY';
      continue;
    }
    const foundStyle = DATE_STYLES.get(word);
    const foundOrder = DATE_ORDERS.get(word);
    const conflicts =
      (foundStyle !== undefined && style !== null && style !== foundStyle) ||
      (foundOrder !== undefined && order !== null && order !== foundOrder);
    if ((foundStyle === undefined && foundOrder === undefined) || conflicts) {
      throw invalidValue(definition, value);
    }
    style = foundStyle ?? style;
    order = foundOrder ?? order;
  }
  if (style === 'German' && order === null) order = 'DMY';
  return `${style ?? '*'}, ${order ?? '*'}`;
}

/** Fills the part of a DateStyle that a SET left open from the value before. */
function mergeDateStyle(value: string, before: string): string {
  const [style = '*', order = '*'] = value.split(', ');
  const [oldStyle = 'ISO', oldOrder = 'MDY'] = before.split(', ');
  return `${style === '*' ? oldStyle : style}, ${order === '*' ? oldOrder : order}`;
}

function parseBoolean(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (word === '') return null;
  if (word === '1' || 'true'.startsWith(word) || 'yes'.startsWith(word) || word === 'on')
    return true;
  if (word === '0' || 'false'.startsWith(word) || 'no'.startsWith(word)) return false;
  return word === 'of' || word === 'off' ? false : null;
}

/** Size of a unit in its family's smallest: bytes, or milliseconds. */
const UNITS: Readonly<
  Record<string, { readonly size: number; readonly family: 'time' | 'memory' }>
> = {
  us: { size: 0.001, family: 'time' },
  ms: { size: 1, family: 'time' },
  s: { size: 1000, family: 'time' },
  min: { size: 60_000, family: 'time' },
  h: { size: 3_600_000, family: 'time' },
  d: { size: 86_400_000, family: 'time' },
  B: { size: 1, family: 'memory' },
  kB: { size: 1024, family: 'memory' },
  '8kB': { size: 8192, family: 'memory' },
  MB: { size: 1 << 20, family: 'memory' },
  GB: { size: 1 << 30, family: 'memory' },
  TB: { size: 2 ** 40, family: 'memory' },
};

type IntegerDefinition = SettingDefinition & { kind: 'integer' };

/** The number in the setting's own unit. */
export function parseInteger(definition: IntegerDefinition, text: string): number {
  const match = /^\s*([+-]?(?:0x[0-9a-f]+|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+))\s*([a-zA-Z]*)\s*$/i.exec(
    text,
  );
  if (match === null) throw invalidValue(definition, text);
  let value = Number(match[1]);
  const suffix = match[2]!;
  if (suffix !== '') {
    const from = UNITS[suffix];
    const to = UNITS[definition.unit];
    if (from === undefined || to === undefined || from.family !== to.family) {
      const family = to?.family;
      const hint =
        family === undefined
          ? undefined
          : family === 'time'
            ? 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".'
            : 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".';
      throw invalidValue(definition, text, hint);
    }
    value = (value * from.size) / to.size;
  }
  value = Math.round(value);
  checkRange(definition, value);
  return value;
}

function showInteger(definition: IntegerDefinition, value: number): string {
  const unit = UNITS[definition.unit];
  if (unit === undefined || value <= 0) return String(value);
  const amount = value * unit.size;
  const candidates =
    unit.family === 'time' ? ['d', 'h', 'min', 's', 'ms'] : ['TB', 'GB', 'MB', 'kB', 'B'];
  for (const name of candidates) {
    const { size } = UNITS[name]!;
    if (amount % size === 0) return `${amount / size}${name}`;
  }
  return String(value);
}

function checkRange(
  definition: SettingDefinition & { kind: 'integer' | 'real' },
  value: number,
): void {
  if (value >= definition.minimum && value <= definition.maximum) return;
  const unit = definition.kind === 'integer' && definition.unit !== '' ? ` ${definition.unit}` : '';
  throw pgError(
    'invalid_parameter_value',
    `${value}${unit} is outside the valid range for parameter "${definition.name}" (${definition.minimum} .. ${definition.maximum})`,
  );
}

function invalidValue(definition: SettingDefinition, value: string, hint?: string) {
  return pgError(
    'invalid_parameter_value',
    `invalid value for parameter "${definition.name}": "${value}"`,
    hint === undefined ? {} : { hint },
  );
}

/** The built-in value of a setting, or null. */
export function initialSetting(name: string): string | null {
  const definition = settingDefinition(name);
  return definition === undefined ? null : initialText(definition);
}

/** Checks a value of the server's configuration and gives the form that SHOW prints. */
export function canonicalSetting(name: string, value: string): string {
  const definition = requireSetting(name);
  if (definition.scope === 'internal') {
    throw pgError('cant_change_runtime_param', `parameter "${definition.name}" cannot be changed`);
  }
  return canonicalValue(definition, value);
}
