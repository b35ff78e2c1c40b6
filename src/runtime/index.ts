export { EngineServer, type EngineServerOptions } from './main/server.ts';
