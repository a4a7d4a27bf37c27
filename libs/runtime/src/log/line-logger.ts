import { formatLine } from './log-line.js';
import { isLogged, Logger, RootLogger, type LogFields, type LogLevel, type LogSink } from './logger.js';
import { writeToStdout, flushStdout } from './stdout.js';

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** Replaces standard output, for tests and command-line tools. Receives lines without a line feed. */
  readonly write?: LogSink;
  readonly now?: () => Date;
}

/** The logger of a process: JSON lines to standard output and to every sink added later. */
export function createLogger(options: LoggerOptions): RootLogger {
  return new LineLogger(options);
}

class Output {
  readonly sinks = new Set<LogSink>();
  readonly service: string;
  readonly level: LogLevel;
  readonly now: () => Date;
  readonly write: LogSink;

  constructor(options: LoggerOptions) {
    this.service = options.service;
    this.level = options.level ?? 'info';
    this.now = options.now ?? (() => new Date());
    this.write = options.write ?? writeToStdout;
  }

  log(level: LogLevel, message: string, fields: LogFields): void {
    if (!isLogged(level, this.level)) return;
    const line = formatLine(this.now(), level, this.service, message, fields);
    for (const sink of [this.write, ...this.sinks]) {
      try {
        sink(line);
      } catch {
        // A sink counts its own losses; logging must never fail the work that logs.
      }
    }
  }
}

class ChildLogger extends Logger {
  readonly #output: Output;
  readonly #fields: LogFields;

  constructor(output: Output, fields: LogFields) {
    super();
    this.#output = output;
    this.#fields = fields;
  }

  override debug(message: string, fields?: LogFields): void { this.#output.log('debug', message, { ...this.#fields, ...fields }); }
  override info(message: string, fields?: LogFields): void { this.#output.log('info', message, { ...this.#fields, ...fields }); }
  override warn(message: string, fields?: LogFields): void { this.#output.log('warn', message, { ...this.#fields, ...fields }); }
  override error(message: string, fields?: LogFields): void { this.#output.log('error', message, { ...this.#fields, ...fields }); }
  override child(fields: LogFields): Logger { return new ChildLogger(this.#output, { ...this.#fields, ...fields }); }
}

class LineLogger extends RootLogger {
  readonly #output: Output;

  constructor(options: LoggerOptions) {
    super();
    this.#output = new Output(options);
  }

  override debug(message: string, fields: LogFields = {}): void { this.#output.log('debug', message, fields); }
  override info(message: string, fields: LogFields = {}): void { this.#output.log('info', message, fields); }
  override warn(message: string, fields: LogFields = {}): void { this.#output.log('warn', message, fields); }
  override error(message: string, fields: LogFields = {}): void { this.#output.log('error', message, fields); }
  override child(fields: LogFields): Logger { return new ChildLogger(this.#output, fields); }

  override addSink(sink: LogSink): () => void {
    this.#output.sinks.add(sink);
    return () => { this.#output.sinks.delete(sink); };
  }

  override async flush(): Promise<void> {
    if (this.#output.write === writeToStdout) await flushStdout(1000);
  }
}
