import type { CopyFormat } from '../sql/execute/index.ts';

/** A CopyFormat on its way to another thread. */
export function copyFormatText(format: CopyFormat): string {
  return JSON.stringify({ ...format, nullText: [...format.nullText] });
}

export function copyFormatOf(text: string): CopyFormat {
  const format = JSON.parse(text) as CopyFormat & { readonly nullText: number[] };
  return { ...format, nullText: Uint8Array.from(format.nullText) };
}
