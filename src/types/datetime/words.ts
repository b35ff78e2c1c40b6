/** The words of dates, times and intervals. Only the first ten letters of a word count. */

export type Unit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium'
  | 'julian'
  | 'dow'
  | 'isodow'
  | 'doy'
  | 'isoyear'
  | 'epoch'
  | 'timezone'
  | 'timezone_hour'
  | 'timezone_minute';

export type DateWord =
  | {
      readonly kind: 'reserved';
      readonly value:
        | 'now'
        | 'today'
        | 'tomorrow'
        | 'yesterday'
        | 'allballs'
        | 'epoch'
        | 'late'
        | 'early';
    }
  | { readonly kind: 'month'; readonly month: number }
  | { readonly kind: 'weekday'; readonly day: number }
  | { readonly kind: 'meridiem'; readonly pm: boolean }
  | { readonly kind: 'era'; readonly bc: boolean }
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'daylight' }
  | { readonly kind: 'iso-time' }
  | { readonly kind: 'ignore' };

type IntervalWord =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'ago' }
  | { readonly kind: 'ignore' };

const WORD_LENGTH = 10;

export const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export const DAY_NAMES = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;

function loadDateWords(): Map<string, DateWord> {
  const words = new Map<string, DateWord>([
    ['-infinity', { kind: 'reserved', value: 'early' }],
    ['infinity', { kind: 'reserved', value: 'late' }],
    ['ad', { kind: 'era', bc: false }],
    ['bc', { kind: 'era', bc: true }],
    ['am', { kind: 'meridiem', pm: false }],
    ['pm', { kind: 'meridiem', pm: true }],
    ['at', { kind: 'ignore' }],
    ['on', { kind: 'ignore' }],
    ['dst', { kind: 'daylight' }],
    ['t', { kind: 'iso-time' }],
    ['sept', { kind: 'month', month: 9 }],
    ['tues', { kind: 'weekday', day: 2 }],
    ['weds', { kind: 'weekday', day: 3 }],
    ['thur', { kind: 'weekday', day: 4 }],
    ['thurs', { kind: 'weekday', day: 4 }],
  ]);
  for (const value of ['now', 'today', 'tomorrow', 'yesterday', 'allballs', 'epoch'] as const) {
    words.set(value, { kind: 'reserved', value });
  }
  MONTH_NAMES.forEach((name, index) => {
    words.set(name.toLowerCase(), { kind: 'month', month: index + 1 });
    words.set(name.slice(0, 3).toLowerCase(), { kind: 'month', month: index + 1 });
  });
  DAY_NAMES.forEach((name, day) => {
    words.set(name.toLowerCase(), { kind: 'weekday', day });
    words.set(name.slice(0, 3).toLowerCase(), { kind: 'weekday', day });
  });
  const units: readonly (readonly [string, Unit])[] = [
    ['d', 'day'],
    ['dow', 'dow'],
    ['doy', 'doy'],
    ['h', 'hour'],
    ['isodow', 'isodow'],
    ['isoyear', 'isoyear'],
    ['j', 'julian'],
    ['jd', 'julian'],
    ['julian', 'julian'],
    ['m', 'month'],
    ['mm', 'minute'],
    ['s', 'second'],
    ['y', 'year'],
  ];
  for (const [word, unit] of units) words.set(word, { kind: 'unit', unit });
  return words;
}

function loadIntervalWords(): Map<string, IntervalWord> {
  const words = new Map<string, IntervalWord>([
    ['@', { kind: 'ignore' }],
    ['ago', { kind: 'ago' }],
  ]);
  const units: readonly (readonly [Unit, string])[] = [
    ['microsecond', 'microsecon us usec usecond useconds usecs'],
    ['millisecond', 'millisecon ms msec msecond mseconds msecs'],
    ['second', 's sec second seconds secs'],
    ['minute', 'm min mins minute minutes'],
    ['hour', 'h hour hours hr hrs'],
    ['day', 'd day days'],
    ['week', 'w week weeks'],
    ['month', 'mon mons month months'],
    ['quarter', 'qtr quarter'],
    ['year', 'y year years yr yrs'],
    ['decade', 'dec decade decades decs'],
    ['century', 'c cent century centuries'],
    ['millennium', 'mil mils millennia millennium'],
    ['timezone', 'timezone'],
    ['timezone_hour', 'timezone_h'],
    ['timezone_minute', 'timezone_m'],
  ];
  for (const [unit, list] of units) {
    for (const word of list.split(' ')) words.set(word, { kind: 'unit', unit });
  }
  return words;
}

export const DATE_WORDS: ReadonlyMap<string, DateWord> = loadDateWords();
const INTERVAL_WORDS: ReadonlyMap<string, IntervalWord> = loadIntervalWords();

/** Looks a lower-case word up among those of dates. */
export function dateWord(word: string): DateWord | undefined {
  return DATE_WORDS.get(word.slice(0, WORD_LENGTH));
}

/** Looks a lower-case word up among those of intervals. */
export function intervalWord(word: string): IntervalWord | undefined {
  return INTERVAL_WORDS.get(word.slice(0, WORD_LENGTH));
}

/** The unit that a word of intervals (any case) names. */
export function intervalUnitOf(name: string): Unit | undefined {
  const word = intervalWord(name.toLowerCase());
  return word?.kind === 'unit' ? word.unit : undefined;
}
