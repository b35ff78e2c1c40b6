/** Scripts: commands of several sessions, `---`, and what they answer.
 *
 *   # A comment.
 *   a: begin; update t set v = 1 where id = 1
 *   b &: update t set v = 2 where id = 1
 *   a: commit
 *   b <
 *   ---
 *   a: BEGIN; UPDATE 1
 *   b: waits
 *   a: COMMIT
 *   b: UPDATE 1
 *
 * `b &:` sends a command that is expected to wait, `b <` takes its answer. A line is one simple query.
 * Rows print as values with commas between them, one row after the other with ` | ` between them.
 * Blocks are parted by an empty line, and sessions live through all blocks of a file. */
import {
  type BackendMessage,
  query,
  readFields,
  readRow,
  WireClient,
} from '../support/wire-client.ts';

/** How long a command has to go without an answer to count as waiting. */
const WAIT_MS = 250;
const ANSWER_MS = 20_000;

export interface Block {
  /** Comments and commands, as they stand in the file. */
  readonly lines: readonly string[];
  readonly expected: string;
}

export function readScript(text: string): Block[] {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const [commands = '', expected = ''] = block.trim().split(/^---$\n?/m);
      return { lines: commands.trim().split('\n'), expected: expected.trim() };
    });
}

/** The file again, with these answers. */
export function writeScript(blocks: readonly Block[], answers: readonly string[]): string {
  return blocks
    .map(({ lines }, i) => {
      const hasCommands = lines.some((line) => !line.startsWith('#'));
      return hasCommands ? `${lines.join('\n')}\n---\n${answers[i]}\n` : `${lines.join('\n')}\n`;
    })
    .join('\n');
}

export class ScriptRunner {
  private readonly port: number;
  private readonly sessions = new Map<string, WireClient>();
  private readonly waiting = new Map<string, Promise<BackendMessage[]>>();

  constructor(port: number) {
    this.port = port;
  }

  async run(block: Block): Promise<string> {
    const answers: string[] = [];
    for (const line of block.lines) {
      if (line.startsWith('#')) continue;
      const [, name = '', sign = '', text = ''] = /^(\w+)(?: ?([&<]))?:? ?(.*)$/.exec(line) ?? [];
      if (sign === '<') {
        const messages = await this.waiting.get(name);
        this.waiting.delete(name);
        answers.push(`${name}: ${describeMessages(messages ?? [])}`);
        continue;
      }
      const client = await this.session(name);
      client.send(query(text));
      const answer = client.until('Z', ANSWER_MS);
      if (sign === '&') answers.push(`${name}: ${await this.expectWait(name, answer)}`);
      else answers.push(`${name}: ${describeMessages(await answer)}`);
    }
    return answers.join('\n');
  }

  async close(): Promise<void> {
    for (const client of this.sessions.values()) client.destroy();
  }

  private async expectWait(name: string, answer: Promise<BackendMessage[]>): Promise<string> {
    this.waiting.set(name, answer);
    const late = new Promise<null>((resolve) => setTimeout(resolve, WAIT_MS, null));
    return (await Promise.race([answer, late])) === null ? 'waits' : 'does not wait';
  }

  private async session(name: string): Promise<WireClient> {
    const present = this.sessions.get(name);
    if (present !== undefined) return present;
    const client = await WireClient.start(this.port);
    this.sessions.set(name, client);
    return client;
  }
}

function describeMessages(messages: readonly BackendMessage[]): string {
  const parts: string[] = [];
  let rows: string[] | null = null;
  for (const { type, body } of messages) {
    if (type === 'T') rows = [];
    else if (type === 'D')
      rows?.push(
        readRow(body)
          .map((value) => value ?? 'null')
          .join(','),
      );
    else if (type === 'C') {
      const tag = body.toString('utf8', 0, body.length - 1);
      parts.push(rows === null ? tag : rows.length === 0 ? '(no rows)' : rows.join(' | '));
      rows = null;
    } else if (type === 'E') {
      const { C, M } = readFields(body);
      parts.push(`ERROR ${C}: ${M}`);
    } else if (type === 'N') {
      const { S, M } = readFields(body);
      parts.push(`${S}: ${M}`);
    } else if (type === 'I') parts.push('(nothing)');
  }
  return parts.join('; ');
}
