import type { Catalog, SystemViewShape } from '../catalog/index.ts';
import {
  type ServerFacts,
  type SystemState,
  systemViewRows,
  systemViewShape,
} from '../catalog/system/index.ts';
import type { SystemViewSource } from '../sql/execute/index.ts';
import { functionByOid, isImplemented } from '../sql/functions/index.ts';
import { viewRelations } from '../sql/utility/index.ts';
import { settingFacts } from './setting-facts.ts';
import type { StatementContext } from './worker/statement-context.ts';

/** Columns of a view of pg_catalog or information_schema, or undefined where there is none. */
export function systemViewLookup(schema: string, name: string): SystemViewShape | undefined {
  return systemViewShape(schema, name);
}

/** What a thread knows that the catalog does not: sizes, locks, other sessions. */
export type ThreadFacts = Omit<ServerFacts, 'isImplemented' | 'settings' | 'viewRelations'>;

/** The views as one statement sees them: over `catalog`, for the session of `context`, whose functions
 * get the same catalog. */
export function systemViewSource(
  catalog: Catalog,
  context: StatementContext,
  facts: ThreadFacts = {},
): SystemViewSource {
  context.useCatalog(catalog, facts);
  const state: SystemState = {
    catalog,
    session: context.session,
    get now() {
      return context.transactionTimestamp;
    },
    server: {
      ...facts,
      isImplemented: isCallable,
      viewRelations: (view) => viewRelations(catalog, view),
      settings: () => settingFacts((name) => context.session.setting(name)),
    },
  };
  return { rows: (view) => systemViewRows(state, view) };
}

/** Functions that the executor itself computes. */
const EXECUTOR_FUNCTIONS = new Set(['nextval', 'currval', 'setval', 'lastval']);

function isCallable(oid: number): boolean {
  return isImplemented(oid) || EXECUTOR_FUNCTIONS.has(functionByOid(oid)?.name ?? '');
}
