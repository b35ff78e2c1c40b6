import { isOtherTemporary } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { readOnlyTransaction } from '../../session/index.ts';
import type { SequenceOperations } from '../../sql/execute/index.ts';
import type { Int8 } from '../../types/index.ts';
import type { Writer } from './writer.ts';
import type { OpenTransaction, WriterSession } from './writer-session.ts';

/** nextval() and its kin, as one transaction of a session calls them. */
export class SessionSequences implements SequenceOperations {
  private readonly writer: Writer;
  private readonly session: WriterSession;
  private readonly open: OpenTransaction;

  constructor(writer: Writer, session: WriterSession, open: OpenTransaction) {
    this.writer = writer;
    this.session = session;
    this.open = open;
  }

  nextval(relation: number): Int8 {
    this.beginChange(relation, 'nextval');
    const value = this.writer.sequenceStore.nextval(this.catalog, relation);
    this.session.currentValues.set(relation, value);
    this.session.lastSequence = relation;
    return value;
  }

  putBack(relation: number, last: Int8, kept: Int8): void {
    const { sequenceStore } = this.writer;
    if (!sequenceStore.putBack(relation, BigInt(last), BigInt(kept))) return;
    this.session.currentValues.set(relation, kept);
  }

  currval(relation: number): Int8 {
    const value = this.session.currentValues.get(relation);
    if (value !== undefined) return value;
    const name = this.catalog.relationByOid(relation)?.name ?? String(relation);
    throw pgError(
      'object_not_in_prerequisite_state',
      `currval of sequence "${name}" is not yet defined in this session`,
    );
  }

  setval(relation: number, value: Int8, isCalled: boolean): Int8 {
    this.beginChange(relation, 'setval');
    this.writer.sequenceStore.setval(this.catalog, relation, BigInt(value), isCalled);
    if (isCalled) this.session.currentValues.set(relation, value);
    return value;
  }

  lastval(): Int8 {
    const { lastSequence } = this.session;
    if (this.catalog.relationByOid(lastSequence) !== undefined) return this.currval(lastSequence);
    throw pgError('object_not_in_prerequisite_state', 'lastval is not yet defined in this session');
  }

  /** What is handed out of a temporary sequence need not survive a crash. */
  private beginChange(relation: number, call: string): void {
    const { catalog, open } = this;
    const descriptor = catalog.relationByOid(relation);
    if (descriptor?.persistence !== 't') {
      if (open.readOnly) throw readOnlyTransaction(`${call}()`);
      open.needsFlush = true;
    } else if (isOtherTemporary(catalog, descriptor.schema, this.session.id)) {
      throw pgError('feature_not_supported', 'cannot access temporary tables of other sessions');
    }
  }

  private get catalog() {
    return this.writer.catalogOf(this.open);
  }
}
