import { pgError } from '../errors/index.ts';

/** How descriptors lie in the catalog tree: JSON in UTF-8, with what JSON lacks written as one-field
 * objects, so that every version of Heddle can read them.
 *
 *   {"$int": "123"}      a bigint
 *   {"$bytes": "00ff"}   a Uint8Array
 *   {"$float": "NaN"}    a number that is not finite, or -0
 */
export function encodeDescriptor(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(pack(value)), 'utf8');
}

export function decodeDescriptor(bytes: Uint8Array, start: number, end: number): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  try {
    return unpack(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw pgError('data_corrupted', `catalog entry is not readable: ${reason}`);
  }
}

function pack(value: unknown): unknown {
  if (typeof value === 'bigint') return { $int: String(value) };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $float: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== 'object' || value === null) return value;
  const packed: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) packed[name] = pack(field);
  return packed;
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (typeof fields.$int === 'string') return BigInt(fields.$int);
  if (typeof fields.$float === 'string') return Number(fields.$float);
  if (typeof fields.$bytes === 'string') {
    return new Uint8Array(Buffer.from(fields.$bytes, 'hex'));
  }
  const unpacked: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) unpacked[name] = unpack(field);
  return unpacked;
}
