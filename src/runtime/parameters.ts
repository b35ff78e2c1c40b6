import { type ByteWriter, decodeUtf8 } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { type Datum, typeByOid } from '../types/index.ts';

/** Parameters of a statement on their way to a worker. Integers are little-endian.
 *
 *   2 bytes count, then for each parameter
 *     1 byte tag    0 NULL, 1 number, 2 bigint, 3 bytes, 4 false, 5 true, 6 text
 *     number        8 bytes float64
 *     bigint        8 bytes int64
 *     bytes         4 bytes length, then the type's stored form (SqlType.toBytes)
 *     text          4 bytes length, then UTF-8
 */
const TAG_NULL = 0;
const TAG_NUMBER = 1;
const TAG_BIGINT = 2;
const TAG_BYTES = 3;
const TAG_FALSE = 4;
const TAG_TRUE = 5;
const TAG_TEXT = 6;

export function encodeParameters(
  values: readonly Datum[],
  types: readonly number[],
  out: ByteWriter,
): void {
  out.u16le(values.length);
  for (let i = 0; i < values.length; i++) encodeOne(values[i]!, types[i]!, out);
}

function encodeOne(value: Datum, type: number, out: ByteWriter): void {
  if (value === null) out.u8(TAG_NULL);
  else if (typeof value === 'number') {
    out.u8(TAG_NUMBER);
    out.f64le(value);
  } else if (typeof value === 'string') {
    out.u8(TAG_TEXT);
    const at = out.position;
    out.u32le(0);
    out.utf8(value);
    out.view.setUint32(at, out.position - at - 4, true);
  } else if (typeof value === 'boolean') out.u8(value ? TAG_TRUE : TAG_FALSE);
  else if (typeof value === 'bigint') {
    out.u8(TAG_BIGINT);
    out.i64le(value);
  } else {
    out.u8(TAG_BYTES);
    const at = out.position;
    out.u32le(0);
    typeByOid(type).toBytes(value, out);
    out.view.setUint32(at, out.position - at - 4, true);
  }
}

/** Reads parameters; the result array is filled and returned. */
export function decodeParameters(
  bytes: Uint8Array,
  start: number,
  types: readonly number[],
  values: Datum[],
): Datum[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(start, true);
  let at = start + 2;
  values.length = count;
  for (let i = 0; i < count; i++) {
    const tag = bytes[at++];
    switch (tag) {
      case TAG_NULL:
        values[i] = null;
        break;
      case TAG_NUMBER:
        values[i] = view.getFloat64(at, true);
        at += 8;
        break;
      case TAG_BIGINT:
        values[i] = view.getBigInt64(at, true);
        at += 8;
        break;
      case TAG_FALSE:
      case TAG_TRUE:
        values[i] = tag === TAG_TRUE;
        break;
      case TAG_TEXT:
      case TAG_BYTES: {
        const end = at + 4 + view.getUint32(at, true);
        at += 4;
        values[i] =
          tag === TAG_TEXT
            ? decodeUtf8(bytes, at, end)
            : typeByOid(types[i]!).fromBytes(bytes, at, end);
        at = end;
        break;
      }
      default:
        throw pgError('internal_error', `parameter with unknown tag ${tag}`);
    }
  }
  return values;
}
