import { type PgError, type PgErrorOptions, pgError } from '../../errors/index.ts';

/** 0A000 for several things at once: `foreign key constraints are not supported`. */
export function areNotSupported(features: string, options?: PgErrorOptions): PgError {
  return pgError('feature_not_supported', `${features} are not supported`, options);
}
