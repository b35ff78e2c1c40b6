/** pg_settings. */

import { type ProducerTable, type SystemRow, type SystemState, textArray } from './system-state.ts';

function* settingRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of server.settings()) {
    yield {
      name: facts.name,
      setting: facts.setting,
      unit: facts.unit,
      category: facts.category,
      short_desc: facts.description,
      context: facts.context,
      vartype: facts.type,
      source: facts.source,
      min_val: facts.minimum,
      max_val: facts.maximum,
      enumvals: facts.values === null ? null : textArray(facts.values),
      boot_val: facts.bootValue,
      reset_val: facts.resetValue,
      pending_restart: false,
    };
  }
}

export const SETTING_VIEWS: ProducerTable = { 'pg_catalog.pg_settings': settingRows };
