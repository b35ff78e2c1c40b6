/** pg_proc, pg_operator, pg_cast, pg_aggregate, pg_opclass, pg_opfamily, pg_amop, pg_am and
 * pg_language: the registry of functions as tables. Functions without an implementation are left
 * out, and so are the operators, casts and aggregates that need one. */

import aggregateFacts from '../../../schemas/catalog/pg_aggregate.json' with { type: 'json' };
import memberFacts from '../../../schemas/catalog/pg_amop.json' with { type: 'json' };
import supportFacts from '../../../schemas/catalog/pg_amproc.json' with { type: 'json' };
import castFacts from '../../../schemas/catalog/pg_cast.json' with { type: 'json' };
import classFacts from '../../../schemas/catalog/pg_opclass.json' with { type: 'json' };
import operatorFacts from '../../../schemas/catalog/pg_operator.json' with { type: 'json' };
import functionFacts from '../../../schemas/catalog/pg_proc.json' with { type: 'json' };
import { arrayOf, builtinTypes, OID } from '../../types/index.ts';
import { INFORMATION_SCHEMA, PG_CATALOG_SCHEMA } from '../bootstrap.ts';
import { BTREE_METHOD, HASH_METHOD, HEAP_METHOD, OWNER } from './object-identity.ts';
import {
  oidVector,
  type ProducerTable,
  type SystemRow,
  type SystemState,
  textArray,
} from './system-state.ts';

/** A row of schemas/catalog/pg_proc.json. */
export interface FunctionFacts {
  readonly oid: number;
  readonly name: string;
  readonly source: string;
  readonly schema?: string;
  readonly kind: string;
  readonly language: string;
  readonly strict: boolean;
  readonly volatility: string;
  readonly parallel: string;
  readonly returnsSet: boolean;
  readonly defaults: number;
  readonly defaultExpressions?: string;
  readonly variadic: number;
  readonly result: number;
  readonly arguments: readonly number[];
  readonly allArguments?: readonly number[];
  readonly modes?: readonly string[];
  readonly names?: readonly string[];
}

export const FUNCTIONS = functionFacts as readonly FunctionFacts[];

/** A row of schemas/catalog/pg_operator.json, as far as names go. */
export interface OperatorFacts {
  readonly oid: number;
  readonly name: string;
  readonly left: number;
  readonly right: number;
}

export const OPERATORS: readonly OperatorFacts[] = operatorFacts;

let operatorsByOid: ReadonlyMap<number, OperatorFacts> | undefined;

export function operatorFactsOf(oid: number): OperatorFacts | undefined {
  operatorsByOid ??= new Map(OPERATORS.map((facts) => [facts.oid, facts]));
  return operatorsByOid.get(oid);
}

let functionCounts: ReadonlyMap<string, number> | undefined;

/** Number of functions of a name. */
export function functionCount(name: string): number {
  if (functionCounts === undefined) {
    const counts = new Map<string, number>();
    for (const facts of FUNCTIONS) counts.set(facts.name, (counts.get(facts.name) ?? 0) + 1);
    functionCounts = counts;
  }
  return functionCounts.get(name) ?? 0;
}

const LANGUAGES: Readonly<Record<string, number>> = { internal: 12, c: 13, sql: 14 };

let oidsByName: Map<string, number> | undefined;

/** Oid of the first function of a name (support functions are the only ones of theirs), else 0. */
export function functionOid(name: string): number {
  if (oidsByName === undefined) {
    oidsByName = new Map();
    for (const { name, oid } of FUNCTIONS) if (!oidsByName.has(name)) oidsByName.set(name, oid);
  }
  return oidsByName.get(name) ?? 0;
}

let functionsByOid: ReadonlyMap<number, FunctionFacts> | undefined;

export function functionFactsOf(oid: number): FunctionFacts | undefined {
  functionsByOid ??= new Map(FUNCTIONS.map((facts) => [facts.oid, facts]));
  return functionsByOid.get(oid);
}

function* functionRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of FUNCTIONS) if (server.isImplemented(facts.oid)) yield functionRow(facts);
}

function functionRow(facts: FunctionFacts): SystemRow {
  const { allArguments, modes, names } = facts;
  return {
    oid: facts.oid,
    proname: facts.name,
    pronamespace: facts.schema === undefined ? PG_CATALOG_SCHEMA : INFORMATION_SCHEMA,
    proowner: OWNER,
    prolang: LANGUAGES[facts.language] ?? 0,
    procost: 1,
    prorows: facts.returnsSet ? 1000 : 0,
    provariadic: facts.variadic,
    prosupport: 0,
    prokind: facts.kind,
    prosecdef: false,
    proleakproof: false,
    proisstrict: facts.strict,
    proretset: facts.returnsSet,
    provolatile: facts.volatility,
    proparallel: facts.parallel,
    pronargs: facts.arguments.length,
    pronargdefaults: facts.defaults,
    prorettype: facts.result,
    proargtypes: oidVector(facts.arguments),
    proallargtypes: allArguments === undefined ? null : arrayOf(OID.oid, allArguments),
    proargmodes: modes === undefined ? null : arrayOf(OID.char, modes),
    proargnames: names === undefined ? null : textArray(names),
    proargdefaults: facts.defaultExpressions ?? null,
    prosrc: facts.source,
  };
}

function* aggregateRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of aggregateFacts) {
    if (!server.isImplemented(facts.function)) continue;
    yield {
      aggfnoid: facts.function,
      aggkind: facts.kind,
      aggnumdirectargs: facts.directArguments,
      aggtransfn: functionOid(facts.transition),
      aggfinalfn: functionOid(facts.final),
      aggcombinefn: functionOid(facts.combine),
      aggserialfn: functionOid(facts.serialize),
      aggdeserialfn: functionOid(facts.deserialize),
      aggmtransfn: functionOid(facts.movingTransition),
      aggminvtransfn: functionOid(facts.movingInverse),
      aggmfinalfn: functionOid(facts.movingFinal),
      aggfinalextra: facts.finalExtra,
      aggmfinalextra: false,
      aggfinalmodify: facts.finalModify,
      aggmfinalmodify: facts.movingFinalModify,
      aggsortop: facts.sortOperator,
      aggtranstype: facts.transitionType,
      aggtransspace: facts.space,
      aggmtranstype: facts.movingType,
      aggmtransspace: facts.movingSpace,
      agginitval: facts.initial ?? null,
    };
  }
}

function* operatorRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of operatorFacts) {
    if (!server.isImplemented(facts.function)) continue;
    yield {
      oid: facts.oid,
      oprname: facts.name,
      oprnamespace: PG_CATALOG_SCHEMA,
      oprowner: OWNER,
      oprkind: facts.kind,
      oprcanmerge: facts.merge,
      oprcanhash: facts.hash,
      oprleft: facts.left,
      oprright: facts.right,
      oprresult: facts.result,
      oprcom: facts.commutator,
      oprnegate: facts.negator,
      oprcode: facts.function,
      oprrest: functionOid(facts.restrict),
      oprjoin: functionOid(facts.join),
    };
  }
}

function* castRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of castFacts) {
    if (facts.function !== 0 && !server.isImplemented(facts.function)) continue;
    if (!isKnownType(facts.source) || !isKnownType(facts.target)) continue;
    yield {
      oid: facts.oid,
      castsource: facts.source,
      casttarget: facts.target,
      castfunc: facts.function,
      castcontext: facts.context,
      castmethod: facts.method,
    };
  }
}

function isKnownType(oid: number): boolean {
  return builtinTypes.find(oid) !== undefined;
}

function* classRows(): Iterable<SystemRow> {
  for (const facts of classFacts) {
    if (!isKnownType(facts.inputType)) continue;
    yield {
      oid: facts.oid,
      opcmethod: facts.method,
      opcname: facts.name,
      opcnamespace: PG_CATALOG_SCHEMA,
      opcowner: OWNER,
      opcfamily: facts.family,
      opcintype: facts.inputType,
      opcdefault: facts.default,
      opckeytype: facts.keyType,
    };
  }
}

/** Name of an operator class that an index definition has to mention: not its type's default. */
export function operatorClassName(oid: number): string | null {
  const facts = classFacts.find((row) => row.oid === oid);
  return facts === undefined || facts.default ? null : facts.name;
}

export function operatorClassExists(oid: number): boolean {
  return classFacts.some((row) => row.oid === oid);
}

export function operatorFamilyExists(oid: number): boolean {
  return classFacts.some((row) => row.family === oid);
}

function* familyRows(): Iterable<SystemRow> {
  const seen = new Set<number>();
  for (const { family, familyName, method } of classFacts) {
    if (seen.has(family)) continue;
    seen.add(family);
    yield {
      oid: family,
      opfmethod: method,
      opfname: familyName,
      opfnamespace: PG_CATALOG_SCHEMA,
      opfowner: OWNER,
    };
  }
}

function* memberRows(): Iterable<SystemRow> {
  for (const facts of memberFacts) {
    if (!operatorFamilyExists(facts.family)) continue;
    if (!isKnownType(facts.left) || !isKnownType(facts.right)) continue;
    yield {
      oid: facts.oid,
      amopfamily: facts.family,
      amoplefttype: facts.left,
      amoprighttype: facts.right,
      amopstrategy: facts.strategy,
      amoppurpose: facts.purpose,
      amopopr: facts.operator,
      amopmethod: facts.method,
      amopsortfamily: 0,
    };
  }
}

function* supportRows(): Iterable<SystemRow> {
  for (const facts of supportFacts) {
    if (!operatorFamilyExists(facts.family)) continue;
    if (!isKnownType(facts.left) || !isKnownType(facts.right)) continue;
    yield {
      oid: facts.oid,
      amprocfamily: facts.family,
      amproclefttype: facts.left,
      amprocrighttype: facts.right,
      amprocnum: facts.number,
      amproc: facts.function,
    };
  }
}

const EQUALITY = 3;

/** Types without comparison operators of their own, and the type that they are compared as. */
const COMPARED_AS: ReadonlyMap<number, number> = new Map([
  [OID.varchar, OID.text],
  [OID.cidr, OID.inet],
]);

/** The type that comparison operators take a value of a type as: varchar as text, cidr as inet. */
export function operandType(type: number): number {
  return COMPARED_AS.get(type) ?? type;
}

/** The btree equality operator of a type with itself or another type, or 0. */
export function equalityOperatorOf(type: number, other = type): number {
  const [first, second] = [type, other].map(operandType);
  const found = memberFacts.find(
    ({ left, right, strategy, method }) =>
      left === first && right === second && strategy === EQUALITY && method === BTREE_METHOD,
  );
  return found?.operator ?? 0;
}

const HEAP_HANDLER = 3;
const BTREE_HANDLER = 330;
const HASH_HANDLER = 331;

/** Indexes are B+trees; the hash method is there for the operator classes of hashing. */
function accessMethodRows(): SystemRow[] {
  return [
    { oid: HEAP_METHOD, amname: 'heap', amhandler: HEAP_HANDLER, amtype: 't' },
    { oid: BTREE_METHOD, amname: 'btree', amhandler: BTREE_HANDLER, amtype: 'i' },
    { oid: HASH_METHOD, amname: 'hash', amhandler: HASH_HANDLER, amtype: 'i' },
  ];
}

const INTERNAL_VALIDATOR = 2246;

function languageRows(): SystemRow[] {
  return Object.entries(LANGUAGES).map(([name, oid], i) => ({
    oid,
    lanname: name,
    lanowner: OWNER,
    lanispl: false,
    lanpltrusted: name === 'sql',
    lanplcallfoid: 0,
    laninline: 0,
    lanvalidator: INTERNAL_VALIDATOR + i,
  }));
}

export const FUNCTION_VIEWS: ProducerTable = {
  'pg_catalog.pg_proc': functionRows,
  'pg_catalog.pg_aggregate': aggregateRows,
  'pg_catalog.pg_operator': operatorRows,
  'pg_catalog.pg_cast': castRows,
  'pg_catalog.pg_opclass': classRows,
  'pg_catalog.pg_opfamily': familyRows,
  'pg_catalog.pg_amop': memberRows,
  'pg_catalog.pg_amproc': supportRows,
  'pg_catalog.pg_am': accessMethodRows,
  'pg_catalog.pg_language': languageRows,
};
