export {
  addDaysToDate,
  currentDate,
  dateMinusInterval,
  datePlusInterval,
  overlaps,
  subtractDates,
  subtractTimes,
  subtractTimestamps,
  timeMinusInterval,
  timePlusInterval,
  timestampAge,
  timestampMinusInterval,
  timestampPlusInterval,
  timestamptzAge,
  timestamptzMinusInterval,
  timestamptzPlusInterval,
  timetzMinusInterval,
  timetzPlusInterval,
} from './arithmetic.ts';
export {
  dateFromInt4,
  int4FromDate,
  int8FromTimestamp,
  timestampFromInt8,
} from './binary.ts';
export {
  comparableMoment,
  datePlusTime,
  dateToTimestamp,
  dateToTimestamptz,
  intervalToTime,
  localTimestamp,
  momentOfLocal,
  shortDouble,
  timestampAtZone,
  timestampToDate,
  timestampToTime,
  timestamptzAtZone,
  timestamptzFromUnix,
  timestamptzToDate,
  timestamptzToTime,
  timeToInterval,
  zoneAtMoment,
  zoneOfInterval,
} from './conversion.ts';
export { dateType } from './date.ts';
export {
  doubleOfPart,
  extractFromDate,
  extractFromInterval,
  extractFromTime,
  extractFromTimestamp,
  extractFromTimestamptz,
  extractFromTimetz,
  partOfInterval,
  partOfTimetz,
} from './extract.ts';
export { formatInterval, formatTimestamp, formatTimestamptz } from './format.ts';
export { parseDate, parseTimestamptz } from './format-input.ts';
export {
  checkTemplate,
  parseByTemplate,
  type StrictMoment,
  type TemplateType,
} from './format-strict.ts';
export { compareIntervals, intervalType } from './interval.ts';
export {
  addIntervals,
  divideInterval,
  justifyDays,
  justifyHours,
  justifyInterval,
  multiplyInterval,
  negateInterval,
  subtractIntervals,
} from './interval-arithmetic.ts';
export { makeDate, makeInterval, makeTime, makeTimestamp, makeTimestamptz } from './make.ts';
export { timeType } from './time.ts';
export { timestampType, timestamptzType } from './timestamp.ts';
export {
  compareTimetz,
  datePlusTimetz,
  makeTimetz,
  microsOfTimetz,
  offsetOfTimetz,
  shiftTimetz,
  timestamptzToTimetz,
  timeToTimetz,
  timetzAtZone,
  timetzType,
} from './timetz.ts';
export {
  binTimestamp,
  truncateInterval,
  truncateTimestamp,
  truncateTimestamptz,
} from './truncate.ts';
export {
  xsdDate,
  xsdTime,
  xsdTimestamp,
  xsdTimestamptz,
  xsdTimestamptzIn,
  xsdTimetz,
} from './xml-schema.ts';
export { findTimeZone, sessionZone, type TimeZone, timeZoneNames } from './zone.ts';
export { ZONE_ABBREVIATIONS } from './zone-abbreviations.ts';
export { canonicalTimeZone } from './zone-setting.ts';
