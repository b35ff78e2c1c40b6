/** What schedules are made of. */

/** A number of 0 to `below - 1`. */
export type Random = (below: number) => number;

/** The kinds of statements, with their weights. */
export interface Mix {
  readonly levels: readonly string[];
  /** By the extended protocol, with parameters. */
  readonly prepares?: boolean;
  readonly statements: readonly (readonly [weight: number, make: (r: Random) => string])[];
}

const SCHEMA = `
  drop table if exists c, p, t;
  create table t (id int primary key, v int);
  create table p (id int primary key, k int unique, v int);
  create table c (id int primary key, p int references p ACTIONS, v int);
  insert into t select g, 0 from generate_series(1, 4) g;
  insert into p select g, g, 0 from generate_series(1, 4) g;
  insert into c select g, g, 0 from generate_series(1, 2) g`;

const ACTIONS = [
  '',
  'on delete cascade',
  'on update cascade on delete set null',
  'on delete restrict on update cascade',
  'deferrable initially deferred',
];

/** The tables of a schedule: t is plain, p has a second key, c refers to p. */
export function schema(r: Random): string {
  return SCHEMA.replace('ACTIONS', pick(r, ACTIONS));
}

const key = (r: Random): number => 1 + r(5);
export const pick = <Item>(r: Random, items: readonly Item[]): Item => items[r(items.length)]!;

const STRENGTHS = ['for update', 'for no key update', 'for share', 'for key share'];
const WAITING = ['', '', '', ' nowait', ' skip locked'];

const lock = (r: Random): string => pick(r, STRENGTHS) + pick(r, WAITING);

/** Single rows of a plain table, which transactions change on the main thread. */
const POINTS: Mix['statements'] = [
  [8, (r) => `update t set v = v + ${1 + r(9)} where id = ${key(r)}`],
  [2, (r) => `update t set v = v * 2 where id = ${key(r)} and v < ${r(20)}`],
  [3, (r) => `delete from t where id = ${key(r)}`],
  [3, (r) => `insert into t values (${key(r)}, ${r(9)})`],
  [2, (r) => `update t set v = ${r(9)} where id = ${key(r)} returning v`],
  [2, (r) => `select v from t where id = ${key(r)}`],
];

const OF_T: Mix['statements'] = [
  [2, (r) => `select id, v from t where id = ${key(r)} ${lock(r)}`],
  [2, (r) => `update t set id = ${key(r)} where id = ${key(r)}`],
  [1, (r) => `update t set v = v + 1 where v = ${r(4)} and id = ${key(r)}`],
  [2, (r) => `insert into t values (${key(r)}, ${r(9)}) on conflict do nothing`],
  [
    2,
    (r) =>
      `insert into t values (${key(r)}, ${r(9)}) on conflict (id) do update set v = t.v + excluded.v`,
  ],
  [2, () => 'select id, v from t order by id'],
];

const OF_P: Mix['statements'] = [
  [3, (r) => `update p set v = v + 1 where id = ${key(r)}`],
  [3, (r) => `update p set v = v + 1 where k = ${key(r)}`],
  [3, (r) => `update p set k = ${key(r)} where id = ${key(r)}`],
  [2, (r) => `update p set id = ${key(r)} where id = ${key(r)}`],
  [1, (r) => `update p set id = ${key(r)}, v = v + 1 where k = ${key(r)}`],
  [3, (r) => `delete from p where id = ${key(r)}`],
  [1, (r) => `delete from p where k = ${key(r)}`],
  [3, (r) => `insert into p values (${key(r)}, ${key(r)}, ${r(9)})`],
  [1, (r) => `insert into p values (${key(r)}, null, ${r(9)})`],
  [1, (r) => `insert into p values (${key(r)}, ${key(r)}, 0) on conflict do nothing`],
  [
    2,
    (r) =>
      `insert into p values (${key(r)}, ${key(r)}, 0) on conflict (id) do update set v = p.v + 1`,
  ],
  [
    2,
    (r) =>
      `insert into p values (${key(r)}, ${key(r)}, 0) on conflict (k) do update set v = p.v + 1`,
  ],
  [1, (r) => `insert into p values (${key(r)}, ${key(r)}, 0) on conflict (id) do nothing`],
  [2, (r) => `select id, k, v from p where id = ${key(r)} ${lock(r)}`],
  [1, (r) => `select id, k, v from p where k = ${key(r)} ${lock(r)}`],
  [2, () => 'select id, k, v from p order by id, v, k'],
];

const OF_C: Mix['statements'] = [
  [3, (r) => `insert into c values (${key(r)}, ${key(r)}, 0)`],
  [2, (r) => `update c set p = ${key(r)} where id = ${key(r)}`],
  [1, (r) => `update c set v = v + 1 where id = ${key(r)}`],
  [1, (r) => `delete from c where id = ${key(r)}`],
  [1, (r) => `update c set p = null where id = ${key(r)}`],
  [1, () => 'select id, p, v from c order by id'],
];

const LEVELS = ['read committed', 'repeatable read'];

export const MIXES: Readonly<Record<string, Mix>> = {
  'rows of a plain table': { levels: LEVELS, statements: [...POINTS, ...OF_T] },
  'the fast path and others': { levels: ['read committed'], statements: [...POINTS, ...OF_T] },
  'prepared statements on the fast path and others': {
    levels: ['read committed'],
    prepares: true,
    statements: [...POINTS, ...POINTS, ...OF_T],
  },
  'unique keys': { levels: LEVELS, statements: OF_P },
  'foreign keys': { levels: LEVELS, statements: [...OF_P, ...OF_C, ...OF_C] },
  everything: { levels: LEVELS, statements: [...POINTS, ...OF_T, ...OF_P, ...OF_C] },
};
