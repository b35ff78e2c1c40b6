import type { Node } from '@pgsql/types';

/** Small readers of the syntax tree. */

export function nodeString(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : undefined;
}

export function nameList(nodes: readonly Node[] | undefined): string[] {
  const names: string[] = [];
  for (const node of nodes ?? []) {
    const name = nodeString(node);
    if (name !== undefined) names.push(name);
  }
  return names;
}

export function listItems(node: Node | undefined): readonly Node[] {
  return node !== undefined && 'List' in node ? (node.List.items ?? []) : [];
}

/** Where the text of a node begins, as far as its parts have locations (-1 stands for none). */
export function firstLocation(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  let first: number | undefined;
  for (const [name, part] of Object.entries(node)) {
    const at = name === 'location' ? (part as number) : firstLocation(part);
    if (at !== undefined && at >= 0 && (first === undefined || at < first)) first = at;
  }
  return first;
}

/** The name that the root of a node has: SelectStmt, A_Expr, … */
export function nodeTag(node: Node): string {
  return Object.keys(node)[0] ?? '';
}

/** An integer constant, or undefined. */
export function integerConstant(node: Node | undefined): number | undefined {
  if (node === undefined || !('A_Const' in node) || node.A_Const.ival === undefined) {
    return undefined;
  }
  return node.A_Const.ival.ival ?? 0;
}

/** The name of an output column that has no AS: PostgreSQL's FigureColname. */
export function figureColumnName(node: Node | undefined): string {
  return (node && figure(node)?.name) ?? '?column?';
}

interface Figured {
  readonly name: string;
  /** 2 a good name, 1 a type or keyword that a better one may replace. */
  readonly strength: 1 | 2;
}

function figure(node: Node): Figured | null {
  if ('ColumnRef' in node) {
    const name = nameList(node.ColumnRef.fields).at(-1);
    return name === undefined ? null : strong(name);
  }
  if ('A_Indirection' in node) {
    const names = nameList(node.A_Indirection.indirection);
    const last = names.at(-1);
    if (last !== undefined) return strong(last);
    return node.A_Indirection.arg === undefined ? null : figure(node.A_Indirection.arg);
  }
  if ('FuncCall' in node) return strong(nameList(node.FuncCall.funcname).at(-1) ?? '');
  if ('A_Expr' in node) return node.A_Expr.kind === 'AEXPR_NULLIF' ? strong('nullif') : null;
  if ('TypeCast' in node) {
    const inner = node.TypeCast.arg === undefined ? null : figure(node.TypeCast.arg);
    if (inner?.strength === 2) return inner;
    const type = nameList(node.TypeCast.typeName?.names).at(-1);
    return type === undefined ? inner : { name: type, strength: 1 };
  }
  if ('CollateClause' in node) {
    return node.CollateClause.arg === undefined ? null : figure(node.CollateClause.arg);
  }
  if ('GroupingFunc' in node) return strong('grouping');
  if ('SubLink' in node) return figureSubLink(node.SubLink.subLinkType, node.SubLink.subselect);
  if ('CaseExpr' in node) {
    const otherwise = node.CaseExpr.defresult;
    const inner = otherwise === undefined ? null : figure(otherwise);
    return inner?.strength === 2 ? inner : { name: 'case', strength: 1 };
  }
  if ('A_ArrayExpr' in node) return strong('array');
  if ('RowExpr' in node) return strong('row');
  if ('CoalesceExpr' in node) return strong('coalesce');
  if ('MinMaxExpr' in node) {
    return strong(node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest');
  }
  if ('SQLValueFunction' in node) {
    const op = node.SQLValueFunction.op ?? 'SVFOP_CURRENT_DATE';
    return strong(op.slice('SVFOP_'.length).replace(/_N$/, '').toLowerCase());
  }
  return null;
}

function strong(name: string): Figured {
  return { name, strength: 2 };
}

function figureSubLink(type: string | undefined, subselect: Node | undefined): Figured | null {
  if (type === 'EXISTS_SUBLINK') return strong('exists');
  if (type === 'ARRAY_SUBLINK') return strong('array');
  if (type !== 'EXPR_SUBLINK' || subselect === undefined || !('SelectStmt' in subselect)) {
    return null;
  }
  let select = subselect.SelectStmt;
  while (select.larg !== undefined) select = select.larg;
  const target = select.targetList?.[0];
  if (target === undefined) return select.valuesLists === undefined ? null : strong('column1');
  if (!('ResTarget' in target)) return null;
  if (target.ResTarget.name !== undefined) return strong(target.ResTarget.name);
  return strong(figureColumnName(target.ResTarget.val));
}
