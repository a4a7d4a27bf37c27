import { setTimeout as delay } from 'node:timers/promises';
import { digestOf, randomImage } from '../image/synthetic.mjs';

/**
 * Pulls and pushes without pause until `stop()`, and remembers every answer that a client would call a failure. A failed
 * pull is not tried again; a failed push is, as often as `pushAttempts` says, since a push cannot be moved to another
 * replica when its bytes have left.
 */
export class BackgroundLoad {
  pulls = 0;
  pushes = 0;
  failures = [];
  #running = true;
  #pushAttempts;
  #loops;

  /**
   * @param {import('../registry/oci-client.mjs').OciClient} oci
   * @param {string} repository one that holds `image` under the tag `load`
   * @param {{ blobs: { digest: string }[] }} image
   * @param {{ pullers?: number, pushers?: number, pushAttempts?: number }} [options]
   */
  constructor(oci, repository, image, { pullers = 4, pushers = 2, pushAttempts = 1 } = {}) {
    this.#pushAttempts = pushAttempts;
    const loops = [
      ...Array.from({ length: pullers }, () => () => this.#pull(oci, repository, image)),
      ...Array.from({ length: pushers }, (_, i) => () => this.#push(oci, `${repository}-${i}`)),
    ];
    this.#loops = loops.map((once) => this.#repeat(once));
  }

  /** Forgets what was counted so far. */
  reset() {
    this.pulls = 0;
    this.pushes = 0;
    this.failures = [];
  }

  /** Resolves when this many more pulls and pushes have been done, or something failed; rejects after `seconds`. */
  async more({ pulls, pushes }, { seconds = 60 } = {}) {
    const goal = { pulls: this.pulls + pulls, pushes: this.pushes + pushes };
    const end = Date.now() + seconds * 1000;
    while (this.failures.length === 0 && (this.pulls < goal.pulls || this.pushes < goal.pushes)) {
      if (Date.now() > end) throw new Error(`only ${this.pulls} pulls and ${this.pushes} pushes after ${seconds} s`);
      await delay(20);
    }
  }

  async stop() {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #repeat(once) {
    while (this.#running) {
      try {
        await once();
      } catch (error) {
        this.failures.push(error.cause?.message ?? error.message);
        await delay(100);
      }
    }
  }

  async #pull(oci, repository, image) {
    const signal = AbortSignal.timeout(20_000);
    const manifest = await oci.getManifest(repository, 'load', { signal });
    const bytes = Buffer.from(await manifest.arrayBuffer());
    if (manifest.status !== 200) throw new Error(`pull of the manifest: ${manifest.status} ${bytes}`);
    for (const blob of image.blobs) {
      const response = await oci.getBlob(repository, blob.digest, { signal });
      const content = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200) throw new Error(`pull of a blob: ${response.status} ${content}`);
      if (digestOf(content) !== blob.digest) throw new Error('pull of a blob: wrong bytes');
    }
    this.pulls += 1;
  }

  async #push(oci, repository) {
    const image = randomImage({ layers: 1, size: 20_000 });
    for (let attempt = 1; ; attempt += 1) {
      try {
        await oci.pushImage(repository, 'load', image);
        break;
      } catch (error) {
        if (attempt >= this.#pushAttempts) throw error;
        await delay(200 * attempt);
      }
    }
    this.pushes += 1;
    await delay(10);
  }
}
