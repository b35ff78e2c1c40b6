import { PgError } from '../../errors/index.ts';
import { STALE_PLAN_SQLSTATE } from '../../session/index.ts';

/** A plan was made for a table that has changed since: the main thread is to make it anew. It knows
 * this by the SQLSTATE, which never reaches a client. */
export class StalePlan extends PgError {
  constructor() {
    super({ severity: 'ERROR', sqlstate: STALE_PLAN_SQLSTATE, message: 'the plan is out of date' });
  }
}
