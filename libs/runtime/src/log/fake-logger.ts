import { isLogged, Logger, RootLogger, type LogFields, type LogLevel, type LogSink } from './logger.js';

export interface FakeLogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Remembers every line, its children's too, so that a test can look at them. */
export class FakeLogger extends RootLogger {
  readonly lines: FakeLogLine[];
  readonly #fields: LogFields;
  readonly #sinks: Set<LogSink>;

  constructor(fields: LogFields = {}, lines: FakeLogLine[] = [], sinks: Set<LogSink> = new Set()) {
    super();
    this.#fields = fields;
    this.lines = lines;
    this.#sinks = sinks;
  }

  override debug(message: string, fields?: LogFields): void { this.#log('debug', message, fields); }
  override info(message: string, fields?: LogFields): void { this.#log('info', message, fields); }
  override warn(message: string, fields?: LogFields): void { this.#log('warn', message, fields); }
  override error(message: string, fields?: LogFields): void { this.#log('error', message, fields); }
  override child(fields: LogFields): Logger { return new FakeLogger({ ...this.#fields, ...fields }, this.lines, this.#sinks); }

  override addSink(sink: LogSink): () => void {
    this.#sinks.add(sink);
    return () => { this.#sinks.delete(sink); };
  }

  override flush(): Promise<void> { return Promise.resolve(); }

  /** The messages of this level and above, in order. */
  messages(level: LogLevel = 'debug'): string[] {
    return this.lines.filter((line) => isLogged(line.level, level)).map((line) => line.message);
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    const line = { level, message, fields: { ...this.#fields, ...fields } };
    this.lines.push(line);
    for (const sink of this.#sinks) sink(JSON.stringify({ level, message }));
  }
}
