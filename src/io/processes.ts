import { readFileSync } from 'node:fs';

/** What a lock file needs to know of processes. */
export interface Processes {
  /** This process. */
  readonly pid: number;
  /** A text that tells a process from a later one with the same pid; null when none runs. It is
   * empty on systems where only the pid is known. */
  identify(pid: number): string | null;
}

/** The processes of this machine. On Linux the identity is the boot and the start time. */
export const systemProcesses: Processes = {
  pid: process.pid,
  identify(pid: number): string | null {
    try {
      process.kill(pid, 0);
    } catch (thrown) {
      // EPERM: it runs and belongs to another user.
      if ((thrown as { code?: unknown }).code !== 'EPERM') return null;
    }
    if (process.platform !== 'linux') return '';
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The command name may hold blanks and parentheses; the fields after its end are counted.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // It has ended, with all its threads, and waits for a parent that may never ask.
      if (fields[0] === 'Z' && Number(fields[17]) <= 1) return null;
      return `${boot}/${fields[19] ?? ''}`;
    } catch {
      return '';
    }
  },
};
