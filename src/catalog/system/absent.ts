import { noRows, type ProducerTable } from './system-state.ts';

/** Catalogs of objects that Heddle does not have, or keeps no record of: clients ask for them, and
 * find nothing. */
const PG_CATALOG = `pg_auth_members pg_available_extension_versions pg_available_extensions
  pg_conversion pg_db_role_setting pg_default_acl pg_event_trigger
  pg_extension pg_foreign_data_wrapper pg_foreign_server pg_foreign_table pg_init_privs
  pg_largeobject_metadata pg_matviews pg_parameter_acl pg_policies pg_policy pg_prepared_xacts
  pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables
  pg_replication_slots pg_rewrite pg_rules pg_seclabel pg_seclabels pg_shdepend
  pg_shseclabel pg_stat_replication pg_stat_user_functions pg_statistic_ext pg_statistic_ext_data
  pg_stats_ext pg_subscription pg_subscription_rel pg_transform pg_trigger pg_ts_config
  pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_user_mapping pg_user_mappings`;

const INFORMATION_SCHEMA = `applicable_roles column_domain_usage domain_constraints domains
  foreign_tables triggers user_defined_types`;

function emptyViews(schema: string, names: string): ProducerTable {
  return Object.fromEntries(names.split(/\s+/).map((name) => [`${schema}.${name}`, noRows]));
}

export const ABSENT_VIEWS: ProducerTable = {
  ...emptyViews('pg_catalog', PG_CATALOG),
  ...emptyViews('information_schema', INFORMATION_SCHEMA),
};
