/** Functions that take values of any type and use their text forms: concat, format, quote_literal. */

import { countWork, TextBuilder } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  characterCount,
  type Datum,
  mapElements,
  network,
  OID,
  typeByOid,
} from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { quoteIdentifier, quoteLiteral } from './text.ts';

/** The text form of a value of one type; null for NULL. */
type TextForm = (context: FunctionContext, value: Datum) => string | null;

export function textForm(type: number): TextForm {
  if (type === OID.text || type === OID.unknown || type === OID.varchar) {
    return (_context, value) => value as string | null;
  }
  const sqlType = typeByOid(type);
  return (context, value) => (value === null ? null : sqlType.output(value, context));
}

/** The text that a cast to text makes of a value: not its output for boolean and inet. */
function castForm(type: number): TextForm {
  if (type === OID.bool) return (_context, value) => (value === null ? null : String(value));
  if (type === OID.inet) {
    return (_context, value) => (value === null ? null : network.formatCidr(value as Uint8Array));
  }
  return textForm(type);
}

/** Text forms of the variadic arguments, whether they came one by one or as an array. */
function variadicTexts(
  call: CallTypes,
  first: number,
): (context: FunctionContext, args: readonly Datum[]) => readonly (string | null)[] | null {
  if (call.variadicArray) {
    return (context, args) => {
      const array = args[first] as ArrayDatum | null;
      if (array === null) return null;
      const form = textForm(array.elementType);
      return mapElements(array.elements, (element) => form(context, element));
    };
  }
  const forms = call.arguments.slice(first).map(textForm);
  return (context, args) => forms.map((form, i) => form(context, args[first + i] as Datum));
}

function concat(call: CallTypes): ScalarFunction {
  const texts = variadicTexts(call, 0);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const parts = texts(context, args);
    return parts === null ? null : joined(parts, '');
  };
}

/** The parts that are not NULL, and the separator between them. */
function joined(parts: readonly (string | null)[], separator: string): string {
  let length = 0;
  for (const part of parts) length += (part?.length ?? 0) + separator.length;
  countWork(length);
  return parts.filter((part) => part !== null).join(separator);
}

function concatWithSeparator(call: CallTypes): ScalarFunction {
  const texts = variadicTexts(call, 1);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const separator = args[0] as string | null;
    if (separator === null) return null;
    const parts = texts(context, args);
    return parts === null ? null : joined(parts, separator);
  };
}

function format(call: CallTypes): ScalarFunction {
  const texts = variadicTexts(call, 1);
  return (context: FunctionContext, ...args: readonly Datum[]) => {
    const pattern = args[0] as string | null;
    if (pattern === null) return null;
    return formatText(pattern, texts(context, args) ?? []);
  };
}

/** `%[position][flags][width]type`, see the documentation of format(). */
function formatText(pattern: string, args: readonly (string | null)[]): string {
  const result = new TextBuilder();
  let at = 0;
  let next = 0;

  const peek = () => {
    if (at >= pattern.length) {
      throw pgError('invalid_parameter_value', 'unterminated format() type specifier', {
        hint: 'For a single "%" use "%%".',
      });
    }
    return pattern.charAt(at);
  };
  const number = (): number | null => {
    const start = at;
    while (peek() >= '0' && peek() <= '9') at++;
    if (start === at) return null;
    const value = Number(pattern.slice(start, at));
    if (value > 2147483647) {
      throw pgError('numeric_value_out_of_range', 'number is out of range');
    }
    return value;
  };
  const argument = (index: number): string | null => {
    if (index === 0) {
      throw pgError(
        'invalid_parameter_value',
        'format specifies argument 0, but arguments are numbered from 1',
      );
    }
    if (index > args.length) {
      throw pgError('invalid_parameter_value', 'too few arguments for format()');
    }
    return args[index - 1] ?? null;
  };

  while (at < pattern.length) {
    const percent = pattern.indexOf('%', at);
    if (percent < 0) break;
    result.add(pattern.slice(at, percent));
    at = percent + 1;
    if (peek() === '%') {
      result.add('%');
      at++;
      continue;
    }
    let position: number | null = null;
    let width: number | null = null;
    let leftAligned = false;

    const first = number();
    if (first !== null) {
      if (peek() === '$') {
        position = first;
        at++;
        if (first === 0) argument(0);
      } else width = first;
    }
    if (width === null) {
      while (peek() === '-') {
        leftAligned = true;
        at++;
      }
      if (peek() === '*') {
        at++;
        const from = number();
        if (from !== null) {
          if (peek() !== '$') {
            throw pgError(
              'invalid_parameter_value',
              'width argument position must be ended by "$"',
            );
          }
          at++;
        }
        const index = from ?? ++next;
        const text = argument(index);
        next = index;
        width = text === null ? 0 : Number(text);
        if (!Number.isInteger(width)) {
          throw pgError(
            'invalid_text_representation',
            `invalid input syntax for type integer: "${text}"`,
          );
        }
        if (width < 0) {
          leftAligned = true;
          width = -width;
        }
      } else width = number();
    }

    const type = peek();
    at++;
    if (type !== 's' && type !== 'I' && type !== 'L') {
      throw pgError('invalid_parameter_value', `unrecognized format() type specifier "${type}"`, {
        hint: 'For a single "%" use "%%".',
      });
    }
    next = position ?? next + 1;
    const text = formatted(argument(next), type);
    const missing = (width ?? 0) - characterCount(text);
    countWork(Math.max(missing, 0));
    const padding = missing > 0 ? ' '.repeat(missing) : '';
    result.add(leftAligned ? text + padding : padding + text);
  }
  result.add(pattern.slice(at));
  return result.toString();
}

function formatted(text: string | null, type: 's' | 'I' | 'L'): string {
  switch (type) {
    case 's':
      return text ?? '';
    case 'L':
      return text === null ? 'NULL' : quoteLiteral(text);
    case 'I':
      if (text === null) {
        throw pgError(
          'null_value_not_allowed',
          'null values cannot be formatted as an SQL identifier',
        );
      }
      return quoteIdentifier(text);
  }
}

/** Counts nulls among the arguments, or in the array of a variadic call. */
function countNulls(call: CallTypes, nulls: boolean): ScalarFunction {
  return (_context: FunctionContext, ...args: readonly Datum[]) => {
    let values = args;
    if (call.variadicArray) {
      const array = args[0] as ArrayDatum | null;
      if (array === null) return null;
      values = array.elements;
    }
    let count = 0;
    for (const value of values) if ((value === null) === nulls) count++;
    return count;
  };
}

registerFunctions({
  typedScalars: {
    text_concat: concat,
    text_concat_ws: concatWithSeparator,
    text_format: format,
    text_format_nv: format,
    pg_num_nulls: (call) => countNulls(call, true),
    pg_num_nonnulls: (call) => countNulls(call, false),
    // quote_literal(anyelement), quote_nullable(anyelement)
    '1285': ({ arguments: [type = OID.text] }) => {
      const form = castForm(type);
      return (context: FunctionContext, value: Datum) => quoteLiteral(form(context, value) ?? '');
    },
    '1290': ({ arguments: [type = OID.text] }) => {
      const form = castForm(type);
      return (context: FunctionContext, value: Datum) => {
        const text = form(context, value);
        return text === null ? 'NULL' : quoteLiteral(text);
      };
    },
    // text || anynonarray, anynonarray || text
    '2003': ({ arguments: [, type = OID.text] }) => {
      const form = castForm(type);
      return (context: FunctionContext, a: string, b: Datum) => joined([a, form(context, b)], '');
    },
    '2004': ({ arguments: [type = OID.text] }) => {
      const form = castForm(type);
      return (context: FunctionContext, a: Datum, b: string) => joined([form(context, a), b], '');
    },
  },
});
