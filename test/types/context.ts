/** Default settings of a session. */
export { DEFAULT_TYPE_CONTEXT as CONTEXT } from '../../src/types/index.ts';
