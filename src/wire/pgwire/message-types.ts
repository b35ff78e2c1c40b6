/** Message types of the PostgreSQL protocol 3.0, as the byte that opens a message. */

export const Frontend = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

export const Backend = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** Lengths count themselves but not the type byte. PostgreSQL's limits, which keep a client that
 * has lost its place from making the server wait for a gigabyte. */
const SMALL_MESSAGE_MAX = 10_000;
const LARGE_MESSAGE_MAX = 0x3fff_fffe;
export const STARTUP_PACKET_MAX = 10_000;

/** Greatest length of each type of frontend message; 0 for bytes that open none. */
export const MESSAGE_LENGTH_MAX: Int32Array = messageLengthMax();

function messageLengthMax(): Int32Array {
  const limits = new Int32Array(256);
  for (const type of [
    Frontend.query,
    Frontend.parse,
    Frontend.bind,
    Frontend.functionCall,
    Frontend.copyData,
  ]) {
    limits[type] = LARGE_MESSAGE_MAX;
  }
  for (const type of [
    Frontend.close,
    Frontend.describe,
    Frontend.execute,
    Frontend.flush,
    Frontend.sync,
    Frontend.terminate,
    Frontend.copyDone,
    Frontend.copyFail,
  ]) {
    limits[type] = SMALL_MESSAGE_MAX;
  }
  return limits;
}
