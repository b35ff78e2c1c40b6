export type * from './plan.ts';
export { planQuery } from './plan-query.ts';
export { type PointRead, pointRead } from './point-read.ts';
export type { PlanContext } from './statement-planner.ts';
