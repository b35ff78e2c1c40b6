import type { ParseResult } from '@pgsql/types';
import createGrammar, { type GrammarModule } from 'libpg-query/wasm/libpg-query.js';
import { pgError } from '../../errors/index.ts';

/** PostgreSQL's grammar in WebAssembly. Its memory grows and never shrinks, and what a parse that runs out of
 * it had allocated is lost; so the instance is replaced by a fresh one then, which is kept ready.
 *
 * A result is a struct of pointers: the tree as JSON, what was printed, and the error or 0. An error is one of
 * message, function, file, line and position (1-based, 0 for none). */

/** What the memory of an instance may have grown by before it is given up after use. */
const GROWTH_MAX = 64 * 1024 * 1024;

/** What the grammar says of a text that it refuses. */
export class GrammarError extends Error {
  /** Index of the byte. */
  readonly cursorPosition: number;
  /** PostgreSQL's function that reports it. */
  readonly functionName: string | undefined;

  constructor(message: string, cursorPosition: number, functionName: string | undefined) {
    super(message);
    this.cursorPosition = cursorPosition;
    this.functionName = functionName;
  }
}

let current: GrammarModule | null = null;
let spare: GrammarModule | null = null;
/** Bytes of memory that an instance begins with. */
let initialSize = 0;
/** The current one is to be given up when there is a spare one. */
let isWorn = false;

function instantiate(): Promise<GrammarModule> {
  return createGrammar({ printErr: () => {} });
}

/** Makes the instances; once, before the first `parseText`. */
export async function loadGrammar(): Promise<void> {
  current ??= await instantiate();
  initialSize ||= current.HEAPU8.length;
  spare ??= await instantiate();
}

function replace(): void {
  isWorn = spare === null;
  if (isWorn) return;
  current = spare;
  spare = null;
  void instantiate().then((fresh) => {
    spare = fresh;
    if (isWorn) replace();
  });
}

/** The syntax tree of a text that is not empty. */
export function parseText(text: string): ParseResult {
  const module = current;
  if (module === null) throw new Error('the grammar is not loaded');
  try {
    return parseWith(module, text);
  } catch (thrown) {
    if (thrown instanceof GrammarError && thrown.message !== 'out of memory') throw thrown;
    replace();
    // It ends the whole program, so to say, when there is no memory left to report that.
    if (!(thrown instanceof GrammarError) && !isExit(thrown)) throw thrown;
    throw pgError('out_of_memory', 'out of memory', {
      detail: 'The statement is too long to be parsed.',
    });
  } finally {
    if (current === module && module.HEAPU8.length > initialSize + GROWTH_MAX) replace();
  }
}

function isExit(thrown: unknown): boolean {
  if (thrown instanceof WebAssembly.RuntimeError) return true;
  return typeof thrown === 'object' && thrown !== null && 'status' in thrown;
}

function parseWith(module: GrammarModule, text: string): ParseResult {
  const size = module.lengthBytesUTF8(text) + 1;
  const source = module._malloc(size);
  if (source === 0) throw new GrammarError('out of memory', 0, undefined);
  module.stringToUTF8(text, source, size);
  const result = module._wasm_parse_query_raw(source);
  module._free(source);
  if (result === 0) throw new GrammarError('out of memory', 0, undefined);
  try {
    const error = module.getValue(result + 8, 'i32');
    if (error !== 0) throw errorAt(module, error);
    return JSON.parse(module.UTF8ToString(module.getValue(result, 'i32')));
  } finally {
    module._wasm_free_parse_result(result);
  }
}

function errorAt(module: GrammarModule, error: number): GrammarError {
  const message = module.UTF8ToString(module.getValue(error, 'i32'));
  const functionName = module.getValue(error + 4, 'i32');
  const position = module.getValue(error + 16, 'i32');
  return new GrammarError(
    message,
    Math.max(0, position - 1),
    functionName === 0 ? undefined : module.UTF8ToString(functionName),
  );
}
