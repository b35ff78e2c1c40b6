/** jsonpath expressions as trees. An item applies to a value; `next` is what its results go on to. */
import type { FiniteNumeric } from '../datum.ts';

export type PathItem = PathStep & { readonly next: PathItem | null };

export type PathMethod = 'type' | 'size' | 'abs' | 'floor' | 'ceiling' | 'double' | 'keyvalue';

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

export interface Subscript {
  readonly from: PathItem;
  /** Of a range. */
  readonly to: PathItem | null;
}

/** The level `last` of `**{first to last}`: the leaves. */
export const LAST_LEVEL = 0xffff_ffff;

export type PathStep =
  | { readonly kind: 'null' | 'root' | 'current' | 'last' | 'anyElement' | 'anyField' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: FiniteNumeric }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'subscript'; readonly subscripts: readonly Subscript[] }
  | { readonly kind: 'descendants'; readonly first: number; readonly last: number }
  | { readonly kind: 'filter'; readonly argument: PathItem }
  | { readonly kind: 'method'; readonly name: PathMethod }
  | { readonly kind: 'datetime'; readonly template: string | null }
  | { readonly kind: 'sign'; readonly operator: '+' | '-'; readonly argument: PathItem }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: PathItem;
      readonly right: PathItem;
    }
  | PathPredicate;

/** What is true, false or unknown. */
type PathPredicate =
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly left: PathItem;
      readonly right: PathItem;
    }
  | { readonly kind: 'and' | 'or'; readonly left: PathItem; readonly right: PathItem }
  | { readonly kind: 'not' | 'isUnknown' | 'exists'; readonly argument: PathItem }
  | { readonly kind: 'startsWith'; readonly left: PathItem; readonly right: PathItem }
  | {
      readonly kind: 'likeRegex';
      readonly argument: PathItem;
      readonly pattern: string;
      readonly flags: string;
    };

export interface JsonPath {
  readonly strict: boolean;
  readonly root: PathItem;
}

export function isPredicate({ kind }: PathStep): boolean {
  switch (kind) {
    case 'comparison':
    case 'and':
    case 'or':
    case 'not':
    case 'isUnknown':
    case 'exists':
    case 'startsWith':
    case 'likeRegex':
      return true;
    default:
      return false;
  }
}
