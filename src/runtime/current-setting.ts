import type { StatementSettings } from '../session/index.ts';
import { initialSetting } from '../session/index.ts';

/** current_setting(): the session's value, or the built-in one; null for an unknown name. */
export function currentSetting(name: string, settings: StatementSettings): string | null {
  return settings.settings[name.toLowerCase()] ?? initialSetting(name);
}
