export {
  type SystemColumn,
  type SystemRelation,
  systemRelation,
  systemRelationByOid,
} from './shapes.ts';
export type * from './system-state.ts';
export { systemViewProducers, systemViewRows, systemViewShape } from './views.ts';
