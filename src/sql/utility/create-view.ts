import type { Node, RangeVar, SelectStmt, TypeName, ViewStmt } from '@pgsql/types';
import type { ColumnDescriptor, RelationDescriptor, ShownRelation } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { formatType, OID } from '../../types/index.ts';
import { bindStatement } from '../bind/bind-statement.ts';
import { visibleOutput } from '../bind/sublinks.ts';
import { nameList } from '../bind/syntax.ts';
import { refuseCheckOption, shownRelation } from '../bind/view-target.ts';
import { parseStatements } from '../parse/index.ts';
import type { Command } from './command.ts';
import { checkColumnCount } from './create-table.ts';
import { visitTree } from './dependencies.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import {
  creationPlace,
  duplicateRelation,
  findRelation,
  isNameTaken,
  qualifiedName,
} from './object-names.ts';
import { changeRelation } from './relation-change.ts';
import { viewOptions } from './storage-options.ts';
import { checkColumnType } from './table-elements.ts';
import type { NewPlace } from './temporary.ts';
import { duplicateRowType, findNamedType, freeTypeName, holdTypes } from './user-types.ts';
import { refuseCapture } from './view-dependencies.ts';
import {
  commonTablesOf,
  recursiveQueryText,
  renameRelations,
  renameTypes,
  viewQueryText,
  type WrittenNames,
  withWrittenNames,
} from './view-text.ts';

/** CREATE [OR REPLACE] [RECURSIVE] VIEW. */
export function* createView(command: Command, statement: ViewStmt): UtilityExecution {
  const tag = 'CREATE VIEW';
  const { environment } = command;
  const { view: name = {}, query } = statement;
  const options = viewOptions([], optionsOf(statement), false);
  if (query === undefined || !('SelectStmt' in query)) throw notSupported('this view');
  if (query.SelectStmt.intoClause !== undefined) {
    throw pgError('feature_not_supported', 'views must not contain SELECT INTO');
  }
  if (changesInWith(query.SelectStmt)) {
    throw pgError(
      'feature_not_supported',
      'views must not contain data-modifying statements in WITH',
    );
  }
  const viewName = name.relname ?? '';
  yield* lockRelations(command, query);
  const aliases = nameList(statement.aliases);
  yield* holdTypes(command, typesNamed(command, query));
  const checked = options.some((option) => option.startsWith('check_option='));
  const { columns, shows } = viewShape(command, query, aliases, checked);
  const { schema, persistence } = viewPlace(command, name, query);
  yield* command.claimName(schema.oid, viewName);
  const written = viewQueryText(command.text, name.location ?? 0, hasCheckOption(statement));
  const text = isRecursiveView(query.SelectStmt)
    ? recursiveQueryText(viewName, aliases, written)
    : written;
  const definition = qualify(command, writeOut(command, text));
  const present = command.catalog.relationByName(schema.oid, viewName);
  if (present !== undefined && statement.replace === true) {
    if (present.kind !== 'view') {
      throw pgError('wrong_object_type', `"${viewName}" is not a view`);
    }
    yield* command.lock(present, TABLE_LOCK.accessExclusive);
    checkReplacement(present, columns);
    const commented = columns.map((column, i) => {
      const before = present.columns[i]?.comment;
      return before ? { ...column, comment: before } : column;
    });
    const changed = changeRelation(command, present, {
      columns: commented,
      definition,
      shows,
      options,
    });
    for (const { name } of columns.slice(present.columns.length)) {
      refuseCapture(command, changed, name);
    }
    return { tag };
  }
  if (isNameTaken(command.catalog, schema.oid, viewName)) throw duplicateRelation(viewName);
  freeTypeName(command, schema.oid, viewName, duplicateRowType);
  const oid = environment.nextOid();
  const rowType = environment.nextOid();
  // The array type over the row type.
  environment.nextOid();
  const view: RelationDescriptor = {
    oid,
    name: viewName,
    schema: schema.oid,
    kind: 'view',
    persistence,
    owner: environment.role,
    version: 1,
    columns,
    tree: 0 as TreeId,
    clusterKey: null,
    indexes: [],
    constraints: [],
    sequence: null,
    definition,
    shows,
    options,
    rowType,
    statistics: null,
    partitioning: null,
    partitionOf: null,
  };
  environment.change({ kind: 'relation', oid, descriptor: view });
  return { tag };
}

function hasCheckOption({ withCheckOption = 'NO_CHECK_OPTION' }: ViewStmt): boolean {
  return withCheckOption !== 'NO_CHECK_OPTION';
}

/** The options in parentheses, and the one that has words of its own. */
function optionsOf(statement: ViewStmt): readonly Node[] {
  const { options = [], withCheckOption } = statement;
  if (!hasCheckOption(statement)) return options;
  const sval = withCheckOption === 'LOCAL_CHECK_OPTION' ? 'local' : 'cascaded';
  return [...options, { DefElem: { defname: 'check_option', arg: { String: { sval } } } }];
}

/** Where the view goes; over temporary relations it is a temporary one itself. */
function viewPlace(command: Command, name: RangeVar, query: Node): NewPlace {
  if (name.relpersistence === 't' || !readsTemporary(command, query)) {
    return creationPlace(command, name, 'views');
  }
  command.environment.notice({ message: `view "${name.relname}" will be a temporary view` });
  return creationPlace(command, { ...name, relpersistence: 't' }, 'views');
}

function readsTemporary(command: Command, query: Node): boolean {
  return relationsOf(query).some((name) => findRelation(command, name)?.persistence === 't');
}

/** The relations that a query names, but for names of its WITH items. */
function relationsOf(query: Node): RangeVar[] {
  const names: RangeVar[] = [];
  const commonTables = commonTablesOf(query);
  visitTree(query, (tag, node) => {
    const name = node as RangeVar;
    if (tag !== 'RangeVar') return;
    if (name.schemaname === undefined && commonTables.has(name.relname ?? '')) return;
    names.push(name);
  });
  return names;
}

/** Whether the query has INSERT, UPDATE or DELETE in its WITH clause. */
function changesInWith(select: SelectStmt): boolean {
  return (select.withClause?.ctes ?? []).some(
    (node) =>
      'CommonTableExpr' in node &&
      node.CommonTableExpr.ctequery !== undefined &&
      !('SelectStmt' in node.CommonTableExpr.ctequery),
  );
}

/** Keeps the relations of the query from being dropped or altered meanwhile. */
function* lockRelations(command: Command, query: Node): Generator<UtilityPause, void, undefined> {
  for (const name of relationsOf(query)) {
    yield* command.lockNamed(() => findRelation(command, name), TABLE_LOCK.accessShare);
  }
}

/** Oids of the types of users that the query names. */
function typesNamed(command: Command, query: Node): number[] {
  const oids: number[] = [];
  visitTree(query, (tag, node) => {
    if (tag !== 'TypeName' && tag !== 'typeName') return;
    const found = findNamedType(command, nameList((node as TypeName).names));
    if (found?.kind === 'enum' || found?.kind === 'array') oids.push(found.type.oid);
  });
  return oids;
}

function viewShape(
  command: Command,
  query: Node,
  aliases: readonly string[],
  checked: boolean,
): { readonly columns: ColumnDescriptor[]; readonly shows: ShownRelation | null } {
  const bound = bindStatement(query, command.bindContext());
  if (checked) refuseCheckOption(bound.query);
  const output = visibleOutput(bound.query);
  if (aliases.length > output.length) {
    throw pgError('syntax_error', 'CREATE VIEW specifies more column names than columns');
  }
  checkColumnCount(output.length);
  const columns = output.map(({ name, expr }, i): ColumnDescriptor => {
    const column = aliases[i] ?? name;
    const type = expr.type === OID.unknown ? OID.text : expr.type;
    checkColumnType(column, type);
    return {
      name: column,
      type,
      typmod: expr.typmod,
      notNull: false,
      dropped: false,
      default: null,
      identity: '',
      sequence: 0,
      missing: null,
    };
  });
  columns.forEach((column, i) => {
    if (columns.findIndex((other) => other.name === column.name) === i) return;
    throw pgError('duplicate_column', `column "${column.name}" specified more than once`);
  });
  return { columns, shows: shownRelation(bound.query) };
}

/** Writes out what each `*` stands for, and what each column is of: columns that its tables get later are
 * none of the view's. Constants that name relations get the schemas of those. */
function writeOut(command: Command, text: string): string {
  const written: WrittenNames = { stars: new Map(), qualifiers: new Map(), relations: new Map() };
  const [statement] = parseStatements(text);
  if (statement === undefined) return text;
  bindStatement(statement.node, {
    ...command.bindContext(),
    text,
    onStar: (location, columns) => written.stars.set(location, columns),
    onColumn: (location, qualifier) => written.qualifiers.set(location, qualifier),
    onRelationName: (location, oid) => {
      const relation = command.catalog.relationByOid(oid);
      if (relation !== undefined) written.relations.set(location, qualifiedName(command, relation));
    },
  });
  return withWrittenNames(text, written);
}

/** Names the relations and types of the query with their schemas. */
function qualify(command: Command, text: string): string {
  const typed = renameTypes(text, (names) => {
    const found = findNamedType(command, names);
    if (found?.kind !== 'enum' && found?.kind !== 'array') return null;
    const schema = command.catalog.schemaByOid(found.type.schema)?.name ?? '';
    return { schema, name: names.at(-1) ?? '' };
  });
  return renameRelations(
    typed,
    (name) => {
      const relation = findRelation(command, name);
      if (relation === undefined) return null;
      const schema = command.catalog.schemaByOid(relation.schema)?.name ?? '';
      return { schema, name: relation.name };
    },
    false,
  );
}

/** A view that is replaced keeps its columns; new ones may come after them. */
function checkReplacement(view: RelationDescriptor, columns: readonly ColumnDescriptor[]): void {
  if (columns.length < view.columns.length) {
    throw pgError('invalid_table_definition', 'cannot drop columns from view');
  }
  view.columns.forEach((old, i) => {
    const column = columns[i]!;
    if (column.name !== old.name) {
      throw pgError(
        'invalid_table_definition',
        `cannot change name of view column "${old.name}" to "${column.name}"`,
        {
          hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.',
        },
      );
    }
    if (column.type !== old.type || column.typmod !== old.typmod) {
      throw pgError(
        'invalid_table_definition',
        `cannot change data type of view column "${old.name}" from ${formatType(old.type, old.typmod)} to ${formatType(column.type, column.typmod)}`,
      );
    }
  });
}

/** CREATE RECURSIVE VIEW: the grammar puts the query, which stands in the text, into one that does not. */
function isRecursiveView({ withClause, targetList }: SelectStmt): boolean {
  const [target] = targetList ?? [];
  const location = target !== undefined && 'ResTarget' in target ? target.ResTarget.location : 0;
  return withClause?.recursive === true && location === -1;
}
