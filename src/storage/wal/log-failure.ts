import { PgError, toErrorFields } from '../../errors/index.ts';

/** The log or a checkpoint could not be written. What reached the disk is unknown, so nothing more is
 * written: the store has to be opened again, and recovers. Reads go on. */
export class LogFailure extends PgError {
  constructor(reason: unknown) {
    const fields = toErrorFields(reason);
    super({
      ...fields,
      severity: 'PANIC',
      detail: fields.detail ?? 'The outcome of transactions that were committing is not known.',
    });
    this.cause = reason;
  }
}
