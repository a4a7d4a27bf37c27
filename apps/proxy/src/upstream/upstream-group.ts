import type { UpstreamName } from '../routing/routes.js';
import { Upstream, type UpstreamLimits } from './upstream.js';

/** All replicas of one service. Requests go to the healthy one with the fewest under way. */
export class UpstreamGroup {
  readonly name: UpstreamName;
  readonly members: readonly Upstream[];
  /** Answered to an active check by a working replica. */
  readonly checkPath: string;
  #turn = 0;

  constructor(name: UpstreamName, urls: readonly string[], checkPath: string, limits: UpstreamLimits) {
    this.name = name;
    this.checkPath = checkPath;
    this.members = urls.map((url) => new Upstream(url, limits));
  }

  /**
   * The replica for the next request: the healthy one with the fewest under way. Ties go round. When none is healthy, one
   * that is believed to be down: it may have come back since it was last asked. Undefined when none is free.
   *
   * @param tried those that this request has failed on already.
   */
  pick(tried?: readonly Upstream[]): Upstream | undefined {
    const { members } = this;
    const { length } = members;
    let best: Upstream | undefined;
    let lastResort: Upstream | undefined;
    this.#turn = (this.#turn + 1) % length;
    for (let step = 0; step < length; step += 1) {
      const member = members[(this.#turn + step) % length] as Upstream;
      if (member.full || tried?.includes(member)) continue;
      if (!member.healthy) lastResort ??= member;
      else if (best === undefined || member.pending < best.pending) best = member;
    }
    return best ?? lastResort;
  }

  /** Resolves when a replica works; rejects with what is wrong with each. */
  async check(): Promise<void> {
    if (this.members.some((member) => member.healthy)) return;
    throw new Error(`no replica works: ${this.members.map((member) => `${member.url}: ${member.reason}`).join('; ')}`);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.members.map((member) => member.destroy()));
  }
}
