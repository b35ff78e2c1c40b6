import type { DefElem, Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';

/** Options as VACUUM, REINDEX and COPY have them: `(name value, …)`. */

/** The options by name, of which the last one counts; 42601 for one that is not `known`. */
export function knownOptions(
  command: Pick<Command, 'position'>,
  nodes: readonly Node[] | undefined,
  tag: string,
  known: ReadonlySet<string>,
): ReadonlyMap<string, DefElem> {
  const options = new Map<string, DefElem>();
  for (const node of nodes ?? []) {
    if (!('DefElem' in node)) continue;
    const { defname = '', location } = node.DefElem;
    if (!known.has(defname)) {
      const message = `unrecognized ${tag} option "${defname}"`;
      throw pgError('syntax_error', message, command.position(location));
    }
    options.set(defname, node.DefElem);
  }
  return options;
}

/** Value of an option as text; a bare option is true. */
export function optionText(arg: Node | undefined): string {
  if (arg === undefined) return 'true';
  if ('String' in arg) return arg.String.sval ?? '';
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0);
  if ('Float' in arg) return arg.Float.fval ?? '';
  if ('Boolean' in arg) return String(arg.Boolean.boolval === true);
  if ('TypeName' in arg) {
    const last = arg.TypeName.names?.at(-1);
    return last !== undefined && 'String' in last ? (last.String.sval ?? '') : '';
  }
  return '';
}

const TRUE_WORDS: ReadonlySet<string> = new Set(['true', 'on', '1']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'off', '0']);

/** Value of a boolean option as text, or undefined when it is none. */
export function booleanText(arg: Node | undefined): boolean | undefined {
  const text = optionText(arg).toLowerCase();
  if (TRUE_WORDS.has(text)) return true;
  return FALSE_WORDS.has(text) ? false : undefined;
}

/** Value of a boolean option; a bare one is true. */
export function booleanOption(option: DefElem): boolean {
  const value = booleanText(option.arg);
  if (value !== undefined) return value;
  throw pgError('syntax_error', `${option.defname} requires a Boolean value`);
}
