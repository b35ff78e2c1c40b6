import type { Datum } from '../../types/index.ts';
import type { SystemViewShape } from '../descriptors.ts';
import { SEQUENCE_COLUMNS, sequenceOfView } from '../sequence-view.ts';
import { ABSENT_VIEWS } from './absent.ts';
import { ACTIVITY_VIEWS } from './activity.ts';
import { CLUSTER_VIEWS } from './cluster.ts';
import { CONSTRAINT_VIEWS } from './constraints.ts';
import { DESCRIPTION_VIEWS } from './descriptions.ts';
import { FUNCTION_VIEWS } from './functions.ts';
import { INFORMATION_SCHEMA_VIEWS } from './information-schema.ts';
import { LISTING_VIEWS } from './listings.ts';
import { PARTITION_VIEWS } from './partitions.ts';
import { RELATION_VIEWS } from './relations.ts';
import { sequenceRow } from './sequence-relation.ts';
import { SETTING_VIEWS } from './settings.ts';
import { systemRelation } from './shapes.ts';
import type { ProducerTable, RowProducer, SystemRow, SystemState } from './system-state.ts';
import { TIME_ZONE_VIEWS } from './time-zones.ts';
import { TYPE_VIEWS } from './types.ts';

const PRODUCERS: ProducerTable = {
  ...RELATION_VIEWS,
  ...TYPE_VIEWS,
  ...FUNCTION_VIEWS,
  ...CLUSTER_VIEWS,
  ...SETTING_VIEWS,
  ...CONSTRAINT_VIEWS,
  ...DESCRIPTION_VIEWS,
  ...LISTING_VIEWS,
  ...PARTITION_VIEWS,
  ...ACTIVITY_VIEWS,
  ...TIME_ZONE_VIEWS,
  ...INFORMATION_SCHEMA_VIEWS,
  ...ABSENT_VIEWS,
};

/** Columns of a view of pg_catalog or information_schema, or undefined where there is none. */
export function systemViewShape(schema: string, name: string): SystemViewShape | undefined {
  return systemRelation(schema, name);
}

/** Rows of a view (`schema.name`), each with the Datums of all its columns in order. */
export function* systemViewRows(state: SystemState, view: string): Iterable<readonly Datum[]> {
  const sequence = sequenceOfView(view);
  if (sequence !== null) {
    yield* inOrder(SEQUENCE_COLUMNS, sequenceRow(state, sequence));
    return;
  }
  const [schema = '', name = ''] = view.split('.');
  const shape = systemRelation(schema, name);
  const producer = PRODUCERS[view];
  if (shape === undefined || producer === undefined) return;
  yield* inOrder(shape.columns, producer(state));
}

function* inOrder(
  columns: readonly { readonly name: string }[],
  rows: Iterable<SystemRow>,
): Iterable<readonly Datum[]> {
  for (const row of rows) yield columns.map((column) => row[column.name] ?? null);
}

/** The producer of each view, by `schema.name`. */
export function systemViewProducers(): ReadonlyMap<string, RowProducer> {
  return new Map(Object.entries(PRODUCERS));
}
