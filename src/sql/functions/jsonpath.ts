/** jsonb_path_exists and its kin, and the operators @? and @@. The names with _tz may use the time
 * zone of the session to compare moments. */

import { pgError } from '../../errors/index.ts';
import { type Datum, json, jsonpath } from '../../types/index.ts';
import type { FunctionContext, SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { likePattern } from './jsonpath-regex.ts';
import { type PathOptions, runPath } from './jsonpath-run.ts';
import { type PathValue, toJsonb } from './jsonpath-values.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;
type Arguments = [target: Uint8Array, path: string, vars: Uint8Array, silent: boolean];

jsonpath.usePatternCheck(likePattern);

/** Operators have no variables, and say nothing of errors. */
const OF_OPERATOR: PathOptions = { variables: null, silent: true, zone: null };

function optionsOf(zone: C | null, vars: Uint8Array, silent: boolean): PathOptions {
  const variables = json.decodeJsonb(vars);
  if (!json.isObject(variables)) {
    throw pgError('invalid_parameter_value', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    });
  }
  return { variables, silent, zone };
}

function exists(target: Uint8Array, path: string, options: PathOptions): boolean | null {
  const outcome = runPath(jsonpath.parsedPath(path), json.decodeJsonb(target), options, null);
  return outcome === 'error' ? null : outcome === 'found';
}

/** What the path gives; what it gave before an error where that is silent. */
function results(target: Uint8Array, path: string, options: PathOptions): PathValue[] {
  const found: PathValue[] = [];
  runPath(jsonpath.parsedPath(path), json.decodeJsonb(target), options, found);
  return found;
}

function match(target: Uint8Array, path: string, options: PathOptions): boolean | null {
  const found = results(target, path, options);
  const [only] = found;
  if (found.length === 1 && (only === null || typeof only === 'boolean')) return only;
  if (options.silent) return null;
  throw pgError('singleton_sql_json_item_required', 'single boolean result is expected');
}

function stored(value: PathValue): Datum {
  return json.encodeJsonb(toJsonb(value));
}

/** The functions of one suffix. */
function scalarsOf(suffix: '' | '_tz'): Scalars {
  const options = (c: C, vars: Uint8Array, silent: boolean) =>
    optionsOf(suffix === '' ? null : c, vars, silent);
  return {
    [`jsonb_path_exists${suffix}`]: (c: C, ...[target, path, vars, silent]: Arguments) =>
      exists(target, path, options(c, vars, silent)),
    [`jsonb_path_match${suffix}`]: (c: C, ...[target, path, vars, silent]: Arguments) =>
      match(target, path, options(c, vars, silent)),
    [`jsonb_path_query_array${suffix}`]: (c: C, ...[target, path, vars, silent]: Arguments) =>
      json.encodeJsonb(results(target, path, options(c, vars, silent)).map(toJsonb)),
    [`jsonb_path_query_first${suffix}`]: (c: C, ...[target, path, vars, silent]: Arguments) => {
      const [first] = results(target, path, options(c, vars, silent));
      return first === undefined ? null : stored(first);
    },
  };
}

function setsOf(suffix: '' | '_tz'): Readonly<Record<string, SetFunction>> {
  return {
    [`jsonb_path_query${suffix}`]: (c: C, ...[target, path, vars, silent]: Arguments) =>
      results(target, path, optionsOf(suffix === '' ? null : c, vars, silent)).map(stored),
  };
}

registerFunctions({
  scalars: {
    ...scalarsOf(''),
    ...scalarsOf('_tz'),
    jsonb_path_exists_opr: (_c: C, target: Uint8Array, path: string) =>
      exists(target, path, OF_OPERATOR),
    jsonb_path_match_opr: (_c: C, target: Uint8Array, path: string) =>
      match(target, path, OF_OPERATOR),
  },
  sets: { ...setsOf(''), ...setsOf('_tz') },
});
