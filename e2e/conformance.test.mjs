import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './clients/run.mjs';
import { conformanceProgram } from './conformance-program.mjs';
import { Haven } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { errorCodes, expectStatus } from './registry/oci-client.mjs';

/** Every switch the program knows, all on. */
const EVERYTHING = Object.fromEntries([
  ...['PING', 'PULL', 'PUSH', 'REFERRER', 'BLOBS_ATOMIC', 'BLOBS_DELETE', 'BLOBS_DIGEST_HEADER', 'BLOBS_MOUNT_ANONYMOUS', 'BLOBS_UPLOAD_CANCEL', 'MANIFESTS_ATOMIC',
    'MANIFESTS_DELETE', 'MANIFESTS_DIGEST_HEADER', 'MANIFESTS_TAG_PARAM', 'TAGS_ATOMIC', 'TAGS_DELETE', 'TAGS_LIST'].map((name) => `OCI_API_${name}`),
  ...['IMAGE', 'INDEX', 'INDEX_LIST', 'SPARSE', 'ARTIFACT', 'SUBJECT', 'SUBJECT_MISSING', 'ARTIFACT_LIST', 'SUBJECT_LIST', 'DATA_FIELD', 'NONDISTRIBUTABLE',
    'CUSTOM_FIELDS', 'NO_LAYERS', 'EMPTY_BLOB', 'SHA512'].map((name) => `OCI_DATA_${name}`),
].map((name) => [name, 'true']));

const VERSIONS = ['1.1', 'dev'];

/** The program knows 28 parts of the API and 24 kinds of data; fewer answers mean that something was not run. */
const LEAST_APIS = 28;
const LEAST_DATA_SETS = 24;

const program = conformanceProgram();
if (program.problem) console.log(`The OCI conformance program is skipped: ${program.problem}.`);

describe('the official OCI conformance program', () => {
  let haven, ann, project, results;

  beforeAll(async () => {
    haven = await Haven.start();
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'projectAdmin' }, metadata: { allow_sparse_manifests: 'true' } });
    results = mkdtempSync(join(tmpdir(), 'haven-conformance-results-'));
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
    if (results) rmSync(results, { recursive: true, force: true });
  }, 60_000);

  (program.problem ? test.skip : test).each(VERSIONS)('passes with everything switched on, version %s', (version) => expectAllPassed(version), 320_000);

  async function expectAllPassed(version) {
    const folder = join(results, version);
    const { code, output } = await run(program.path, [], {
      cwd: results,
      seconds: 300,
      env: {
        ...EVERYTHING,
        OCI_VERSION: version,
        OCI_REGISTRY: haven.host,
        OCI_TLS: 'disabled',
        OCI_REPO1: `${project}/conformance/one-${version.replace('.', '-')}`,
        OCI_REPO2: `${project}/conformance/two-${version.replace('.', '-')}`,
        OCI_USERNAME: ann.user,
        OCI_PASSWORD: ann.password,
        OCI_RESULTS_DIR: folder,
      },
    });
    const yaml = readStatuses(readFileSync(join(folder, 'results.yaml'), 'utf8'));
    const notPassed = Object.entries({ ...yaml.apis, ...yaml.data }).filter(([, status]) => status !== 'Pass');
    expect({ notPassed, faults: faultsIn(output) }).toEqual({ notPassed: [], faults: [] });
    const counts = junitCounts(readFileSync(join(folder, 'junit.xml'), 'utf8'));
    expect(counts).toEqual({ tests: expect.any(Number), failures: 0, errors: 0, skipped: 0, disabled: 0 });
    expect(counts.tests).toBeGreaterThan(900);
    expect(Object.keys(yaml.apis).length).toBeGreaterThanOrEqual(LEAST_APIS);
    expect(Object.keys(yaml.data).length).toBeGreaterThanOrEqual(LEAST_DATA_SETS);
    expect(code).toBe(0);
  }

  test('what the program wants to be accepted when asked for (missing content) is refused by default, by name', async () => {
    const strict = await haven.project({ members: { ann: 'projectAdmin' } });
    const image = randomImage({ layers: 2 });
    const oci = haven.oci(ann);
    for (const blob of image.blobs.slice(0, -1)) expectStatus(await oci.pushBlob(`${strict}/app`, blob), 201, 'blob');
    const refused = await oci.putManifest(`${strict}/app`, '1', image);
    expect([refused.status, errorCodes(refused)]).toEqual([404, ['MANIFEST_BLOB_UNKNOWN']]);
    expect(refused.bodyText).toContain(image.blobs.at(-1).digest);
    for (const blob of image.blobs.slice(0, -1)) expectStatus(await oci.pushBlob(`${project}/sparse`, blob), 201, 'blob');
    expectStatus(await oci.putManifest(`${project}/sparse`, '1', image), 201, 'sparse manifest');
    expect((await oci.head(`${project}/sparse`, 'blobs', image.blobs.at(-1).digest)).status).toBe(404);
  });
});

/** `apis` and `data` of results.yaml: a flat list of "Name: Status" below each. */
function readStatuses(text) {
  const sections = {};
  let section;
  for (const line of text.split('\n')) {
    const heading = /^(\w+):\s*$/.exec(line)?.[1];
    if (heading) section = sections[heading] = {};
    const entry = /^ {2}["']?([^:"']+)["']?: ["']?(Pass|FAIL|Skip|Disabled|Error|Unknown)["']?$/.exec(line);
    if (entry && section) section[entry[1]] = entry[2];
  }
  return { apis: sections.apis ?? {}, data: sections.data ?? {} };
}

function junitCounts(xml) {
  const top = /<testsuites ([^>]*)>/.exec(xml)[1];
  const attribute = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(top)?.[1] ?? 0); // the program leaves zeros out
  return { tests: attribute('tests'), failures: attribute('failures'), errors: attribute('errors'), skipped: attribute('skipped'), disabled: attribute('disabled') };
}

/** The lines of the report that name something other than a pass, with what follows each. */
function faultsIn(output) {
  const lines = output.split('\n');
  return lines.filter((line) => /: (?:FAIL|Skip|Disabled|Error)$|^ *- /.test(line)).slice(0, 60);
}
