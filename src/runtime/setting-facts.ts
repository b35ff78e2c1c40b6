import type { SettingFacts } from '../catalog/system/index.ts';
import { initialSetting, SETTING_DEFINITIONS, type SettingDefinition } from '../session/index.ts';

const CONTEXTS = { internal: 'internal', startup: 'postmaster', session: 'user' } as const;

/** Rows of pg_settings, in the order of names. `currentValue` is the session's current_setting(). */
export function* settingFacts(
  currentValue: (name: string) => string | null,
): Generator<SettingFacts, void> {
  for (const definition of SORTED) {
    const boot = initialSetting(definition.name) ?? '';
    const value = currentValue(definition.name) ?? boot;
    const { type, minimum, maximum } = valueRange(definition, boot);
    yield {
      name: definition.name,
      setting: inOwnUnit(definition, value),
      unit: definition.kind === 'integer' && definition.unit !== '' ? definition.unit : null,
      category: definition.category,
      description: definition.description,
      context: CONTEXTS[definition.scope],
      type,
      source: value === boot ? 'default' : 'session',
      minimum,
      maximum,
      values: definition.kind === 'enum' ? definition.values : null,
      bootValue: inOwnUnit(definition, boot),
      resetValue: inOwnUnit(definition, boot),
    };
  }
}

/** Preset values are texts in the definitions; they show as what they look like, with one value as
 * their range. */
function valueRange(
  definition: SettingDefinition,
  boot: string,
): Pick<SettingFacts, 'type' | 'minimum' | 'maximum'> {
  if (definition.kind === 'integer' || definition.kind === 'real') {
    const { kind, minimum, maximum } = definition;
    return { type: kind, minimum: String(minimum), maximum: String(maximum) };
  }
  if (definition.scope === 'internal' && /^\d+$/.test(boot)) {
    return { type: 'integer', minimum: boot, maximum: boot };
  }
  const isPresetSwitch = definition.scope === 'internal' && /^(on|off)$/.test(boot);
  return { type: isPresetSwitch ? 'bool' : definition.kind, minimum: null, maximum: null };
}

const SORTED = [...SETTING_DEFINITIONS].sort((a, b) =>
  a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1,
);

/** Bytes or milliseconds in each unit that SHOW prints. */
const UNIT_SIZES: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  B: 1,
  kB: 1024,
  '8kB': 8192,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/** pg_settings shows bare numbers, counted in the setting's unit, where SHOW prints `4MB`. */
function inOwnUnit(definition: SettingDefinition, shown: string): string {
  if (definition.kind !== 'integer') return shown;
  const match = /^(-?\d+)([a-zA-Z]+)$/.exec(shown);
  const from = UNIT_SIZES[match?.[2] ?? ''];
  const to = UNIT_SIZES[definition.unit];
  if (from === undefined || to === undefined) return shown;
  return String((Number(match?.[1]) * from) / to);
}
