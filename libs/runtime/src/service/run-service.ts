import { createRuntimeParts, type RuntimeParts } from './runtime.module.js';
import { startService, type RunningService, type ServiceOptions } from './start-service.js';

/**
 * Runs a service as this process: starts it, stops it on SIGTERM or SIGINT within HAVEN_SHUTDOWN_SECONDS and
 * exits with 0; a second signal exits at once. Failing to start, an uncaught error and an overlong stop exit with 1.
 */
export async function runService(options: ServiceOptions): Promise<RunningService> {
  const parts = createRuntimeParts({ service: options.service, settings: options.settings, ...options.parts });
  process.on('uncaughtException', (error) => { void crash(parts, 'an error was not handled', error); });
  process.on('unhandledRejection', (reason) => { void crash(parts, 'a rejected promise was not handled', reason); });
  const signals = watchSignals(parts, options.settings.HAVEN_SHUTDOWN_SECONDS);
  try {
    const running = await startService({ ...options, parts });
    signals.stopWith(() => running.stop());
    return running;
  } catch (error) {
    return crash(parts, `${options.service} cannot start: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function watchSignals(parts: RuntimeParts, seconds: number): { stopWith(stop: () => Promise<void>): void } {
  // A signal during the start waits for it, so that what was opened is also closed.
  let stopWith: (stop: () => Promise<void>) => void = () => {};
  const stopper = new Promise<() => Promise<void>>((resolve) => { stopWith = resolve; });
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) process.exit(signal === 'SIGINT' ? 130 : 143);
    signalled = true;
    parts.logger.info(`${signal} received`);
    setTimeout(() => { void crash(parts, `the service did not stop within ${seconds} s (HAVEN_SHUTDOWN_SECONDS)`, undefined); }, seconds * 1000);
    void stopper.then((stop) => stop()).then(() => process.exit(0), (error: unknown) => crash(parts, 'stopping failed', error));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { stopWith };
}

async function crash(parts: RuntimeParts, message: string, error: unknown): Promise<never> {
  parts.health.markStopping();
  parts.logger.error(message, { error });
  await parts.logger.flush();
  process.exit(1);
}
