import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request, succeeded } from '../load/http.mjs';
import { summarise } from './summary.mjs';

const SAMPLE_MICROSECONDS = 500;

/**
 * Profiles one running service through Node's inspector, workload by workload: start-up and idling stay out of the picture,
 * which --cpu-prof (whole life, written at exit) would mix in.
 */
export class Profiler {
  #inspector;

  constructor(inspector, service, dir) {
    this.#inspector = inspector;
    this.service = service;
    this.dir = dir;
  }

  /** Connects to the inspector of a service that was started with --inspect=<address>. */
  static async attach(session, service, address, dir) {
    mkdirSync(dir, { recursive: true });
    const targets = JSON.parse(succeeded(await request(`http://${address}/json/list`), 200, 'the inspector').body.toString());
    const inspector = await Inspector.open(targets[0].webSocketDebuggerUrl);
    session.onClose(() => inspector.close());
    await inspector.call('Profiler.enable');
    await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
    return new Profiler(inspector, service, dir);
  }

  /** Runs `work` under the profiler, writes the profile, and prints where the time went. */
  async during(name, work) {
    await this.#inspector.call('Profiler.start');
    const result = await work();
    const { profile } = await this.#inspector.call('Profiler.stop');
    const file = join(this.dir, `${this.service}-${name}.cpuprofile`);
    writeFileSync(file, JSON.stringify(profile));
    console.error(`\n${file}\n${summarise(profile)}`);
    return result;
  }
}

class Inspector {
  #socket;
  #waiting = new Map();
  #next = 1;

  static open(url) {
    const inspector = new Inspector();
    const socket = new WebSocket(url);
    inspector.#socket = socket;
    socket.addEventListener('message', ({ data }) => inspector.#settle(JSON.parse(data)));
    socket.addEventListener('close', () => inspector.#fail(new Error('the profiled service closed its inspector')));
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve(inspector));
      socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
    });
  }

  call(method, params = {}) {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  close() {
    this.#socket.close();
  }

  #settle({ id, result, error }) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new Error(`inspector: ${error.message}`));
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
