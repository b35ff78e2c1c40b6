/** What the documents claim about the repository: links that lead somewhere, npm scripts and verbs of
 * the command line that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One line for each claim that does not hold. */
export function documentFaults(root: string): string[] {
  const scripts = Object.keys(
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts,
  );
  const faults: string[] = [];
  for (const document of documents(root)) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const target of linkTargets(text)) {
      if (!existsSync(join(root, dirname(document), target))) {
        faults.push(`${document}: the link to ${target} leads nowhere`);
      }
    }
    for (const [, name = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g)) {
      if (!scripts.includes(name)) faults.push(`${document}: package.json has no script ${name}`);
    }
    for (const [, verb = ''] of text.matchAll(
      /(?:^|`|npx )heddle ([a-z]+)\b(?=[^\n]*(?:`|--|$))/gm,
    )) {
      if (!existsSync(join(root, 'src/cli', `${verb}.ts`))) {
        faults.push(`${document}: heddle has no verb ${verb}`);
      }
    }
    for (const [, path = ''] of text.matchAll(/\bnode (dist\/[\w./-]+)\.js/g)) {
      const source = path.replace(/^dist\//, '');
      if (!existsSync(join(root, `${source}.ts`))) {
        faults.push(`${document}: ${path}.js is built from nothing`);
      }
    }
  }
  return faults;
}

function documents(root: string): string[] {
  const found = readdirSync(root).filter((name) => name.endsWith('.md'));
  for (const folder of ['docs', 'src', 'bench', 'test']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (entry.endsWith('.md')) found.push(join(folder, entry));
    }
  }
  return found;
}

/** Paths that a document links to; addresses of the web and places in the page are left out. */
function linkTargets(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}
