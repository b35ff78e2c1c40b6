import { type PgError, pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import { DAYS_PER_MONTH, MICROS_PER_DAY, SECONDS_PER_DAY } from './calendar.ts';
import { addInt8, divideInt8, int8FromDouble, isInt4, negateInt8, subtractInt8 } from './int64.ts';
import { roundHalfEven } from './lexer.ts';

/** Sums, products and justification of intervals. */

export function intervalOutOfRange(): PgError {
  return pgError('datetime_field_overflow', 'interval out of range');
}

/** An interval of checked parts. */
export function makeCheckedInterval(months: number, days: number, micros: Int8 | null): Interval {
  if (micros === null || !isInt4(months) || !isInt4(days)) throw intervalOutOfRange();
  // Adding 0 turns -0 into 0.
  return { months: months + 0, days: days + 0, micros };
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return makeCheckedInterval(a.months + b.months, a.days + b.days, addInt8(a.micros, b.micros));
}

export function subtractIntervals(a: Interval, b: Interval): Interval {
  return makeCheckedInterval(
    a.months - b.months,
    a.days - b.days,
    subtractInt8(a.micros, b.micros),
  );
}

export function negateInterval(interval: Interval): Interval {
  return makeCheckedInterval(-interval.months, -interval.days, negateInt8(interval.micros));
}

export function multiplyInterval(interval: Interval, factor: number): Interval {
  const { months, days, micros } = interval;
  return cascade(months * factor, days * factor, Number(micros) * factor);
}

export function divideInterval(interval: Interval, divisor: number): Interval {
  if (divisor === 0) throw pgError('division_by_zero', 'division by zero');
  const { months, days, micros } = interval;
  return cascade(months / divisor, days / divisor, Number(micros) / divisor);
}

/** Rounds to whole microseconds of a second, so that whole numbers come out whole. */
function roundSeconds(value: number): number {
  return roundHalfEven(value * 1e6) / 1e6;
}

/** An interval of fractional parts: what is left of a month becomes days, of a day, microseconds. */
function cascade(months: number, days: number, micros: number): Interval {
  const wholeMonths = Math.trunc(months);
  let wholeDays = Math.trunc(days);
  if (!isInt4(wholeMonths) || !isInt4(wholeDays)) throw intervalOutOfRange();
  const monthDays = roundSeconds((months - wholeMonths) * DAYS_PER_MONTH);
  let seconds = roundSeconds(
    (days - wholeDays + monthDays - Math.trunc(monthDays)) * SECONDS_PER_DAY,
  );
  if (Math.abs(seconds) >= SECONDS_PER_DAY) {
    const carry = Math.trunc(seconds / SECONDS_PER_DAY);
    wholeDays += carry;
    seconds -= carry * SECONDS_PER_DAY;
  }
  wholeDays += Math.trunc(monthDays);
  const wholeMicros = int8FromDouble(roundHalfEven(micros + seconds * 1e6));
  return makeCheckedInterval(wholeMonths, wholeDays, wholeMicros);
}

/** Turns whole 24 hours into days, with one sign for both. */
export function justifyHours(interval: Interval): Interval {
  const [carry, rest] = divideInt8(interval.micros, MICROS_PER_DAY);
  const [days, micros] = sameSign(interval.days + Number(carry), rest, MICROS_PER_DAY);
  return makeCheckedInterval(interval.months, days, micros);
}

/** Turns whole 30 days into months, with one sign for both. */
export function justifyDays(interval: Interval): Interval {
  const carry = Math.trunc(interval.days / DAYS_PER_MONTH);
  const rest = interval.days - carry * DAYS_PER_MONTH;
  const [months, days] = sameSign(interval.months + carry, rest, DAYS_PER_MONTH);
  return makeCheckedInterval(months, days, interval.micros);
}

/** Both at once, with one sign for all three. */
export function justifyInterval(interval: Interval): Interval {
  const [dayCarry, timeRest] = divideInt8(interval.micros, MICROS_PER_DAY);
  let micros = timeRest;
  let days = interval.days + Number(dayCarry);
  const monthCarry = Math.trunc(days / DAYS_PER_MONTH);
  days -= monthCarry * DAYS_PER_MONTH;
  let months = interval.months + monthCarry;
  if (months > 0 && (days < 0 || (days === 0 && micros < 0))) {
    days += DAYS_PER_MONTH;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && micros > 0))) {
    days -= DAYS_PER_MONTH;
    months++;
  }
  [days, micros] = sameSign(days, micros, MICROS_PER_DAY);
  return makeCheckedInterval(months, days, micros + 0);
}

/** Moves one unit between a larger and a smaller part so that their signs agree. */
function sameSign(large: number, small: number, unit: number): readonly [number, number] {
  if (large > 0 && small < 0) return [large - 1, small + unit];
  return large < 0 && small > 0 ? [large + 1, small - unit] : [large, small];
}
