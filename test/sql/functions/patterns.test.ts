import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likeMatcher } from '../../../src/sql/functions/like.ts';
import { compileRegex } from '../../../src/sql/functions/regex.ts';

describe('LIKE', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'é', '😀', '%'), { maxLength: 6 });
  const pattern = fc.array(fc.constantFrom('a', 'b', 'é', '😀', '%', '_', '\\%'), { maxLength: 6 });

  it('finds the same in bytes as in text', () => {
    fc.assert(
      fc.property(letters, pattern, (text, parts) => {
        const matcher = likeMatcher(parts.join(''));
        const bytes = Buffer.from(`<${text.join('')}>`);
        expect(matcher.matchesBytes(bytes, 1, bytes.length - 1)).toBe(
          matcher.matches(text.join('')),
        );
      }),
    );
  });

  it('agrees with a regular expression', () => {
    fc.assert(
      fc.property(letters, pattern, (text, parts) => {
        const source = parts
          .map((part) => (part === '%' ? '[^]*' : part === '_' ? '[^]' : part.replace('\\', '')))
          .join('');
        const expected = new RegExp(`^${source}$`, 'u').test(text.join(''));
        expect(likeMatcher(parts.join('')).matches(text.join(''))).toBe(expected);
      }),
    );
  });

  it('knows what a match begins with', () => {
    expect(likeMatcher('abc%')).toMatchObject({ prefix: 'abc', exact: false });
    expect(likeMatcher('a\\%b')).toMatchObject({ prefix: 'a%b', exact: true });
    expect(likeMatcher('ab_c%')).toMatchObject({ prefix: 'ab', exact: false });
    expect(likeMatcher('%ab')).toMatchObject({ prefix: '', exact: false });
    expect(likeMatcher('ab%', true)).toMatchObject({ prefix: '', exact: false });
  });
});

describe('regular expressions', () => {
  it('match as far as POSIX says', () => {
    const whole = (pattern: string, text: string) => {
      const match = compileRegex(pattern).exec(text, 0);
      return match && text.slice(match.start, match.end);
    };
    expect(whole('foo|foobar', 'foobar')).toBe('foobar');
    expect(whole('(a?)(ab)?', 'ab')).toBe('ab');
    expect(whole('(?:a|ab)(?:c|bcd)(?:d*)', 'abcd')).toBe('abcd');
    expect(whole('a*?', 'aaa')).toBe('');
    expect(whole('(?:a|ab)(?=c|$)', 'abc')).toBe('ab');
    expect(whole('x*', 'aaa')).toBe('');
  });

  it('take no exponential time where repetitions nest', () => {
    const text = `${'a'.repeat(5000)}c`;
    expect(compileRegex('(a+)+b').test(text)).toBe(false);
    expect(compileRegex('^(([a-z])+.)+[A-Z]$').test(text)).toBe(false);
    expect(compileRegex('(a|aa)*c').exec(text, 0)).toMatchObject({ start: 0, end: 5001 });
    expect(compileRegex('(?:a|b){2,}?').exec(text, 0)).toMatchObject({ start: 0, end: 2 });
  });

  it('take no long time where repetitions follow one another', () => {
    const text = 'x'.repeat(50_000);
    expect(compileRegex('.*.*.*.*.*.*.*=.*').test(text)).toBe(false);
    expect(compileRegex('(x*)(x*)y').exec(`${text}y`, 0)?.groups[1]).toBe(text);
    expect(compileRegex('(?:x|xx)(?:y|yyz).*x$').test(text)).toBe(false);
    expect(() => compileRegex('((x{1,250}){1,250})+')).toThrow('too complex');
  });

  const atom = fc.constantFrom('a', 'b', '.', '[ab]');
  const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
    part: fc.oneof(
      { depthSize: 'small' },
      atom,
      tie('pattern').map((inner) => `(${inner})`),
      fc
        .tuple(tie('part'), fc.constantFrom('*', '+', '*?', '+?'))
        .map(([inner, times]) => (/[*+?}]$/.test(inner) ? `(?:${inner})${times}` : inner + times)),
    ),
    pattern: fc
      .array(fc.array(tie('part'), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 })
      .map((branches) => branches.map((parts) => parts.join('')).join('|')),
  }));

  it('find in a long text what they find in a short one', () => {
    const texts = fc
      .array(fc.constantFrom('a', 'b'), { maxLength: 6 })
      .map((text) => text.join(''));
    fc.assert(
      fc.property(pattern, texts, (source, text) => {
        const bounded = source.replaceAll('.', '[^\\nc]');
        const [short, long] = [`${text}\n`, `${text}\n${'c'.repeat(10_001)}`].map((whole) => {
          const match = compileRegex(bounded).exec(whole, 0);
          return match && { start: match.start, end: match.end, groups: [...match.groups] };
        });
        expect(long).toEqual(short);
      }),
      { numRuns: 300 },
    );
  });
});
