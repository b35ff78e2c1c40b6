import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemProcesses } from '../../src/io/index.ts';

test('a process is told from others as long as it runs', () => {
  const own = systemProcesses.identify(process.pid);
  expect(own).not.toBeNull();
  expect(systemProcesses.identify(process.pid)).toBe(own);
  expect(systemProcesses.identify(process.ppid)).not.toBe(own);
  expect(systemProcesses.identify(2 ** 22 + 1)).toBeNull();
});

test.skipIf(process.platform !== 'linux')(
  'a process that has ended counts as gone though nobody has asked for its end',
  async () => {
    // The shell becomes a program that does not ask for the end of its child.
    const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 5'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => {
      shell.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
    });
    expect(systemProcesses.identify(pid)).not.toBeNull();
    await sleep(600);
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(systemProcesses.identify(pid)).toBeNull();
    shell.kill();
  },
);
