import type { CursorFacts } from '../catalog/system/index.ts';
import type { CursorState, Portal } from './portal.ts';

/** The portals of a session by name. The unnamed one, which every statement of the extended protocol
 * makes and drops, is a field, as a Map leaves garbage behind for each. */
export class Portals {
  private readonly named = new Map<string, Portal>();
  private unnamed: Portal | null = null;

  find(name: string): Portal | undefined {
    return name === '' ? (this.unnamed ?? undefined) : this.named.get(name);
  }

  add(portal: Portal): void {
    if (portal.name === '') this.unnamed = portal;
    else this.named.set(portal.name, portal);
  }

  remove(name: string): void {
    if (name === '') this.unnamed = null;
    else this.named.delete(name);
  }

  /** Removes all but the cursors that are to be kept; each is given to `end` when it is out. */
  clear(end: (portal: Portal) => void, isKept: (cursor: CursorState) => boolean): void {
    const { unnamed } = this;
    this.unnamed = null;
    if (unnamed !== null) end(unnamed);
    if (this.named.size === 0) return;
    for (const [name, portal] of this.named) {
      if (portal.cursor !== null && isKept(portal.cursor)) continue;
      this.named.delete(name);
      end(portal);
    }
  }

  get isEmpty(): boolean {
    return this.unnamed === null && this.named.size === 0;
  }

  /** Rows of pg_cursors. */
  *cursors(): Iterable<CursorFacts> {
    for (const { name, cursor } of this.named.values())
      if (cursor !== null) yield { name, ...cursor };
  }

  all(): Portal[] {
    const all = [...this.named.values()];
    if (this.unnamed !== null) all.push(this.unnamed);
    return all;
  }
}
