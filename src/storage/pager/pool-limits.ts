/** How many free frames the pool keeps, and for whom.
 *
 * An operation of the writer (one put or delete, with its splits, merges and free-list changes) holds
 * page references that eviction must not touch, so it evicts before it starts and then takes at most
 * `operation` frames: per level of the tree a load and a copy of the page, of a sibling and a new
 * page, and the meta and trunk pages. Readers leave that many frames to it.
 */
export interface PoolLimits {
  /** Readers take none of the last so many free frames. */
  readonly operation: number;
  /** Below this the writer is asked to reclaim. */
  readonly low: number;
  /** Reclaiming stops at this many. */
  readonly high: number;
}

/** The smallest pool that works. */
export const FRAME_COUNT_MIN = 64;

export function poolLimits(frameCount: number): PoolLimits {
  const operation = Math.min(64, frameCount >>> 1);
  const low = operation + Math.max(4, frameCount >>> 7);
  return { operation, low, high: low + Math.max(4, frameCount >>> 6) };
}
