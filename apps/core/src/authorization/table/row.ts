import type { Database } from '@haven/database';
import type { TestCore } from '../../testing/test-core.js';

/**
 * Who calls, one letter each: a anonymous, n logged in but no member, l limited guest, g guest, d developer,
 * m maintainer, p project admin, s system administrator, + robot of the project with everything that it can be given,
 * - robot of the project with no right that any route needs, y robot of the system with everything that it can be given.
 */
export const CALLERS = ['a', 'n', 'l', 'g', 'd', 'm', 'p', 's', '+', '-', 'y'] as const;
export type CallerLetter = (typeof CALLERS)[number];

/** Statuses with those who get them, e.g. "401 a, 403 nlg-, 200 dmps+y"; every caller once. */
export type Statuses = string;

/** One route: what each caller gets in a public and in a private project, and what it sends. */
export interface Row {
  readonly public: Statuses;
  readonly private: Statuses;
  readonly sends: Sends;
}

/** The project of the path, with its repository `app` that has an artifact tagged `1`. */
export interface Place {
  readonly core: TestCore;
  readonly database: Database;
  readonly project: string;
  readonly projectId: number;
  /** The id of somebody who never calls. */
  readonly bystander: number;
}

/**
 * What a call sends beside the caller's name. Left to itself, a body is wrong (a list with one word) and parts of the
 * path name nothing that exists, except for the project: those who are let in see 404 or 422, and nothing changes.
 */
export interface Sends {
  /** Parts of the path; a function runs before every call, for things that a call uses up. */
  readonly path?: Readonly<Record<string, string>> | ((place: Place) => Promise<Readonly<Record<string, string>>>);
  readonly query?: string | ((place: Place) => string);
  readonly json?: object | ((place: Place) => object);
}

export type Rows = Readonly<Record<string, Row>>;

/** The same in a public and in a private project. */
export function same(statuses: Statuses, sends: Sends = {}): Row {
  return { public: statuses, private: statuses, sends };
}

export function each(inPublic: Statuses, inPrivate: Statuses, sends: Sends = {}): Row {
  return { public: inPublic, private: inPrivate, sends };
}

/** What every caller gets, in the order of CALLERS; throws unless each is named exactly once. */
export function read(statuses: Statuses): Map<CallerLetter, number> {
  const found = new Map<string, number>();
  for (const part of statuses.split(', ')) {
    const [, status, letters = ''] = /^(\d{3}) ([-anlgdmps+y]+)$/.exec(part) ?? [];
    if (status === undefined) throw new Error(`"${part}" is not a status followed by callers`);
    for (const letter of letters) {
      if (found.has(letter)) throw new Error(`"${statuses}" names ${letter} twice`);
      found.set(letter, Number(status));
    }
  }
  return new Map(CALLERS.map((letter) => {
    const status = found.get(letter);
    if (status === undefined) throw new Error(`"${statuses}" does not name ${letter}`);
    return [letter, status];
  }));
}

/** The notation of what was seen, in the order of the first caller of each status. */
export function write(seen: ReadonlyMap<CallerLetter, number>): Statuses {
  const byStatus = new Map<number, string>();
  for (const [letter, status] of seen) byStatus.set(status, `${byStatus.get(status) ?? ''}${letter}`);
  return [...byStatus].map(([status, letters]) => `${status} ${letters}`).join(', ');
}
