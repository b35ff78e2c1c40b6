export { type ListenAddress, PgServer, type PgServerOptions } from './pgwire/server.ts';
