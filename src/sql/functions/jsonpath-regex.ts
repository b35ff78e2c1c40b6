/** LIKE_REGEX of jsonpath: XQuery's flags on PostgreSQL's regular expressions. */

import { pgError } from '../../errors/index.ts';
import { compileRegex, type Regex } from './regex.ts';
import { DEFAULT_OPTIONS } from './regex-parse.ts';

/** The expression of a pattern under flags that the path's parser has checked. */
export function likePattern(pattern: string, flags: string): Regex {
  const has = (flag: string) => flags.includes(flag);
  const ignoreCase = has('i');
  // With q all else but i is without a meaning.
  if (has('q')) return compileRegex(pattern, { ...DEFAULT_OPTIONS, ignoreCase, literal: true });
  if (has('x')) {
    throw pgError(
      'feature_not_supported',
      'XQuery "x" flag (expanded regular expressions) is not implemented',
    );
  }
  return compileRegex(pattern, {
    ...DEFAULT_OPTIONS,
    ignoreCase,
    newlineStops: !has('s'),
    newlineAnchors: has('m'),
  });
}
