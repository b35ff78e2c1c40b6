import { statSync } from 'node:fs';
import { Command } from 'commander';
import { checkDataDirectory } from '../runtime/index.ts';
import { dataDirectory } from './data-directory.ts';

/** `heddle check`: walks a data directory and names every defect. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Check a data directory that no server has open; print what is wrong with it.')
    .option('--data <dir>', 'data directory', './heddle-data')
    .addHelpText(
      'after',
      `
Examples:
  heddle check
  heddle check --data /srv/heddle

Exits with 0 when there are no defects. A directory that was not stopped cleanly is recovered first.`,
    )
    .action(({ data }: { readonly data: string }) => check(dataDirectory(data)));
}

function check(data: string): void {
  const status = statSync(data, { throwIfNoEntry: false });
  if (status?.isDirectory() !== true) throw new Error(`there is no data directory "${data}"`);
  const report = checkDataDirectory(data);
  for (const defect of report.defects) console.log(defect);
  const { length } = report.defects;
  const found = length === 0 ? 'no defects' : length === 1 ? '1 defect' : `${length} defects`;
  console.log(`${report.trees.length} trees, ${report.pageCount} pages: ${found}`);
  if (length > 0) process.exitCode = 1;
}
