import { type PgError, pgError } from '../../errors/index.ts';

/** Why a text is not a date or time. Decoders throw it without knowing the whole text or the type;
 * the input function turns it into the error that the user sees. */
export type FaultKind =
  | 'format'
  | 'field_overflow'
  | 'month_or_day_overflow'
  | 'zone_overflow'
  | 'interval_overflow';

export class DatetimeFault extends Error {
  readonly kind: FaultKind;
  constructor(kind: FaultKind) {
    super(kind);
    this.kind = kind;
  }
}

export function fault(kind: FaultKind): DatetimeFault {
  return new DatetimeFault(kind);
}

/** The user's error for a fault in `text`, which was to become a `typeName`. */
export function faultError(kind: FaultKind, text: string, typeName: string): PgError {
  switch (kind) {
    case 'field_overflow':
      return pgError('datetime_field_overflow', `date/time field value out of range: "${text}"`);
    case 'month_or_day_overflow':
      return pgError('datetime_field_overflow', `date/time field value out of range: "${text}"`, {
        hint: 'Perhaps you need a different "datestyle" setting.',
      });
    case 'interval_overflow':
      return pgError('interval_field_overflow', `interval field value out of range: "${text}"`);
    case 'zone_overflow':
      return pgError(
        'invalid_time_zone_displacement_value',
        `time zone displacement out of range: "${text}"`,
      );
    case 'format':
      return pgError(
        'invalid_datetime_format',
        `invalid input syntax for type ${typeName}: "${text}"`,
      );
  }
}

/** Runs a decoder; its faults become the user's errors. */
export function decoding<T>(text: string, typeName: string, decode: () => T): T {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof DatetimeFault) throw faultError(thrown.kind, text, typeName);
    throw thrown;
  }
}
