import type { Datum } from '../types/index.ts';
import type { RunHandle } from './backend.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { describeColumns } from './result-columns.ts';
import type { ResultColumn } from './session-port.ts';

/** A prepared statement bound to parameters and result formats.
 *
 *   ready ──Execute──► done
 *                 └──row limit──► suspended ──Execute──► suspended or done
 */
export class Portal {
  readonly name: string;
  readonly prepared: PreparedStatement;
  readonly parameters: readonly Datum[];
  readonly formats: Uint8Array;
  state: 'ready' | 'suspended' | 'done' = 'ready';
  /** The suspended run. */
  handle: RunHandle | null = null;
  /** The run is in the writer. */
  inWriter = false;

  constructor(
    name: string,
    prepared: PreparedStatement,
    parameters: readonly Datum[],
    formats: Uint8Array,
  ) {
    this.name = name;
    this.prepared = prepared;
    this.parameters = parameters;
    this.formats = formats;
  }

  /** Its RowDescription; the statement's own when all columns are text. */
  columns(): readonly ResultColumn[] | null {
    const { output, columns } = this.prepared;
    if (output === null || this.formats.every((format) => format === 0)) return columns;
    return describeColumns(output, this.formats);
  }

  close(): void {
    this.handle?.close();
    this.handle = null;
    this.state = 'done';
  }
}
