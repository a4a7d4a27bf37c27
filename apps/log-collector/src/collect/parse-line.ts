/** Longer lines do not come from our loggers and are not stored; characters. */
const MAX_LINE = 64 * 1024;
const UNKNOWN = 'unknown';

export interface ParsedLine {
  /** Names the folder, so it is one of our own safe names whatever the line says. */
  readonly service: string;
  /** One JSON object on one line. */
  readonly text: string;
}

/** The line as it is stored; undefined when it is too long. What is not a JSON object is kept as the message of one. */
export function parseLine(line: string): ParsedLine | undefined {
  if (line.length > MAX_LINE) return undefined;
  const fields = jsonObject(line);
  if (fields === undefined) return { service: UNKNOWN, text: JSON.stringify({ time: new Date().toISOString(), level: 'warn', service: UNKNOWN, message: line, malformed: true }) };
  const name = fields['service'];
  const service = typeof name === 'string' && isServiceName(name) ? name : UNKNOWN;
  return { service, text: /[\r\n]/.test(line) ? JSON.stringify(fields) : line };
}

/** Whether a folder may have this name. */
export function isServiceName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,62}$/.test(name);
}

function jsonObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}
