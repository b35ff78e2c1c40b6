/** Reads all imports of src/ and workers/ and names each edge that the list below does not allow.
 *
 * - A layer imports only layers that stand above it in the list, so there is no circle.
 * - It imports them through their index.ts (or another door named here), except that the layers of one
 *   top folder may import one another's files, and all may import a contract: a file of plain readonly
 *   data that several layers exchange, which is a layer of its own here.
 * - Some capabilities of Node belong to one layer: files to io, sockets to wire, threads to runtime,
 *   Atomics to shm. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

interface Layer {
  readonly name: string;
  /** Layers whose code it may import. */
  readonly needs: readonly string[];
  /** Layers of which it may import types alone. */
  readonly needsTypes?: readonly string[];
  /** A contract: exactly these files. */
  readonly files?: readonly string[];
  /** What others may import of it, when that is not index.ts alone. */
  readonly doors?: readonly string[];
}

const SQL_BEFORE_BIND = ['sql/parse', 'sql/functions', 'catalog', 'types', 'sql/tree'];
const SQL_BEFORE_EXECUTE = [
  ...SQL_BEFORE_BIND,
  'sql/bind',
  'sql/optimize',
  'sql/plan',
  'sql/nodes',
];
const SQL = [...SQL_BEFORE_EXECUTE, 'sql/execute', 'sql/utility'];
const BELOW_SQL = ['io', 'shm', 'types', 'chunk', 'storage', 'txn', 'access', 'catalog', 'vector'];

/** What stands in /src, from the ground up. base and errors are open to all. */
export const LAYERS: readonly Layer[] = [
  { name: 'base', needs: [] },
  { name: 'errors', needs: [] },
  { name: 'io', needs: [] },
  { name: 'shm', needs: [] },
  { name: 'types', needs: [] },
  { name: 'chunk', needs: ['types'] },
  { name: 'storage', needs: ['io', 'shm'] },
  { name: 'txn', needs: ['storage', 'shm'] },
  {
    name: 'catalog/descriptors',
    needs: ['types'],
    needsTypes: ['storage'],
    files: ['src/catalog/descriptors.ts'],
  },
  { name: 'access', needs: ['txn', 'storage', 'types', 'chunk', 'catalog/descriptors'] },
  {
    name: 'catalog',
    needs: ['access', 'txn', 'types', 'chunk', 'catalog/descriptors'],
    needsTypes: ['storage'],
  },
  { name: 'vector', needs: ['access', 'txn', 'types', 'chunk', 'storage'] },
  { name: 'sql/parse', needs: [] },
  {
    name: 'sql/tree',
    needs: ['types', 'catalog/descriptors'],
    files: [
      'src/sql/expression.ts',
      'src/sql/expression-tree.ts',
      'src/sql/query-rewrite.ts',
      'src/sql/bind/query.ts',
    ],
  },
  { name: 'catalog/system', needs: ['catalog', 'catalog/descriptors', 'types'] },
  {
    name: 'sql/functions',
    needs: ['catalog', 'catalog/descriptors', 'catalog/system', 'vector', 'types', 'chunk'],
  },
  { name: 'sql/bind', needs: [...SQL_BEFORE_BIND, 'catalog/descriptors'] },
  { name: 'sql/optimize', needs: [...SQL_BEFORE_BIND, 'sql/bind', 'catalog/descriptors'] },
  {
    name: 'sql/nodes',
    needs: ['types', 'sql/tree', 'catalog/descriptors'],
    needsTypes: ['sql/bind'],
    files: ['src/sql/plan/plan.ts'],
  },
  {
    name: 'sql/plan',
    needs: [...SQL_BEFORE_BIND, 'sql/bind', 'sql/optimize', 'sql/nodes', 'catalog/descriptors'],
  },
  {
    name: 'sql/execute',
    needs: [...SQL_BEFORE_EXECUTE, 'access', 'txn', 'chunk', 'catalog/descriptors'],
    needsTypes: ['storage'],
    doors: ['src/sql/execute/index.ts', 'src/sql/execute/copy/index.ts'],
  },
  {
    name: 'sql/utility',
    needs: [...SQL_BEFORE_EXECUTE, 'sql/execute', 'access', 'txn', 'chunk', 'catalog/descriptors'],
    needsTypes: ['storage'],
  },
  { name: 'session', needs: [...SQL, 'catalog', 'catalog/system', 'txn', 'types', 'chunk'] },
  { name: 'backup', needs: ['io', 'storage', 'txn', 'access', 'catalog'] },
  { name: 'replication', needs: ['io', 'storage', 'txn', 'access', 'catalog'] },
  { name: 'wire', needs: ['io', 'session', 'replication', 'types', 'chunk'] },
  {
    name: 'runtime',
    needs: [
      ...BELOW_SQL,
      'catalog/descriptors',
      'catalog/system',
      ...SQL,
      'session',
      'backup',
      'replication',
    ],
    doors: ['src/runtime/index.ts', 'src/runtime/roles.ts'],
  },
  { name: 'workers', needs: ['runtime'] },
  { name: 'index.ts', needs: ['runtime', 'session', 'wire'], doors: ['src/index.ts'] },
  { name: 'cli', needs: ['runtime', 'session', 'wire', 'index.ts'] },
];

/** Modules of Node that some layers alone may import. */
const OWNED_MODULES: Readonly<Record<string, readonly string[]>> = {
  'node:fs': ['io', 'cli'],
  'node:fs/promises': ['io', 'cli'],
  'node:net': ['wire'],
  'node:tls': ['wire'],
  'node:worker_threads': ['runtime', 'workers'],
  piscina: ['runtime'],
};

export interface Import {
  readonly from: string;
  /** A path in the repository, or the name of a module. */
  readonly to: string;
  readonly typesOnly: boolean;
}

/** One line for each edge that the list does not allow. */
export function layerViolations(root: string): string[] {
  const faults: string[] = [];
  for (const folder of ['src', 'workers']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      const path = posix.join(folder, entry.replaceAll('\\', '/'));
      const text = readFileSync(join(root, path), 'utf8');
      const layer = layerOf(path);
      if (layer.name !== 'shm' && /\bAtomics\.\w/.test(withoutComments(text))) {
        faults.push(`${path}: only shm calls Atomics`);
      }
      for (const edge of importsOf(path, text)) {
        const fault = faultOf(layer, edge);
        if (fault !== null) faults.push(`${path} -> ${edge.to}: ${fault}`);
      }
    }
  }
  return faults;
}

function faultOf(layer: Layer, edge: Import): string | null {
  if (!edge.to.startsWith('src/') && !edge.to.startsWith('workers/')) {
    const owners = OWNED_MODULES[edge.to];
    if (owners === undefined || owners.includes(layer.name)) return null;
    return `only ${owners.join(' and ')} may import it`;
  }
  const target = layerOf(edge.to);
  if (target === layer) return null;
  const open =
    target.name === 'base' || target.name === 'errors' || layer.needs.includes(target.name);
  if (!open && !(edge.typesOnly && layer.needsTypes?.includes(target.name) === true)) {
    return `${layer.name} may not import ${target.name}`;
  }
  if (target.files !== undefined || folderOf(layer) === folderOf(target)) return null;
  const doors = target.doors ?? [`src/${target.name}/index.ts`];
  return doors.includes(edge.to) ? null : `not through ${doors.join(' or ')}`;
}

/** The top folder: its layers may import one another's files. */
function folderOf(layer: Layer): string {
  return layer.name.split('/')[0] ?? '';
}

/** The layer of a file: the contract it is, or the longest name that its path starts with. */
function layerOf(path: string): Layer {
  const contract = LAYERS.find((layer) => layer.files?.includes(path));
  if (contract !== undefined) return contract;
  const place = path.startsWith('src/') ? path.slice(4) : path;
  const found = LAYERS.filter(
    (layer) =>
      layer.files === undefined && (place === layer.name || place.startsWith(`${layer.name}/`)),
  ).sort((a, b) => b.name.length - a.name.length)[0];
  if (found === undefined) throw new Error(`${path} is in no layer of test/checks/layers.ts`);
  return found;
}

export function importsOf(path: string, text: string): Import[] {
  const imports: Import[] = [];
  const statement =
    /^\s*(?:import|export)\s+(type\s+)?((?:[\w*{][^;'"]*?)\s+from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const match of withoutComments(text).matchAll(statement)) {
    const names = match[2] ?? '';
    const to = match[3] ?? match[4] ?? '';
    imports.push({
      from: path,
      to: to.startsWith('.') ? posix.join(posix.dirname(path), to) : to,
      typesOnly: match[1] !== undefined || allTypes(names),
    });
  }
  return imports;
}

/** `{ type A, type B } from`: nothing of it is left when it runs. */
function allTypes(names: string): boolean {
  const braces = /^\{([^}]*)\}/.exec(names.trim());
  if (braces === null) return false;
  const parts = (braces[1] ?? '').split(',').filter((part) => part.trim() !== '');
  return parts.length > 0 && parts.every((part) => part.trim().startsWith('type '));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
