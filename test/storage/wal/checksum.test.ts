import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32, SeededRandom } from '../../../src/base/index.ts';

it('computes the CRC-32 of zlib for every length and offset', () => {
  const random = new SeededRandom(3);
  const bytes = Uint8Array.from({ length: 2000 }, () => random.below(256));
  for (let length = 0; length < 600; length++) {
    const start = random.below(1000);
    const range = bytes.subarray(start, start + length);
    expect(crc32(bytes, start, start + length)).toBe(zlibCrc32(range));
    expect(crc32(bytes, start, start + length, 99)).toBe(zlibCrc32(range, 99));
  }
});
