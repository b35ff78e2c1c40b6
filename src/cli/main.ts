#!/usr/bin/env node
import { Command } from 'commander';
import { checkCommand } from './check.ts';
import { serveCommand } from './serve.ts';

/** The command line: one verb a file. */
const program = new Command('heddle')
  .description('A PostgreSQL-compatible database server in one Node process.')
  .version('0.1.0')
  .showHelpAfterError('(heddle --help lists the commands)');

program.addCommand(serveCommand());
program.addCommand(checkCommand());

try {
  await program.parseAsync();
} catch (thrown) {
  console.error(`heddle: ${thrown instanceof Error ? thrown.message : thrown}`);
  process.exitCode = 1;
}
