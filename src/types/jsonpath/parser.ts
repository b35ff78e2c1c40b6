/** The grammar of jsonpath, by recursive descent:
 *
 *   path        = [ strict | lax ] or
 *   or          = and { "||" and }
 *   and         = test { "&&" test }
 *   test        = "!" ( "(" or ")" | exists ) | exists
 *               | sum [ comparison sum | starts with initial | like_regex string [ flag string ] ]
 *               | "(" or ")" is unknown
 *   exists      = exists "(" sum ")"
 *   sum         = product { ( "+" | "-" ) product }
 *   product     = signed { ( "*" | "/" | "%" ) signed }
 *   signed      = { "+" | "-" } accessed
 *   accessed    = ( constant | variable | "$" | "@" | last | "(" or ")" ) { accessor }
 *
 * Predicates and expressions meet in parentheses only, so the rules return either and their callers
 * refuse what they cannot take, at the token where PostgreSQL's parser notices. */
import { pgError, stackDepthExceeded } from '../../errors/index.ts';
import type { FiniteNumeric } from '../datum.ts';
import { negate } from '../numeric/arithmetic.ts';
import { parseNumeric } from '../numeric/text.ts';
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  isPredicate,
  type JsonPath,
  LAST_LEVEL,
  type PathItem,
  type PathMethod,
  type PathStep,
  type Subscript,
} from './item.ts';
import { jsonpathSyntaxError, Lexer, type Token } from './lexer.ts';

const DEPTH_MAX = 1000;

const METHODS: ReadonlySet<string> = new Set<PathMethod>([
  'type',
  'size',
  'abs',
  'floor',
  'ceiling',
  'double',
  'keyvalue',
]);

const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '==': '==',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

export function parseJsonPath(text: string): JsonPath {
  return new Parser(text).path();
}

class Parser {
  private readonly text: string;
  private readonly lexer: Lexer;
  private token: Token;
  private depth = 0;
  /** Filters around the present place, in which @ has a meaning. */
  private filters = 0;
  /** Array subscripts around it, in which `last` has one. */
  private subscripts = 0;

  constructor(text: string) {
    this.text = text;
    this.lexer = new Lexer(text);
    this.token = this.lexer.next();
  }

  path(): JsonPath {
    if (this.isAtEnd()) {
      throw pgError(
        'invalid_text_representation',
        `invalid input syntax for type jsonpath: "${this.text}"`,
      );
    }
    const strict = this.acceptKeyword('strict');
    if (!strict) this.acceptKeyword('lax');
    const root = this.or();
    if (!this.isAtEnd()) throw this.unexpected();
    return { strict, root };
  }

  // ---------------------------------------------------------------- predicates

  private or(): PathItem {
    if (++this.depth > DEPTH_MAX) throw stackDepthExceeded();
    let left = this.and();
    while (this.isSymbol('||')) {
      this.requirePredicate(left);
      this.advance();
      left = item({ kind: 'or', left, right: this.requirePredicate(this.and()) });
    }
    this.depth--;
    return left;
  }

  private and(): PathItem {
    let left = this.test();
    while (this.isSymbol('&&')) {
      this.requirePredicate(left);
      this.advance();
      left = item({ kind: 'and', left, right: this.requirePredicate(this.test()) });
    }
    return left;
  }

  private test(): PathItem {
    if (this.acceptSymbol('!')) return item({ kind: 'not', argument: this.delimited() });
    if (this.isKeyword('exists')) return this.delimited();
    const left = this.sum();
    if (isBarePredicate(left)) return this.isUnknown(left);
    const comparison = this.token.kind === 'symbol' ? COMPARISONS[this.token.text] : undefined;
    if (comparison !== undefined) {
      this.advance();
      const right = this.requireExpression(this.sum());
      return item({ kind: 'comparison', operator: comparison, left, right });
    }
    if (this.acceptKeyword('starts')) return this.startsWith(left);
    if (this.acceptKeyword('like_regex')) return this.likeRegex(left);
    return left;
  }

  /** A predicate in parentheses, or EXISTS (…). */
  private delimited(): PathItem {
    const isExists = this.acceptKeyword('exists');
    this.expectSymbol('(');
    const inner = isExists ? this.requireExpression(this.sum()) : this.requirePredicate(this.or());
    this.expectSymbol(')');
    return isExists ? item({ kind: 'exists', argument: inner }) : inner;
  }

  /** A predicate in parentheses has been read. */
  private isUnknown(argument: PathItem): PathItem {
    if (!this.acceptKeyword('is')) return argument;
    this.expectKeyword('unknown');
    return item({ kind: 'isUnknown', argument });
  }

  private startsWith(left: PathItem): PathItem {
    this.expectKeyword('with');
    const { kind, text } = this.token;
    if (kind !== 'string' && kind !== 'variable') throw this.unexpected();
    this.advance();
    const right: PathStep =
      kind === 'string' ? { kind: 'string', value: text } : { kind: 'variable', name: text };
    return item({ kind: 'startsWith', left, right: item(right) });
  }

  private likeRegex(argument: PathItem): PathItem {
    const pattern = this.string();
    const flags = this.acceptKeyword('flag') ? checkedFlags(this.string()) : '';
    return item({ kind: 'likeRegex', argument, pattern, flags });
  }

  // ---------------------------------------------------------------- expressions

  private sum(): PathItem {
    return this.operators(['+', '-'], () => this.product());
  }

  private product(): PathItem {
    return this.operators(['*', '/', '%'], () => this.signed());
  }

  private operators(symbols: readonly string[], operand: () => PathItem): PathItem {
    let left = operand();
    while (!isBarePredicate(left) && this.token.kind === 'symbol') {
      const operator = this.token.text;
      if (!symbols.includes(operator)) break;
      this.advance();
      const right = this.requireExpression(operand());
      left = item({ kind: 'arithmetic', operator: operator as ArithmeticOperator, left, right });
    }
    return left;
  }

  private signed(): PathItem {
    const operator = this.token.text;
    if (this.token.kind !== 'symbol' || (operator !== '+' && operator !== '-')) {
      return this.accessed();
    }
    this.advance();
    if (++this.depth > DEPTH_MAX) throw stackDepthExceeded();
    const argument = this.requireExpression(this.signed());
    this.depth--;
    if (argument.kind === 'number' && argument.next === null) {
      if (operator === '+') return argument;
      return item({ kind: 'number', value: negate(argument.value) as FiniteNumeric });
    }
    return item({ kind: 'sign', operator, argument });
  }

  private accessed(): PathItem {
    const primary = this.primary();
    const accessors: PathStep[] = [];
    for (let step = this.accessor(); step !== null; step = this.accessor()) accessors.push(step);
    return accessors.length === 0 ? primary : append(primary, accessors);
  }

  private primary(): PathItem {
    const { kind, text } = this.token;
    switch (kind) {
      case 'string':
        return this.take({ kind: 'string', value: text });
      case 'variable':
        return this.take({ kind: 'variable', name: text });
      case 'integer':
      case 'decimal':
        return this.take({ kind: 'number', value: parseNumeric(text) as FiniteNumeric });
      case 'word':
        return this.take(this.wordStep(text));
      case 'symbol':
        return this.symbolStep(text);
      case 'end':
        throw this.unexpected();
    }
  }

  private wordStep(text: string): PathStep {
    if (text === 'null') return { kind: 'null' };
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' };
    if (!this.isKeyword('last')) throw this.unexpected();
    if (this.subscripts === 0) {
      throw pgError('syntax_error', 'LAST is allowed only in array subscripts');
    }
    return { kind: 'last' };
  }

  private symbolStep(text: string): PathItem {
    switch (text) {
      case '$':
        return this.take({ kind: 'root' });
      case '@':
        if (this.filters === 0) {
          throw pgError('syntax_error', '@ is not allowed in root expressions');
        }
        return this.take({ kind: 'current' });
      case '(': {
        this.advance();
        const inner = this.or();
        this.expectSymbol(')');
        return inner;
      }
      default:
        throw this.unexpected();
    }
  }

  // ---------------------------------------------------------------- accessors

  private accessor(): PathStep | null {
    if (this.acceptSymbol('.')) return this.member();
    if (this.acceptSymbol('[')) return this.subscript();
    if (!this.acceptSymbol('?')) return null;
    this.expectSymbol('(');
    this.filters++;
    const argument = this.requirePredicate(this.or());
    this.filters--;
    this.expectSymbol(')');
    return { kind: 'filter', argument };
  }

  private member(): PathStep {
    if (this.acceptSymbol('*')) return { kind: 'anyField' };
    if (this.acceptSymbol('**')) return this.descendants();
    const { kind, text } = this.token;
    if (kind !== 'word' && kind !== 'string') throw this.unexpected();
    this.advance();
    const method = text.toLowerCase();
    if (kind === 'word' && this.isSymbol('(')) {
      if (METHODS.has(method)) return this.method(method as PathMethod);
      if (method === 'datetime') return this.datetime();
    }
    return { kind: 'field', name: text };
  }

  private method(name: PathMethod): PathStep {
    this.expectSymbol('(');
    this.expectSymbol(')');
    return { kind: 'method', name };
  }

  private datetime(): PathStep {
    this.expectSymbol('(');
    const template = this.token.kind === 'string' ? this.string() : null;
    this.expectSymbol(')');
    return { kind: 'datetime', template };
  }

  private descendants(): PathStep {
    if (!this.acceptSymbol('{')) return { kind: 'descendants', first: 0, last: LAST_LEVEL };
    const first = this.level();
    const last = this.acceptKeyword('to') ? this.level() : first;
    this.expectSymbol('}');
    return { kind: 'descendants', first, last };
  }

  private level(): number {
    if (this.acceptKeyword('last')) return LAST_LEVEL;
    const { kind, text } = this.token;
    if (kind !== 'integer') throw this.unexpected();
    const level = Number(text);
    if (level > 0x7fff_ffff) {
      throw pgError(
        'numeric_value_out_of_range',
        `value "${text}" is out of range for type integer`,
      );
    }
    this.advance();
    return level;
  }

  private subscript(): PathStep {
    if (this.acceptSymbol('*')) {
      this.expectSymbol(']');
      return { kind: 'anyElement' };
    }
    this.subscripts++;
    const subscripts: Subscript[] = [];
    do {
      const from = this.requireExpression(this.sum());
      const to = this.acceptKeyword('to') ? this.requireExpression(this.sum()) : null;
      subscripts.push({ from, to });
    } while (this.acceptSymbol(','));
    this.subscripts--;
    this.expectSymbol(']');
    return { kind: 'subscript', subscripts };
  }

  // ---------------------------------------------------------------- tokens

  private advance(): void {
    this.token = this.lexer.next();
  }

  private take(step: PathStep): PathItem {
    this.advance();
    return item(step);
  }

  private string(): string {
    const { kind, text } = this.token;
    if (kind !== 'string') throw this.unexpected();
    this.advance();
    return text;
  }

  private isAtEnd(): boolean {
    return this.token.kind === 'end';
  }

  private isSymbol(text: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === text;
  }

  private acceptSymbol(text: string): boolean {
    const found = this.isSymbol(text);
    if (found) this.advance();
    return found;
  }

  private expectSymbol(text: string): void {
    if (!this.acceptSymbol(text)) throw this.unexpected();
  }

  /** Keywords are spelled in either case, unlike null, true and false. */
  private isKeyword(word: string): boolean {
    return this.token.kind === 'word' && this.token.text.toLowerCase() === word;
  }

  private acceptKeyword(word: string): boolean {
    const found = this.isKeyword(word);
    if (found) this.advance();
    return found;
  }

  private expectKeyword(word: string): void {
    if (!this.acceptKeyword(word)) throw this.unexpected();
  }

  private requirePredicate(found: PathItem): PathItem {
    if (!isBarePredicate(found)) throw this.unexpected();
    return found;
  }

  private requireExpression(found: PathItem): PathItem {
    if (isBarePredicate(found)) throw this.unexpected();
    return found;
  }

  private unexpected() {
    return jsonpathSyntaxError('syntax error', this.token.shown);
  }
}

function item(step: PathStep): PathItem {
  return { ...step, next: null } as PathItem;
}

/** A predicate that nothing has been applied to, so that it is no expression. */
function isBarePredicate(found: PathItem): boolean {
  return found.next === null && isPredicate(found);
}

/** The item with steps after the last of those that it has. */
function append(first: PathItem, steps: readonly PathStep[]): PathItem {
  const chain: PathStep[] = [];
  for (let at: PathItem | null = first; at !== null; at = at.next) chain.push(at);
  return [...chain, ...steps].reduceRight<PathItem | null>(
    (next, step) => ({ ...step, next }) as PathItem,
    null,
  )!;
}

function checkedFlags(flags: string): string {
  for (const flag of flags) {
    if ('ismxq'.includes(flag)) continue;
    throw pgError('syntax_error', 'invalid input syntax for type jsonpath', {
      detail: `Unrecognized flag character "${flag}" in LIKE_REGEX predicate.`,
    });
  }
  return [...'ismxq'].filter((flag) => flags.includes(flag)).join('');
}
