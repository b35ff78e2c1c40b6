import { notSupported, pgError } from '../../errors/index.ts';
import type { Session } from '../../session/index.ts';
import type { BindMessage, MessageReader } from './message-reader.ts';
import { Frontend } from './message-types.ts';

/** Hands a message that asks for something to the session, parsed. `values` is where the parameters of Bind
 * go; `syncFollows`: the next message has come, and is a Sync. */
export function tellSession(
  session: Session,
  type: number,
  reader: MessageReader,
  values: BindMessage,
  syncFollows: boolean,
): void {
  switch (type) {
    case Frontend.bind: {
      const portal = reader.name();
      const statement = reader.name();
      reader.bindValues(values);
      session.bind(portal, statement, values);
      return;
    }
    case Frontend.execute: {
      const portal = reader.name();
      const rowCountMax = reader.int32();
      reader.close();
      session.execute(portal, Math.max(rowCountMax, 0), syncFollows);
      return;
    }
    case Frontend.describe: {
      const kind = reader.byte();
      const name = reader.name();
      reader.close();
      if (isStatement(kind, 'DESCRIBE')) session.describeStatement(name);
      else session.describePortal(name);
      return;
    }
    case Frontend.close: {
      const kind = reader.byte();
      const name = reader.name();
      reader.close();
      if (isStatement(kind, 'CLOSE')) session.closeStatement(name);
      else session.closePortal(name);
      return;
    }
    case Frontend.query: {
      const text = reader.text();
      reader.close();
      session.simpleQuery(text);
      return;
    }
    case Frontend.parse: {
      const name = reader.name();
      const text = reader.text();
      const types = reader.parameterTypes();
      reader.close();
      session.parse(name, text, types);
      return;
    }
    case Frontend.functionCall:
      session.reject(notSupported('the function call message').fields, false);
  }
}

/** Describe and Close are of a statement or of a portal. */
function isStatement(kind: number, message: string): boolean {
  if (kind === STATEMENT) return true;
  if (kind === PORTAL) return false;
  throw pgError('protocol_violation', `invalid ${message} message subtype ${kind}`);
}

const STATEMENT = 0x53;
const PORTAL = 0x50;
