import type { Node, RangeVar, TypeName } from '@pgsql/types';
import { hashString } from '../../base/index.ts';
import type { RelationDescriptor, StoredExpression } from '../../catalog/index.ts';
import type { PgErrorOptions } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { type BindContext, Binder } from '../bind/binder.ts';
import { deparseExpression, quoteIdentifier } from '../bind/deparse.ts';
import { bindExpression, type StoredPlace, type StoredTarget } from '../bind/stored.ts';
import { type BoundType, bindTypeName } from '../bind/type-names.ts';
import type { Expr } from '../expression.ts';
import type { UtilityEnvironment, UtilityPause } from './environment.ts';
import { qualifiedName } from './object-names.ts';

/** What the parts of a command share while it runs. */
export class Command {
  readonly environment: UtilityEnvironment;
  /** The whole query string, which locations of the tree refer to. */
  readonly text: string;

  constructor(text: string, environment: UtilityEnvironment) {
    this.text = text;
    this.environment = environment;
  }

  get catalog() {
    return this.environment.catalog;
  }

  /** For the binder; the catalog is the one of now. */
  bindContext(): BindContext {
    return {
      catalog: this.catalog,
      searchPath: this.environment.searchPath.schemas,
      processId: this.environment.functions.session.processId,
      parameterTypes: [],
      literals: [],
      parameterCount: 0,
      parametersAllowed: false,
      text: this.text,
      types: this.environment.functions,
    };
  }

  binder(): Binder {
    return new Binder(this.bindContext(), new Set());
  }

  /** Error fields with the position of a location of the tree. */
  position(location: number | undefined): PgErrorOptions {
    return this.binder().position(location);
  }

  type(name: TypeName): BoundType {
    return bindTypeName(this.binder(), name);
  }

  expression(
    node: Node,
    place: StoredPlace,
    table: Pick<RelationDescriptor, 'name' | 'columns'> | null,
    target: StoredTarget | null,
  ): StoredExpression {
    const { expr } = bindExpression(node, this.bindContext(), place, table, target);
    return this.stored(expr, table);
  }

  /** An expression with the text that it has over the table's columns. */
  stored(expr: unknown, table: Pick<RelationDescriptor, 'columns'> | null): StoredExpression {
    const text = this.expressionText(expr, table, false);
    const pretty = this.expressionText(expr, table, true);
    return { expr, text, pretty };
  }

  /** An expression over a table's columns as the catalog keeps it: as pg_get_expr prints it where no
   * schema is in the search path. */
  private expressionText(
    expr: unknown,
    table: Pick<RelationDescriptor, 'columns'> | null,
    isPretty: boolean,
  ): string {
    return deparseExpression(expr as Expr, {
      isStored: true,
      isPretty,
      column: (column) => quoteIdentifier(table?.columns[column]?.name ?? ''),
      relation: (oid) => {
        const relation = this.catalog.relationByOid(oid);
        return relation === undefined ? null : qualifiedName(this, relation);
      },
      type: (oid) => {
        const type = this.catalog.typeByOid(oid);
        if (type === undefined) return null;
        return `${qualifiedName(this, type)}${type.oid === oid ? '' : '[]'}`;
      },
    });
  }

  /** Takes a table lock, waiting for it. */
  *lock(
    relation: { readonly oid: number; readonly name: string },
    mode: number,
    nowait = false,
  ): Generator<UtilityPause, void, undefined> {
    while (this.environment.lockTable(relation.oid, relation.name, mode, nowait) === 'wait') {
      yield 'wait';
    }
  }

  /** Makes sure that no other transaction creates something of this name before this one has ended;
   * the catalog is to be looked at afterwards. Names are locked as relations that do not exist. */
  *claimName(schema: number, name: string): Generator<UtilityPause, void, undefined> {
    yield* this.lock({ oid: nameLock(`${schema}/${name}`), name }, TABLE_LOCK.accessExclusive);
  }

  /** Finds a relation by name and locks it. What is found after a wait may be another one, which is
   * then locked instead; undefined when there is none. */
  *lockNamed<Found extends { readonly oid: number; readonly name: string }>(
    find: () => Found | undefined,
    mode: number,
    nowait = false,
  ): Generator<UtilityPause, Found | undefined, undefined> {
    let found = find();
    for (;;) {
      if (found === undefined) return undefined;
      yield* this.lock(found, mode, nowait);
      const now = find();
      if (now === undefined || now.oid === found.oid) return now;
      found = now;
    }
  }
}

/** A number below 0 for a name. Names that share one wait for one another, no more. */
function nameLock(text: string): number {
  return -1 - (hashString(text) >>> 0);
}

/** A name as the user wrote it, for messages. */
export function writtenName(name: RangeVar): string {
  const relation = name.relname ?? '';
  return name.schemaname === undefined ? relation : `${name.schemaname}.${relation}`;
}
