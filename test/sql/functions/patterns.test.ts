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
});
