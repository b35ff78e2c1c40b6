import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { checkDataDirectory } from '../runtime/index.ts';

/** `heddle check`: walks a data directory and names every defect. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Check a data directory that no server has open; print what is wrong with it.')
    .option('--data <dir>', 'data directory', './heddle-data')
    .addHelpText('after', '\nExample:\n  heddle check --data /srv/heddle')
    .action(({ data }: { readonly data: string }) => {
      if (!existsSync(data)) throw new Error(`there is no data directory "${data}"`);
      const report = checkDataDirectory(data);
      for (const defect of report.defects) console.log(defect);
      const { length } = report.defects;
      const found = length === 0 ? 'no defects' : `${length} defects`;
      console.log(`${report.trees.length} trees, ${report.pageCount} pages: ${found}`);
      if (length > 0) process.exitCode = 1;
    });
}
