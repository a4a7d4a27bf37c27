import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { StatementCounter } from '../testing/count-statements.js';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const FEW = 1;
const MANY = 50;
const EVERYTHING = 'with_tag=true&with_label=true&with_accessory=true&with_immutable_status=true&with_inherited_accessory=true&with_scan_overview=true';
const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };

let core: TestCore;
let counter: StatementCounter;
let labels: number;

/** Everything that lists show, in abundance: nothing is to be asked for once for each row. */
beforeAll(async () => {
  core = await startTestCore();
  counter = new StatementCounter(core);
  const members: Record<string, number> = {};
  for (let index = 0; index < MANY; index += 1) {
    await core.addUser(`user-${index}`);
    members[`user-${index}`] = 3;
  }
  const id = await core.addProject('alpha', { members });
  labels = id;
  await core.database.execute(`INSERT INTO label (name, scope, project_id) SELECT 'label-' || n, 'p', $1 FROM generate_series(1, $2::int) AS n`, [id, MANY]);
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [id, JSON.stringify(RULE)]);
  for (let index = 0; index < MANY; index += 1) await core.addProject(`project-${index}`, { members: { 'user-0': 1 } });
  const pusher = new Pusher(core.database, id);
  for (let index = 0; index < MANY; index += 1) await pusher.image(`alpha/repository-${index}`, `content ${index}`, ['1']);
  for (let index = 0; index < MANY; index += 1) {
    const child = await pusher.image('alpha/app', `child ${index}`, [`child-${index}`]);
    const entry = await pusher.index('alpha/app', [child], [`v${index}`, `also-${index}`]);
    await pusher.image('alpha/app', `signature ${index}`, [], { subject: entry, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' });
  }
  await core.database.execute('INSERT INTO artifact_label (manifest_id, label_id) SELECT m.id, l.id FROM manifest m, (SELECT id FROM label LIMIT 3) l');
}, 120_000);
afterAll(() => core.stop());

test.each([
  ['artifacts with everything', `/projects/alpha/repositories/app/artifacts?${EVERYTHING}`],
  ['artifacts of a project with everything', `/projects/alpha/artifacts?${EVERYTHING}`],
  ['tags of an artifact', '/projects/alpha/repositories/many/artifacts/tag-1/tags?with_immutable_status=true'],
  ['tags of a repository', '/projects/alpha/repositories/app/tags?sort=version'],
  ['what happened in a repository', '/projects/alpha/repositories/app/history'],
  ['labels', '/labels?scope=p&project_id=:alpha'],
  ['repositories', '/projects/alpha/repositories'],
  ['repositories of all projects', '/repositories'],
  ['projects', '/projects?with_detail=true'],
  ['members', '/projects/alpha/members'],
  ['what is in the bin', '/projects/alpha/bin'],
])('a list of %s asks the database as often for 50 rows as for one', async (_name, pattern) => {
  await fillOnce();
  const path = `/api/v2.0${pattern.replace(':alpha', String(labels))}`;
  const page = async (size: number): Promise<number> => {
    const { answer, statements } = await counter.count('GET', `${path}${path.includes('?') ? '&' : '?'}page_size=${size}`, { as: 'user-0' });
    expect([answer.status, (answer.body as unknown[]).length]).toEqual([200, size]);
    return statements;
  };
  await page(FEW); // whatever is looked up once and then kept
  const few = await page(FEW);
  expect(few).toBeGreaterThan(1);
  expect(few).toBeLessThanOrEqual(12);
  expect(await page(MANY)).toBe(few);
});

let filled = false;

/** Tags of one artifact, and things in the bin. */
async function fillOnce(): Promise<void> {
  if (filled) return;
  filled = true;
  const names = Array.from({ length: MANY }, (_, index) => `tag-${index}`);
  await new Pusher(core.database, labels).image('alpha/many', 'many', [...names, ...names.map((name) => `doomed-${name}`)]);
  for (const name of names) expect((await core.call('DELETE', `/api/v2.0/projects/alpha/repositories/many/artifacts/${name}/tags/doomed-${name}`, { as: 'admin' })).status).toBe(200);
}
