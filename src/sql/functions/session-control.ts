/** Functions that act on the session, on other sessions, or on the time a statement takes. */

import { notSupported } from '../../errors/index.ts';
import { network } from '../../types/index.ts';
import type { FunctionContext, SetFunction, StatementControl } from './function.ts';
import { registerFunctions } from './implementations.ts';

type C = FunctionContext;

/** They run where FunctionContext.control is set: the planner marks statements that call them as it
 * does those that ask the catalog. */
export const SESSION_CONTROL = {
  set_config_by_name: (c: C, name: string | null, value: string | null, local: boolean | null) =>
    name === null ? null : controlOf(c).setSetting(name, value, local ?? false),
  pg_cancel_backend: (c: C, processId: number) => signal(c, processId, 'cancel'),
  pg_notify: (c: C, channel: string | null, payload: string | null) => {
    controlOf(c).notify(channel ?? '', payload ?? '');
    return '';
  },
  pg_notification_queue_usage: (c: C) => controlOf(c).notificationQueueUsage(),
  pg_terminate_backend: (c: C, processId: number) => signal(c, processId, 'terminate'),
  inet_client_addr: (c: C) => network.ofSocket(controlOf(c).connection?.address),
  inet_client_port: (c: C) => controlOf(c).connection?.port ?? null,
  inet_server_addr: (c: C) => network.ofSocket(controlOf(c).connection?.serverAddress),
  inet_server_port: (c: C) => controlOf(c).connection?.serverPort ?? null,
};

/** Sets that need it, too. */
export const SESSION_CONTROL_SETS: Readonly<Record<string, SetFunction>> = {
  *pg_listening_channels(context) {
    for (const channel of controlOf(context).listeningChannels()) yield [channel];
  },
};

function controlOf({ control }: C): StatementControl {
  if (control === undefined) {
    throw notSupported('a function that asks or changes the session in a statement of tables');
  }
  return control;
}

function signal(context: C, processId: number, kind: 'cancel' | 'terminate'): boolean {
  const found = controlOf(context).signal(processId, kind);
  if (!found) {
    context.notice(`PID ${processId} is not a PostgreSQL backend process`, 'WARNING');
  }
  return found;
}

registerFunctions({
  sets: SESSION_CONTROL_SETS,
  scalars: {
    ...SESSION_CONTROL,
    pg_sleep: (c: C, seconds: number) => {
      if (c.sleep === undefined) throw notSupported('pg_sleep() in a utility statement');
      if (seconds > 0) c.sleep(seconds * 1000);
      return '';
    },
  },
});
