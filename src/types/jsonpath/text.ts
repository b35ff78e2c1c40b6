/** jsonpath's canonical text. */
import { quoteJson } from '../json/text.ts';
import { formatNumeric } from '../numeric/text.ts';
import { type JsonPath, LAST_LEVEL, type PathItem, type PathStep, type Subscript } from './item.ts';

export function formatJsonPath({ strict, root }: JsonPath): string {
  return `${strict ? 'strict ' : ''}${formatItem(root, false, true)}`;
}

/** `inKey`: after another item, so that names have a dot. `wrapped`: operators have parentheses. */
function formatItem(item: PathItem, inKey: boolean, wrapped: boolean): string {
  const text = formatStep(item, inKey, wrapped);
  return item.next === null ? text : text + formatItem(item.next, true, true);
}

function formatStep(item: PathItem, inKey: boolean, wrapped: boolean): string {
  const dot = inKey ? '.' : '';
  switch (item.kind) {
    case 'null':
    case 'last':
      return item.kind;
    case 'root':
      return '$';
    case 'current':
      return '@';
    case 'anyElement':
      return '[*]';
    case 'anyField':
      return `${dot}*`;
    case 'boolean':
      return String(item.value);
    case 'number': {
      const text = formatNumeric(item.value);
      return item.next === null ? text : `(${text})`;
    }
    case 'string':
      return quoteJson(item.value);
    case 'variable':
      return `$${quoteJson(item.name)}`;
    case 'field':
      return `${dot}${quoteJson(item.name)}`;
    case 'subscript':
      return `[${item.subscripts.map(formatSubscript).join(',')}]`;
    case 'descendants':
      return `${dot}**${formatLevels(item.first, item.last)}`;
    case 'filter':
      return `?(${formatItem(item.argument, false, false)})`;
    case 'method':
      return `.${item.name}()`;
    case 'datetime':
      return `.datetime(${item.template === null ? '' : quoteJson(item.template)})`;
    case 'not':
      return `!(${formatItem(item.argument, false, false)})`;
    case 'isUnknown':
      return `(${formatItem(item.argument, false, false)}) is unknown`;
    case 'exists':
      return `exists (${formatItem(item.argument, false, false)})`;
    default: {
      const text = formatOperation(item);
      return wrapped ? `(${text})` : text;
    }
  }
}

type Operation = Extract<
  PathStep,
  { kind: 'sign' | 'arithmetic' | 'comparison' | 'and' | 'or' | 'startsWith' | 'likeRegex' }
>;

function formatOperation(step: Operation): string {
  const operand = (item: PathItem): string =>
    formatItem(item, false, priority(item) <= priority(step));
  switch (step.kind) {
    case 'sign':
      return step.operator + operand(step.argument);
    case 'likeRegex': {
      const flags = step.flags === '' ? '' : ` flag "${step.flags}"`;
      return `${operand(step.argument)} like_regex ${quoteJson(step.pattern)}${flags}`;
    }
    case 'and':
      return `${operand(step.left)} && ${operand(step.right)}`;
    case 'or':
      return `${operand(step.left)} || ${operand(step.right)}`;
    case 'startsWith':
      return `${operand(step.left)} starts with ${operand(step.right)}`;
    default:
      return `${operand(step.left)} ${step.operator} ${operand(step.right)}`;
  }
}

function priority(step: PathStep): number {
  switch (step.kind) {
    case 'or':
      return 0;
    case 'and':
      return 1;
    case 'comparison':
    case 'startsWith':
      return 2;
    case 'arithmetic':
      return step.operator === '+' || step.operator === '-' ? 3 : 4;
    case 'sign':
      return 5;
    default:
      return 6;
  }
}

function formatSubscript({ from, to }: Subscript): string {
  const text = formatItem(from, false, false);
  return to === null ? text : `${text} to ${formatItem(to, false, false)}`;
}

function formatLevels(first: number, last: number): string {
  if (first === 0 && last === LAST_LEVEL) return '';
  return first === last
    ? `{${formatLevel(first)}}`
    : `{${formatLevel(first)} to ${formatLevel(last)}}`;
}

function formatLevel(level: number): string {
  return level === LAST_LEVEL ? 'last' : String(level);
}
