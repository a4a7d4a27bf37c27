import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { RouteTable } from '../http/route-table.service.js';
import { makeAbundance, MANY, SOMEBODY, type Abundance } from '../testing/abundance.js';
import { StatementCounter } from '../testing/count-statements.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const FEW = 1;
/** No list needs more, however many kinds of parts it shows. */
const MOST_STATEMENTS = 12;
const EVERYTHING = 'with_tag=true&with_label=true&with_accessory=true&with_immutable_status=true&with_inherited_accessory=true&with_scan_overview=true';
const PROJECT = '/api/v2.0/projects/:project_name_or_id';
const WEBHOOK = `${PROJECT}/webhook`;
const SYSTEM_WEBHOOK = '/api/v2.0/system/webhook';
const REPOSITORIES = '/api/v2.0/projects/:project_name/repositories';
const REPOSITORY = `${REPOSITORIES}/:repository_name`;

/** What a list is asked for: parts of its path, its query, and by whom; by an administrator when nobody is named. */
interface List {
  readonly path?: (abundance: Abundance) => Readonly<Record<string, string | number>>;
  readonly query?: string | ((abundance: Abundance) => string);
  readonly as?: readonly string[];
}

const EVERYBODY = ['admin', SOMEBODY];
const IN_PROJECT: List = { as: EVERYBODY };
const policy = ({ policy: id, execution }: Abundance): Readonly<Record<string, number>> => ({ id, eid: execution });
const systemNotification = ({ systemWebhook, systemNotification: id }: Abundance): Readonly<Record<string, number>> => ({ webhook_policy_id: systemWebhook, execution_id: id });
const notification = ({ webhook, notification: id }: Abundance): Readonly<Record<string, number>> => ({ webhook_policy_id: webhook, execution_id: id });

/** Every list that has pages: it is read with a page of one and with a page of fifty rows. */
const PAGES: Readonly<Record<string, List>> = {
  [`${REPOSITORY}/artifacts`]: { query: EVERYTHING, as: EVERYBODY },
  [`${REPOSITORY}/artifacts/:reference/accessories`]: { path: () => ({ repository_name: 'many', reference: 'tag-0' }), as: EVERYBODY },
  [`${REPOSITORY}/artifacts/:reference/tags`]: { path: () => ({ repository_name: 'many', reference: 'tag-0' }), query: 'with_immutable_status=true', as: EVERYBODY },
  [`${REPOSITORY}/tags`]: { query: 'sort=version', as: EVERYBODY },
  [`${REPOSITORY}/history`]: IN_PROJECT,
  [`${REPOSITORY}/tags/:tag_name/history`]: { path: () => ({ repository_name: 'many', tag_name: 'tag-0' }), as: EVERYBODY },
  [REPOSITORIES]: IN_PROJECT,
  '/api/v2.0/repositories': IN_PROJECT,
  '/api/v2.0/projects': { query: 'with_detail=true', as: EVERYBODY },
  [`${PROJECT}/artifacts`]: { query: EVERYTHING, as: EVERYBODY },
  [`${PROJECT}/members`]: IN_PROJECT,
  [`${PROJECT}/bin`]: IN_PROJECT,
  [`${PROJECT}/robots`]: IN_PROJECT,
  [`${PROJECT}/immutabletagrules`]: IN_PROJECT,
  '/api/v2.0/projects/:project_name/logs': IN_PROJECT,
  '/api/v2.0/projects/:project_name/auditlog-exts': IN_PROJECT,
  '/api/v2.0/audit-logs': IN_PROJECT,
  '/api/v2.0/auditlog-exts': IN_PROJECT,
  '/api/v2.0/labels': { query: ({ project }) => `scope=p&project_id=${project}`, as: EVERYBODY },
  '/api/v2.0/robots': {},
  '/api/v2.0/quotas': { query: 'sort=-used.storage' },
  '/api/v2.0/users': {},
  '/api/v2.0/users/search': { query: 'username=user-', as: EVERYBODY },
  '/api/v2.0/usergroups': {},
  '/api/v2.0/usergroups/search': { query: 'groupname=group-', as: EVERYBODY },
  '/api/v2.0/schedules': {},
  '/api/v2.0/registries': {},
  '/api/v2.0/system/gc': {},
  '/api/v2.0/system/purgeaudit': {},
  [`${WEBHOOK}/policies`]: IN_PROJECT,
  [`${WEBHOOK}/jobs`]: { query: ({ webhook }) => `policy_id=${webhook}`, as: EVERYBODY },
  [`${WEBHOOK}/policies/:webhook_policy_id/deliveries`]: { path: notification, as: EVERYBODY },
  [`${WEBHOOK}/policies/:webhook_policy_id/dead-letters`]: { path: notification, as: EVERYBODY },
  [`${WEBHOOK}/policies/:webhook_policy_id/executions`]: { path: notification, as: EVERYBODY },
  [`${WEBHOOK}/policies/:webhook_policy_id/executions/:execution_id/tasks`]: { path: notification, as: EVERYBODY },
  [`${SYSTEM_WEBHOOK}/policies`]: {},
  [`${SYSTEM_WEBHOOK}/deliveries`]: {},
  [`${SYSTEM_WEBHOOK}/policies/:webhook_policy_id/deliveries`]: { path: systemNotification },
  [`${SYSTEM_WEBHOOK}/policies/:webhook_policy_id/dead-letters`]: { path: systemNotification },
  [`${SYSTEM_WEBHOOK}/policies/:webhook_policy_id/executions`]: { path: systemNotification },
  [`${SYSTEM_WEBHOOK}/policies/:webhook_policy_id/executions/:execution_id/tasks`]: { path: systemNotification },
  '/api/v2.0/system/events': {},
  '/api/v2.0/system/reconciliations': {},
  '/api/v2.0/system/reconciliations/:reconciliation_id/findings': { path: ({ reconciliation }) => ({ reconciliation_id: reconciliation }) },
  '/api/v2.0/retentions/:id/executions': { path: policy, as: EVERYBODY },
  '/api/v2.0/retentions/:id/executions/:eid/tasks': { path: policy, as: EVERYBODY },
};

/** Answers with all rows at once: two calls, one that finds a row and one that finds fifty. */
const WHOLE: Readonly<Record<string, readonly [Call, Call]>> = {
  '/api/v2.0/search': [{ query: 'q=project-17', rows: 1 }, { query: 'q=project-', rows: MANY }],
  [`${WEBHOOK}/lasttrigger`]: [{ project: 'project-0', rows: 1 }, { project: 'alpha', rows: MANY }],
  '/api/v2.0/users/current/sessions': [{ as: 'user-2', rows: 1 }, { as: 'user-1', rows: MANY }],
};

interface Call {
  readonly project?: string;
  readonly query?: string;
  readonly as?: string;
  readonly rows: number;
}

/** Lists of what the program itself, the queues or a directory know. */
const NO_ROWS = [
  '/api/v2.0/auditlog-exts/events', '/api/v2.0/users/current/permissions', '/api/v2.0/jobservice/pools', '/api/v2.0/jobservice/pools/:pool_id/workers', '/api/v2.0/jobservice/queues',
  '/api/v2.0/ldap/groups/search', '/api/v2.0/ldap/users/search', '/api/v2.0/replication/adapters',
];

let core: TestCore;
let counter: StatementCounter;
let abundance: Abundance;
beforeAll(async () => {
  core = await startTestCore();
  counter = new StatementCounter(core);
  abundance = await makeAbundance(core);
}, 120_000);
afterAll(() => core.stop());

function addressOf(route: string, { path, query }: List): string {
  const values: Readonly<Record<string, string | number>> = { project_name_or_id: 'alpha', project_name: 'alpha', repository_name: 'app', ...path?.(abundance) };
  const filled = route.replace(/:([a-z_]+)/g, (_match, name: string) => String(values[name] ?? 'missing'));
  return `${filled}?${typeof query === 'function' ? query(abundance) : (query ?? '')}`;
}

/** The fewest of four readings: settings, keys and rights are kept in memory for some seconds, and each is read anew in one of them at most. */
async function statementsFor(address: string, as: string, rows: number): Promise<number> {
  const counts: number[] = [];
  for (let reading = 0; reading < 4; reading += 1) counts.push(await statementsOnce(address, as, rows));
  return Math.min(...counts);
}

async function statementsOnce(address: string, as: string, rows: number): Promise<number> {
  const { answer, statements } = await counter.count('GET', address, { as });
  const shown = Array.isArray(answer.body) ? answer.body.length : Object.values(answer.body as Record<string, unknown[]>).reduce((sum, list) => sum + list.length, 0);
  expect([answer.status, shown]).toEqual([200, rows]);
  return statements;
}

test('every list of the service is counted here', () => {
  const { routes } = core.service.app.get(RouteTable, { strict: false });
  const gets = routes.filter(({ method }) => method === 'GET');
  const pages = gets.filter(({ response }) => response.kind === 'page').map(({ path }) => path);
  expect([...pages].sort()).toEqual(Object.keys(PAGES).sort());
  const whole = gets.filter(({ path, response }) => response.kind === 'one' && (response.schema instanceof z.ZodArray || path.endsWith('/search'))).map(({ path }) => path);
  expect([...whole].sort()).toEqual([...Object.keys(WHOLE), ...NO_ROWS].sort());
});

describe('as many statements for fifty rows as for one:', () => {
  test.each(Object.entries(PAGES))('%s', async (route, list) => {
    const address = addressOf(route, list);
    for (const as of list.as ?? ['admin']) {
      const few = await statementsFor(`${address}&page_size=${FEW}`, as, FEW);
      expect([few > 1, few <= MOST_STATEMENTS]).toEqual([true, true]);
      expect(await statementsFor(`${address}&page_size=${MANY}`, as, MANY)).toBe(few);
    }
  });

  test.each(Object.entries(WHOLE))('%s', async (route, [one, fifty]) => {
    const read = ({ project = '', query = '', as = 'admin', rows }: Call): Promise<number> => statementsFor(`${route.replace(':project_name_or_id', project)}?${query}`, as, rows);
    const few = await read(one);
    expect([few > 1, few <= MOST_STATEMENTS]).toEqual([true, true]);
    expect(await read(fifty)).toBe(few);
  });
});
