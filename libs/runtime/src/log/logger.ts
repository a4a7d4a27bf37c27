/** From chatty to alarming. A logger writes its own level and everything above it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Anything worth knowing beside the message. An Error under any key is written as name, message, stack, code and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Receives each finished line, without its line feed. It must not block; what it throws is ignored. */
export type LogSink = (line: string) => void;

/** Where a service says what happened. Never throws, whatever the fields hold, and never waits. */
export abstract class Logger {
  abstract debug(message: string, fields?: LogFields): void;
  abstract info(message: string, fields?: LogFields): void;
  abstract warn(message: string, fields?: LogFields): void;
  abstract error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each of its lines. */
  abstract child(fields: LogFields): Logger;
}

/** The one logger of a process, from which all others are children. */
export abstract class RootLogger extends Logger {
  /** Hands every further line, also those of children, to the sink too. Call the answer to stop that. */
  abstract addSink(sink: LogSink): () => void;
  /** Resolves once everything logged so far has left the process, at the latest after a second. */
  abstract flush(): Promise<void>;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

/** Whether a line of this level is written by a logger set to `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return ORDER[level] >= ORDER[threshold];
}
