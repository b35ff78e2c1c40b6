export { checkDataDirectory } from './check.ts';
export { EngineServer, type EngineServerOptions } from './main/server.ts';
