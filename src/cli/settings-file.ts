import { readFileSync } from 'node:fs';
import { parse, type TomlPrimitive, type TomlTable } from 'smol-toml';

/** Settings of a TOML file. A table's name and a dot come before the names in it. */
export function readSettingsFile(path: string): Record<string, string> {
  const settings: Record<string, string> = {};
  collect(path, parseFile(path), '', settings);
  return settings;
}

function parseFile(path: string): TomlTable {
  const text = readFileSync(path, 'utf8');
  try {
    return parse(text);
  } catch (thrown) {
    const { message, line } = thrown as Error & { readonly line?: number };
    const [reason = ''] = message.split('\n');
    const place = line === undefined ? '' : `, line ${line}`;
    throw new Error(`configuration file "${path}"${place}: ${reason}`);
  }
}

function collect(
  path: string,
  table: TomlTable,
  prefix: string,
  settings: Record<string, string>,
): void {
  for (const [key, value] of Object.entries(table)) {
    const name = prefix + key;
    if (isTable(value)) collect(path, value, `${name}.`, settings);
    else if (typeof value === 'object') {
      throw new Error(
        `configuration file "${path}": "${name}" has to be a text, number or boolean`,
      );
    } else settings[name] = String(value);
  }
}

function isTable(value: TomlPrimitive): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}
