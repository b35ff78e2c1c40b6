/** Serves `pgbench -n -S` with canned answers: the ceiling of the wire path, without an engine.
 *
 *   node bench/micro/canned-server.js PORT
 *   pgbench -h 127.0.0.1 -p PORT -U postgres -n -S -M prepared -c 8 -T 5 postgres
 */

import type {
  BindValues,
  ResultColumn,
  ResultSink,
  Session,
} from '../../src/session/session-port.ts';
import { PgServer } from '../../src/wire/index.ts';

function int4Column(name: string): ResultColumn {
  return { name, tableOid: 0, columnNumber: 0, typeOid: 23, typeLength: 4, typmod: -1, format: 0 };
}

const BALANCE_COLUMNS = [int4Column('abalance')];
const COUNT_COLUMNS = [int4Column('count')];
/** DataRow of one column with the value 1. */
const ROW = Uint8Array.of(0x44, 0, 0, 0, 11, 0, 1, 0, 0, 0, 1, 0x31);

/** Answers every query with one row: 1. */
class CannedSession implements Session {
  readonly processId = 1;
  readonly secretKey = 1;
  private readonly sink: ResultSink;
  private columns: readonly ResultColumn[] = BALANCE_COLUMNS;

  constructor(sink: ResultSink) {
    this.sink = sink;
  }

  simpleQuery(text: string): void {
    this.columns = text.includes('count(') ? COUNT_COLUMNS : BALANCE_COLUMNS;
    if (text.includes('pg_catalog.pg_class')) this.answerPartitionQuery();
    else this.answerRow();
    this.sink.readyForQuery('I');
  }
  private answerRow(): void {
    this.sink.rowDescription(this.columns);
    this.sink.dataRows(ROW, 0, ROW.length, 1);
    this.sink.commandComplete('SELECT 1');
  }
  private answerPartitionQuery(): void {
    const row = Uint8Array.of(
      0x44,
      0,
      0,
      0,
      20,
      0,
      3,
      0,
      0,
      0,
      1,
      0x31,
      255,
      255,
      255,
      255,
      0,
      0,
      0,
      1,
      0x30,
    );
    this.sink.rowDescription([int4Column('n'), int4Column('partstrat'), int4Column('count')]);
    this.sink.dataRows(row, 0, row.length, 1);
    this.sink.commandComplete('SELECT 1');
  }
  parse(): void {
    this.sink.parseComplete();
  }
  bind(_portal: string, _statement: string, _values: BindValues): void {
    this.sink.bindComplete();
  }
  describeStatement(): void {
    this.sink.parameterDescription([23]);
    this.sink.rowDescription(this.columns);
  }
  describePortal(): void {
    this.sink.rowDescription(this.columns);
  }
  execute(): void {
    this.sink.dataRows(ROW, 0, ROW.length, 1);
    this.sink.commandComplete('SELECT 1');
  }
  closeStatement(): void {
    this.sink.closeComplete();
  }
  closePortal(): void {
    this.sink.closeComplete();
  }
  sync(): void {
    this.sink.readyForQuery('I');
  }
  reject(): void {}
  copyData(): void {}
  copyDone(): void {}
  copyFail(): void {}
  cancel(): void {}
  drained(): void {}
  terminate(): void {}
}

const server = new PgServer(
  {
    openSession: (_request, sink) => {
      for (const [name, value] of [
        ['server_version', '15.18'],
        ['client_encoding', 'UTF8'],
        ['standard_conforming_strings', 'on'],
        ['DateStyle', 'ISO, MDY'],
        ['integer_datetimes', 'on'],
      ] as const) {
        sink.parameterStatus(name, value);
      }
      return new CannedSession(sink);
    },
    cancel: () => {},
  },
  {
    connectionCountMax: 20_000,
    authenticationTimeoutMs: 60_000,
    onInternalError: (error) => console.error(error),
  },
);
const port = await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
console.log(`listening on ${port}`);
process.once('SIGTERM', async () => {
  const { user, system } = process.cpuUsage();
  console.log(`cpu: user ${(user / 1e6).toFixed(2)} s, system ${(system / 1e6).toFixed(2)} s`);
  await server.close();
});
