import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time for user space in hundredths of a second. */
const TICK_MICROS = 10_000;
/** Fields of /proc/…/stat, counted from the one behind the name in parentheses (proc(5)). */
const UTIME = 11;
const STIME = 12;
const CUTIME = 13;
const CSTIME = 14;

/** Processor time in microseconds of the threads of a process, by thread id, the main thread's first. */
export function threadTimes(pid: number): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    const fields = statFields(`/proc/${pid}/task/${name}/stat`);
    times.set(Number(name), (fields[UTIME]! + fields[STIME]!) * TICK_MICROS);
  }
  return times;
}

/** Processor time in microseconds of the programs that this process has run and waited for. */
export function childrenTime(): number {
  const fields = statFields('/proc/self/stat');
  return (fields[CUTIME]! + fields[CSTIME]!) * TICK_MICROS;
}

function statFields(path: string): number[] {
  const text = readFileSync(path, 'latin1');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** Adds up what threads use while something runs. */
export class ThreadClock {
  private readonly pid: number;
  private readonly used = new Map<number, number>();
  private clientTime = 0;
  private transactions = 0;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** Runs a client program; `run` returns the number of its transactions. */
  during(run: () => number): void {
    const before = threadTimes(this.pid);
    const clientBefore = childrenTime();
    this.transactions += run();
    this.clientTime += childrenTime() - clientBefore;
    for (const [thread, time] of threadTimes(this.pid)) {
      const used = time - (before.get(thread) ?? 0);
      this.used.set(thread, (this.used.get(thread) ?? 0) + used);
    }
  }

  /** Microseconds a transaction: the main thread, the others by what they used, the client. */
  toString(): string {
    const perTransaction = (time: number): string => (time / this.transactions).toFixed(1);
    const others = [...this.used]
      .filter(([thread, time]) => thread !== this.pid && time > 0)
      .map(([, time]) => time)
      .sort((a, b) => b - a);
    return (
      `main thread ${perTransaction(this.used.get(this.pid) ?? 0)}, ` +
      `others ${others.map(perTransaction).join(' ')}, pgbench ${perTransaction(this.clientTime)}`
    );
  }
}
