import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Logger } from '@haven/runtime';
import { RobotAccountStore } from './robot-account.store.js';

const WRITE_EVERY_MS = 10_000;
/** Robots kept between two writes; more of them are written sooner. */
const MOST_KEPT = 1000;

/** Notes when robots were used last: many logins, one write. What a crash loses is ten seconds of it. */
@Injectable()
export class RobotUseService implements OnModuleInit, BeforeApplicationShutdown {
  #seen = new Map<number, Date>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: RobotAccountStore,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.write(), WRITE_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  used(id: number): void {
    this.#seen.set(id, new Date());
    if (this.#seen.size >= MOST_KEPT) void this.write();
  }

  /** Writes what was noted. When that fails it is noted again, unless there is newer. */
  async write(): Promise<void> {
    if (this.#seen.size === 0) return;
    const seen = this.#seen;
    this.#seen = new Map();
    try {
      await this.store.noteUse(seen);
    } catch (error) {
      this.logger.warn('when robots were used last could not be written; tried again in a few seconds', { error });
      if (this.#seen.size < MOST_KEPT) this.#seen = new Map([...seen, ...this.#seen]);
    }
  }
}
