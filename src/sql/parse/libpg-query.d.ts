/** What libpg-query compiles to, below its own interface: one instance is one memory. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface GrammarModule {
    readonly HEAPU8: Uint8Array;
    lengthBytesUTF8(text: string): number;
    stringToUTF8(text: string, pointer: number, size: number): void;
    UTF8ToString(pointer: number): string;
    getValue(pointer: number, type: 'i32'): number;
    _malloc(size: number): number;
    _free(pointer: number): void;
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
  }
  export default function createGrammar(options: {
    readonly printErr: (line: string) => void;
  }): Promise<GrammarModule>;
}
