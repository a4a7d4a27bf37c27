import { LIMITS } from '../limits/limits.js';

const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const BACKSLASH = 0x5c;
const HASH = 0x23;

const PROJECTS = '/api/v2.0/projects/';
const REPOSITORIES = '/repositories/';

/** Why a request target is refused, or where its path ends (at the query or at the end of the text). */
export type TargetCheck = number | 'too-long' | 'malformed';

/**
 * Checks a raw request target before anything is decided by it: only an absolute path (RFC 9112 section 3.2.1), no dot
 * segment, and nothing that a decoding upstream could turn into one: no encoded dot, slash, backslash or control
 * character, no broken escape. One pass. The one exception: in the REST API a repository's name is a single segment, and
 * clients encode its slashes once or twice; core reads it as a name and never as a path.
 *
 * @returns the length of the path, without the query, or the reason to refuse.
 */
export function checkTarget(target: string): TargetCheck {
  if (target.length > LIMITS.targetBytes) return 'too-long';
  if (target.charCodeAt(0) !== SLASH) return 'malformed';
  const length = target.length;
  let segment = 1;
  for (let at = 1; at < length; at += 1) {
    const code = target.charCodeAt(at);
    if (code === SLASH) {
      if (isDots(target, segment, at)) return 'malformed';
      segment = at + 1;
    } else if (code === QUESTION) {
      if (isDots(target, segment, at) || !isQuery(target, at + 1)) return 'malformed';
      return at;
    } else if (code === PERCENT) {
      if (!isHarmlessEscape(target, at) && !isSlashOfName(target, at, segment)) return 'malformed';
    } else if (code <= 0x20 || code >= 0x7f || code === BACKSLASH || code === HASH) {
      return 'malformed';
    }
  }
  return isDots(target, segment, length) ? 'malformed' : length;
}

function isDots(target: string, start: number, end: number): boolean {
  const size = end - start;
  if (size !== 1 && size !== 2) return false;
  return target.charCodeAt(start) === DOT && target.charCodeAt(end - 1) === DOT;
}

/** `%2F` in the segment of a repository's name. */
function isSlashOfName(target: string, at: number, segment: number): boolean {
  if (hexValue(target.charCodeAt(at + 1)) !== 0x2 || hexValue(target.charCodeAt(at + 2)) !== 0xf) return false;
  return target.startsWith(PROJECTS) && target.endsWith(REPOSITORIES, segment);
}

/** `%xx`, unless it stands for a dot, a slash, a backslash or a control character. */
function isHarmlessEscape(target: string, at: number): boolean {
  const high = hexValue(target.charCodeAt(at + 1));
  const low = hexValue(target.charCodeAt(at + 2));
  if (high < 0 || low < 0) return false;
  const code = high * 16 + low;
  return code > 0x1f && code !== 0x7f && code !== DOT && code !== SLASH && code !== BACKSLASH;
}

function isQuery(target: string, start: number): boolean {
  for (let at = start; at < target.length; at += 1) {
    const code = target.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
  }
  return true;
}

/** NaN (past the end of the text) is no digit either. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
