export type { PollSource } from './pgwire/busy-poll.ts';
export { type ListenAddress, PgServer, type PgServerOptions } from './pgwire/server.ts';
