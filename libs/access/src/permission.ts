import { ROLES, type Role } from './role.js';

/** What may be done to a resource. */
export type Action = 'create' | 'read' | 'update' | 'delete' | 'list' | 'pull' | 'push' | 'operate' | 'stop' | 'scanner-pull';

/** The things in a project that permissions are about; `project` is the project itself. */
export type ProjectResource = keyof typeof MATRIX;

/** A permission in a project, as `repository:pull`. */
export type ProjectPermission = `${ProjectResource}:${Action}`;

type Column = Role | 'public';
type Row = readonly [projectAdmin: string, maintainer: string, developer: string, guest: string, limitedGuest: string, everyone: string];

/**
 * Who may do what in a project: one row per resource, one column per role, and a last column for what every caller,
 * known or not, may do in a public project. Letters stand for create, read, update, delete and list; other actions are
 * written out. It is Harbor's matrix, so that people keep the rights they had there.
 */
const MATRIX = {
  //                      projectAdmin         maintainer         developer         guest      limitedGuest  public
  'project':             ['rud',               'r',               'r',              'r',       'r',          'r'],
  'member':              ['crudl',             'rl',              'rl',             'rl',      '',           ''],
  'metadata':            ['crud',              'r',               '',               '',        '',           ''],
  'log':                 ['l',                 '',                '',               '',        '',           ''],
  'label':               ['crudl',             'crudl',           'rl',             'rl',      '',           'rl'],
  'quota':               ['r',                 'r',               'r',              'r',       'r',          ''],
  'repository':          ['crudl pull push',   'crudl pull push', 'crul pull push', 'rl pull', 'rl pull',    'l pull'],
  'tag-retention':       ['crudl operate',     'crudl operate',   'crudl operate',  '',        '',           ''],
  'immutable-tag':       ['cudl',              'cudl',            '',               '',        '',           ''],
  'configuration':       ['ru',                'r',               'r',              'r',       'r',          ''],
  'robot':               ['crudl',             'rl',              'rl',             'rl',      '',           ''],
  'notification-policy': ['crudl',             'rl',              '',               '',        '',           ''],
  'scan':                ['cr stop',           'cr stop',         'r',              'r',       'r',          'r'],
  'sbom':                ['cr stop',           'cr stop',         'r',              'r',       'r',          ''],
  'scanner':             ['cr',                'r',               'r',              'r',       'r',          'r'],
  'artifact':            ['crdl',              'crdl',            'crl',            'rl',      'rl',         'rl'],
  'artifact-addition':   ['r',                 'r',               'r',              'r',       'r',          'r'],
  'tag':                 ['cdl',               'cdl',             'cl',             'l',       'l',          'l'],
  'accessory':           ['l',                 'l',               'l',              'l',       'l',          'l'],
  'artifact-label':      ['cd',                'cd',              'cd',             '',        '',           ''],
  'preheat-policy':      ['crudl',             '',                '',               '',        '',           ''],
  'export-cve':          ['crl',               'crl',             'crl',            '',        '',           ''],
} as const satisfies Record<string, Row>;

const LETTERS: Readonly<Record<string, Action>> = { c: 'create', r: 'read', u: 'update', d: 'delete', l: 'list' };
const WORDS: ReadonlySet<string> = new Set<Action>(['pull', 'push', 'operate', 'stop']);

const COLUMNS: readonly Column[] = [...ROLES, 'public'];
const NOTHING: ReadonlySet<ProjectPermission> = new Set();
const BY_COLUMN: ReadonlyMap<Column, ReadonlySet<ProjectPermission>> = new Map(COLUMNS.map((column, index) => [column, columnPermissions(index)]));

/** What this role may do in its project. A role that does not exist may do nothing. */
export function permissionsOf(role: Role): ReadonlySet<ProjectPermission> {
  return ROLES.includes(role) ? (BY_COLUMN.get(role) ?? NOTHING) : NOTHING;
}

/** What every caller, known or not, may do in a public project. */
export const publicPermissions: ReadonlySet<ProjectPermission> = BY_COLUMN.get('public') ?? NOTHING;

/** Reads the short notation of the tables: `crudl` letters and action words, separated by spaces. */
export function actionsIn(notation: string): Action[] {
  return notation.split(' ').filter((part) => part !== '').flatMap((part) => (WORDS.has(part) ? [part as Action] : lettersIn(part)));
}

/** Every permission in a project that somebody can hold: the roles', and what only robots and system administrators have. */
export const projectPermissions: readonly ProjectPermission[] = [...new Set([...COLUMNS.flatMap((column) => [...(BY_COLUMN.get(column) ?? NOTHING)]), 'metadata:list' as const])];

function lettersIn(part: string): Action[] {
  return [...part].map((letter) => {
    const action = LETTERS[letter];
    if (action === undefined) throw new Error(`The permission table has an unknown letter: ${part}`);
    return action;
  });
}

function columnPermissions(index: number): ReadonlySet<ProjectPermission> {
  const permissions = new Set<ProjectPermission>();
  for (const [resource, row] of Object.entries(MATRIX) as [ProjectResource, Row][]) {
    for (const action of actionsIn(row[index] ?? '')) permissions.add(`${resource}:${action}`);
  }
  return permissions;
}
