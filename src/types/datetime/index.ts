export { dateType } from './date.ts';
export { intervalType } from './interval.ts';
export { timeType } from './time.ts';
export { timestampType, timestamptzType } from './timestamp.ts';
