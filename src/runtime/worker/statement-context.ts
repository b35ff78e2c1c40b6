import type { CatalogView } from '../../catalog/index.ts';
import { SystemNames } from '../../catalog/system/index.ts';
import { type PgErrorFields, SQLSTATES } from '../../errors/index.ts';
import type { StatementSettings as SessionContext, SessionControl } from '../../session/index.ts';
import type { FunctionContext, SessionFacts } from '../../sql/functions/index.ts';

/** Int8 microseconds since 2000-01-01 UTC, of the wall clock. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now() - EPOCH_2000_MS) * 1000);
}

const EPOCH_2000_MS = 946_684_800_000;

/** FunctionContext of the statement that runs; one object serves one statement after another. */
export class StatementContext implements FunctionContext, SessionFacts {
  timeZone = 'UTC';
  dateStyle: FunctionContext['dateStyle'] = 'ISO';
  dateOrder: FunctionContext['dateOrder'] = 'MDY';
  intervalStyle: FunctionContext['intervalStyle'] = 'postgres';
  extraFloatDigits = 1;
  byteaOutput: FunctionContext['byteaOutput'] = 'hex';
  transactionTimestamp = 0;
  statementTimestamp = 0;
  processId = 0;
  /** Set while the statement's plan needs the catalog. */
  catalog: CatalogView | undefined;
  objectNames: SystemNames | undefined;
  server: FunctionContext['server'];
  advisoryLocks: FunctionContext['advisoryLocks'];
  /** Set on the main thread. */
  control: SessionControl | undefined;
  /** How long the functions of the rows at hand want the statement to wait. */
  sleepMs = 0;
  /** Undefined where the statement cannot wait. */
  sleep: FunctionContext['sleep'] = (milliseconds) => {
    this.sleepMs += milliseconds;
  };
  private context!: SessionContext;
  private readonly settingOf: (name: string, context: SessionContext) => string | null;
  private readonly onNotice: (fields: PgErrorFields) => void;
  private randomState = 0n;
  private seeded = false;

  constructor(
    settingOf: (name: string, context: SessionContext) => string | null,
    onNotice: (fields: PgErrorFields) => void,
  ) {
    this.settingOf = settingOf;
    this.onNotice = onNotice;
  }

  use(
    context: SessionContext,
    session: number,
    statementTimestamp: number,
    transactionTimestamp: number,
  ): void {
    if (context !== this.context) {
      this.context = context;
      const { types } = context;
      this.timeZone = types.timeZone;
      this.dateStyle = types.dateStyle;
      this.dateOrder = types.dateOrder;
      this.intervalStyle = types.intervalStyle;
      this.extraFloatDigits = types.extraFloatDigits;
      this.byteaOutput = types.byteaOutput;
    }
    this.processId = session;
    this.statementTimestamp = statementTimestamp;
    this.transactionTimestamp = transactionTimestamp;
  }

  /** Gives functions the catalog, and names to regclass and its kin. */
  useCatalog(catalog: CatalogView, server: FunctionContext['server']): void {
    this.catalog = catalog;
    this.objectNames = new SystemNames(catalog, this);
    this.server = server;
  }

  get session(): SessionFacts {
    return this;
  }

  get user(): string {
    return this.context.user;
  }

  get sessionUser(): string {
    return this.context.sessionUser;
  }

  get database(): string {
    return this.context.database;
  }

  get searchPath(): readonly string[] {
    return this.context.searchPath;
  }

  get serverStartTimestamp(): number {
    return this.context.serverStartTimestamp;
  }

  setting(name: string): string | null {
    if (this.control !== undefined) return this.control.setting(name);
    return this.settingOf(name, this.context);
  }

  clockTimestamp(): number {
    return nowMicros();
  }

  random(): number {
    if (!this.seeded) return Math.random();
    // splitmix64, so that setseed() repeats a sequence.
    this.randomState = BigInt.asUintN(64, this.randomState + 0x9e3779b97f4a7c15n);
    let z = this.randomState;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return Number(z >> 11n) / 2 ** 53;
  }

  setRandomSeed(seed: number): void {
    this.seeded = true;
    this.randomState = BigInt.asUintN(64, BigInt(Math.round(seed * 2 ** 52)));
  }

  notice(message: string, condition = 'NOTICE'): void {
    const isWarning = condition === 'WARNING';
    this.onNotice({
      severity: isWarning ? 'WARNING' : 'NOTICE',
      sqlstate: isWarning ? SQLSTATES.warning : SQLSTATES.successful_completion,
      message,
    });
  }
}
