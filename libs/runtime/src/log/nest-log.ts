import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Nest's own log through ours. Its boot chatter ("Mapped {/x, GET} route") is only worth a debug line. */
export class NestLog implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.child({ from: 'nest' });
  }

  log(message: unknown, ...rest: unknown[]): void { this.#logger.debug(text(message), { context: rest.at(-1) }); }
  debug(message: unknown, ...rest: unknown[]): void { this.#logger.debug(text(message), { context: rest.at(-1) }); }
  verbose(message: unknown, ...rest: unknown[]): void { this.#logger.debug(text(message), { context: rest.at(-1) }); }
  warn(message: unknown, ...rest: unknown[]): void { this.#logger.warn(text(message), { context: rest.at(-1) }); }
  error(message: unknown, ...rest: unknown[]): void { this.#logger.error(text(message), { error: message instanceof Error ? message : undefined, details: rest }); }
  fatal(message: unknown, ...rest: unknown[]): void { this.error(message, ...rest); }
}

function text(message: unknown): string {
  if (typeof message === 'string') return message;
  return message instanceof Error ? message.message : 'the framework logged something that is not text';
}
