import { type PgError, pgError } from '../../errors/index.ts';
import { KEY_LENGTH_MAX } from '../page/index.ts';

/** PostgreSQL's error for a key longer than KEY_LENGTH_MAX. The layers above check a key when it is
 * made, and know its index; in a commit group it is too late. */
export function keyTooLong(length: number, index?: string): PgError {
  const where = index === undefined ? '' : ` for index "${index}"`;
  return pgError(
    'program_limit_exceeded',
    `index row size ${length} exceeds btree version 4 maximum ${KEY_LENGTH_MAX}${where}`,
    {
      hint:
        'Values larger than 1/3 of a buffer page cannot be indexed.\n' +
        'Consider a function index of an MD5 hash of the value, or use full text indexing.',
      constraint: index,
    },
  );
}
