import type { Portal } from './portal.ts';

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

  /** Removes all, each of which is given to `end`. */
  clear(end: (portal: Portal) => void): void {
    if (this.unnamed !== null) end(this.unnamed);
    this.unnamed = null;
    if (this.named.size === 0) return;
    for (const portal of this.named.values()) end(portal);
    this.named.clear();
  }

  all(): Portal[] {
    const all = [...this.named.values()];
    if (this.unnamed !== null) all.push(this.unnamed);
    return all;
  }
}
