import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importsOf, LAYERS, layerViolations } from './layers.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

test('every import is one that the list of layers allows', () => {
  expect(layerViolations(ROOT)).toEqual([]);
});

test('a layer needs only what stands above it, so that there is no circle', () => {
  const above = new Set<string>();
  for (const layer of LAYERS) {
    for (const name of [...layer.needs, ...(layer.needsTypes ?? [])]) {
      expect(above, `${layer.name} needs ${name}`).toContain(name);
    }
    above.add(layer.name);
  }
});

test('reads imports of every form', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type { B } from '../b/index.ts';",
    "import { type C, type D } from './c.ts';",
    "import './side-effect.ts';",
    "export type * from './e.ts';",
    "// import { no } from './comment.ts';",
    "const f = await import('./f.ts');",
  ].join('\n');
  expect(importsOf('src/x/y.ts', text).map(({ to, typesOnly }) => [to, typesOnly])).toEqual([
    ['src/x/a.ts', false],
    ['src/b/index.ts', true],
    ['src/x/c.ts', true],
    ['src/x/side-effect.ts', false],
    ['src/x/e.ts', true],
    ['src/x/f.ts', false],
  ]);
});
