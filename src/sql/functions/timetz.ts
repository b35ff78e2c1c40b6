/** Functions of time with time zone, by types/datetime/timetz.ts. */

import type { Int8, Interval } from '../../types/index.ts';
import * as datetime from '../../types/index.ts';
import { typeOrder, zoneOf } from './datetime.ts';
import type { FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;
type Timetz = Uint8Array;

const arithmetic: Scalars = {
  timetz_pl_interval: (_c, a: Timetz, b: Interval) => datetime.timetzPlusInterval(a, b),
  timetz_mi_interval: (_c, a: Timetz, b: Interval) => datetime.timetzMinusInterval(a, b),
  '2547': (_c, a: Interval, b: Timetz) => datetime.timetzPlusInterval(b, a),
  datetimetz_timestamptz: (_c, a: number, b: Timetz) => datetime.datePlusTimetz(a, b),
  '1298': (_c, a: Timetz, b: number) => datetime.datePlusTimetz(b, a),
  overlaps_timetz: (_c, a: Timetz | null, b: Timetz | null, c: Timetz | null, d: Timetz | null) =>
    datetime.overlaps(a, b, c, d, datetime.compareTimetz),
};

const casts: Scalars = {
  time_timetz: (c: C, a: number) => datetime.timeToTimetz(a, c.transactionTimestamp, zoneOf(c)),
  timetz_time: (_c, a: Timetz) => datetime.microsOfTimetz(a),
  timestamptz_timetz: (c: C, a: Int8) => datetime.timestamptzToTimetz(a, zoneOf(c)),
  timetz_zone: (c: C, name: string, a: Timetz) =>
    datetime.timetzAtZone(a, name, c.transactionTimestamp),
  timetz_izone: (_c, zone: Interval, a: Timetz) =>
    datetime.shiftTimetz(a, datetime.zoneOfInterval(zone).offsetAt(0)),
  extract_timetz: (_c, field: string, a: Timetz) => datetime.extractFromTimetz(field, a),
  timetz_part: (_c, field: string, a: Timetz) => datetime.partOfTimetz(field, a),
};

registerFunctions({
  scalars: { ...typeOrder('timetz', datetime.compareTimetz), ...arithmetic, ...casts },
});
