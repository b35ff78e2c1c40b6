/** pg_get_indexdef, pg_get_constraintdef, pg_get_viewdef and the like. Unknown oids give null. */

import { quoteIdentifier } from '../../base/index.ts';
import {
  boundText,
  constraintDefinition,
  expressionWithText,
  type FunctionFacts,
  functionArguments,
  functionDefault,
  functionDefinition,
  functionFactsOf,
  functionResult,
  indexColumnDefinition,
  indexDefinition,
  partitionConstraintDefinition,
  partitionKeyDefinition,
  shownExpression,
  storedBound,
  systemRelationByOid,
  viewDefinition,
} from '../../catalog/system/index.ts';
import { pgError } from '../../errors/index.ts';
import { catalogOf, namesOf } from './catalog-context.ts';
import type { FunctionContext } from './function.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;

function indexDefinitionOf(context: C, oid: number, number = 0, pretty = false): string | null {
  const found = catalogOf(context).indexByOid(oid);
  if (found === undefined) return null;
  const names = namesOf(context);
  if (number !== 0) return indexColumnDefinition(names, found.table, found.index, number, pretty);
  return indexDefinition(names, found.table, found.index, pretty);
}

function constraintDefinitionOf(context: C, oid: number, pretty = false): string | null {
  for (const table of catalogOf(context).relations()) {
    const found = table.constraints.find((constraint) => constraint.oid === oid);
    if (found !== undefined) {
      return constraintDefinition(namesOf(context), table, found, pretty);
    }
  }
  return null;
}

function viewDefinitionOf(context: C, oid: number): string | null {
  const view = catalogOf(context).relationByOid(oid);
  return view === undefined || view.kind !== 'view' ? null : viewDefinition(view);
}

function viewDefinitionByName(context: C, name: string): string | null {
  return viewDefinitionOf(context, namesOf(context).requireRelation(name).oid);
}

/** The sequence of a serial or identity column, with its schema. */
function serialSequence(context: C, tableName: string, columnName: string): string | null {
  const names = namesOf(context);
  const catalog = catalogOf(context);
  const place = names.requireRelation(tableName);
  const table = catalog.relationByOid(place.oid);
  const columns = table?.columns ?? systemRelationByOid(place.oid)?.columns ?? [];
  const position = columns.findIndex((column) => column.name === columnName);
  if (position < 0) {
    throw pgError(
      'undefined_column',
      `column "${columnName}" of relation "${place.name}" does not exist`,
    );
  }
  for (const relation of catalog.relations()) {
    const { sequence } = relation;
    if (sequence?.ownerTable === place.oid && sequence.ownerColumn === position) {
      const schema = catalog.schemaByOid(relation.schema)?.name ?? '';
      return `${names.schemaInText(schema)}.${quoteIdentifier(relation.name)}`;
    }
  }
  return null;
}

/** An expression of the catalog; the bound of a partition with the values as the session prints them. */
function expressionOf(context: C, text: string, oid: number, pretty: boolean): string {
  const catalog = catalogOf(context);
  const relation = catalog.relationByOid(oid);
  if (relation !== undefined && text === storedBound(catalog, relation)) {
    return boundText(catalog, relation, context) ?? text;
  }
  return shownExpression(namesOf(context), expressionWithText(relation, text), pretty);
}

function ofFunction(print: (context: C, facts: FunctionFacts) => string | null) {
  return (context: C, oid: number): string | null => {
    const facts = functionFactsOf(oid);
    return facts === undefined ? null : print(context, facts);
  };
}

export const DEFINITION_FUNCTIONS: Scalars = {
  pg_get_indexdef: (c: C, oid: number) => indexDefinitionOf(c, oid),
  pg_get_indexdef_ext: indexDefinitionOf,
  pg_get_constraintdef: (c: C, oid: number) => constraintDefinitionOf(c, oid),
  pg_get_constraintdef_ext: constraintDefinitionOf,
  pg_get_viewdef: (c: C, oid: number) => viewDefinitionOf(c, oid),
  pg_get_viewdef_ext: (c: C, oid: number) => viewDefinitionOf(c, oid),
  pg_get_viewdef_wrap: (c: C, oid: number) => viewDefinitionOf(c, oid),
  pg_get_viewdef_name: viewDefinitionByName,
  pg_get_viewdef_name_ext: viewDefinitionByName,
  // Expressions are kept as the text that PostgreSQL would print of its node trees.
  pg_get_expr: (c: C, text: string, relation: number) => expressionOf(c, text, relation, false),
  pg_get_expr_ext: expressionOf,
  pg_get_partkeydef: (c: C, oid: number) => {
    const table = catalogOf(c).relationByOid(oid);
    return table === undefined ? null : partitionKeyDefinition(table);
  },
  pg_get_partition_constraintdef: (c: C, oid: number) => {
    const table = catalogOf(c).relationByOid(oid);
    return table === undefined ? null : partitionConstraintDefinition(catalogOf(c), table, c);
  },
  pg_get_serial_sequence: serialSequence,
  pg_get_function_arguments: ofFunction((c, facts) => functionArguments(namesOf(c), facts, true)),
  pg_get_function_identity_arguments: ofFunction((c, facts) =>
    functionArguments(namesOf(c), facts, false),
  ),
  pg_get_function_result: ofFunction((c, facts) => functionResult(namesOf(c), facts)),
  pg_get_functiondef: ofFunction((c, facts) => functionDefinition(namesOf(c), facts)),
};

/** There are no triggers, rules, statistics objects and SQL function bodies to print. */
export const BUILTIN_DEFINITION_FUNCTIONS: Scalars = {
  pg_get_function_arg_default: (_c, oid: number, argument: number) => {
    const facts = functionFactsOf(oid);
    return facts === undefined ? null : functionDefault(facts, argument);
  },
  pg_get_function_sqlbody: () => null,
  pg_get_ruledef: () => null,
  pg_get_ruledef_ext: () => null,
  pg_get_triggerdef: () => null,
  pg_get_triggerdef_ext: () => null,
  pg_get_statisticsobjdef: () => null,
  pg_get_statisticsobjdef_columns: () => null,
  pg_get_statisticsobjdef_expressions: () => null,
};
