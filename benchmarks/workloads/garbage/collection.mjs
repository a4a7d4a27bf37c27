import { setTimeout as sleep } from 'node:timers/promises';
import { request, succeeded } from '../../load/http.mjs';

const GC = '/api/v2.0/system/gc';
const POLL_MS = 50;

/** Garbage collections as an administrator starts, watches and stops them. */
export class Collections {
  /** What all of them together have removed. */
  purged = 0;
  freed = 0;
  #haven;

  constructor(haven) {
    this.#haven = haven;
  }

  /** Nothing begins by itself from now on: the schedule is that of next January. */
  async keepQuiet() {
    succeeded(await this.#send('PUT', `${GC}/schedule`, { schedule: { type: 'Custom', cron: '0 0 0 1 1 *' } }), 200, 'scheduling garbage collection');
  }

  /** Resolves when the first blob is gone. */
  async start(parameters = {}) {
    const answer = succeeded(await this.#send('POST', `${GC}/schedule`, { schedule: { type: 'Manual' }, parameters }), 201, 'starting garbage collection');
    const run = new Run(() => this.#look(answer.headers.location), () => this.#send('PUT', answer.headers.location));
    await run.until(({ purged, status }) => purged > 0 || status !== 'Running', 300);
    return run;
  }

  /** Stops it; resolves to the seconds until it had ended. */
  async stop(run) {
    const begun = performance.now();
    succeeded(await run.askToStop(), 200, 'stopping garbage collection');
    await this.end(run, { status: 'Stopped', seconds: 60 });
    return (performance.now() - begun) / 1000;
  }

  /** Resolves when it has ended as it should. */
  async end(run, { status = 'Success', seconds, onLook }) {
    const last = await run.until((state) => {
      onLook?.(state);
      return state.status !== 'Running';
    }, seconds);
    if (last.status !== status) throw new Error(`a collection ended as ${last.status} instead of ${status}: ${last.message ?? ''}`);
    this.purged += last.purged;
    this.freed += last.freed;
    return last;
  }

  async #look(address) {
    const answer = succeeded(await this.#send('GET', address), 200, 'looking at garbage collection');
    const { job_status: status, status_message: message, job_parameters: parameters } = JSON.parse(answer.body.toString());
    const { purged_blobs: purged = 0, freed_space: freed = 0, absent_blobs: absent = 0 } = JSON.parse(parameters);
    return { status, message, purged, freed, absent, at: performance.now() };
  }

  #send(method, path, body) {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...this.#haven.administrator, ...(content === undefined ? {} : { 'content-type': 'application/json' }) };
    return request(new URL(path, this.#haven.url).href, { method, headers, ...(content === undefined ? {} : { body: content }) });
  }
}

/** One collection. */
class Run {
  /** { status, message, purged, freed, absent, at: when, in milliseconds } */
  look;
  askToStop;

  constructor(look, askToStop) {
    this.look = look;
    this.askToStop = askToStop;
  }

  async until(reached, seconds) {
    for (const deadline = performance.now() + seconds * 1000; ;) {
      const state = await this.look();
      if (reached(state)) return state;
      if (performance.now() > deadline) throw new Error(`garbage collection took longer than ${seconds} s: ${JSON.stringify(state)}`);
      await sleep(POLL_MS);
    }
  }

  /** Blobs a second while the work is done; it must go on all the time. */
  async rateDuring(work) {
    const before = await this.look();
    await work();
    const after = await this.look();
    if (after.status !== 'Running') throw new Error(`the collection ended as ${after.status} while it was measured: give it more blobs with --blobs, or fewer --rounds`);
    return (after.purged - before.purged) / ((after.at - before.at) / 1000);
  }
}
