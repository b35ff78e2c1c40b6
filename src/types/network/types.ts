import type { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import { BYTES, invalidInput, noDataLeft, surplusData, writeAscii } from '../scalar.ts';
import type { SqlType } from '../sql-type.ts';
import {
  type Address,
  bitsMax,
  bitsOf,
  compareAddresses,
  familyOf,
  familySize,
  IPV4,
  IPV6,
  isNetwork,
  makeAddress,
  maskByte,
  octet,
} from './address.ts';
import { parseCidr, parseInet } from './input.ts';
import { formatCidr, formatInet } from './output.ts';

/** inet and cidr: addresses of hosts and of networks, in one form and under one order.
 *
 * A key is the family, the address with zeros after the netmask, the netmask, and the whole address:
 * so networks come before what is in them, as they are ordered. */

const HOST_BITS_DETAIL = { detail: 'Value has bits set to right of mask.' };

function inputInet(text: string): Address {
  const address = parseInet(text);
  if (address === undefined) throw invalidInput('inet', text);
  return address;
}

function inputCidr(text: string): Address {
  const address = parseCidr(text);
  if (address === undefined) throw invalidInput('cidr', text);
  if (isNetwork(address)) return address;
  throw pgError('invalid_text_representation', `invalid cidr value: "${text}"`, HOST_BITS_DETAIL);
}

/** Reads the binary form: family, bits, whether it is a cidr, count of bytes, bytes. */
function receive(name: string, bytes: Uint8Array, start: number, end: number): Address {
  const invalid = (what: string) =>
    pgError('invalid_binary_representation', `invalid ${what} in external "${name}" value`);
  const need = (at: number) => {
    if (at >= end) throw noDataLeft();
    return bytes[at]!;
  };
  const family = need(start);
  if (family !== IPV4 && family !== IPV6) throw invalid('address family');
  const size = familySize(family);
  const bits = need(start + 1);
  if (bits > size * 8) throw invalid('bits');
  need(start + 2);
  if (need(start + 3) !== size) throw invalid('length');
  if (end - start < 4 + size) throw noDataLeft();
  if (end - start > 4 + size) throw surplusData();
  const address = makeAddress(family, bits);
  address.set(bytes.subarray(start + 4, end), 2);
  return address;
}

function receiveCidr(bytes: Uint8Array, start: number, end: number): Address {
  const address = receive('cidr', bytes, start, end);
  if (isNetwork(address)) return address;
  throw pgError('invalid_binary_representation', 'invalid external "cidr" value', HOST_BITS_DETAIL);
}

function writeKey(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  const bits = bitsOf(bytes, start);
  const size = end - start - 2;
  out.u8(familyOf(bytes, start));
  for (let i = 0; i < size; i++) out.u8(octet(bytes, i, start) & maskByte(bits, i));
  out.u8(bits);
  out.range(bytes, start + 2, end);
}

function send(isCidr: boolean, bytes: Uint8Array, start: number, end: number, out: ByteWriter) {
  out.u8(familyOf(bytes, start));
  out.u8(bitsOf(bytes, start));
  out.u8(isCidr ? 1 : 0);
  out.u8(end - start - 2);
  out.range(bytes, start + 2, end);
}

/** The text of a stored address; that of the commonest form needs no string. */
function writeText(
  isCidr: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  if (familyOf(bytes, start) !== IPV4) {
    const address = bytes.subarray(start, end);
    writeAscii(isCidr ? formatCidr(address) : formatInet(address), out);
    return;
  }
  for (let i = 0; i < 4; i++) {
    if (i > 0) out.u8(0x2e);
    out.decimal(octet(bytes, i, start));
  }
  const bits = bitsOf(bytes, start);
  if (!isCidr && bits === bitsMax(bytes, start)) return;
  out.u8(0x2f);
  out.decimal(bits);
}

function networkType(isCidr: boolean) {
  return {
    ...BYTES,
    category: 'I',
    length: -1,
    storage: 'm',
    output: (value) => (isCidr ? formatCidr : formatInet)(value as Address),
    send: (value, out) => send(isCidr, value as Address, 0, (value as Address).length, out),
    writeText: (value, out) =>
      writeText(isCidr, value as Address, 0, (value as Address).length, out),
    compare: (a, b) => compareAddresses(a as Address, b as Address),
    encodeKey: (value, out) => writeKey(value as Address, 0, (value as Address).length, out),
    textFromBytes: (bytes, start, end, out) => writeText(isCidr, bytes, start, end, out),
    binaryFromBytes: (bytes, start, end, out) => send(isCidr, bytes, start, end, out),
    keyFromBytes: writeKey,
  } as const satisfies Partial<SqlType>;
}

export const inetType: SqlType = {
  ...networkType(false),
  oid: 869,
  name: 'inet',
  sqlName: 'inet',
  arrayOid: 1041,
  preferred: true,
  input: inputInet,
  receive: (bytes, start, end) => receive('inet', bytes, start, end),
};

export const cidrType: SqlType = {
  ...networkType(true),
  oid: 650,
  name: 'cidr',
  sqlName: 'cidr',
  arrayOid: 651,
  input: inputCidr,
  receive: receiveCidr,
};
