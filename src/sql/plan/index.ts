export { type ExplainActuals, explainAnalyzed, explainPlan, type NodeFigures } from './explain.ts';
export { type ExplainOptions, explainFormat, explainOptions } from './explain-options.ts';
export { inputsOf, visitNodes } from './explain-tree.ts';
export { type KeyValue, type KeyValueSource, PartitionPruner } from './partition-pruning.ts';
export type * from './plan.ts';
export { planQuery } from './plan-query.ts';
export { type PointRead, pointRead } from './point-read.ts';
export { copiedPartitions } from './result-partitions.ts';
export type { PlanContext } from './statement-planner.ts';
