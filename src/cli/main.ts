#!/usr/bin/env -S node --max-semi-space-size=64 --max-inlined-bytecode-size=1000 --max-inlined-bytecode-size-cumulative=3000 --max-inlined-bytecode-size-small=60
import { Command } from 'commander';
import { checkCommand } from './check.ts';
import { errorLine } from './error-line.ts';
import { serveCommand } from './serve.ts';

/** The command line: one verb a file.
 *
 * The young generation is large, as collecting garbage seldom costs less (runtime/main/server.ts says more). And V8
 * may inline more than by itself, as a statement goes through many small functions. `npm start` says so, too. */
const program = new Command('heddle')
  .description('A PostgreSQL-compatible database server in one Node process.')
  .version('0.1.0')
  .addHelpText('after', '\nheddle COMMAND --help explains a command, with examples.');

for (const command of [serveCommand(), checkCommand()]) program.addCommand(command);
for (const command of [program, ...program.commands]) {
  const help = command === program ? 'heddle --help' : `heddle ${command.name()} --help`;
  command.configureOutput({
    outputError: (text, write) =>
      write(
        `heddle: ${text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ')} (see ${help})\n`,
      ),
  });
}

try {
  await program.parseAsync();
} catch (thrown) {
  console.error(errorLine(thrown));
  process.exit(1);
}
