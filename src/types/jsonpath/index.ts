export * from './item.ts';
export { jsonpathType, parsedPath, usePatternCheck } from './types.ts';
