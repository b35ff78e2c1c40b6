import type { Node } from '@pgsql/types';
import { type CatalogView, FIRST_USER_OID, type RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { findType, OID, type TypeContext } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { visitChildren, visitQuery } from '../expression-tree.ts';
import { type BindContext, Binder } from './binder.ts';
import { fixIndexLiterals } from './index-literals.ts';
import { bindInsert } from './insert.ts';
import { parametersBesideRows, withLiftedRows } from './lifted-rows.ts';
import { bindDelete, bindUpdate } from './modify.ts';
import type { Query } from './query.ts';
import { bindSelectStatement } from './select.ts';

/** A bound statement with what binding found out about its parameters and literals. */
export interface BoundStatement {
  readonly query: Query;
  /** Types of the user's parameters, $1 first, then those of the lifted literals; 0 for a literal
   * that is no parameter. */
  readonly parameterTypes: readonly number[];
  /** Literals whose text decided how the statement was bound: part of the cache's key. */
  readonly fixedLiterals: readonly number[];
  /** Whether a constant such as 'now' was read: the query is of its transaction alone. */
  readonly readsClock: boolean;
  /** Whether it is out of date at once: it names a temporary view of another session, of whose changes
   * this one does not hear. */
  readonly isPassing: boolean;
  /** The views whose queries it holds. */
  readonly views: readonly RelationDescriptor[];
}

/** Binds SELECT, INSERT, UPDATE and DELETE. */
export function bindStatement(node: Node, given: BindContext): BoundStatement {
  let readsClock = false;
  const context = {
    ...given,
    types: watchClock(given.types, () => {
      readsClock = true;
    }),
  };
  checkParameterTypes(given);
  let fixed: ReadonlySet<number> = new Set();
  for (;;) {
    const b = new Binder(context, fixed, given.types);
    const query = bindQuery(b, node);
    if (context.literals.length > 0) {
      fixConflicts(b, query);
      fixIndexLiterals(b, query);
      if (b.fixed.size > fixed.size) {
        fixed = b.fixed;
        continue;
      }
    }
    while (b.parameterTypes.length < b.literalBase) b.parameterTypes.push(OID.text);
    b.parameterTypes.forEach((type, i) => {
      if (type !== 0 && type !== OID.unknown) return;
      throw pgError(
        'indeterminate_datatype',
        `could not determine data type of parameter $${i + 1}`,
      );
    });
    const [refused] = [...b.rewriteErrors, ...b.laterErrors];
    if (refused !== undefined) throw refused;
    const used = usedLiterals(b, query);
    const literalTypes = b.literalTypes.map((type, i) => (used.has(i) ? type || OID.text : 0));
    const { rowKinds } = context;
    const lifted = rowKinds ? parametersBesideRows(rowKinds, literalTypes) : literalTypes;
    return {
      query: rowKinds ? withLiftedRows(b, query, rowKinds, literalTypes) : query,
      parameterTypes: [...b.parameterTypes, ...lifted],
      fixedLiterals: context.literals.map((_, i) => i).filter((i) => !used.has(i)),
      readsClock,
      isPassing: b.readsOthersView,
      views: [...b.views],
    };
  }
}

/** 42704 for a parameter whose type was there when the statement was prepared, and is gone. */
function checkParameterTypes({ parameterTypes, catalog }: BindContext): void {
  for (const oid of parameterTypes) {
    if (oid < FIRST_USER_OID || findType(oid) !== undefined || isRowType(catalog, oid)) continue;
    throw pgError('undefined_object', `type with OID ${oid} does not exist`);
  }
}

/** Whether a type is that of the rows of a relation, or of arrays of them. */
function isRowType(catalog: CatalogView, oid: number): boolean {
  for (const { rowType } of catalog.relations()) {
    if (rowType !== 0 && (rowType === oid || rowType + 1 === oid)) return true;
  }
  return false;
}

function watchClock(types: TypeContext, read: () => void): TypeContext {
  return {
    ...types,
    get transactionTimestamp() {
      read();
      return types.transactionTimestamp;
    },
  };
}

function bindQuery(b: Binder, node: Node): Query {
  if ('SelectStmt' in node) return bindSelectStatement(b, null, node.SelectStmt);
  if ('InsertStmt' in node) return bindInsert(b, null, node.InsertStmt);
  if ('UpdateStmt' in node) return bindUpdate(b, null, node.UpdateStmt);
  if ('DeleteStmt' in node) return bindDelete(b, null, node.DeleteStmt);
  if ('MergeStmt' in node) throw notSupported('MERGE');
  throw notSupported('this statement');
}

/** A literal that is met with two types cannot be one parameter. */
function fixConflicts(b: Binder, query: Query): void {
  visitLiterals(b, query, (literal, type) => {
    const known = b.literalTypes[literal] ?? 0;
    if (type === known || (type === OID.unknown && known === 0)) return;
    b.fixed.add(literal);
  });
}

function usedLiterals(b: Binder, query: Query): ReadonlySet<number> {
  const used = new Set<number>();
  if (b.context.literals.length > 0) visitLiterals(b, query, (literal) => used.add(literal));
  return used;
}

function visitLiterals(
  b: Binder,
  query: Query,
  visit: (literal: number, type: number) => void,
): void {
  const visitExpr = (expr: Expr): void => {
    const literal = b.literalOf(expr);
    if (literal >= 0) visit(literal, expr.type);
    if (expr.kind === 'subquery') visitInner(expr.query);
    visitChildren(expr, visitExpr);
  };
  const visitInner = (inner: Query): void => visitQuery(inner, visitExpr, visitInner);
  visitInner(query);
}
