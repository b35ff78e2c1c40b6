import type { ColumnDef, Constraint, Node } from '@pgsql/types';
import type { IndexDescriptor, RelationDescriptor, StoredExpression } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { builtinTypes, OID, SERIAL_TYPES, typeByOid } from '../../types/index.ts';
import { checkCollation } from '../bind/collation.ts';
import { nameList } from '../bind/syntax.ts';
import type { Expr } from '../expression.ts';
import { mapInputs } from '../expression-tree.ts';
import type { Command } from './command.ts';
import { withAttributes } from './constraint-attributes.ts';
import { type ForeignKeyDraft, foreignKeyDraft } from './foreign-key-draft.ts';
import { checkIndexOptions } from './storage-options.ts';
import { areNotSupported } from './unsupported.ts';

/** Column and constraint definitions of CREATE TABLE and ALTER TABLE, as written but checked, before
 * anything is named or made: PostgreSQL's transformColumnDefinition. */

export interface ColumnDraft {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly default: Node | null;
  /** Whether the default computes the column of others. */
  readonly generated?: boolean;
  /** The default that a partition's column has of its parent's. */
  readonly inheritedDefault?: StoredExpression | null;
  readonly identity: '' | 'a' | 'd';
  /** Options of the sequence of a serial or identity column; null for others. */
  readonly sequenceOptions: readonly Node[] | null;
  /** Of LIKE … INCLUDING COMMENTS. */
  readonly comment?: string | null;
}

export interface CheckDraft {
  readonly name: string | null;
  readonly expression: Node;
  readonly validate: boolean;
  readonly noInherit?: boolean;
  readonly comment?: string | null;
}

export interface KeyDraft {
  readonly kind: 'primary' | 'unique';
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly included: readonly string[];
  readonly nullsNotDistinct: boolean;
  readonly location: number | undefined;
  readonly comment?: string | null;
}

/** An index that LIKE copies and that serves no constraint. */
export interface IndexCopy {
  readonly source: RelationDescriptor;
  readonly index: IndexDescriptor;
  readonly comment: string | null;
}

/** Collects the elements of one table. */
export class TableElements {
  readonly columns: ColumnDraft[] = [];
  readonly checks: CheckDraft[] = [];
  readonly keys: KeyDraft[] = [];
  readonly foreignKeys: ForeignKeyDraft[] = [];
  readonly indexCopies: IndexCopy[] = [];
  /** The keys but those that LIKE copies. */
  private readonly writtenKeys: KeyDraft[] = [];
  /** Of a partition, the names of its columns that no element was about yet. */
  private inherited: Set<string> | null = null;
  private readonly command: Command;
  private readonly table: string;

  constructor(command: Command, table: string) {
    this.command = command;
    this.table = table;
  }

  add(element: Node): void {
    if ('ColumnDef' in element && this.inherited !== null) {
      this.refineColumn(element.ColumnDef, this.inherited);
    } else if ('ColumnDef' in element) this.addColumn(element.ColumnDef);
    else if ('Constraint' in element) this.addConstraint(element.Constraint);
    else throw notSupported('this table element');
  }

  addColumn(definition: ColumnDef): ColumnDraft {
    const { command } = this;
    const name = definition.colname ?? '';
    this.checkName(name);
    if ((definition.storage_name ?? '') !== '') throw areNotSupported('column storage options');
    if ((definition.compression ?? '') !== '') throw notSupported('column compression');
    const serial = serialType(command, definition);
    const { type, typmod } = serial ?? this.columnType(definition);
    checkColumnCollation(command, definition, type);
    const parts = this.columnParts(definition, type, serial);
    const column: ColumnDraft = {
      name,
      type,
      typmod,
      notNull: parts.notNull === 'not null',
      default: parts.default,
      generated: parts.isGenerated,
      identity: parts.identity,
      sequenceOptions: parts.sequenceOptions,
    };
    this.columns.push(column);
    return column;
  }

  private columnParts(definition: ColumnDef, type: number, serial: object | null): ColumnParts {
    const { command, table } = this;
    const name = definition.colname ?? '';
    const parts = new ColumnParts(command, name, table);
    if (serial !== null) {
      parts.notNull = 'not null';
      parts.sequenceOptions = [];
      parts.hasDefault = true;
    }
    for (const constraint of withAttributes(command, definition.constraints ?? [])) {
      this.addColumnConstraint(parts, constraint, name, type);
    }
    return parts;
  }

  /** Adds the columns of the table whose partition this is. Elements that come later add to them. */
  inheritColumns(parent: RelationDescriptor): void {
    const live = parent.columns.filter(({ dropped }) => !dropped);
    const place = (column: number) => live.indexOf(parent.columns[column]!);
    for (const { name, type, typmod, notNull, generated = false, ...column } of live) {
      const { default: inherited } = column;
      this.columns.push({
        name,
        type,
        typmod,
        notNull,
        default: null,
        generated,
        inheritedDefault: inherited && {
          ...inherited,
          expr: mapInputs(inherited.expr as Expr, place),
        },
        identity: '',
        sequenceOptions: null,
      });
    }
    this.inherited = new Set(this.columns.map(({ name }) => name));
  }

  /** Adds the constraints that a partition names for one of its columns. */
  private refineColumn(definition: ColumnDef, inherited: Set<string>): void {
    const name = definition.colname ?? '';
    const at = this.columns.findIndex((column) => column.name === name);
    const present = this.columns[at];
    if (present === undefined) {
      throw pgError('undefined_column', `column "${name}" does not exist`);
    }
    if (!inherited.delete(name)) throw duplicateColumn(name);
    const parts = this.columnParts(definition, present.type, null);
    if (present.generated === true && parts.hasDefault) {
      throw pgError(
        'invalid_column_definition',
        `column "${name}" inherits from generated column but specifies default`,
      );
    }
    this.columns[at] = {
      ...present,
      notNull: present.notNull || parts.notNull === 'not null',
      default: parts.default,
      inheritedDefault: parts.hasDefault ? null : (present.inheritedDefault ?? null),
    };
  }

  /** Adds a column that is given by its type alone. */
  addPlainColumn(name: string, type: number, typmod: number): void {
    this.addColumnDraft({
      name,
      type,
      typmod,
      notNull: false,
      default: null,
      identity: '',
      sequenceOptions: null,
    });
  }

  addColumnDraft(column: ColumnDraft): void {
    this.checkName(column.name);
    this.columns.push(column);
  }

  private checkName(name: string): void {
    if (SYSTEM_COLUMNS.has(name)) {
      throw pgError(
        'duplicate_column',
        `column name "${name}" conflicts with a system column name`,
      );
    }
    if (this.columns.some((column) => column.name === name)) throw duplicateColumn(name);
  }

  private columnType(definition: ColumnDef) {
    if (definition.typeName === undefined) throw notSupported('a column without a type');
    const bound = this.command.type(definition.typeName);
    checkColumnType(definition.colname ?? '', bound.type);
    return bound;
  }

  private addColumnConstraint(
    parts: ColumnParts,
    constraint: Constraint,
    column: string,
    type: number,
  ): void {
    switch (constraint.contype) {
      case 'CONSTR_NULL':
        if (parts.notNull === 'not null') throw parts.conflict(constraint.location);
        parts.notNull = 'null';
        return;
      case 'CONSTR_NOTNULL':
        if (constraint.is_no_inherit === true) {
          throw notSupported('NOT NULL NO INHERIT', this.command.position(constraint.location));
        }
        if (parts.notNull === 'null') throw parts.conflict(constraint.location);
        parts.notNull = 'not null';
        return;
      case 'CONSTR_DEFAULT':
        if (parts.hasDefault) throw parts.multiple('default values specified', constraint.location);
        parts.hasDefault = true;
        parts.default = constraint.raw_expr ?? null;
        parts.checkValue(constraint.location);
        return;
      case 'CONSTR_IDENTITY':
        if (parts.identity !== '') {
          throw parts.multiple('identity specifications', constraint.location);
        }
        if (this.inherited !== null) throw notOnPartitions('identity columns');
        if (parts.notNull === 'null') throw parts.conflict(constraint.location);
        checkIdentityType(type);
        parts.identity = constraint.generated_when === 'd' ? 'd' : 'a';
        parts.sequenceOptions = constraint.options ?? [];
        parts.notNull = 'not null';
        parts.checkValue(constraint.location);
        return;
      case 'CONSTR_GENERATED':
        if (constraint.generated_kind !== 's') {
          const place = this.command.position(constraint.location);
          throw areNotSupported('virtual generated columns', place);
        }
        if (this.inherited !== null) throw notOnPartitions('generated columns');
        if (parts.isGenerated) {
          throw parts.multiple('generation clauses specified', constraint.location);
        }
        parts.isGenerated = true;
        parts.default = constraint.raw_expr ?? null;
        parts.checkValue(constraint.location);
        return;
      case 'CONSTR_PRIMARY':
        parts.notNull = 'not null';
        this.addKey(constraint, [column]);
        return;
      case 'CONSTR_UNIQUE':
        this.addKey(constraint, [column]);
        return;
      case 'CONSTR_FOREIGN':
        this.foreignKeys.push(foreignKeyDraft(this.command, constraint, column));
        return;
      default:
        this.addConstraint(constraint);
    }
  }

  addConstraint(constraint: Constraint): void {
    refuseNewForms(this.command, constraint);
    switch (constraint.contype) {
      case 'CONSTR_CHECK':
        if (constraint.raw_expr === undefined) throw notSupported('an empty CHECK constraint');
        this.checks.push({
          name: constraint.conname ?? null,
          expression: constraint.raw_expr,
          validate: constraint.skip_validation !== true,
          noInherit: constraint.is_no_inherit === true,
        });
        return;
      case 'CONSTR_PRIMARY':
      case 'CONSTR_UNIQUE':
        this.addKey(constraint, nameList(constraint.keys));
        return;
      case 'CONSTR_FOREIGN':
        this.foreignKeys.push(foreignKeyDraft(this.command, constraint, null));
        return;
      case 'CONSTR_EXCLUSION':
        throw areNotSupported('exclusion constraints', this.command.position(constraint.location));
      case 'CONSTR_ATTR_ENFORCED':
        return;
      default:
        throw notSupported('this constraint', this.command.position(constraint.location));
    }
  }

  private addKey(constraint: Constraint, columns: readonly string[]): void {
    const { command, table } = this;
    const position = command.position(constraint.location);
    if (constraint.deferrable === true || constraint.initdeferred === true) {
      throw areNotSupported('deferrable constraints', position);
    }
    if (constraint.indexname !== undefined) throw notSupported('USING INDEX', position);
    if (constraint.indexspace !== undefined) throw areNotSupported('tablespaces', position);
    checkIndexOptions(constraint.options, false);
    if (constraint.without_overlaps === true) throw notSupported('WITHOUT OVERLAPS', position);
    const kind = constraint.contype === 'CONSTR_PRIMARY' ? 'primary' : 'unique';
    if (kind === 'primary' && this.keys.some((key) => key.kind === 'primary')) {
      throw multiplePrimaryKeys(table, command, constraint.location);
    }
    const key: KeyDraft = {
      kind,
      name: constraint.conname ?? null,
      columns,
      included: nameList(constraint.including),
      nullsNotDistinct: constraint.nulls_not_distinct === true,
      location: constraint.location,
    };
    const twin = this.writtenKeys.find((other) => isSameKey(other, key));
    if (twin === undefined) {
      this.keys.push(key);
      this.writtenKeys.push(key);
      return;
    }
    const merged = mergedKey(twin, key);
    this.keys[this.keys.indexOf(twin)] = merged;
    this.writtenKeys[this.writtenKeys.indexOf(twin)] = merged;
  }
}

function isSameKey(a: KeyDraft, b: KeyDraft): boolean {
  return (
    a.nullsNotDistinct === b.nullsNotDistinct &&
    isSameList(a.columns, b.columns) &&
    isSameList(a.included, b.included)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** What is written twice is one key, by the first name that it has; a primary key's own goes first. */
function mergedKey(first: KeyDraft, second: KeyDraft): KeyDraft {
  const [kept, other] = second.kind === 'primary' ? [second, first] : [first, second];
  return { ...kept, name: kept.name ?? other.name };
}

function notOnPartitions(columns: string) {
  return pgError('feature_not_supported', `${columns} are not supported on partitions`);
}

function duplicateColumn(name: string) {
  return pgError('duplicate_column', `column "${name}" specified more than once`);
}

export function multiplePrimaryKeys(table: string, command: Command, location?: number) {
  return pgError(
    'invalid_table_definition',
    `multiple primary keys for table "${table}" are not allowed`,
    command.position(location),
  );
}

/** What the constraints of one column add up to. */
class ColumnParts {
  notNull: 'unsaid' | 'null' | 'not null' = 'unsaid';
  hasDefault = false;
  default: Node | null = null;
  isGenerated = false;
  identity: '' | 'a' | 'd' = '';
  sequenceOptions: readonly Node[] | null = null;
  private readonly command: Command;
  private readonly column: string;
  private readonly table: string;

  constructor(command: Command, column: string, table: string) {
    this.command = command;
    this.column = column;
    this.table = table;
  }

  /** The value of a column comes from one thing. */
  checkValue(location: number | undefined): void {
    const isIdentity = this.identity !== '';
    if (this.hasDefault && isIdentity) {
      throw this.error('both default and identity specified', location);
    }
    if (this.hasDefault && this.isGenerated) {
      throw this.error('both default and generation expression specified', location);
    }
    if (isIdentity && this.isGenerated) {
      throw this.error('both identity and generation expression specified', location);
    }
  }

  conflict(location: number | undefined) {
    return this.error('conflicting NULL/NOT NULL declarations', location);
  }

  multiple(what: string, location: number | undefined) {
    return this.error(`multiple ${what}`, location);
  }

  private error(what: string, location: number | undefined) {
    return pgError(
      'syntax_error',
      `${what} for column "${this.column}" of table "${this.table}"`,
      this.command.position(location),
    );
  }
}

export const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  'tableoid',
  'xmin',
  'cmin',
  'xmax',
  'cmax',
  'ctid',
]);

/** serial and its kin: the integer type behind the name. */
function serialType(command: Command, definition: ColumnDef) {
  const names = nameList(definition.typeName?.names);
  const underlying = names.length === 1 ? SERIAL_TYPES.get(names[0] ?? '') : undefined;
  if (underlying === undefined) return null;
  if ((definition.typeName?.arrayBounds?.length ?? 0) > 0) {
    throw pgError(
      'feature_not_supported',
      'array of serial is not implemented',
      command.position(definition.typeName?.location),
    );
  }
  const type = builtinTypes.findByName(underlying);
  return type === undefined ? null : { type: type.oid, typmod: -1 };
}

/** Checks the COLLATE of a column. */
export function checkColumnCollation(
  command: Command,
  { collClause }: ColumnDef,
  type: number,
): void {
  checkCollation(command.binder(), nameList(collClause?.collname), type, collClause?.location);
}

/** Refuses pseudo-types, of which no column can be. */
export function checkColumnType(column: string, oid: number): void {
  const type = typeByOid(oid);
  if (type.category !== 'P' && type.oid !== OID.unknown) return;
  throw pgError('invalid_table_definition', `column "${column}" has pseudo-type ${type.sqlName}`);
}

export function checkIdentityType(type: number): void {
  if (type === OID.int2 || type === OID.int4 || type === OID.int8) return;
  throw pgError(
    'invalid_parameter_value',
    'identity column type must be smallint, integer, or bigint',
  );
}

/** What the grammar knows and PostgreSQL 15 does not. */
function refuseNewForms(command: Command, constraint: Constraint): void {
  const { contype, is_enforced: isEnforced, fk_with_period: ofPeriod, location } = constraint;
  const place = command.position(location);
  const canBeOff = contype === 'CONSTR_CHECK' || contype === 'CONSTR_FOREIGN';
  if (canBeOff && isEnforced !== true) throw areNotSupported('NOT ENFORCED constraints', place);
  if (ofPeriod === true) throw areNotSupported('foreign keys of periods', place);
}
