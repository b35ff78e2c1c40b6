/** The calls of functions of time with time zone. Those whose answer depends on today's offset take
 * zones that have one offset all year. */

import { aggregates, grid, type Sample } from './sample.ts';

const TIMES = [
  '12:00+01',
  '13:00+02',
  '11:00Z',
  '00:00+14',
  '23:59:59.999999-11:30',
  '24:00-08',
  '04:05:06.089731+05:30:15',
];
const INTERVALS = ['0', '1 day 01:00', '-25:00', '00:00:00.000001', '1 mon'];
const UNITS = [
  'day',
  'epoch',
  'HOUR',
  'microseconds',
  'milliseconds',
  'minute',
  'second',
  'timezone',
  'timezone_hour',
  'timezone_minute',
  'foo',
];

export const timetz: readonly Sample[] = [
  ...['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'cmp', 'larger', 'smaller'].map((name) =>
    grid(`timetz_${name}`, 'timetz timetz', TIMES, TIMES),
  ),
  grid('timetz_pl_interval', 'timetz interval', TIMES, INTERVALS),
  grid('timetz_mi_interval', 'timetz interval', TIMES, INTERVALS),
  grid('interval_pl_timetz', 'interval timetz', INTERVALS, TIMES),
  grid(
    'datetimetz_pl',
    'date timetz',
    ['2024-03-10', 'infinity', '4714-11-24 BC', '294276-12-31', '294277-01-01'],
    TIMES,
  ),
  grid('timetzdate_pl', 'timetz date', TIMES, ['2024-03-10', '-infinity']),
  grid('timestamptz', 'date timetz', ['2024-03-10'], TIMES),
  grid('timetz', 'timestamptz', [
    '2024-03-10 06:59:59Z',
    '2024-07-10 06:59:59Z',
    '1883-11-18 12:00Z',
    'infinity',
    '-infinity',
  ]),
  grid('timetz', 'timetz int4', TIMES, ['0', '3', '6', '-1']),
  grid('time', 'timetz', TIMES),
  grid('timezone', 'text timetz', ['UTC', 'MSK', '+03', 'Asia/Kathmandu', 'Nowhere/Land'], TIMES),
  grid('timezone', 'interval timetz', ['03:00', '-100:00', '01:02:03.9', '1 day'], TIMES),
  grid('extract', 'text timetz', UNITS, TIMES),
  grid('date_part', 'text timetz', UNITS, TIMES),
  grid(
    'overlaps',
    'timetz timetz timetz timetz',
    ['12:00+01', null],
    ['10:00Z', '14:00+01'],
    ['11:30Z', '20:00Z'],
    ['14:00-01', null],
  ),
  grid('timetz_send', 'timetz', TIMES),
  ...aggregates(
    'min max count',
    'timetz',
    TIMES.map((time) => [time]),
    [],
    [[null]],
  ),
];
