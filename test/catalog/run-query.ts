import type { Catalog } from '../../src/catalog/index.ts';
import { readDatum } from '../../src/chunk/index.ts';
import { systemViewSource, type ThreadFacts } from '../../src/runtime/system-views.ts';
import { StatementContext } from '../../src/runtime/worker/statement-context.ts';
import { bindStatement } from '../../src/sql/bind/index.ts';
import {
  CHUNK,
  compilePlan,
  DONE,
  type ExecutionEnvironment,
} from '../../src/sql/execute/index.ts';
import { parseStatements } from '../../src/sql/parse/index.ts';
import { planQuery } from '../../src/sql/plan/index.ts';
import { typeByOid } from '../../src/types/index.ts';

function unexpected(): never {
  throw new Error('a query of the catalog reads no tables and writes no files');
}

/** Answers a query of the catalog without a server: each row as psql -A prints it. */
export function runQuery(catalog: Catalog, sql: string, facts: ThreadFacts = {}): string[] {
  const context = new StatementContext(
    () => null,
    () => undefined,
  );
  const types = {
    timeZone: 'UTC',
    dateStyle: 'ISO',
    dateOrder: 'MDY',
    intervalStyle: 'postgres',
    extraFloatDigits: 1,
    byteaOutput: 'hex',
  } as const;
  context.use(
    {
      user: 'postgres',
      sessionUser: 'postgres',
      database: 'postgres',
      searchPath: ['postgres', 'public'],
      serverStartTimestamp: 0,
      types,
      workMem: 1 << 20,
      lockTimeoutMs: 0,
      deadlockTimeoutMs: 0,
      settings: {},
    },
    7,
    0,
    0,
  );
  const systemViews = systemViewSource(catalog, context, facts);
  const [statement] = parseStatements(sql);
  const bound = bindStatement(statement!.node, {
    catalog,
    searchPath: [2200],
    processId: 7,
    parameterTypes: [],
    literals: [],
    parameterCount: 0,
    text: sql,
    types: context,
  });
  const plan = planQuery(bound.query, { catalog, parameterTypes: [] });
  const environment: ExecutionEnvironment = {
    functions: context,
    parameters: [],
    workMem: 1 << 20,
    openCursor: unexpected,
    closeCursor: unexpected,
    createSpillFile: unexpected,
    shouldPause: () => false,
    checkInterrupts: () => undefined,
    systemViews: plan.needsCatalog ? systemViews : null,
    sequences: null,
    rows: null,
  };
  if (!plan.needsCatalog) context.catalog = undefined;
  const compiled = compilePlan(plan);
  const rows: string[] = [];
  compiled.open(environment);
  try {
    for (let status = compiled.next(); status !== DONE; status = compiled.next()) {
      if (status !== CHUNK) continue;
      const { columns, selection, count } = compiled.chunk;
      for (let i = 0; i < count; i++) {
        const row = selection === null ? i : selection[i]!;
        const texts = plan.output.map(({ type: oid }, at) => {
          const type = typeByOid(oid);
          const value = readDatum(columns[at]!, row, type);
          return value === null ? '' : type.output(value, context);
        });
        rows.push(texts.join('|'));
      }
    }
  } finally {
    compiled.close();
  }
  return rows;
}
