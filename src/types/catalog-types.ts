/** Types that only columns of the system catalogs have. Their values are texts that the catalog makes;
 * no value of theirs can be entered. */
import { pgError } from '../errors/index.ts';
import { DEFAULT_COLLATION } from './oid.ts';
import type { SqlType } from './sql-type.ts';
import { STRING } from './text.ts';

function refuse(name: string): () => never {
  return () => {
    throw pgError('feature_not_supported', `cannot accept a value of type ${name}`);
  };
}

export const CATALOG_TYPES: readonly SqlType[] = [
  {
    ...STRING,
    oid: 194,
    name: 'pg_node_tree',
    sqlName: 'pg_node_tree',
    arrayOid: 0,
    category: 'Z',
    collation: DEFAULT_COLLATION,
    input: refuse('pg_node_tree'),
    receive: refuse('pg_node_tree'),
  },
  {
    ...STRING,
    oid: 1033,
    name: 'aclitem',
    sqlName: 'aclitem',
    arrayOid: 1034,
    category: 'U',
    length: 12,
    storage: 'p',
    input: refuse('aclitem'),
    receive: refuse('aclitem'),
  },
];
